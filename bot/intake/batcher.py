"""Many requests, one commit: a batch forms from what has arrived while the one before it is being written.

There is no timer. When nothing is being written, the first item starts a batch in the next turn of the event loop, with
everything that came in the same turn; until it is done, the next one collects.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Full(Exception):
    """No room for more items; nothing of this call was taken."""


class Closed(Exception):
    """The batcher was closed or its work was cancelled; what was waiting was not taken."""


@dataclass(slots=True)
class _Ticket(Generic[R]):
    """One caller: its results as they come, and what it waits for."""

    done: asyncio.Future[list[R]]
    missing: int
    results: list[R] = field(default_factory=list)


class Batcher(Generic[T, R]):
    """Collects the items of concurrent callers into batches of at most ``limit`` items for ``work``, one at a time.

    ``work`` gets the items in the order of arrival and gives one result for each, or the error of that item, which its
    caller gets and nobody else. When it raises, every caller with an item in that batch gets that error. A caller's
    items stay in order; where they do not fit into one batch the rest goes into the next one, so that after an error
    some may have been done: work must be safe to repeat. At most ``room`` items wait; a single call may bring more than
    that only while nothing waits.

    A caller that is cancelled takes nothing back: its items are done with the others.
    """

    def __init__(
        self, work: Callable[[list[T]], Awaitable[Sequence[R | Exception]]], limit: int, room: int = 10_000
    ) -> None:
        if limit < 1 or room < 1:
            raise ValueError("limit and room must be at least 1")
        self._work = work
        self._limit = limit
        self._room = room
        self._queue: deque[tuple[T, _Ticket[R]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many items wait for a batch; those being worked on are not among them."""
        return len(self._queue)

    @property
    def room(self) -> int:
        """How many single items would be taken now."""
        return max(0, self._room - len(self._queue))

    def has_room(self, count: int) -> bool:
        """Whether a call with ``count`` items would be taken now."""
        return not self._queue or len(self._queue) + count <= self._room

    async def submit(self, items: Sequence[T]) -> list[R]:
        """The results of ``items``, in their order. Raises :class:`Full`, :class:`Closed`, and what ``work`` raises."""
        if self._closed:
            raise Closed("the batcher is closed")
        if not items:
            return []
        if not self.has_room(len(items)):
            raise Full(f"{len(self._queue)} items are waiting, no room for {len(items)} more")
        ticket: _Ticket[R] = _Ticket(asyncio.get_running_loop().create_future(), len(items))
        self._queue.extend((item, ticket) for item in items)
        if self._worker is None:
            self._worker = asyncio.create_task(self._run(), name="batcher")
            self._worker.add_done_callback(self._ended)
        return await ticket.done

    async def close(self) -> None:
        """Take nothing more, and return when everything taken is done."""
        self._closed = True
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _run(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(self._limit, len(self._queue)))]
            try:
                await self._one(batch)
            except BaseException:
                _fail([ticket for _, ticket in batch], Closed("the work was cancelled"))
                raise
        self._worker = None

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """Nobody may wait for a worker that was cancelled, be it before its first step."""
        if self._worker is worker:
            self._worker = None
            left = [ticket for _, ticket in self._queue]
            self._queue.clear()
            _fail(left, Closed("the work was cancelled"))

    async def _one(self, batch: list[tuple[T, _Ticket[R]]]) -> None:
        tickets = [ticket for _, ticket in batch]
        try:
            results = await self._work([item for item, _ in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(batch)} items were given, {len(results)} results came back")
        except Exception as error:  # noqa: BLE001 - whatever it is, every caller must hear it
            _fail(tickets, error)
            return
        for ticket, result in zip(tickets, results, strict=True):
            if isinstance(result, Exception):
                _fail([ticket], result)
                continue
            ticket.results.append(result)
            ticket.missing -= 1
            if not ticket.missing and not ticket.done.done():
                ticket.done.set_result(ticket.results)


def _fail(tickets: Sequence[_Ticket[R]], error: Exception) -> None:
    for ticket in tickets:
        if not ticket.done.done():
            ticket.done.set_exception(error)
