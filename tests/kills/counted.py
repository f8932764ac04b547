"""A process that dies at its k-th suspension: every place where an await gives control away is such a place.

Suspensions are counted in the main coroutine and, through the loop's task factory, in every task it starts. The death
is ``os._exit``: no ``finally``, no flush, as a power cut sees it from inside the process.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Generator
from contextvars import Context
from typing import Any

KILLED = 137


class Countdown:
    """Counts suspensions; at ``die_at`` (0: never) the process ends."""

    def __init__(self, die_at: int = 0) -> None:
        self.count = 0
        self.die_at = die_at

    def tick(self) -> None:
        self.count += 1
        if self.count == self.die_at:
            os._exit(KILLED)


class Counted(Coroutine[Any, Any, Any]):
    """A coroutine whose every suspension is counted."""

    def __init__(self, inner: Coroutine[Any, Any, Any], countdown: Countdown) -> None:
        self._inner = inner
        self._countdown = countdown

    def send(self, value: Any) -> Any:
        yielded = self._inner.send(value)
        self._countdown.tick()
        return yielded

    def throw(self, *error: Any) -> Any:
        yielded = self._inner.throw(*error)
        self._countdown.tick()
        return yielded

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._inner.__await__())


def run_counted(main: Coroutine[Any, Any, Any], countdown: Countdown) -> None:
    """Run ``main`` on a loop of its own, counting."""

    def factory(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None, **more: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(Counted(work, countdown), loop=loop, context=context, **more)

    loop = asyncio.new_event_loop()
    loop.set_task_factory(factory)  # type: ignore[arg-type]
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main)
