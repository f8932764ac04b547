"""An upstream system's Redis server, as a hub meets it that may only append to one stream: RESP2 over TCP, a user
with a password, and the server's own errors for everything else.

Its words are those of Valkey 9: a test holds them against the real one. HELLO and ids chosen by whoever appends are
left out, since no hub uses them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bot.demo.simulators.vendor import Inbox, Now, Received

_KNOWN = frozenset({"ping", "get", "set", "del", "xread", "xrange", "xlen", "client", "command", "select", "info"})
"""Commands that such a server has and this user may not run."""
_MOST_PARTS, _LONGEST_PART = 64, 1 << 20
_MISTYPED = "ERR wrong number of arguments for 'xadd' command"


class _Refused(Exception):
    """An error of the server's."""


@dataclass
class RedisServer:
    """One stream, to which ``user`` may append. ``now`` gives milliseconds. Entries by their names are in ``entries``;
    the oldest go when there are more than ``MAXLEN`` said. A message's address is the stream, its subject the field
    ``id``."""

    stream: str
    user: str
    password: str
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    field_name: str = "event"
    channel: str = "redis_stream"
    entries: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.on_message)
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._last = (0, 0)

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Serve on a free loopback port until the block ends; gives the address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_PART)
        try:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            serving = [task for task in self._open.values() if task is not None]
            for writer in self._open:
                # Whoever serves it reads its end then: what a server's own task raises would be logged.
                writer.transport.abort()
            await asyncio.gather(*serving)
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open[writer] = asyncio.current_task()
        try:
            await self._answer_all(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            # Whoever leaves in the middle of a command, or speaks no RESP, gets no answer.
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            del self._open[writer]

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        allowed = False
        while (parts := await _command(reader)) is not None:
            name = parts[0].decode("utf-8", "replace").lower()
            try:
                if name == "auth":
                    allowed = self._proven(parts)
                    said = b"+OK"
                elif not allowed:
                    raise _Refused("NOAUTH Authentication required.")
                else:
                    entry = (await self._run(name, parts)).encode()
                    said = b"$%d\r\n%b" % (len(entry), entry)
            except _Refused as refused:
                said = b"-" + str(refused).encode()
            writer.write(said + b"\r\n")
            await writer.drain()

    def _proven(self, parts: list[bytes]) -> bool:
        given = [part.decode("utf-8", "replace") for part in parts[1:]]
        if given != [self.user, self.password]:
            raise _Refused("WRONGPASS invalid username-password pair or user is disabled.")
        return True

    async def _run(self, name: str, parts: list[bytes]) -> str:
        """Append; the entry's name."""
        if name != "xadd":
            if name in _KNOWN:
                raise _Refused(f"NOPERM User {self.user} has no permissions to run the '{name}' command")
            shown = " ".join(f"'{part.decode('utf-8', 'replace')}'" for part in parts[1:])
            raise _Refused(f"ERR unknown command '{parts[0].decode()}', with args beginning with: {shown} ")
        if len(parts) < 5:
            raise _Refused(_MISTYPED)
        if parts[1].decode("utf-8", "replace") != self.stream:
            raise _Refused("NOPERM No permissions to access a key")
        rest, most = _limit(parts[2:])
        if rest[:1] != [b"*"]:
            raise _Refused("ERR Invalid stream ID specified as stream command argument")
        pairs = rest[1:]
        if not pairs or len(pairs) % 2:
            raise _Refused(_MISTYPED)
        return await self._append(dict(zip((name.decode() for name in pairs[::2]), pairs[1::2], strict=True)), most)

    async def _append(self, fields: dict[str, bytes], most: int) -> str:
        now, (last, count) = self.now(), self._last
        self._last = (now, 0) if now > last else (last, count + 1)
        entry = f"{self._last[0]}-{self._last[1]}"
        self.entries[entry] = fields
        while most and len(self.entries) > most:
            del self.entries[next(iter(self.entries))]
        raw = fields.get(self.field_name, b"")
        subject = fields.get("id", b"").decode("utf-8", "replace")
        text = raw.decode("utf-8", "replace")
        await self.inbox.add(Received(self.channel, self.stream, text, subject, now, raw))
        return entry


def _limit(parts: list[bytes]) -> tuple[list[bytes], int]:
    """What follows ``MAXLEN [~|=] count``, and the count; 0 where there is none."""
    if not parts or parts[0].upper() != b"MAXLEN":
        return parts, 0
    at = 2 if parts[1:2] and parts[1] in (b"~", b"=") else 1
    try:
        most = int(parts[at])
    except (IndexError, ValueError):
        raise _Refused("ERR value is not an integer or out of range") from None
    if most < 0:
        raise _Refused("ERR The MAXLEN argument must be >= 0.")
    return parts[at + 1 :], most


async def _command(reader: asyncio.StreamReader) -> list[bytes] | None:
    """The next command; None where the other side has gone. Raises ValueError for what is no RESP."""
    head = await reader.readline()
    if not head:
        return None
    count = _number(head, b"*")
    if not 1 <= count <= _MOST_PARTS:
        raise ValueError("too many parts")
    parts: list[bytes] = []
    for _ in range(count):
        length = _number(await reader.readline(), b"$")
        if not 0 <= length <= _LONGEST_PART:
            raise ValueError("too long")
        parts.append((await reader.readexactly(length + 2))[:-2])
    return parts


def _number(line: bytes, mark: bytes) -> int:
    if not line.startswith(mark) or not line.endswith(b"\r\n"):
        raise ValueError("no RESP")
    return int(line[1:])
