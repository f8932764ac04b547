"""One round trip on one connection: many commands out, as many answers back, exactly as they came (RESP2, bytes)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from hiredis import pack_command
from redis.exceptions import ResponseError

from bot.store.errors import NotDurableError

Argument = bytes | str | int | float
Command = Sequence[Argument]
"""A command and its arguments: ("HSET", key, field, value)."""
Reply = bytes | int | list["Reply"] | None
Result = Reply | Exception
"""An answer, or the error in its place."""


class Link(Protocol):
    """What is used of redis-py's connections."""

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open on this side."""

    async def connect(self) -> None:
        """Open it when it is not."""

    @property
    def disconnect(self) -> Callable[..., Awaitable[None]]:
        """Close it; with `nowait` without waiting for the other end."""

    async def can_read(self) -> bool:
        """Whether something came, or the other end is gone."""

    async def send_packed_command(self, command: list[bytes], /) -> None:
        """Send them."""

    @property
    def read_response(self) -> Callable[..., Awaitable[Reply]]:
        """One answer; with `disconnect_on_error` off, a server's refusal leaves the connection open."""


@dataclass(frozen=True, slots=True)
class WaitAof:
    """How many disks must have a write before it counts: WAITAOF after each batch, on the connection of that batch.

    local: 1 waits for the server's own file. replicas: how many replicas' files. milliseconds: how long the server
    may wait; less than the client's own time limit.

    WAITAOF covers what its own connection wrote. A script that finds its commit id already recorded writes nothing,
    although the first write may not be on disk yet; so a small write (the fence) goes before WAITAOF, and everything
    before it in the server's file is covered with it.
    """

    local: int = 1
    replicas: int = 0
    milliseconds: int = 3000
    fence: bytes = b"fence"


def packed(commands: Sequence[Command]) -> bytes:
    """The commands as they go over the wire. redis-py's own packing is Python, and takes five times as long."""
    return b"".join([pack_command(cast(tuple[Any], tuple(command))) for command in commands])


async def round_trip(connection: Link, commands: Sequence[Command]) -> list[Result]:
    """Send all commands in one write and read their answers; a command's own error takes its place in the list.

    A connection whose answers were not all read, whatever the reason, is closed: the next user must not get them.
    Raises redis ConnectionError, TimeoutError.
    """
    results: list[Result] = []
    try:
        await _send(connection, commands)
        for _ in commands:
            try:
                results.append(await connection.read_response(disconnect_on_error=False))
            except ResponseError as error:
                results.append(error)
    finally:
        if len(results) != len(commands):
            await connection.disconnect(nowait=True)
    return results


async def _send(connection: Link, commands: Sequence[Command]) -> None:
    """Send; a cancellation that came meanwhile is raised again: before Python 3.12 ``asyncio.wait_for``, which redis-py
    sends under, swallows one that comes at the same moment as the end, and its task would never stop."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    await connection.send_packed_command([packed(commands)])
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


def with_fence(commands: Sequence[Command], wait: WaitAof | None, tag: bytes | None) -> list[Command]:
    """The commands, and behind them the fence and WAITAOF.

    tag: the hash tag that keeps the fence on this node, if any.
    """
    if wait is None:
        return list(commands)
    fence = wait.fence if tag is None else wait.fence + b":{" + tag + b"}"
    return [*commands, ("INCR", fence), ("WAITAOF", wait.local, wait.replicas, wait.milliseconds)]


def judged(results: list[Result], wait: WaitAof | None) -> list[Result]:
    """The results without those of `with_fence`.

    Each that is no error becomes NotDurableError when the counts are too low.
    """
    if wait is None:
        return results
    *own, fence, counts = results
    local, replicas = counts if isinstance(counts, list) and len(counts) == 2 else (0, 0)
    found = (local if isinstance(local, int) else 0, replicas if isinstance(replicas, int) else 0)
    if isinstance(fence, Exception) or found[0] < wait.local or found[1] < wait.replicas:
        lacking = NotDurableError((wait.local, wait.replicas), found)
        # Never the trouble itself: a redirection in its place would have the commands sent again.
        lacking.__cause__ = next((trouble for trouble in (fence, counts) if isinstance(trouble, Exception)), None)
        return [result if isinstance(result, Exception) else lacking for result in own]
    return own
