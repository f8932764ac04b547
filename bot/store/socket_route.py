"""The route to a server on this machine: a unix socket, and one turn of the event loop for each way of a round trip.

redis-py serves every other route. Here it would cost more than the server does: a task, a lock, several coroutines and
a time limit for each answer, for every batch of every worker.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import hiredis
from redis.asyncio.connection import DefaultParser
from redis.exceptions import ResponseError

from bot.store.routes import UnsentError, persist
from bot.store.wire import Command, Result, WaitAof, judged, packed, with_fence

_NOTHING_YET = object()


class _Line(asyncio.Protocol):
    """One connection. It carries one batch at a time; its answers come in the order of the commands."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reader = hiredis.Reader(notEnoughData=_NOTHING_YET, replyError=DefaultParser.parse_error)
        self._transport: asyncio.WriteTransport | None = None
        self._answers: list[Result] = []
        self._wanted = 0
        self._done: asyncio.Future[None] | None = None
        self._moved = 0.0
        self._patience: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        done = self._done
        if done is None:
            self.close()  # nobody asked: the next batch must not take this for its own answer
            return
        self._moved = self._loop.time()
        self._reader.feed(data)
        while len(self._answers) < self._wanted:
            answer: Any = self._reader.gets()
            if answer is _NOTHING_YET:
                return
            self._answers.append(answer)
        if not done.done():
            done.set_result(None)
        if self._reader.has_data():
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._done is not None and not self._done.done():
            lost = exc if isinstance(exc, OSError) else ConnectionResetError("the store closed the connection")
            self._done.set_exception(lost)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def round_trip(self, data: bytes, count: int, seconds: float) -> list[Result]:
        """Send, and wait for ``count`` answers, as long as one comes every ``seconds``.

        Raises OSError, TimeoutError, and what redis-py raises for a server that is not in order (still loading); the
        connection is closed wherever not all answers were read.
        """
        if self._transport is None:
            raise ConnectionResetError("the store closed the connection")
        self._answers, self._wanted, self._moved = [], count, self._loop.time()
        self._done = self._loop.create_future()
        self._look(seconds)
        try:
            self._transport.write(data)
            await self._done
        finally:
            if self._patience is not None:
                self._patience.cancel()
            self._done = None
            if len(self._answers) < count:
                self.close()
        for answer in self._answers:
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise answer
        return self._answers

    def _look(self, seconds: float) -> None:
        """Give up when nothing came for ``seconds``, else look again when that could be."""
        if self._done is None or self._done.done():
            return
        rest = self._moved + seconds - self._loop.time()
        if rest > 0:
            self._patience = self._loop.call_later(rest, self._look, seconds)
        else:
            self._done.set_exception(TimeoutError(f"no answer within {seconds:g} s"))


class SocketRoute:
    """One server on a unix socket (:class:`bot.store.routes.Route`); connections are opened as they are needed."""

    whole = True

    def __init__(self, path: Path, *, answer_seconds: float, connections: int, attempts: int) -> None:
        self._path = os.fspath(path)
        self._seconds = answer_seconds
        self._attempts = attempts
        self._idle: list[_Line] = []
        self._room = asyncio.Semaphore(connections)

    async def send(self, commands: Sequence[Command], *, wait: WaitAof | None, again: bool) -> list[Result]:
        """See Route. Raises StoreUnavailableError."""
        batch = with_fence(commands, wait, None)
        data = packed(batch)

        async def attempt() -> list[Result]:
            async with self._lend() as line:
                return judged(await line.round_trip(data, len(batch), self._seconds), wait)

        return await persist(attempt, f"unix://{self._path}", again=again, attempts=self._attempts)

    async def each(self, commands: Sequence[Command]) -> dict[str, list[Result]]:
        """See Route. Raises StoreUnavailableError."""
        return {f"unix://{self._path}": await self.send(commands, wait=None, again=True)}

    async def aclose(self) -> None:
        """See Route."""
        while self._idle:
            self._idle.pop().close()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[_Line]:
        if self._room.locked():
            try:
                async with asyncio.timeout(self._seconds):
                    await self._room.acquire()
            except TimeoutError as error:
                raise UnsentError(error) from error
        else:
            await self._room.acquire()  # does not wait
        try:
            line = await self._take()
            try:
                yield line
            finally:
                if line.is_open:
                    self._idle.append(line)
        finally:
            self._room.release()

    async def _take(self) -> _Line:
        while self._idle:
            line = self._idle.pop()
            if line.is_open:
                return line
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._seconds):
                _, line = await loop.create_unix_connection(lambda: _Line(loop), self._path)
        except (OSError, TimeoutError) as error:
            raise UnsentError(error) from error
        return line
