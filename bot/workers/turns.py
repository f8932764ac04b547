"""How a worker goes on: turn after turn while there is work, then until it is woken or a moment has passed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

TICK = 0.25
"""How often an idle worker looks for rows whose time has come, in seconds."""
LONGEST = 10.0
"""The longest pause between two tries of a worker that fails, in seconds."""


class Turns:
    """The turns of an engine's workers. ``changed`` is told when one did something; none is begun while ``may_work``
    says no, and none after ``halt``."""

    def __init__(self) -> None:
        self.halt = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None
        self.may_work: Callable[[], bool] = lambda: True
        self._begun: dict[object, float] = {}

    @property
    def stuck(self) -> float:
        """For how many seconds the worker that is worst off has tried to come through a turn; 0.0 while all rest."""
        now = asyncio.get_running_loop().time()
        return max((now - at for at in self._begun.values()), default=0.0)

    async def repeat(
        self, step: Callable[[], Awaitable[int]], woken: asyncio.Event | None, *, idle: float = TICK
    ) -> None:
        """Step while there is work, else wait to be woken or for ``idle`` seconds; a failing store only slows it."""
        pause = idle
        now = asyncio.get_running_loop().time
        while not self.halt.is_set():
            may = self.may_work()
            try:
                if woken is not None:
                    woken.clear()
                self._begun.setdefault(step, now())
                done = await step() if may else 0
                del self._begun[step]
                pause = idle
                if done:
                    self.changed()
                    await asyncio.sleep(0)
                    continue
            except Exception:
                log.exception("a worker failed and tries again in %.1f s", pause)
                pause = min(pause * 2, LONGEST)
            # Who waits after a failure, or may not work, is woken by nothing but the end.
            bell = woken if woken is not None and may and pause == idle else self.halt
            try:
                # Not wait_for: before Python 3.12 it swallows a cancellation that comes with the event.
                async with asyncio.timeout(pause):
                    await bell.wait()
            except TimeoutError:
                continue
