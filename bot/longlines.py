"""Long lines to vendors that push: one of each account, held by the hub that leads in it.

What came is thanked for when it is on disk. If a hub dies in between, its lease ends and another hub (or its
successor) opens the line; the vendor pushes again what nobody thanked for, and the inbox knows what it has. Why one hub
and not all of them: docs/decisions/0058.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
from collections.abc import Callable
from contextlib import suppress

import msgspec
from redis.exceptions import RedisError

from bot.engine import Engine
from bot.keeping import Keeping
from bot.mailroom.trouble import LINE, LINE_BOTH_WAYS, PATIENCE, way_in_change
from bot.rules import Rules
from bot.store.errors import StoreError
from channels.callback import Errand, Heard
from channels.carrying import Delivering
from channels.longline import LineTrouble, LongLine
from escalation.ledger.change import Failed
from escalation.ledger.leadership import Leadership
from escalation.ledger.marks import Mark, Marks, line_mark

log = logging.getLogger(__name__)

LEASE = 8_000
"""How long leadership holds without being renewed, in milliseconds,"""
RENEW = 2.0
"""and how often it is renewed, in seconds."""
LOOK = 0.5
"""Between two looks at the configuration, and two tries to lead, in seconds."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Between two tries of a line that cannot be made, in seconds; each is spread by up to half of it. Others may lead
meanwhile."""
STEADY = 30.0
"""A line that stood for so many seconds was well: when it breaks, the pauses begin anew."""
_STORE = (StoreError, RedisError, OSError)


class LineHolder:
    """Holds one channel's line until cancelled. ``hub`` identifies the process, ``spread`` draws a number in [0, 1)."""

    def __init__(
        self,
        driver: LongLine,
        engine: Callable[[], Engine | None],
        hub: str,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._driver = driver
        self._engine = engine
        self._hub = hub
        self._spread = spread
        self._pause = FIRST_PAUSE
        self._keeping = Keeping()
        self._at_work: Engine | None = None
        self._begun = 0
        self._stood_at: float | None = None

    async def run(self) -> None:
        """Lead, hold; a line that breaks is made again, ever more slowly."""
        while True:
            engine = self._engine()
            wait = LOOK
            if engine is not None and engine.turns.may_work():
                try:
                    await self._lead(engine)
                except LineTrouble as trouble:
                    wait = await self._broke(engine, trouble)
                except _STORE as error:
                    log.warning("the line of channel %s waits for the store: %s", self._driver.name, error)
                except Exception:
                    log.exception("the line of channel %s failed", self._driver.name)
                    wait = LONGEST_PAUSE
            await asyncio.sleep(wait)

    async def _lead(self, engine: Engine) -> None:
        """Hold the line while this hub leads in it."""
        lease = Leadership(engine.store, self._hub, duty=f"line:{self._driver.line}", lease=LEASE)
        clock = asyncio.get_running_loop().time
        asked = clock()
        if not await lease.holds(engine.clock.now()):
            return
        until = asked + LEASE / 1000
        if await self._rests(engine):
            await lease.give_up(engine.clock.now())
            return
        self._at_work = engine
        holding = asyncio.create_task(self._driver.hold(self), name=f"line {self._driver.name}")
        serving = asyncio.create_task(self._serve(engine), name=f"letters of line {self._driver.name}")
        try:
            while not (await asyncio.wait({holding}, timeout=RENEW))[0]:
                if self._engine() is not engine:
                    return
                asked = clock()
                try:
                    async with asyncio.timeout_at(until):
                        holds = await lease.holds(engine.clock.now())
                except (TimeoutError, *_STORE) as error:
                    # A store that is away for a moment is no reason to hang up; a lease that has ended is.
                    if clock() >= until:
                        log.warning("the line of channel %s is let go, the store is away: %s", self._driver.name, error)
                        return
                    continue
                if not holds:
                    log.warning("another hub holds the line of channel %s now", self._driver.name)
                    return
                until = asked + LEASE / 1000
            await self._ended(engine, lease, holding)
        finally:
            holding.cancel()
            serving.cancel()
            await asyncio.wait({holding, serving})
            with suppress(*_STORE):
                await lease.give_up(engine.clock.now())

    async def _serve(self, engine: Engine) -> None:
        """Let letters leave on the line, where its vendor takes them there."""
        if isinstance(self._driver, Delivering):
            await engine.carrying.serve(self._driver)

    async def _ended(self, engine: Engine, lease: Leadership, holding: asyncio.Task[None]) -> None:
        """Raise what ended the line; but to have been displaced by the hub that leads now is no trouble."""
        try:
            holding.result()
        except LineTrouble as trouble:
            if trouble.displaced and not await lease.holds(engine.clock.now()):
                log.warning("another hub took the line of channel %s over", self._driver.name)
                return
            raise

    async def _rests(self, engine: Engine) -> bool:
        """Whether some hub was told that nobody shall try for a while. A person who starts a hub anew, or changes the
        line's settings, has a reason to try at once."""
        now = engine.clock.now()
        self._begun = self._begun or now
        mark = await Marks(engine.store).load(self._mark)
        return mark is not None and mark.rest > now and mark.at >= self._begun

    def now(self) -> int:
        """See :class:`channels.longline.Ear`."""
        return self._working.clock.now()

    async def keep(self, heard: Heard) -> bool:
        """See :class:`channels.longline.Ear`."""
        engine = self._working
        if not engine.turns.may_work():
            return False
        try:
            await self._keeping.keep(engine, heard, self._driver.name, Errand.UPLINK, engine.clock.now())
        except Exception:
            log.exception("what came on the line of channel %s could not be written", self._driver.name)
            return False
        return True

    async def well(self) -> None:
        """See :class:`channels.longline.Ear`."""
        self._stood_at = asyncio.get_running_loop().time()
        engine = self._working
        try:
            marks = Marks(engine.store)
            mark = await marks.load(self._mark)
            if mark is None or not mark.failing:
                return
            if mark.told:
                await self._tell(engine, mark.failing, "")
            await marks.save(self._mark, Mark(box="", at=engine.clock.now()))
        except _STORE as error:
            log.warning("that the line of channel %s is well could not be written: %s", self._driver.name, error)

    @property
    def _working(self) -> Engine:
        if self._at_work is None:
            raise RuntimeError("nobody listens yet")
        return self._at_work

    @property
    def _mark(self) -> str:
        return line_mark(self._driver.name)

    async def _broke(self, engine: Engine, trouble: LineTrouble) -> float:
        """Write down since when, and tell people where it is time; how many seconds to wait."""
        if self._stood_at is not None and asyncio.get_running_loop().time() - self._stood_at >= STEADY:
            self._pause = FIRST_PAUSE
        self._stood_at = None
        wait = trouble.rest or self._pause * (1 + self._spread() / 2)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        log.warning("the line of channel %s, again in %.0f s: %s", self._driver.name, wait, trouble)
        with suppress(*_STORE):
            marks, now = Marks(engine.store), engine.clock.now()
            mark = await marks.load(self._mark) or Mark(box="", at=now)
            mark = msgspec.structs.replace(mark, failing=mark.failing or now)
            if trouble.rest:
                mark = msgspec.structs.replace(mark, at=now, rest=now + int(trouble.rest * 1000))
            if not mark.told and (trouble.certain or now - mark.failing >= PATIENCE):
                await self._tell(engine, mark.failing, str(trouble))
                mark = msgspec.structs.replace(mark, told=True)
            await marks.save(self._mark, mark)
        return wait

    async def _tell(self, engine: Engine, since: int, why: str) -> None:
        rules, now = engine.rules, engine.clock.now()
        unit = rules.settings.hub.maintainers
        way = LINE_BOTH_WAYS if isinstance(self._driver, Delivering) else LINE
        change = way_in_change(way, self._driver.name, since, why, rules.directory, unit, now)
        (outcome,) = await engine.ledger.commit([change])
        if isinstance(outcome, Failed):
            raise outcome.error
        engine.stir()


class LongLines:
    """All lines of a hub: a holder for each channel that wants one, kept to the rules in force."""

    def __init__(self, rules: Callable[[], Rules], engine: Callable[[], Engine | None]) -> None:
        self._rules = rules
        self._engine = engine
        self._hub = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._running: dict[str, tuple[LongLine, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Keep the holders to the configuration until cancelled."""
        try:
            while True:
                await self._reconcile()
                await asyncio.sleep(LOOK)
        finally:
            await self._end(list(self._running))

    async def _reconcile(self) -> None:
        channels = self._rules().channels.items()
        wanted = {name: each for name, each in channels if isinstance(each, LongLine) and each.line}
        await self._end(
            [
                name
                for name, (driver, task) in self._running.items()
                if task.done() or name not in wanted or wanted[name].line_terms != driver.line_terms
            ]
        )
        for name, driver in wanted.items():
            if name not in self._running:
                holder = LineHolder(driver, self._engine, self._hub)
                self._running[name] = driver, asyncio.create_task(holder.run(), name=f"line of {name}")

    async def _end(self, names: list[str]) -> None:
        tasks = [self._running.pop(name)[1] for name in names]
        for task in tasks:
            task.cancel()
        for name, ended in zip(names, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(ended, Exception):
                log.error("the holder of the line of channel %s failed", name, exc_info=ended)
