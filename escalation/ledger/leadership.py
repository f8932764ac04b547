"""Which hub does what only one may do (calendar jobs): a lease by the hubs' clock, never a TTL.

A leader that was paused beyond its lease may for a moment act beside the next one; so jobs under it are safe to repeat.
"""

from __future__ import annotations

from escalation.ledger.door import Store
from escalation.ledger.keys import LEADER
from escalation.ledger.scripts import register

LEASE = 90_000
"""How long leadership holds without being renewed, in milliseconds."""


class Leadership:
    """One hub's claim to lead. ``hub`` identifies the process."""

    def __init__(self, store: Store, hub: str) -> None:
        register(store, "leadership")
        self._store = store
        self._hub = hub

    async def holds(self, now: int) -> bool:
        """Take or renew the lease; True when this hub leads. Raises the store's error."""
        (reply,) = await self._store.run_scripts([("leadership", [LEADER], [self._hub, now, now + LEASE])])
        if isinstance(reply, Exception):
            raise reply
        return bool(reply == 1)
