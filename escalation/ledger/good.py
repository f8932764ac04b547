"""When each channel's vendor last took a message, of all hubs, so that a restart does not forget it."""

from __future__ import annotations

from collections.abc import Mapping

from escalation.ledger.door import Arg, Store
from escalation.ledger.keys import GOOD
from escalation.ledger.scripts import register


class GoodSends:
    """The last good send of each channel (ms). Written seldom: what a crash loses is seconds of a time for people."""

    def __init__(self, store: Store) -> None:
        register(store, "good")
        self._store = store
        self._written: dict[str, int] = {}

    async def write(self, good_at: Mapping[str, int]) -> None:
        """Keep these; nothing is sent where nothing is newer. Raises the store's error."""
        newer = {name: at for name, at in good_at.items() if at > self._written.get(name, 0)}
        if not newer:
            return
        args: list[Arg] = [each for pair in newer.items() for each in pair]
        (reply,) = await self._store.run_scripts([("good", [GOOD], args)])
        if isinstance(reply, Exception):
            raise reply
        self._written |= newer

    async def read(self) -> dict[str, int]:
        """Every channel that ever had one. Raises the store's error."""
        flat = await self._store.execute("HGETALL", GOOD)
        return {flat[at].decode(): int(flat[at + 1]) for at in range(0, len(flat), 2)}
