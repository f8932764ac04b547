"""When each source was last heard, by any hub: an empty board shall not look like a quiet night when a source is down.

Kept in memory and written every few seconds, so that events cost the store nothing for it; what a crash loses of it is
less than that.
"""

from __future__ import annotations

from escalation.ledger.door import Command, Store
from escalation.ledger.keys import HEARD

EVERY = 5_000
"""How often at most it is written (ms)."""


class Hearing:
    """The sources of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._at = 0

    def hear(self, source: str, now: int) -> None:
        """Something of this source was taken at ``now`` (ms)."""
        self._heard[source] = max(now, self._heard.get(source, 0))

    async def write(self, now: int) -> None:
        """Write what is new, not too often. Raises the store's error."""
        fresh = {name: at for name, at in self._heard.items() if at > self._written.get(name, 0)}
        if not fresh or 0 <= now - self._at < EVERY:
            return
        known = await self._read()
        self._at = now
        commands: list[Command] = [("HSET", HEARD, name, at) for name, at in fresh.items() if at > known.get(name, 0)]
        for reply in await self._store.pipeline(commands) if commands else ():
            if isinstance(reply, Exception):
                raise reply
        self._written |= fresh

    async def read(self) -> dict[str, int]:
        """When each source was last heard (ms). Raises the store's error."""
        found = await self._read()
        return {name: max(found.get(name, 0), self._heard.get(name, 0)) for name in found.keys() | self._heard.keys()}

    async def _read(self) -> dict[str, int]:
        flat = await self._store.execute("HGETALL", HEARD)
        return {name.decode(): int(at) for name, at in zip(flat[::2], flat[1::2], strict=True)}
