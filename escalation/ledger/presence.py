"""Is any hub at work? A span in which none was is an outage, and stands in the story of what it touched."""

from __future__ import annotations

from typing import NamedTuple

from escalation.ledger.door import Store
from escalation.ledger.keys import ALIVE, OUTAGES

SILENCE = 10_000
"""How long no hub must have been heard before it counts as an outage (ms); a beat comes every second."""
MOST_OUTAGES = 1_000


class Outage(NamedTuple):
    """No hub worked from ``start`` to ``end``, milliseconds."""

    start: int
    end: int


class Presence:
    """The beat of the hubs on one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, now: int) -> Outage | None:
        """A hub starts: the outage that ends with it, if there was one, is written down and returned."""
        last = await self.last()
        outage = Outage(last, now) if last and now - last > SILENCE else None
        if outage is not None:
            await self._store.pipeline(
                [("RPUSH", OUTAGES, f"{outage.start} {outage.end}"), ("LTRIM", OUTAGES, -MOST_OUTAGES, -1)]
            )
        await self.beat(now)
        return outage

    async def last(self) -> int:
        """When a hub was heard last (ms); 0: never."""
        return int(await self._store.execute("GET", ALIVE) or 0)

    async def beat(self, now: int) -> None:
        """This hub works at ``now``."""
        await self._store.execute("SET", ALIVE, now)

    async def outages(self, since: int) -> list[Outage]:
        """The outages that ended after ``since``, oldest first."""
        rows = await self._store.execute("LRANGE", OUTAGES, 0, -1)
        found = [Outage(*(int(part) for part in row.split())) for row in rows]
        return [outage for outage in found if outage.end > since]
