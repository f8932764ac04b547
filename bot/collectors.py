"""Asks the vendors that do not call back, each in a loop of its own, and puts what they have on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bot.engine import Engine
from bot.keeping import Keeping
from bot.rules import Rules
from channels.callback import Errand, Heard, Thanks
from channels.collecting import Collector

log = logging.getLogger(__name__)

LOOK = 0.5
"""Between two looks at the configuration, in seconds."""
SLOWEST = 30.0
"""How long a place that cannot be looked at is left alone at most, in seconds."""


class Collectors:
    """Runs a loop for every collecting channel of the rules in force. ``not_ready`` says why nothing may be taken."""

    def __init__(
        self, rules: Callable[[], Rules], engine: Callable[[], Engine | None], not_ready: Callable[[], str]
    ) -> None:
        self._rules = rules
        self._engine = engine
        self._not_ready = not_ready
        self._running: dict[str, tuple[Collector, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Keep the loops to the configuration until cancelled."""
        try:
            while True:
                await self._reconcile()
                await asyncio.sleep(LOOK)
        finally:
            await self._end(list(self._running))

    async def _reconcile(self) -> None:
        wanted = {name: each for name, each in self._rules().channels.items() if isinstance(each, Collector)}
        await self._end([name for name, (driver, _) in self._running.items() if wanted.get(name) is not driver])
        for name, driver in wanted.items():
            if name not in self._running:
                task = asyncio.create_task(self._collect(driver), name=f"collect {name}")
                self._running[name] = (driver, task)

    async def _end(self, names: list[str]) -> None:
        tasks = [self._running.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _collect(self, driver: Collector) -> None:
        failures, keeping = 0, Keeping()
        while True:
            await asyncio.sleep(min(driver.every * 2**failures, max(SLOWEST, driver.every)))
            engine = self._engine()
            if engine is None or self._not_ready():
                continue
            try:
                while await collect_once(driver, engine, keeping):
                    pass
                failures = 0
            except Exception:
                if not failures:
                    log.exception("what %s has for us could not be taken", driver.name)
                failures = min(failures + 1, 10)


async def collect_once(driver: Collector, engine: Engine, keeping: Keeping | None = None) -> int:
    """Take what lies there: first on disk here, then away there. How many items there were.

    If this dies in between, the next look finds the same items under the same ids. What could not be read is put into
    quarantine, and told. Raises OSError and the store's error.
    """
    now, keeping = engine.clock.now(), keeping or Keeping()
    collected = await driver.collect(now)
    for errand in Errand:
        odd = tuple(each.part for each in collected.unreadable if each.errand is errand)
        for each in odd:
            log.warning("a part of what %s has for us could not be read: %s", driver.name, each.words)
        items = collected.items if errand is Errand.UPLINK else ()
        await keeping.keep(engine, Heard(items, Thanks(), odd), driver.name, errand, now)
    if collected.places or collected.unreadable:
        await driver.forget(collected)
    return len(collected.items)
