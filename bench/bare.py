"""What aiohttp alone can do: a program that passes each POST on to the receiver, decides nothing and keeps nothing.

``python -m bench.bare PORT RECEIVER`` is the program. It has the libraries of the hub (aiohttp's server and client,
uvloop) and one process, so no hub built on them can be faster beside the same peer.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

from bench.driver import Request, get, http
from bench.processes import free_port, running, until
from bench.receiver import mark

NAME = "aiohttp alone"


class Bare:
    """Its process; an event is its number."""

    accepted = b"HTTP/1.1 202"

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def request(self, numbers: Sequence[int]) -> Request:
        """A text with these numbers."""
        return numbers, http("/", self.port, " ".join(map(mark, numbers)).encode())

    def processes(self) -> dict[str, int]:
        return {"bare": self._pid}


class StartBare:
    """Starts the program."""

    name = NAME

    @asynccontextmanager
    async def __call__(self, folder: Path, receiver: int) -> AsyncIterator[Bare]:
        port, log = free_port(), folder / "log"
        with running([sys.executable, "-m", "bench.bare", str(port), str(receiver)], log) as process:

            async def ready() -> bool:
                return (await get(port, "/"))[0] == 200

            await until(ready, process, log)
            yield Bare(port, process.pid)


async def _serve(port: int, receiver: int) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        sends: set[asyncio.Task[None]] = set()

        async def send(body: bytes) -> None:
            async with session.post(f"http://127.0.0.1:{receiver}/hook", data=body) as answer:
                await answer.read()

        async def take(request: web.Request) -> web.Response:
            task = asyncio.create_task(send(await request.read()))
            sends.add(task)
            task.add_done_callback(sends.discard)
            return web.Response(status=202)

        async def ready(_: web.Request) -> web.Response:
            return web.Response()

        application = web.Application()
        application.add_routes([web.post("/", take), web.get("/", ready)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
