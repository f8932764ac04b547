"""Files on their way from the hub that keeps one to every other hub of the store.

The bytes lie in the store in pieces, until every hub that was heard of within a week has them; all that lies there at a
time is limited, and the oldest gives way. A file is done with once it is dropped, whoever does so.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from escalation.ledger.door import Arg, Store
from escalation.ledger.keys import COPIES, copy_keys
from escalation.ledger.scripts import register

PIECE = 256 * 1024
"""How much is written or read at once, in bytes: a short pause of the store for everybody else."""
MOST = 64 * 1024 * 1024
"""How much may lie in the store at a time, in bytes."""
SAY = 60_000
"""How often a hub says that it is there (ms)."""
AWAY = 7 * 86_400_000
"""For how long a hub that is not heard of is waited for (ms)."""


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is offered: ``path`` below every hub's data folder, ``size`` in bytes, ``at`` when it was offered."""

    path: str
    sha256: str
    size: int
    at: int


@dataclass(frozen=True, slots=True)
class Offered:
    """A file in the store and the hubs that have it on their disks."""

    copy: Copy
    had: frozenset[str]


class Copies:
    """The files on their way, for the hub of this name. Every method raises the store's error."""

    def __init__(self, store: Store, hub: str) -> None:
        register(store, "copies")
        self._store = store
        self._hub = hub
        self._say_at = 0

    @property
    def hub(self) -> str:
        """This hub's name; '' for one that shares nothing."""
        return self._hub

    async def hubs(self, now: int) -> frozenset[str]:
        """Say that this hub is there; all that said so lately."""
        if now >= self._say_at:
            await self._store.execute("HSET", COPIES, self._hub, now)
            self._say_at = now + SAY
        flat = await self._store.execute("HGETALL", COPIES)
        said = {flat[at].decode(): int(flat[at + 1]) for at in range(0, len(flat), 2)}
        gone = [name for name, at in said.items() if at < now - AWAY]
        if gone:
            await self._store.execute("HDEL", COPIES, *gone)
        return frozenset(name for name in said if name not in gone)

    async def all(self) -> list[Offered]:
        """What is on its way, the oldest first."""
        rows: list[bytes] = await self._store.execute("HVALS", copy_keys("").offered)
        copies = sorted((_read(row) for row in rows), key=lambda each: (each.at, each.path))
        found: list[Offered] = []
        for copy in copies:
            had: list[bytes] = await self._store.execute("SMEMBERS", copy_keys(copy.path).had)
            found.append(Offered(copy, frozenset(name.decode() for name in had)))
        return found

    async def offer(self, copy: Copy, body: bytes) -> None:
        """Put a file there; it can be repeated. Older ones give way where there is no room."""
        lying = [each.copy for each in await self.all() if each.copy.path != copy.path]
        while lying and sum(each.size for each in lying) + copy.size > MOST:
            await self.drop(lying.pop(0))
        await self._do(copy, "offer", msgspec.json.encode(copy))
        for offset in range(0, copy.size, PIECE):
            await self._do(copy, "piece", offset, body[offset : offset + PIECE])
        await self.have(copy)

    async def take(self, copy: Copy) -> bytes:
        """What of its bytes is there: not all of them while its pieces are still coming."""
        key, body = copy_keys(copy.path).bytes, bytearray()
        while len(body) < copy.size:
            piece: bytes = await self._store.execute("GETRANGE", key, len(body), len(body) + PIECE - 1)
            if not piece:
                break
            body += piece
        return bytes(body)

    async def have(self, copy: Copy) -> None:
        """This hub has it on its disk."""
        await self._do(copy, "had", self._hub)

    async def drop(self, copy: Copy) -> None:
        """Nobody needs it any more, or it has to give way."""
        await self._do(copy, "drop")

    async def _do(self, copy: Copy, what: str, *more: Arg) -> None:
        keys = copy_keys(copy.path)
        (reply,) = await self._store.run_scripts([("copies", keys, (what, copy.path, *more))])
        if isinstance(reply, Exception):
            raise reply


_read = msgspec.json.Decoder(Copy).decode
