"""Whoever waits for an answer that never comes has waited long enough at the moment a test says so, not by the watch.

Every time limit of the program (asyncio's, aiohttp's, redis') goes by the clock of the running loop. A test awaits that
somebody gets no answer, and then moves that clock: nobody waits, and nothing else is cut short on a slow machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

LONG = 20.0
"""How long the hub of a test waits for a vendor, in seconds: longer than a busy machine holds a sound answer back."""
OVER = LONG + 1.0
"""When it has waited for so long, in seconds; aiohttp ends its own limits at whole seconds."""

T = TypeVar("T")


class Patience:
    """The clock of the running loop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pushed = 0.0
        loop = asyncio.get_running_loop()
        own = loop.time
        monkeypatch.setattr(loop, "time", lambda: own() + self._pushed)

    def end(self, seconds: float = OVER) -> None:
        """Whoever waits now has waited ``seconds`` longer."""
        self._pushed += seconds

    async def ended(self, work: Awaitable[T], after: Awaitable[object], seconds: float = OVER) -> T:
        """What comes of ``work`` when everybody's patience ends as soon as ``after`` is over."""
        async with self.ending(after, seconds):
            return await work

    @asynccontextmanager
    async def ending(self, after: Awaitable[object], seconds: float = OVER) -> AsyncIterator[None]:
        """Everybody's patience ends once ``after`` is over, which it is before the block ends."""

        async def wait() -> None:
            await after
            self.end(seconds)

        waiting = asyncio.create_task(wait())
        try:
            yield
            assert waiting.done(), "nobody waited in vain"
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


@pytest.fixture
async def patience(monkeypatch: pytest.MonkeyPatch) -> Patience:
    return Patience(monkeypatch)
