"""Clocks: due rows are claimed, decided and committed; a timer never is the truth."""

from __future__ import annotations

from bot.workers.decider import Decider
from escalation.ledger.due import Due

LEASE = 15_000
"""How long a claimed incident's clocks are this hub's, in milliseconds."""
MOST = 256
"""About how many incidents are worked on in one step, all partitions together: nothing else of the hub is worked on
while they are decided."""


class Lapses:
    """Works off the due rows of all partitions."""

    def __init__(self, due: Due, decider: Decider, partitions: int) -> None:
        self._due = due
        self._decider = decider
        self._partitions = range(partitions)
        self._limit = max(1, MOST // partitions)

    async def step(self, now: int) -> int:
        """Fire what is due at ``now``; how many incidents were looked at. Never more than a bounded batch, so that new
        events do not wait behind a flood of clocks."""
        claims = await self._due.claim(self._partitions, now=now, lease=LEASE, limit=self._limit)
        if not claims:
            return 0
        settled = await self._decider.lapses(claims, now)
        if settled:
            await self._due.settle(settled)
        return len(claims)

    async def next_at(self) -> int | None:
        """When the next clock is due, milliseconds."""
        return await self._due.next_at()
