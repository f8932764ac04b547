"""What all simulated vendors share: what they received, an event for it, and faults that can be set and counted."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

Now = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Received:
    """One message a vendor took: ``at`` in milliseconds by the vendor's clock, ``raw`` as it came over the wire."""

    channel: str
    address: str
    text: str
    subject: str
    at: int
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that a vendor did not take, and its own error: ``at`` in milliseconds by the vendor's clock."""

    channel: str
    address: str
    code: int
    words: str
    at: int


OnRefused = Callable[[Refused], Awaitable[None]]


class Fault(StrEnum):
    """What may go wrong once: before the vendor takes the message, or after it took it and the answer is lost."""

    REFUSE = "refuse"
    STATUS_429 = "status_429"
    STATUS_500 = "status_500"
    STATUS_504 = "status_504"
    REDIRECT = "redirect"
    GARBAGE = "garbage"
    HANG = "hang"
    HALF_BODY = "half_body"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"


class Faults:
    """A queue of faults, one for each following request, and a count of those that really happened.

    ``release`` lets every request go that hangs. ``code`` goes with :attr:`Fault.REFUSE`: the vendor's own error code.
    """

    def __init__(self) -> None:
        self.happened: Counter[Fault] = Counter()
        self._next: deque[tuple[Fault, int]] = deque()
        self._released = asyncio.Event()
        self._occurred = asyncio.Event()

    def put(self, fault: Fault, *, times: int = 1, code: int = 0) -> None:
        self._next.extend([(fault, code)] * times)
        if fault is Fault.HANG:
            self._released.clear()

    def take(self) -> tuple[Fault, int] | None:
        """The fault for the request at hand; from here on it counts as happened."""
        if not self._next:
            return None
        fault, code = self._next.popleft()
        self.happened[fault] += 1
        self._occurred.set()
        return fault, code

    async def wait_for(self, fault: Fault, count: int = 1) -> None:
        """Until ``fault`` has happened ``count`` times."""
        while self.happened[fault] < count:
            self._occurred.clear()
            await self._occurred.wait()

    def clear(self) -> None:
        """Nothing goes wrong from now on; what hangs goes on."""
        self._next.clear()
        self.release()

    def release(self) -> None:
        self._released.set()

    async def hang(self) -> None:
        await self._released.wait()


class Inbox:
    """The messages a vendor took, in order; ``on_message`` hears each one, ``wait_for`` awaits them."""

    def __init__(self, on_message: Callable[[Received], Awaitable[None]] | None = None) -> None:
        self.received: list[Received] = []
        self.on_message = on_message
        self._changed = asyncio.Condition()

    async def add(self, message: Received) -> None:
        self.received.append(message)
        async with self._changed:
            self._changed.notify_all()
        if self.on_message is not None:
            await self.on_message(message)

    async def wait_for(self, count: int) -> list[Received]:
        """All messages, as soon as there are at least ``count``."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= count)
        return list(self.received)


async def misbehave(request: web.Request, fault: Fault, faults: Faults) -> web.StreamResponse | None:
    """Do what an HTTP vendor does wrong in its transport, after reading the request.

    None for the faults a vendor must play itself: :attr:`Fault.REFUSE`, and those after it took the message
    (:attr:`Fault.HALF_BODY`, :attr:`Fault.DROP_AFTER`), whose answers go through :func:`lose_answer`.
    """
    match fault:
        case Fault.STATUS_429:
            return web.Response(status=429, headers={"Retry-After": "7"}, text="too many requests")
        case Fault.STATUS_500:
            return web.Response(status=500, text="internal error")
        case Fault.STATUS_504:
            return web.Response(status=504, text="gateway time-out")
        case Fault.REDIRECT:
            return web.Response(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
        case Fault.GARBAGE:
            return web.Response(body=b"<html>\xff\xfe\x00 login please", content_type="text/html")
        case Fault.HANG:
            await faults.hang()
            return web.Response(text="too late")
        case Fault.DROP_BEFORE:
            return drop(request)
        case _:
            return None


async def begin(request: web.Request, faults: Faults) -> tuple[Fault | None, int, web.StreamResponse | None]:
    """The fault of the request at hand, its code, and what the vendor has done for it already, which ends the
    request."""
    fault, code = faults.take() or (None, 0)
    return fault, code, await misbehave(request, fault, faults) if fault is not None else None


def drop(request: web.Request) -> web.Response:
    """Break the connection instead of answering."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def lose_answer(request: web.Request, fault: Fault, answer: bytes) -> web.StreamResponse:
    """Break the connection after half of ``answer`` (:attr:`Fault.HALF_BODY`), or before any of it."""
    if fault is not Fault.HALF_BODY:
        return drop(request)
    response = web.StreamResponse(headers={"Content-Length": str(len(answer))})
    await response.prepare(request)
    await response.write(answer[: len(answer) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


class Door:
    """A vendor's door on one loopback port that can be shut: then connections are refused, and open ones are cut.

    ``make`` gives the application, anew for each opening. ``url`` is its base, and stays the same.
    """

    def __init__(self, make: Callable[[], web.Application], host: str = "127.0.0.1") -> None:
        self._make = make
        self._host = host
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._kept: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        return self._runner is not None

    async def open(self) -> None:
        if self._runner is not None:
            return
        runner = web.AppRunner(self._make(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._let_go()
        await web.TCPSite(runner, self._host, self._port).start()
        self._port = runner.addresses[0][1]
        self._runner = runner

    async def shut(self) -> None:
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        await runner.cleanup()
        # Bound but not listening: refused for certain, and nobody else gets the port meanwhile.
        self._kept = socket.socket()
        self._kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._kept.bind((self._host, self._port))

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[str]:
        """Open from the beginning; shut for good when the block ends. Gives the base URL."""
        await self.open()
        try:
            yield self.url
        finally:
            await self.shut()
            self._let_go()

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@asynccontextmanager
async def listening(app: web.Application, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve ``app`` on a loopback port (0: any free one) and give its base URL; no access log, it would hold keys."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        place = runner.addresses[0]
        yield f"http://{host}:{place[1]}"
    finally:
        await runner.cleanup()
