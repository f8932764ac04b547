"""A proxy between hub and store that lets every request through and loses chosen replies: the effect is there, the
answer is not, and the connection is cut, as when a cable is pulled at the wrong moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path


class Lossy:
    """``loses(n)`` says whether the n-th reply (from 1) is lost; ``lost`` counts those that really were."""

    def __init__(self, server: Path, loses: Callable[[int], bool]) -> None:
        self.replies = 0
        self.lost = 0
        self._server = server
        self._loses = loses
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[Path]:
        """Listen on a unix socket at ``path``."""
        server = await asyncio.start_unix_server(self._serve, str(path))
        try:
            yield path
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(str(self._server))
        both = [
            asyncio.create_task(self._requests(reader, there_writer)),
            asyncio.create_task(self._answers(there_reader, writer)),
        ]
        self._tasks.update(both)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        writer.close()
        there_writer.close()
        self._tasks.difference_update(both)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            self.replies += 1
            if self._loses(self.replies):
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()
