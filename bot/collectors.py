"""Asks the vendors that do not call back, each in a loop of its own, and puts what they have on disk.

Some leave what they have for us in a place (:class:`channels.collecting.Collector`); others tell what became of a send
when they are asked for it (:class:`channels.collecting.Asked`), which one hub at a time does, as calls are counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable

from bot.engine import Engine
from bot.keeping import Keeping
from bot.rules import Rules
from channels.callback import Errand, Heard, Thanks
from channels.collecting import Asked, Collector
from channels.outcome import Outcome
from escalation.ledger.asks import Asks
from escalation.ledger.leadership import Leadership

log = logging.getLogger(__name__)

LOOK = 0.5
"""Between two looks at the configuration, in seconds."""
ASK = 2.0
"""Between two looks for sends to ask about, in seconds."""
LEASE = 60_000
"""How long one hub alone asks, in milliseconds: longer than it rests after failures."""
AT_ONCE = 8
"""About how many sends a vendor is asked at the same time."""
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
        self._running: dict[str, tuple[Collector | Asked, asyncio.Task[None]]] = {}
        self._hub = f"{os.getpid()}-{secrets.token_hex(4)}"

    async def run(self) -> None:
        """Keep the loops to the configuration until cancelled."""
        try:
            while True:
                await self._reconcile()
                await asyncio.sleep(LOOK)
        finally:
            await self._end(list(self._running))

    async def _reconcile(self) -> None:
        channels = self._rules().channels.items()
        wanted: dict[str, Collector | Asked] = {}
        wanted |= {name: each for name, each in channels if isinstance(each, Collector)}
        wanted |= {name: each for name, each in channels if isinstance(each, Asked) and each.abilities.asked_after}
        await self._end([name for name, (driver, _) in self._running.items() if wanted.get(name) is not driver])
        for name, driver in wanted.items():
            if name not in self._running:
                work = self._ask(driver) if isinstance(driver, Asked) else self._collect(driver)
                task = asyncio.create_task(work, name=f"collect {name}")
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

    async def _ask(self, driver: Asked) -> None:
        failures = 0
        while True:
            await asyncio.sleep(min(ASK * 2**failures, SLOWEST))
            engine = self._engine()
            if engine is None or self._not_ready():
                continue
            lease = Leadership(engine.store, self._hub, duty=f"ask:{driver.name}", lease=LEASE)
            try:
                if await lease.holds(engine.clock.now()):
                    await ask_once(driver, engine)
                failures = 0
            except Exception:
                if not failures:
                    log.exception("the vendor of %s could not be asked what became of its sends", driver.name)
                failures = min(failures + 1, 10)


async def ask_once(driver: Asked, engine: Engine) -> int:
    """Ask about every send that is due; about how many. What is told is on disk before it is not asked again. Raises
    the store's error."""
    asks, now, times = Asks(engine.store), engine.clock.now(), driver.abilities.asked_after
    keeping = Keeping()
    due = await asks.due(driver.name, now, AT_ONCE)
    answers = await asyncio.gather(*(driver.ask(each.vendor_id, now) for each in due))
    for ask, answer in zip(due, answers, strict=True):
        if isinstance(answer, Outcome):
            log.warning("the vendor of %s does not say what became of a send: %s", driver.name, answer.detail)
        else:
            await keeping.keep(engine, Heard(answer, Thanks()), driver.name, Errand.REPORT, now)
        told = bool(answer) and not isinstance(answer, Outcome)
        again = ask.sent_at + times[ask.asked + 1] * 1000 if not told and ask.asked + 1 < len(times) else None
        await asks.asked(driver.name, ask, again)
    return len(due)


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
