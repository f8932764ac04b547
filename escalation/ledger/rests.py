"""Channels that rest as a whole, because their vendor said so for the account: shared by all hubs, kept on disk."""

from __future__ import annotations

from escalation.ledger.door import Store
from escalation.ledger.keys import RESTS
from escalation.ledger.scripts import register


class Rests:
    """Until when which channel rests, in milliseconds of the hubs' clock."""

    def __init__(self, store: Store) -> None:
        register(store, "rest")
        self._store = store

    async def rest(self, channel: str, until: int) -> None:
        """Nothing leaves by this channel before ``until``; an earlier time than the one known changes nothing. Raises
        the store's error."""
        (reply,) = await self._store.run_scripts([("rest", [RESTS], [channel, until])])
        if isinstance(reply, Exception):
            raise reply

    async def read(self) -> dict[str, int]:
        """Every channel that rests or has rested. Raises the store's error."""
        flat = await self._store.execute("HGETALL", RESTS)
        return {flat[i].decode(): int(flat[i + 1]) for i in range(0, len(flat), 2)}
