"""Letters brought to whoever holds their line: this process, or by the store another one, of this hub or another.

The wait is the sender's alone. A letter that nobody took was never sent; one that was taken and of which nothing is
heard may have been.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterable

import msgspec
from redis.exceptions import RedisError

from bot.store.errors import StoreError
from channels.carrying import Delivering, Travelling
from channels.channel import Letter
from channels.outcome import Outcome, OutcomeKind
from escalation.ledger.door import Store
from escalation.ledger.marks import Marks, line_mark
from escalation.ledger.wire import Wire

log = logging.getLogger(__name__)

LOOK = 0.05
"""How often the holder of a line looks for letters, in seconds,"""
HEAR = 0.02
"""and a sender for what it said."""
UNTAKEN = 2.0
"""How long a letter waits for a holder, in seconds: one that stands looks much more often."""
_STORE = (StoreError, RedisError, OSError)


class Carrying:
    """The hub's :class:`channels.carrying.Carrier` in one process."""

    def __init__(self, store: Store) -> None:
        self._wire = Wire(store)
        self._marks = Marks(store)
        self._here: dict[str, Delivering] = {}

    def give(self, channels: Iterable[object]) -> None:
        """Let these drivers send by this carrier, as far as their letters travel."""
        for each in channels:
            if isinstance(each, Travelling):
                each.carrier = self

    async def carry(self, channel: str, letter: Letter, timeout: float) -> Outcome:
        """See :class:`channels.carrying.Carrier`."""
        here = self._here.get(channel)
        if here is not None:
            try:
                async with asyncio.timeout(timeout):
                    return await here.deliver(letter)
            except TimeoutError:
                return Outcome(OutcomeKind.UNCERTAIN, f"长连接 {timeout:g} 秒内没有结果")
        try:
            mark = await self._marks.load(line_mark(channel))
            if mark is not None and mark.told:
                # People know that it is closed, and the letter shall not wait for them.
                return Outcome(OutcomeKind.MISCONFIGURED, "长连接没有建立，已告知系统维护员")
            return await self._by_store(channel, letter, timeout)
        except _STORE as error:
            return Outcome(OutcomeKind.UNCERTAIN, f"存储没有应答：{type(error).__name__}")

    async def _by_store(self, channel: str, letter: Letter, timeout: float) -> Outcome:
        identity = secrets.token_hex(8)
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._wire.ask(channel, identity, msgspec.json.encode(letter), patience=int(timeout * 1000))
        untaken = True
        while clock() < began + timeout:
            await asyncio.sleep(HEAR)
            if (said := await self._wire.said(channel, identity)) is not None:
                return _read_outcome(said)
            if untaken and clock() >= began + UNTAKEN:
                if await self._wire.withdraw(channel, identity):
                    return Outcome(OutcomeKind.TRANSIENT, "没有枢纽持有这个渠道的长连接，消息未发出")
                untaken = False
        return Outcome(OutcomeKind.UNCERTAIN, f"持有长连接的枢纽 {timeout:g} 秒内没有回话")

    async def serve(self, driver: Delivering) -> None:
        """Deliver what comes for this driver's line, from here and by the store, until cancelled."""
        tasks: set[asyncio.Task[None]] = set()
        self._here[driver.name] = driver
        try:
            while True:
                try:
                    for identity, body in await self._wire.take(driver.name):
                        task = asyncio.create_task(self._deliver(driver, identity, body), name="carried letter")
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)
                except _STORE as error:
                    log.warning("letters for the line of channel %s wait for the store: %s", driver.name, error)
                    await asyncio.sleep(1.0)
                await asyncio.sleep(LOOK)
        finally:
            if self._here.get(driver.name) is driver:
                del self._here[driver.name]
            for task in tasks:
                task.cancel()

    async def _deliver(self, driver: Delivering, identity: str, body: bytes) -> None:
        try:
            outcome = await driver.deliver(_read_letter(body))
        except msgspec.MsgspecError as error:
            # Another version of the hub speaks otherwise while both run.
            outcome = Outcome(OutcomeKind.TRANSIENT, f"看不懂另一个枢纽的请求：{error}")
        except Exception as error:
            log.exception("a letter on the line of channel %s failed", driver.name)
            outcome = Outcome(OutcomeKind.UNCERTAIN, type(error).__name__)
        try:
            await self._wire.say(driver.name, identity, msgspec.json.encode(outcome))
        except _STORE as error:
            log.warning("what became of a letter of channel %s could not be said: %s", driver.name, error)


_read_letter = msgspec.json.Decoder(Letter).decode
_read_outcome = msgspec.json.Decoder(Outcome).decode
