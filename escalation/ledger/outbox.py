"""The outbox: notices on their way from an incident's partition to a mailbox in another slot.

A commit writes the rows; a worker claims them (or was given them by the commit), puts them into their mailboxes, and
acknowledges. A crash in between repeats the put, and the mailbox remembers what it was given. ``not_before`` is kept by
the mailbox; here a row only passes through.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from escalation.ledger.change import Born, OutboxItem
from escalation.ledger.door import Store
from escalation.ledger.keys import partition_keys
from escalation.ledger.lines import Lines, Settled
from escalation.notice import OutboxRow

_decode = msgspec.json.Decoder(OutboxRow).decode


class Outbox:
    """The outboxes of all partitions."""

    def __init__(self, store: Store, partitions: int) -> None:
        keys = [partition_keys(number) for number in range(partitions)]
        self._store = store
        self._rows = [one.outbox_rows for one in keys]
        self._lines = Lines(store, [(one.outbox, one.outbox_order, one.outbox_rows) for one in keys])

    async def claim(self, partitions: Sequence[int], *, now: int, lease: int, limit: int = 256) -> list[OutboxItem]:
        """The rows of up to ``limit`` incidents of each partition, in the order of their commits within an incident."""
        held = await self._lines.claim(partitions, now=now, lease=lease, limit=limit)
        return [OutboxItem(*one, _decode(one.body)) for one in held]

    async def notices(self, partition: int) -> set[str]:
        """The ids of all notices that stand in a partition's outbox."""
        return {_decode(row).notice for row in await self._store.execute("HVALS", self._rows[partition])}

    async def held(self, claims: Sequence[Born], *, now: int) -> list[OutboxItem]:
        """The rows that commits whose answers were lost may have given to their hub, and that are still its own."""
        held = await self._lines.held([(one.partition, one.token) for one in claims], now=now)
        return [OutboxItem(*one, _decode(one.body)) for one in held]

    async def acknowledge(self, items: Sequence[OutboxItem], *, now: int) -> Settled:
        """These rows are in their mailboxes. Give all rows of an incident that were put in one call: its rows that are
        not among them (they were committed meanwhile) may be taken again at once, in the partitions that are ``left``.
        Rows not ``held`` any more stay, and are put again by whoever holds them, to no effect."""
        return await self._lines.settle(
            [(item.partition, item.line, item.token, item.member) for item in items], again_at=now
        )
