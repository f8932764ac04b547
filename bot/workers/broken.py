"""A channel whose key, signature or settings the vendor refuses is told to the maintainers, once a day, another way."""

from __future__ import annotations

import logging

from bot.workers.strays import BROKEN, contact_id, fallback_room
from escalation.calendar import local
from escalation.directory import Directory
from escalation.notice import NoticeKind, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Urgency

log = logging.getLogger(__name__)


def broken_channel(channel: str, detail: str, directory: Directory, unit: str, now: int) -> list[OutboxRow]:
    """The rows that tell it: to every maintainer by their first contact on another channel; where there is no such way
    to any of them, to the fallback duty room. Their ids name the channel and the day, so that a mailbox takes them once
    however many messages fail."""
    day = f"{local(now):%Y%m%d}"
    for people in (maintainers(directory, unit, now), fallback_room(directory, now)):
        rows: dict[str, OutboxRow] = {}
        for who in people:
            ways = ((place, contact) for place, contact in enumerate(who.contacts) if contact.channel != channel)
            attempt, contact = next(ways, (0, None))
            if contact is None:
                continue
            row = OutboxRow(
                notice=contact_id(f"{BROKEN}{channel}.{day}", contact, attempt),
                partition=0,
                incident="",
                channel=contact.channel,
                address=contact.address,
                urgency=Urgency.NORMAL,
                kind=NoticeKind.QUARANTINE,
                created_at=now,
                text=f"渠道 {channel} 无法使用，消息已改走其他渠道，请检查配置：{detail}",
                subject=f"渠道 {channel} 无法使用",
                attempt=attempt,
            )
            rows[row.notice] = row
        if rows:
            return list(rows.values())
    log.critical("the channel %s is broken and nobody can be told by another: %s", channel, detail)
    return []
