"""A channel whose key, signature or settings the vendor refuses is told to the maintainers, once a day, another way."""

from __future__ import annotations

from hashlib import blake2s

import msgspec

from escalation.calendar import local
from escalation.directory import Directory
from escalation.ledger.change import OutboxItem
from escalation.notice import NoticeKind, OutboxRow
from escalation.reach import maintainers
from escalation.vocabulary import Urgency


def broken_channel(channel: str, detail: str, directory: Directory, unit: str, now: int) -> list[OutboxItem]:
    """The rows that tell it: to every maintainer by their first contact on another channel. Their ids name the channel
    and the day, so that a mailbox takes them once however many messages fail."""
    day = f"{local(now):%Y%m%d}"
    items: list[OutboxItem] = []
    for each in maintainers(directory, unit, now):
        contact = next((contact for contact in each.contacts if contact.channel != channel), None)
        if contact is None:
            continue
        address = blake2s(f"{contact.channel}\x1f{contact.address}".encode(), digest_size=6).hexdigest()
        row = OutboxRow(
            notice=f"broken.{channel}.{day}.{address}",
            partition=0,
            incident="",
            channel=contact.channel,
            address=contact.address,
            urgency=Urgency.NORMAL,
            kind=NoticeKind.QUARANTINE,
            created_at=now,
            text=f"渠道 {channel} 无法使用，消息已改走其他渠道，请检查配置：{detail}",
            subject=f"渠道 {channel} 无法使用",
        )
        items.append(OutboxItem(0, "", "", row.notice, msgspec.json.encode(row), row))
    return items
