"""Whose message it is, and which incidents it can mean."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import NamedTuple

from bot.chat.rows import Row, Sender
from escalation.deciding.handing import urgeable
from escalation.deciding.official import owing
from escalation.deciding.requesting import pending
from escalation.deciding.undoing import last_act
from escalation.directory import ContactEntry, Directory
from escalation.incident import ClockState, Duty, Incident, IncidentState, Request
from escalation.inputs import Reply, Rights
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.states import Damaged
from escalation.ledger.turning import DAY, TOLD_DAYS
from escalation.notice import NoticeKind
from escalation.replies import answers_as, rights
from escalation.roster import standing
from escalation.vocabulary import ClockKind, Verb

MOST_TOLD = 1000
"""How many codes told to one sender are looked at; who was told of more has to name the code."""
MOST_FOUND = 20
"""How many open incidents an answer may list."""
_PAGE = 100
_SOON = 60_000
"""A page's clock and a vendor's may differ by so much (ms) in what came first."""


def sender_of(row: Row, directory: Directory) -> Sender | None:
    """Who sent the row: whom the page has made sure of, else whoever answers from this address; None for a stranger."""
    if row.known:
        return Sender(row.person, row.unit, row.role)
    if not row.sender:
        return None
    found = answers_as(directory, row.channel, row.sender, row.at)
    return Sender(*found) if found else None


def name_of(directory: Directory, sender: Sender | None) -> str:
    """The sender's name; '' for a stranger, and where only the post is known."""
    person = directory.people.get(sender.person) if sender and sender.person else None
    return person.name if person else ""


def may_answer(directory: Directory, incident: Incident, sender: Sender) -> bool:
    """Whether the sender holds any post from which this incident may be answered."""
    return bool(_rights(directory, incident, sender))


def mailboxes_of(directory: Directory, sender: Sender, at: int) -> tuple[Mailbox, ...]:
    """Where the sender is told: a person's own addresses and those of the posts where they stand now, or the room's."""
    entries: list[ContactEntry] = []
    if sender.person:
        person = directory.people.get(sender.person)
        entries += person.contacts if person else ()
        for post in directory.posts:
            if post.contacts and any(
                each.person == sender.person for each in standing(directory, post.unit, post.role, at)
            ):
                entries += post.contacts
    elif sender.role is not None:
        entries += [entry for post in directory.posts_at(sender.unit, sender.role) for entry in post.contacts]
    return tuple(dict.fromkeys(Mailbox(entry.channel, entry.address.strip()) for entry in entries))


class Found(NamedTuple):
    """The sender's own open incidents, newest told first; not ``complete`` where there may be more. ``damaged`` are the
    codes of open ones that the sender was told of and whose records cannot be read."""

    incidents: list[Incident]
    complete: bool
    damaged: tuple[str, ...] = ()


async def open_for(ledger: Ledger, mailboxes: Mailboxes, directory: Directory, sender: Sender, row: Row) -> Found:
    """The open incidents this sender was told of and may answer for, and which were there when the message came: a
    bare 1 cannot mean what opened afterwards."""
    boxes = mailboxes_of(directory, sender, row.at)
    told = await mailboxes.told(boxes, since=row.at - TOLD_DAYS * DAY) if boxes else []
    codes = list(_merged(told))
    found: list[Incident] = []
    damaged: list[str] = []
    complete = len(codes) <= MOST_TOLD
    for start in range(0, min(len(codes), MOST_TOLD), _PAGE):
        for incident in await ledger.find_many(codes[start : min(start + _PAGE, MOST_TOLD)]):
            if isinstance(incident, Damaged):
                damaged.append(incident.code)
                continue
            if incident is None or incident.state is IncidentState.CLOSED or incident.opened_at > row.at:
                continue
            if may_answer(directory, incident, sender):
                found.append(incident)
        if len(found) > MOST_FOUND:
            complete = False
            break
    return Found(found, complete, tuple(await ledger.open_among(damaged)))


def fitting(directory: Directory, found: Iterable[Incident], sender: Sender, verb: Verb) -> list[Incident]:
    """Those of the incidents where the verb is still owed by the sender's own duty."""
    return [incident for incident in found if _owed(directory, incident, sender, verb)]


async def last_acted(
    ledger: Ledger, mailboxes: Mailboxes, directory: Directory, sender: Sender, row: Row
) -> list[Incident]:
    """Where the sender did something last, open or closed: one incident, or those that one message named together."""
    boxes = mailboxes_of(directory, sender, row.at)
    told = await mailboxes.told(boxes, since=row.at - TOLD_DAYS * DAY) if boxes else []
    codes = list(_merged(told))[:MOST_TOLD]
    acted: list[tuple[int, Incident]] = []
    for start in range(0, len(codes), _PAGE):
        for incident in await ledger.get_many(codes[start : start + _PAGE]):
            last = last_act(incident, sender.person, sender.unit, sender.role or "") if incident else None
            if incident is not None and last is not None and last.at <= row.at + _SOON:
                acted.append((last.at, incident))
    newest = max((at for at, _ in acted), default=0)
    return [incident for at, incident in acted if at == newest]


def is_officer(directory: Directory, sender: Sender) -> bool:
    """Whether the sender holds a post of an authority."""
    if not sender.person:
        return sender.unit in directory.units
    return any(
        post.unit in directory.units
        and (sender.person in post.people or any(sender.person in row.people for row in post.roster))
        for post in directory.posts
    )


def requests_for(directory: Directory, incident: Incident, sender: Sender) -> list[Request]:
    """The requests that wait for the sender's approval."""
    return [request for request, _ in pending(incident, _rights(directory, incident, sender))]


def duties_of(directory: Directory, incident: Incident, sender: Sender) -> list[Duty]:
    """The open duties of the units where the sender holds a post."""
    units = {right.unit for right in _rights(directory, incident, sender)}
    return [duty for duty in incident.duties if duty.open and duty.unit in units]


def feedback_owed(directory: Directory, incident: Incident, sender: Sender) -> list[Duty]:
    """The duties of the sender's units that still owe the official system a feedback, after the close too."""
    units = {right.unit for right in _rights(directory, incident, sender)}
    return [duty for duty in owing(incident) if duty.unit in units]


def _merged(told: list[list[str]]) -> dict[str, None]:
    return dict.fromkeys(code for rank in zip_longest(*told) for code in rank if code is not None)


def _owed(directory: Directory, incident: Incident, sender: Sender, verb: Verb) -> bool:
    duties = duties_of(directory, incident, sender)
    match verb:
        case Verb.SIGN:
            return any(duty.signed is None for duty in duties)
        case Verb.VERIFY | Verb.DISPOSE:
            return any(duty.verified is None and duty.disposed is None for duty in duties)
        case Verb.FED_BACK:
            return any(
                clock.kind is ClockKind.FEEDBACK and not clock.met_at for duty in duties for clock in duty.clocks
            )
        case Verb.TRANSFER:
            return bool(duties)
        case Verb.EXTEND:
            running = (clock for duty in duties for clock in duty.clocks if clock.state is ClockState.RUNNING)
            return any(clock.kind is not ClockKind.SIGN for clock in running)
        case Verb.APPROVE | Verb.REFUSE:
            return bool(requests_for(directory, incident, sender))
        case Verb.URGE:
            return bool(urgeable(incident, _rights(directory, incident, sender))[1])
        case Verb.PHONED:
            return any(
                notice.kind is NoticeKind.PHONE_TASK and not notice.done_at for notice in incident.notices.values()
            )
        case _:
            return True


def _rights(directory: Directory, incident: Incident, sender: Sender) -> tuple[Rights, ...]:
    asked = Reply(
        id="",
        verb=Verb.QUERY,
        person=sender.person,
        unit=sender.unit,
        role=sender.role,
        channel="",
        at=incident.opened_at,
    )
    return rights(directory, incident, asked)
