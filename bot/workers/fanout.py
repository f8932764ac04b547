"""Outbox → mailbox: rows cross from an incident's slot to an address's, at least once, to the effect of once.

Rows that this hub's own commits were given go first, without asking the store; whatever another hub or an earlier life
left behind is claimed when its lease has ended.
"""

from __future__ import annotations

from collections import deque

from escalation.ledger.change import OutboxItem
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox

LEASE = 30_000
"""How long a claimed row is this hub's, in milliseconds."""
MOST = 512
"""How many rows go in one round trip."""


class FanOut:
    """Puts outbox rows into their mailboxes and acknowledges them."""

    def __init__(self, outbox: Outbox, mailboxes: Mailboxes, partitions: int) -> None:
        self._outbox = outbox
        self._mailboxes = mailboxes
        self._partitions = range(partitions)
        self._given: deque[OutboxItem] = deque()

    def give(self, items: list[OutboxItem]) -> None:
        """Rows that a commit leased to this hub; kept in memory only as a hint, the outbox still has them."""
        self._given.extend(items)

    @property
    def waiting(self) -> int:
        return len(self._given)

    async def step(self, now: int) -> int:
        """Move what this hub was given; how many rows moved."""
        moved = 0
        while self._given:
            batch = [self._given.popleft() for _ in range(min(MOST, len(self._given)))]
            moved += await self._move(batch, now)
        return moved

    async def sweep(self, now: int) -> int:
        """Move what nobody holds: rows left by a crash, or by a commit whose answer was lost."""
        found = await self._outbox.claim(self._partitions, now=now, lease=LEASE, limit=MOST)
        return await self._move(found, now) if found else 0

    async def _move(self, items: list[OutboxItem], now: int) -> int:
        there = await self._mailboxes.put(items, now=now)
        moved = [item for item, put in zip(items, there, strict=True) if put]
        left = (await self._outbox.acknowledge(moved, now=now)).left
        if left:
            # Rows of these incidents were committed while we held their lines: they must not wait for the sweep.
            self._given.extend(await self._outbox.claim(sorted(left), now=now, lease=LEASE, limit=MOST))
        return len(moved)
