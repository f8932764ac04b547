"""How batches travel: to one server (also the master that Sentinel names), or to the nodes of a cluster.

A route gives each command's result, or raises StoreUnavailableError for the whole batch on one server; in a cluster a
node that cannot be reached spoils only its own commands, whose results are then that error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from typing import Any, Protocol, Self

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bot.store.errors import StoreUnavailableError, StrangerError
from bot.store.wire import Command, Link, Result, WaitAof, judged, round_trip, with_fence

ATTEMPTS = 4
LOST = (RedisConnectionError, RedisTimeoutError, OSError, TimeoutError)
"""No answer: before or after the server acted."""


class Route(Protocol):
    """The two ways to speak to a store. ``whole``: all batches go to one server, which holds every key."""

    whole: bool

    async def send(self, commands: Sequence[Command], *, wait: WaitAof | None, again: bool) -> list[Result]:
        """All commands, results in their order. again: whether they may be sent again when their answer was lost."""

    async def each(self, commands: Sequence[Command]) -> dict[str, list[Result]]:
        """The commands on every server that takes writes, by its address. Sent again when an answer was lost."""

    async def aclose(self) -> None:
        """Close all connections; a later use opens new ones."""


class Keeping:
    """A route that may be told to keep to certain servers: after a fail-over the next one is not used unseen.

    ``visited`` are the servers that answered a scout.
    """

    _kept: frozenset[str] | None = None
    visited: set[str] | None = None

    def keep_to(self, servers: frozenset[str]) -> None:
        """From now on nothing is sent to any other server; such commands fail with StrangerError."""
        self._kept = servers

    def scout(self) -> Self:
        """The same route, on the same connections, without that limit; it notes where it went."""
        made = copy(self)
        made._kept, made.visited = None, set()
        return made

    def _stranger(self, server: str) -> StrangerError | None:
        if self.visited is not None:
            self.visited.add(server)
        return None if self._kept is None or server in self._kept else StrangerError(server)


def unavailable(error: Exception, address: str, *, sent: bool) -> StoreUnavailableError:
    """The error for an answer that did not come."""
    return StoreUnavailableError(
        f"存储 {address} 无应答：{str(error) or type(error).__name__}",
        f"no answer from the store {address}: {str(error) or type(error).__name__}",
        sent=sent,
    )


class Pool(Protocol):
    """What is used of redis-py's connection pools."""

    async def get_connection(self) -> Link:
        """A connection that is open and in order."""

    async def release(self, connection: Any, /) -> None:
        """Give it back."""

    async def disconnect(self) -> None:
        """Close all."""


class UnsentError(Exception):
    """No connection could be had: the batch never left."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


async def persist(
    attempt: Callable[[], Awaitable[list[Result]]], address: str, *, again: bool, attempts: int
) -> list[Result]:
    """Try, and after a lost answer try again where that is allowed; a batch that never left is always tried again.

    Raises StoreUnavailableError.
    """
    left = False
    for number in range(1, attempts + 1):
        try:
            return await attempt()
        except UnsentError as unsent:
            error: Exception = unsent.cause
        except LOST as lost:
            error, left = lost, True
        if number == attempts or (left and not again):
            raise unavailable(error, address, sent=left) from error
        await asyncio.sleep(0.02 * 2**number)
    raise AssertionError("unreachable")


class SingleRoute(Keeping):
    """One server, through a pool of redis-py (a Sentinel pool follows its master)."""

    whole = True

    def __init__(
        self,
        pool: Pool,
        address: str,
        *,
        attempts: int = ATTEMPTS,
        closing: Sequence[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        """closing: what has to be closed together with the pool."""
        self._pool = pool
        self._closing = closing
        self._address = address
        self._attempts = attempts

    async def send(self, commands: Sequence[Command], *, wait: WaitAof | None, again: bool) -> list[Result]:
        """See Route. Raises StoreUnavailableError; StrangerError for a server that it does not keep to."""
        batch = with_fence(commands, wait, None)

        async def attempt() -> list[Result]:
            async with self._lend() as connection:
                host, port = getattr(connection, "host", ""), getattr(connection, "port", "")
                if (stranger := self._stranger(f"{host}:{port}")) is not None:
                    raise stranger
                return judged(await round_trip(connection, batch), wait)

        return await persist(attempt, self._address, again=again, attempts=self._attempts)

    async def each(self, commands: Sequence[Command]) -> dict[str, list[Result]]:
        """See Route. Raises StoreUnavailableError."""
        return {self._address: await self.send(commands, wait=None, again=True)}

    async def aclose(self) -> None:
        """See Route."""
        await self._pool.disconnect()
        for close in self._closing:
            await close()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Link]:
        try:
            # The pool opens or repairs the connection here, before anything was sent.
            connection = await self._pool.get_connection()
        except (RedisError, OSError) as error:
            raise UnsentError(error) from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)
