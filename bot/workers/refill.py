"""After a fail-over: notices that still wait by their incidents, and stand in no outbox and no mailbox any more.

Incident and mailbox are in different slots. In a cluster each server falls back by itself: one that lost its last
writes may have lost what another has handed over for good. What is owed stands in the incidents: it is put there again.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from escalation.incident import Incident
from escalation.ledger.change import OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.keys import US, Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox
from escalation.notice import NoticeState, OutboxRow
from escalation.telling import outbox_row

DAY = 86_400_000
BACK_DAYS = 7
"""Of which closed incidents the last words are looked for: those that began within so many days."""
PAGE = 200
MINUTE = 60_000
_encode = msgspec.json.Encoder().encode


class Refill:
    """Looks through all partitions."""

    def __init__(self, ledger: Ledger, outbox: Outbox, mailboxes: Mailboxes) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._mailboxes = mailboxes

    async def step(self, now: int) -> int:
        """Put back what is missing; how many notices. What is on its way meanwhile may get a second row, which is
        dropped when it is claimed. Raises the store's error; may be done again, by several hubs as well."""
        count = 0
        for partition in range(self._ledger.partitions):
            codes = await self._ledger.codes_since(partition, now - BACK_DAYS * DAY)
            for start in range(0, len(codes), PAGE):
                found = await self._ledger.get_many(codes[start : start + PAGE])
                count += await self._put_back(partition, [each for each in found if each is not None], now)
        return count

    async def _put_back(self, partition: int, incidents: list[Incident], now: int) -> int:
        """In this order: a row goes from the outbox to its mailbox, and its end into the incident."""
        owed = [
            outbox_row(incident, notice)
            for incident in incidents
            for notice in incident.notices.values()
            if notice.state is NoticeState.QUEUED
        ]
        if not owed:
            return 0
        here = await self._outbox.notices(partition)
        boxes: defaultdict[Mailbox, list[OutboxRow]] = defaultdict(list)
        for row in owed:
            if row.notice not in here:
                boxes[Mailbox(row.channel, row.address)].append(row)
        there = await self._mailboxes.notices(list(boxes))
        lost = [
            row for rows, known in zip(boxes.values(), there, strict=True) for row in rows if row.notice not in known
        ]
        if lost:
            await self._mailboxes.put([_item(row, now) for row in lost], now=now)
        return len(lost)


def _item(row: OutboxRow, now: int) -> OutboxItem:
    """Two hubs that find it at the same time put it there once."""
    return OutboxItem(row.partition, "", "", f"again{US}{row.notice}{US}{now // MINUTE}", _encode(row), row)
