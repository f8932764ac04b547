"""Letters on their way to the process that holds a line, and what it says of them: by the store, since every process of
every hub is there.

Memory alone, like a socket: what is asked ends with the asker's patience, and what nobody took by then was never sent.
"""

from __future__ import annotations

from escalation.ledger.door import Store
from escalation.ledger.keys import US, wire_key

KEPT = 60_000
"""How long an answer waits for its asker, in milliseconds."""
MOST = 32
"""How many letters are taken at once."""


class Wire:
    """The ways to all lines. Every method raises the store's error."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ask(self, line: str, identity: str, body: bytes, *, patience: int) -> None:
        """Put a letter on the way to the holder of ``line``; after ``patience`` ms nobody takes it any more."""
        await self._store.execute("SET", wire_key(f"{line}{US}{identity}"), body, "PX", patience)
        await self._store.execute("RPUSH", wire_key(line), identity)
        await self._store.execute("PEXPIRE", wire_key(line), KEPT)

    async def take(self, line: str) -> list[tuple[str, bytes]]:
        """The letters that wait for the holder of ``line``, each taken by one holder only."""
        waiting = await self._store.execute("LPOP", wire_key(line), MOST)
        found: list[tuple[str, bytes]] = []
        for each in waiting or []:
            identity = each.decode()
            body = await self._store.execute("GETDEL", wire_key(f"{line}{US}{identity}"))
            if body is not None:
                found.append((identity, body))
        return found

    async def say(self, line: str, identity: str, body: bytes) -> None:
        """What became of a letter that was taken."""
        await self._store.execute("SET", wire_key(f"{line}{US}{identity}{US}said"), body, "PX", KEPT)

    async def said(self, line: str, identity: str) -> bytes | None:
        """What the holder said; None while it has said nothing."""
        body: bytes | None = await self._store.execute("GET", wire_key(f"{line}{US}{identity}{US}said"))
        return body

    async def withdraw(self, line: str, identity: str) -> bool:
        """Take a letter back; False where somebody has taken it before."""
        return bool(await self._store.execute("DEL", wire_key(f"{line}{US}{identity}")))
