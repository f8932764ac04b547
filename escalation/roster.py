"""Who stands at a post now: fixed people, or whoever the roster names, and the duty room that has contacts of its own.

Times are milliseconds since the epoch; shifts are wall-clock times in Asia/Shanghai. Everything is answered from the
directory and the moment alone, so "who would be told on Saturday at 02:00" has the same answer before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

import msgspec

from escalation.calendar import local
from escalation.directory import ContactEntry, Directory, Post, Shift
from escalation.notice import Addressee, Contact
from escalation.vocabulary import Role


def standing(directory: Directory, unit: str, role: Role, at_ms: int) -> tuple[Addressee, ...]:
    """Everybody who stands at the unit's posts of this role, in order, each person once.

    ``unit`` is a unit's id or an enterprise's uscc. Who cannot be reached by any contact is left out.
    """
    return distinct(who for group in _groups(directory, unit, role, at_ms) for who in group)


def first(directory: Directory, unit: str, role: Role, at_ms: int) -> tuple[Addressee, ...]:
    """Whom an opening tells: of each post the duty room itself and the first person; the second is a rung's to call."""
    told: list[Addressee] = []
    for group in _groups(directory, unit, role, at_ms):
        told += [who for who in group if not who.person]
        told += [who for who in group if who.person][:1]
    return distinct(told)


def second(directory: Directory, unit: str, role: Role, at_ms: int) -> tuple[Addressee, ...]:
    """The second person (第二责任人) of each post, where there is one whom :func:`first` has not told already."""
    told = {who.person for who in first(directory, unit, role, at_ms)}
    seconds = [[who for who in group if who.person][1:2] for group in _groups(directory, unit, role, at_ms)]
    return distinct(who for group in seconds for who in group if who.person not in told)


def responsible_for_point(
    directory: Directory, enterprise: str, point: str, roles: Iterable[Role]
) -> tuple[Addressee, ...]:
    """Who answers for this one point, and so hears before the enterprise's posts: its own responsible persons (they
    count as operators), then, of its major hazard's 包保 persons, those who stand for one of ``roles``: the operational
    person for the operator, the technical for the safety officer, the main for the main person."""
    known = directory.point(enterprise, point)
    hazard = directory.hazard_of(enterprise, point)
    found = list(_persons(directory, enterprise, Role.OPERATOR, known.responsible if known else ()))
    if hazard is not None:
        by_role = {
            Role.OPERATOR: hazard.operational_person,
            Role.SAFETY_OFFICER: hazard.technical_person,
            Role.MAIN_PERSON: hazard.main_person,
        }
        for role in roles:
            found += _persons(directory, enterprise, role, [by_role[role]] if role in by_role else ())
    return distinct(found)


def everybody(directory: Directory, unit: str, point: str = "") -> tuple[Addressee, ...]:
    """Everybody who holds a post at a unit, on shift or not, and every duty room: whoever may be given a duty there.

    ``unit`` is a unit's id or an enterprise's uscc; with ``point``, its responsible and 包保 persons stand first. Who
    cannot be reached by any contact is left out.
    """
    found = list(responsible_for_point(directory, unit, point, tuple(Role))) if point else []
    for role in Role:
        for post in directory.posts_at(unit, role):
            people = (*post.people, *(person for row in post.roster for person in row.people))
            found += [*_room(directory, post), *_persons(directory, unit, role, dict.fromkeys(people))]
    return distinct(found)


def belongs(directory: Directory, unit: str, role: Role, person: str, point: str = "") -> bool:
    """Whether the person is still known and holds any post at the unit, on shift or not, or answers there for
    ``point``: somebody who has left must not hear of it. ``role`` is looked at first, since it is nearly always it."""
    if person not in directory.people:
        return False
    for each in (role, *Role):
        for post in directory.posts_at(unit, each):
            if person in post.people or any(person in row.people for row in post.roster):
                return True
    return any(who.person == person for who in responsible_for_point(directory, unit, point, tuple(Role)))


def holder(directory: Directory, key: str) -> tuple[Addressee, ...]:
    """The addressee of a key (``unit/role/person``) as the directory has them now; none where it no longer has."""
    unit, role, person = key.rsplit("/", 2)
    if person:
        return distinct(_persons(directory, unit, Role(role), (person,) if person in directory.people else ()))
    return distinct(who for post in directory.posts_at(unit, Role(role)) for who in _room(directory, post))


def as_known_now(directory: Directory, who: Addressee) -> Addressee:
    """The same addressee with the contacts that the directory has for them now; as they were where it knows none."""
    if who.person in directory.people:
        contacts, calls = _usable(directory, directory.people[who.person].contacts)
    else:
        rooms = (room for post in directory.posts_at(who.unit, who.role) for room in _room(directory, post))
        contacts, calls = next(((room.contacts, room.calls) for room in rooms if not who.person), ((), ()))
    return msgspec.structs.replace(who, contacts=contacts, calls=calls) if contacts else who


def distinct(addressees: Iterable[Addressee]) -> tuple[Addressee, ...]:
    """Each person once, by the first post they were found at; each duty room as such once."""
    found: dict[str, Addressee] = {}
    for who in addressees:
        found.setdefault(f"person/{who.person}" if who.person else who.key, who)
    return tuple(found.values())


def on_shift(post: Post, at_ms: int) -> tuple[str, ...]:
    """The ids of the people the roster puts at this post now, in order.

    A row of one date wins over rows of weekdays, for the hours that it covers. A shift that ends at or before its start
    belongs to the day it started on and ends the next morning.
    """
    if not post.roster:
        return ()
    now = local(at_ms)
    covering = [row for row in post.roster if _covers(row, now)]
    dated = [row for row in covering if row.date is not None]
    return tuple(dict.fromkeys(person for row in dated or covering for person in row.people))


def _groups(directory: Directory, unit: str, role: Role, at_ms: int) -> Iterator[tuple[Addressee, ...]]:
    """One group a post: the room itself, if it has contacts, then its people."""
    for post in directory.posts_at(unit, role):
        people = post.people or on_shift(post, at_ms)
        yield (*_room(directory, post), *_persons(directory, unit, role, people))


def _room(directory: Directory, post: Post) -> Iterator[Addressee]:
    contacts, calls = _usable(directory, post.contacts)
    if contacts:
        yield Addressee(
            unit=post.unit,
            tier=directory.tier_of(post.unit),
            role=post.role,
            name=f"{directory.unit_name(post.unit)}{post.role.word}",
            contacts=contacts,
            calls=calls,
        )


def _persons(directory: Directory, unit: str, role: Role, people: Iterable[str]) -> Iterator[Addressee]:
    for person in people:
        known = directory.people[person]
        contacts, calls = _usable(directory, known.contacts)
        if contacts:
            yield Addressee(
                unit=unit,
                tier=directory.tier_of(unit),
                role=role,
                person=person,
                name=known.name,
                contacts=contacts,
                calls=calls,
            )


def _usable(directory: Directory, entries: Iterable[ContactEntry]) -> tuple[tuple[Contact, ...], tuple[Contact, ...]]:
    """The contacts that are written to, and those that are telephoned. An address of blanks is a place kept free, not
    an address; none at all means that the channel itself is it."""
    found = tuple(
        Contact(channel=entry.channel, address=entry.address.strip())
        for entry in entries
        if not entry.address or entry.address.strip()
    )
    if not directory.spoken:
        return found, ()
    calls = tuple(each for each in found if each.channel in directory.spoken)
    return tuple(each for each in found if each not in calls), calls


def _covers(row: Shift, now: datetime) -> bool:
    """Whether the row's shift of today, or of yesterday if it passes midnight, is on at this moment."""
    minute = now.hour * 60 + now.minute
    begin, end = _minute(row.start), _minute(row.end)
    if end > begin:
        return _on_day(row, now.date()) and begin <= minute < end
    yesterday = now.date() - timedelta(days=1)
    return (_on_day(row, now.date()) and minute >= begin) or (_on_day(row, yesterday) and minute < end)


def _on_day(row: Shift, day: date) -> bool:
    return row.date == day.isoformat() if row.date is not None else day.isoweekday() in row.days


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
