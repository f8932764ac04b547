"""Which hub does what only one may do (calendar jobs, reading a mailbox): a lease by the hubs' clock, never a TTL.

A leader that was paused beyond its lease may for a moment act beside the next one; so jobs under it are safe to repeat.
"""

from __future__ import annotations

from escalation.ledger.door import Store
from escalation.ledger.keys import leader_key
from escalation.ledger.scripts import register

LEASE = 90_000
"""How long leadership holds without being renewed, in milliseconds."""


class Leadership:
    """One hub's claim to lead. ``hub`` identifies the process, ``duty`` what it leads in ('': the calendar's jobs);
    ``lease`` is in milliseconds."""

    def __init__(self, store: Store, hub: str, *, duty: str = "", lease: int = LEASE) -> None:
        register(store, "leadership")
        self._store = store
        self._hub = hub
        self._key = leader_key(duty)
        self._lease = lease

    async def holds(self, now: int) -> bool:
        """Take or renew the lease; True when this hub leads. Raises the store's error."""
        return await self._ask(now, now + self._lease)

    async def give_up(self, now: int) -> None:
        """Let another hub lead at once, if this one does. Raises the store's error."""
        await self._ask(now, now)

    async def _ask(self, now: int, until: int) -> bool:
        (reply,) = await self._store.run_scripts([("leadership", [self._key], [self._hub, now, until])])
        if isinstance(reply, Exception):
            raise reply
        return bool(reply == 1)
