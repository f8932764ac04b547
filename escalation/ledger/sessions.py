"""Sessions of people who have logged in: known by the hash of their id, so that a stolen store opens no door.

Nothing here expires by itself: times are numbers, compared with the hub's clock by whoever asks.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from escalation.ledger.door import Command, Store
from escalation.ledger.keys import SESSIONS
from escalation.ledger.scripts import register

MOST_OF_ONE = 20
"""Sessions of one account beyond this many end, the longest unused first."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in. ``proof`` is a digest of the account's password hash as it was then: another one ends the session.
    Times in milliseconds."""

    account: str
    proof: str
    opened_at: int
    used_at: int


def name_of(session_id: str) -> str:
    """What the store knows a session by."""
    return sha256(session_id.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """The sessions on one store. Every method raises the store's error."""

    def __init__(self, store: Store) -> None:
        register(store, "session_touch")
        self._store = store

    async def open(self, session_id: str, session: Session) -> None:
        """Keep a new session; the account's oldest go where there are too many."""
        others = {name: each for name, each in (await self.all()).items() if each.account == session.account}
        surplus = sorted(others, key=lambda name: others[name].used_at)[: max(0, len(others) + 1 - MOST_OF_ONE)]
        await self._store.execute("HSET", SESSIONS, name_of(session_id), msgspec.json.encode(session))
        await self._end(surplus)

    async def find(self, session_id: str) -> Session | None:
        """The session of this id, however old; None where there is none."""
        found = await self._store.execute("HGET", SESSIONS, name_of(session_id))
        return _read(found) if found is not None else None

    async def touch(self, session_id: str, now: int) -> None:
        """It was used at ``now``. One that was ended meanwhile stays ended."""
        found = await self.find(session_id)
        if found is None:
            return
        used = msgspec.json.encode(msgspec.structs.replace(found, used_at=now))
        (reply,) = await self._store.run_scripts([("session_touch", [SESSIONS], [name_of(session_id), used])])
        if isinstance(reply, Exception):
            raise reply

    async def end(self, session_id: str) -> None:
        """Log out."""
        await self._end([name_of(session_id)])

    async def forget(self, unused_since: int) -> int:
        """End every session that was not used since; how many."""
        old = [name for name, session in (await self.all()).items() if session.used_at < unused_since]
        await self._end(old)
        return len(old)

    async def all(self) -> dict[str, Session]:
        """Every session by its stored name."""
        flat = await self._store.execute("HGETALL", SESSIONS)
        return {flat[at].decode(): _read(flat[at + 1]) for at in range(0, len(flat), 2)}

    async def _end(self, names: list[str]) -> None:
        gone: list[Command] = [("HDEL", SESSIONS, name) for name in names]
        for reply in await self._store.pipeline(gone) if gone else ():
            if isinstance(reply, Exception):
                raise reply


_read = msgspec.json.Decoder(Session).decode
