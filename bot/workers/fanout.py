"""Outbox → mailbox: rows cross from an incident's slot to an address's, at least once, to the effect of once.

Rows that this hub's own commits were given go first, without asking the store; whatever another hub or an earlier life
left behind is claimed when its lease has ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from escalation.ledger.change import Born, OutboxItem
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox

LEASE = 15_000
"""How long a claimed row is this hub's, in milliseconds."""
MOST = 512
"""How many rows go in one round trip."""


class FanOut:
    """Puts outbox rows into their mailboxes and acknowledges them."""

    def __init__(
        self, outbox: Outbox, mailboxes: Mailboxes, partitions: int, unheard: list[Born] | None = None
    ) -> None:
        """``unheard``: the ledger's list of claims that a commit without an answer may have left to this hub."""
        self._unheard = unheard if unheard is not None else []
        self._outbox = outbox
        self._mailboxes = mailboxes
        self._partitions = range(partitions)
        self._given: deque[OutboxItem] = deque()
        self._there: list[OutboxItem] = []

    def give(self, items: list[OutboxItem]) -> None:
        """Rows that a commit leased to this hub; kept in memory only as a hint, the outbox still has them."""
        self._given.extend(items)

    @property
    def waiting(self) -> int:
        """How many rows are in hand: to be put, or to be forgotten by the outbox."""
        return len(self._given) + len(self._there)

    async def step(self, now: int) -> int:
        """Move what this hub was given; how many rows moved."""
        moved = 0
        while self._given or self._there:
            moved += await self._put(self.batch(), now)
            await self.acknowledge(now)
        return moved

    def batch(self) -> list[OutboxItem]:
        """The next rows of what this hub was given, to be put into their mailboxes by whoever asks: :meth:`moved` or
        :meth:`keep` must follow."""
        return [self._given.popleft() for _ in range(min(MOST, len(self._given)))]

    def keep(self, items: Sequence[OutboxItem]) -> None:
        """It is not known whether these went. Still only a hint, but one that spares them the wait for their lease's
        end."""
        self._given.extendleft(reversed(items))

    def moved(self, items: Sequence[OutboxItem], there: Sequence[bool]) -> int:
        """Rows that are in their mailboxes; :meth:`acknowledge` follows, and until then they are in the outbox as well,
        where whoever finds them puts them again, to no effect. How many there are."""
        moved = [item for item, put in zip(items, there, strict=True) if put]
        self._there += moved
        return len(moved)

    async def acknowledge(self, now: int) -> int:
        """Let the outbox forget what is in its mailboxes; how many rows."""
        there, self._there = self._there, []
        if not there:
            return 0
        try:
            left = (await self._outbox.acknowledge(there, now=now)).left
        except BaseException:
            self._there = there + self._there
            raise
        if left:
            # Rows of these incidents were committed while we held their lines: they must not wait for the sweep.
            self._given.extend(await self._outbox.claim(sorted(left), now=now, lease=LEASE, limit=MOST))
        return len(there)

    async def find(self, now: int) -> None:
        """Rows of commits whose answers were lost are given to this hub now; else they would wait for a lease's end."""
        if not self._unheard:
            return
        self._unheard[:] = [one for one in self._unheard if one.until > now]
        asked = self._unheard[:MOST]
        self._given.extend(await self._outbox.held(asked, now=now))
        del self._unheard[: len(asked)]

    async def sweep(self, now: int) -> int:
        """Move what nobody holds: rows left by a crash, or by a commit whose answer was lost."""
        found = await self._outbox.claim(self._partitions, now=now, lease=LEASE, limit=MOST)
        moved = await self._put(found, now)
        await self.acknowledge(now)
        return moved

    async def _put(self, items: list[OutboxItem], now: int) -> int:
        if not items:
            return 0
        try:
            there = await self._mailboxes.put(items, now=now)
        except BaseException:
            self.keep(items)
            raise
        return self.moved(items, there)
