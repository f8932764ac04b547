"""Accident words become an incident of their own, and its text and number reach the county duty room as they were.

The incident belongs to no enterprise, so that the directory's fallback unit (the county) acts at once, with its own
ladder, and no signature of an enterprise stops it; whose phone it came from stands in its name and reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from bot.chat.accidents import accident_words
from bot.chat.folding import folded
from bot.chat.rows import Row, Sender, digest
from bot.rendering import shorten
from escalation.directory import Directory
from escalation.event import Event, EventType
from escalation.ledger.change import OutboxItem
from escalation.notice import NoticeKind, OutboxRow
from escalation.reach import acting
from escalation.vocabulary import Role, Urgency

SOURCE = "chat"
"""The source of events that people's own words make; no configured source may have this name."""
POINT = "accident/"

_REASON = 56
_MOST_REASONS = 4
_LEAD_UP = 60
_MOBILE = re.compile(r"(1\d{2})(\d{4})(\d{4})")


def accident_event(row: Row, sender: Sender | None, directory: Directory, now: int) -> Event:
    """The raise of an accident report. Messages of one sender are one incident while it is open."""
    text = _telling(row)
    chunks = [text[at : at + _REASON] for at in range(0, min(len(text), _REASON * _MOST_REASONS), _REASON)]
    return Event(
        source=SOURCE,
        id=row.id,
        type=EventType.ALARM_RAISED,
        at=row.at,
        received_at=now,
        body_hash=sha256(row.text.encode()).hexdigest(),
        enterprise_name=_enterprise(sender, directory),
        point=f"{POINT}{digest(row.sender or row.id)}",
        point_name="事故报告",
        reasons=(*chunks, f"来自{caller(row, sender, directory)}"),
    )


def _telling(row: Row) -> str:
    """The message in one line; of a long one what leads up to its accident words, so that a short report holds them."""
    text = " ".join(row.text.split())
    places = [at for at in (text.find(word) for word in accident_words(folded(row.text).lower())) if at >= 0]
    return f"…{text[min(places) - _LEAD_UP :]}" if places and min(places) > _REASON * 2 else text


def over_event(row: Row, code: str, point: str, now: int) -> Event:
    """The end of an accident report: there is no upstream but the hub, so the acting tier's own word says it."""
    return Event(
        source=SOURCE,
        id=f"{row.id}/{code}/over",
        type=EventType.ALARM_CLEARED,
        at=now,
        received_at=now,
        body_hash="",
        point=point,
    )


def is_report(source: str, point: str) -> bool:
    """Whether an incident is an accident report."""
    return source == SOURCE and point.startswith(POINT)


def verbatim(row: Row, sender: Sender | None, code: str, directory: Directory, now: int) -> list[OutboxItem]:
    """The message itself for everybody who acts at the fallback unit's duty room, on every address they have.

    The incident's own notices are short and a second message of the same sender is folded into it: so each message
    goes as it was, with the number to call back, critical, once (the rows' ids are the message's).
    """
    unit = directory.fallback_unit
    reached = acting(directory, directory.tier_of(unit), unit, (Role.DUTY_ROOM,), now, directory.line(""))
    said = shorten.within(_telling(row), 300)
    text = f"事故报告 {code}：{caller(row, sender, directory)}称“{said}”。请立即回电核实并按规定报告。"
    contacts = dict.fromkeys(contact for who in reached.addressees for contact in who.contacts)
    return [
        item(f"accident.{row.digest}.{digest(f'{each.channel} {each.address}')}", each.channel, each.address, text, now)
        for each in contacts
    ]


def item(
    identity: str,
    channel: str,
    address: str,
    text: str,
    now: int,
    *,
    kind: NoticeKind = NoticeKind.RAISED,
    urgency: Urgency = Urgency.CRITICAL,
) -> OutboxItem:
    """A row without an incident for one mailbox; ``identity`` makes a repeat the same row."""
    row = OutboxRow(
        notice=identity,
        partition=0,
        incident="",
        channel=channel,
        address=address,
        urgency=urgency,
        kind=kind,
        created_at=now,
        text=text,
    )
    return OutboxItem(0, "", "", identity, msgspec.json.encode(row), row)


def caller(row: Row, sender: Sender | None, directory: Directory) -> str:
    """Who wrote, with the number whole and in groups, as people dial it: the masks of group texts leave it so, because
    the duty room has to call back."""
    number = _MOBILE.sub(r"\1-\2-\3", row.sender)
    if row.unproven:
        return f"邮件 {number}（发件人未核实）"
    if sender is None:
        return f"未登记号码 {number}"
    person = directory.people.get(sender.person)
    if person is None:
        return f"{directory.unit_name(sender.unit)} {number}"
    phones = [entry.address for entry in person.contacts if _MOBILE.fullmatch(entry.address)]
    if not _MOBILE.fullmatch(row.sender) and phones:
        number = _MOBILE.sub(r"\1-\2-\3", phones[0])
    return " ".join(part for part in (_enterprise(sender, directory), person.name, number) if part)


def _enterprise(sender: Sender | None, directory: Directory) -> str:
    """The name of the enterprise where the sender holds a post, '' where there is none."""
    if sender is None:
        return ""
    units = [sender.unit] if not sender.person else list(_units(sender.person, directory))
    return next((directory.enterprises[unit].name for unit in units if unit in directory.enterprises), "")


def _units(person: str, directory: Directory) -> Iterator[str]:
    for post in directory.posts:
        if person in post.people or any(person in shift.people for shift in post.roster):
            yield post.unit
