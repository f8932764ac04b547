"""Server-sent events: a full snapshot when somebody connects, then what changed, and a heartbeat that pages can see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

HEARTBEAT = 10.0
"""Seconds between heartbeats; a page that hears nothing for three of them calls itself stale."""
_MOST_WAITING = 1000


class Stream:
    """All listening pages. ``snapshot`` gives the whole state, ``beat`` what a heartbeat carries."""

    def __init__(
        self, snapshot: Callable[[], dict[str, Any]], beat: Callable[[], dict[str, Any]], every: float = HEARTBEAT
    ) -> None:
        self._snapshot = snapshot
        self._beat = beat
        self._every = every
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._count = 0

    def send(self, name: str, data: Any) -> None:
        """Tell every page. One that is too slow is cut off; it comes again and gets a snapshot."""
        self._count += 1
        message = _message(name, data, self._count)
        for queue in list(self._listeners):
            try:
                queue.put_nowait(message)
            except asyncio.QueueFull:
                self._cut(queue)

    def close(self) -> None:
        """End every page's stream."""
        for queue in list(self._listeners):
            self._cut(queue)

    def _cut(self, queue: asyncio.Queue[bytes | None]) -> None:
        self._listeners.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    @property
    def listened_to(self) -> bool:
        """Whether any page listens."""
        return bool(self._listeners)

    async def serve(
        self, request: web.Request, may_go_on: Callable[[], Awaitable[bool]] | None = None
    ) -> web.StreamResponse:
        """One page's stream, until it goes away or the hub ends; ``may_go_on`` is asked about as often as the heart
        beats."""
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-cache, no-store",
                "X-Accel-Buffering": "no",
            }
        )
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)
        loop = asyncio.get_running_loop()
        asked = loop.time()
        try:
            await response.prepare(request)
            # No await between snapshot and listening: whatever follows comes through the queue.
            first = b"retry: 2000\n" + _message("snapshot", self._snapshot(), self._count)
            self._listeners.add(queue)
            await response.write(first)
            while True:
                try:
                    async with asyncio.timeout(self._every):
                        message = await queue.get()
                except TimeoutError:
                    message = _message("heartbeat", self._beat(), None)
                if message is None:
                    break
                if may_go_on is not None and loop.time() - asked >= self._every * 0.9:
                    asked = loop.time()
                    if not await may_go_on():
                        break
                await response.write(message)
        except ConnectionError:
            # The page has gone; there is nobody to tell.
            pass
        finally:
            self._listeners.discard(queue)
        return response


def _message(name: str, data: Any, number: int | None) -> bytes:
    # A heartbeat has no id: what a page has seen last stays what it was.
    head = f"event: {name}\n" if number is None else f"id: {number}\nevent: {name}\n"
    return head.encode() + b"data: " + orjson.dumps(data) + b"\n\n"
