"""Posts that somebody stands at: the right place for each, rosters without gaps, people who can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta

from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight
from escalation.calendar import moment
from escalation.directory import Directory, Post
from escalation.roster import on_shift
from escalation.vocabulary import Role

_MONDAY = date(2026, 1, 5)
_DAYS = "一二三四五六日"


def reachable(directory: Directory, unit: str, roles: Iterable[Role]) -> bool:
    """True when any post of these roles has contacts, or a person with contacts, at any time of its roster.

    A person whom nobody has described counts as reachable: the missing name is an error of its own.
    """
    for role in roles:
        for post in directory.posts_at(unit, role):
            if post.contacts:
                return True
            for person in (*post.people, *(person for shift in post.roster for person in shift.people)):
                known = directory.people.get(person)
                if known is None or known.contacts:
                    return True
    return False


def rosters(draft: Draft) -> Iterator[Finding]:
    """Rosters that say nothing, or that leave hours of the week to nobody."""
    for loc, post in draft.posts:
        if not (post.people or post.roster or post.contacts):
            yield Finding("nobody_named", loc, {}, Weight.WARNING)
        if post.people and post.roster:
            yield Finding("people_and_roster", (*loc, "roster"), key=True)
        for number, shift in enumerate(post.roster):
            if not shift.people:
                yield Finding("empty_shift", (*loc, "roster", number))
            if shift.date is not None and not _is_day(shift.date):
                yield Finding("bad_day", (*loc, "roster", number, "date"), {"value": shift.date})
        if post.roster and not post.people and (post.role is Role.DUTY_ROOM or post.around_the_clock):
            yield from _gaps(loc, post)


def _gaps(loc: Loc, post: Post) -> Iterator[Finding]:
    found = gaps(post)
    if found:
        yield Finding("roster_gap", (*loc, "roster"), {"gaps": "、".join(found)}, Weight.WARNING)


def gaps(post: Post) -> list[str]:
    """The spans of an ordinary week in which the roster names nobody, as ``周六 00:00–08:00``; single dates are left
    out, since they only add to the week."""
    weekly = post.model_copy(update={"roster": tuple(row for row in post.roster if row.date is None)})
    edges = sorted({_minute(clock) for row in weekly.roster for clock in (row.start, row.end)} | {0, 1440})
    found: list[str] = []
    for day in range(7):
        midnight = moment(_MONDAY + timedelta(days=day), time())
        begin: int | None = None
        for start in edges[:-1]:
            empty = not on_shift(weekly, midnight + start * 60_000)
            if empty and begin is None:
                begin = start
            if not empty and begin is not None:
                found.append(_span(day, begin, start))
                begin = None
        if begin is not None:
            found.append(_span(day, begin, 1440))
    return found


def _span(day: int, begin: int, end: int) -> str:
    return f"周{_DAYS[day]} {begin // 60:02}:{begin % 60:02}–{end // 60:02}:{end % 60:02}"


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _only_called(draft: Draft) -> Iterator[Finding]:
    """Whoever has nothing but telephone calls hears of no incident that nobody calls for, and not at once of any."""
    spoken = {name for name, (_, abilities) in draft.channels.items() if abilities.voice}
    rows = [(loc, person.contacts, f"{person.name} ({person.id})") for loc, person in draft.people]
    rows += [(loc, post.contacts, f"{post.unit} {post.role.word}") for loc, post in draft.posts]
    for loc, contacts, name in rows:
        if contacts and all(each.channel in spoken for each in contacts):
            yield Finding("only_called", (*loc, "contacts"), {"name": name})


def missing(draft: Draft) -> Iterator[Finding]:
    """Warnings for whoever lacks what an alarm at night needs: a duty room, a post around the clock, contacts."""
    directory = draft.directory
    if directory is None:
        return
    for loc, unit in draft.units:
        if not reachable(directory, unit.id, (Role.DUTY_ROOM,)):
            yield Finding("no_duty_room", loc, {"name": f"{unit.name} ({unit.id})"}, Weight.WARNING)
    awake = {post.unit for _, post in draft.posts if post.around_the_clock}
    for loc, enterprise in draft.enterprises:
        if enterprise.uscc not in awake:
            yield Finding("no_night_post", loc, {"name": enterprise.name}, Weight.WARNING)
    yield from _only_called(draft)
    for loc, person in draft.people:
        if not person.contacts:
            yield Finding("no_contacts", loc, {"name": f"{person.name} ({person.id})"}, Weight.WARNING)
