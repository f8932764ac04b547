"""A proxy on the wire that does what networks do: it loses requests and answers, cuts, dawdles, and hands over byte by
byte. Each fault happens to one exchange, and is counted when it really has happened."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from enum import StrEnum

HOST = "127.0.0.1"
SLOW = 0.4
"""How long a slow answer is held back, in seconds."""
TRICKLED = 3000
"""How many bytes at most go one at a time; what is more follows at once."""


class Fault(StrEnum):
    """What may happen to one exchange on a connection."""

    LOST_REQUEST = "lost_request"
    """It never arrives, and the connection ends."""
    LOST_REPLY = "lost_reply"
    """It arrives and has its effect; the answer is lost with the connection."""
    CUT = "cut"
    """Half of the answer arrives, then the connection ends."""
    SLOW = "slow"
    """The answer comes late."""
    TRICKLE = "trickle"
    """Request and answer come one byte at a time."""
    SILENCE = "silence"
    """It arrives; nothing ever comes back, and the connection stays open."""


class Proxy:
    """Between clients that are given :attr:`port` and a server. ``put`` says what happens to the next exchanges, of
    those that ``only`` chooses by what is asked; ``happened`` counts."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.happened: Counter[Fault] = Counter()
        self._to = port
        self._next: deque[Fault] = deque()
        self._only: Callable[[bytes], bool] = lambda _: True
        self._tasks: set[asyncio.Task[None]] = set()
        self._occurred = asyncio.Event()

    def put(self, fault: Fault, times: int = 1, *, only: Callable[[bytes], bool] = lambda _: True) -> None:
        self._next.extend([fault] * times)
        self._only = only

    async def wait_for(self, fault: Fault, count: int = 1) -> None:
        """Until it has happened so often."""
        while self.happened[fault] < count:
            self._occurred.clear()
            await self._occurred.wait()

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._serve, HOST, port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take(self, data: bytes) -> Fault | None:
        if not self._next or not self._only(data):
            return None
        return self._next.popleft()

    def _count(self, fault: Fault) -> None:
        self.happened[fault] += 1
        self._occurred.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(HOST, self._to)
        except OSError:
            writer.transport.abort()
            return
        exchange = _Exchange(self)
        both = {
            asyncio.create_task(exchange.requests(reader, there_writer)),
            asyncio.create_task(exchange.answers(there_reader, writer)),
        }
        self._tasks |= both
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self._tasks -= both
            for each in (writer, there_writer):
                each.transport.abort() if exchange.torn else each.close()


class _Exchange:
    """One connection; the fault of the request that came last holds for the answer to it."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._fault: Fault | None = None
        self.torn = False

    async def requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            fault = self._proxy._take(data)
            if fault is not None:
                self._fault = fault
            if fault is Fault.LOST_REQUEST:
                self.torn = True
                self._proxy._count(fault)
                return
            if fault is Fault.TRICKLE:
                self._proxy._count(fault)
                await _trickle(data, writer)
                continue
            writer.write(data)
            await writer.drain()

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            fault, self._fault = self._fault, None
            match fault:
                case Fault.LOST_REPLY:
                    self.torn = True
                    self._proxy._count(fault)
                    return
                case Fault.CUT:
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    self.torn = False
                    self._proxy._count(fault)
                    return
                case Fault.SILENCE:
                    self._proxy._count(fault)
                    await asyncio.Event().wait()
                case Fault.SLOW:
                    await asyncio.sleep(SLOW)  # a slow wire is what is tested
                    self._proxy._count(fault)
                case Fault.TRICKLE:
                    await _trickle(data, writer)
                    continue
                case _:
                    pass
            writer.write(data)
            await writer.drain()


async def _trickle(data: bytes, writer: asyncio.StreamWriter) -> None:
    for place in range(min(len(data), TRICKLED)):
        writer.write(data[place : place + 1])
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(data[TRICKLED:])
    await writer.drain()
