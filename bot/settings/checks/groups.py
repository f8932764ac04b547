"""Groups are read by their own tier's people alone: what one enterprise is told of never shows in another's group."""

from __future__ import annotations

from collections.abc import Iterator

from bot.settings.checks.draft import Draft
from bot.settings.models import groups_of
from bot.settings.positions import Loc
from bot.settings.problem import Finding, choices
from escalation.directory import ContactEntry


def groups(draft: Draft) -> Iterator[Finding]:
    """Readers that do not exist, and groups whose readers include people of units outside the line of a post."""
    known = {name for _, name in (*draft.ids("units"), *draft.ids("enterprises", "uscc"))}
    readers = groups_of({name: settings for name, (settings, _) in draft.channels.items()})
    for channel in readers:
        for number, unit in enumerate(getattr(draft.channels[channel][0], "readers", ())):
            if unit not in known and draft.whole:
                hint, args = choices(unit, known)
                at: Loc = ("channels", channel, "readers", number)
                yield Finding("no_place", at, {"value": unit, **args}, hint=hint)
    directory = draft.directory
    if directory is None:
        return
    for loc, unit, entry in _contacts(draft):
        outside = readers.get(entry.channel, frozenset()) - set(directory.line_of(unit).values())
        if outside:
            names = "、".join(sorted(f"{directory.unit_name(each)} ({each})" for each in outside))
            args = {"channel": entry.channel, "name": f"{directory.unit_name(unit)} ({unit})", "others": names}
            yield Finding("group_of_others", (*loc, "channel"), args)


def _contacts(draft: Draft) -> Iterator[tuple[Loc, str, ContactEntry]]:
    """Each contact of a post, and of each person at each of their posts, with the post's unit."""
    people = {person.id: (loc, person) for loc, person in draft.people}
    for loc, post in draft.posts:
        for number, entry in enumerate(post.contacts):
            yield (*loc, "contacts", number), post.unit, entry
        for name in dict.fromkeys((*post.people, *(each for shift in post.roster for each in shift.people))):
            if name in people:
                at, person = people[name]
                for number, entry in enumerate(person.contacts):
                    yield (*at, "contacts", number), post.unit, entry
