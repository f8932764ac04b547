"""A robot's driver on its line to a strict vendor, and the hub's end of it under a test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import WecomAibot
from channels.callback import Heard
from channels.channel import Button, Card, Letter, Uplink
from channels.longline import LineTrouble
from channels.outcome import Outcome
from channels.registry import open_channel, parse
from channels.wecom.aibot import Driver
from tests.channels.conftest import Clock, a_letter

BOT, SECRET = "demo-bot-0001", "fake-bot-secret"
MEMBER = "zhangsan"


class Here:
    """A carrier in a process that holds the line itself."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def carry(self, channel: str, letter: Letter, timeout: float) -> Outcome:
        assert channel == self._driver.name
        assert timeout > 0
        return await self._driver.deliver(letter)


@dataclass
class Ear:
    """The hub's end, which a test may hold shut."""

    clock: Clock
    heard: list[Heard] = field(default_factory=list)
    stands: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    refusing: int = 0

    def now(self) -> int:
        return self.clock()

    async def keep(self, heard: Heard) -> bool:
        if self.refusing:
            self.refusing -= 1
            return False
        self.heard.append(heard)
        self.came.set()
        return True

    async def well(self) -> None:
        self.stands.set()

    async def next(self) -> list[Uplink]:
        async with asyncio.timeout(5):
            await self.came.wait()
        self.came.clear()
        found, self.heard = self.heard, []
        return [item for each in found for item in each.items if isinstance(item, Uplink)]


@dataclass
class Line:
    vendor: WecomAibot
    driver: Driver
    ear: Ear
    task: asyncio.Task[None]

    async def send(self, text: str = "【红色】CO 31ppm A0231", **more: Any) -> Outcome:
        return await self.driver.send(a_letter(text, **({"address": MEMBER} | more)))


def driver_for(url: str, session: aiohttp.ClientSession, **more: Any) -> Driver:
    table = {"kind": "wecom_aibot", "bot_id": BOT, "secret": SECRET, "url": url, "ack_timeout": 1.0, **more}
    made = open_channel("bot", parse("bot", table), session)
    assert isinstance(made, Driver)
    made.carrier = Here(made)
    return made


@asynccontextmanager
async def held(session: aiohttp.ClientSession, clock: Clock, **more: Any) -> AsyncIterator[Line]:
    vendor = WecomAibot(BOT, SECRET, clock, [MEMBER])
    async with listening(vendor.app()) as url:
        vendor.url = url.replace("http://", "ws://")
        driver, ear = driver_for(vendor.url, session, **more), Ear(clock)
        task = asyncio.create_task(driver.hold(ear))
        async with asyncio.timeout(5):
            await asyncio.wait({task, asyncio.ensure_future(ear.stands.wait())}, return_when="FIRST_COMPLETED")
        assert not task.done(), task.exception()
        try:
            yield Line(vendor, driver, ear, task)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, LineTrouble):
                await task


@pytest.fixture
async def line(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Line]:
    async with held(session, clock) as made:
        yield made


def card(task: str = "A0231@n1@1795197600000") -> Card:
    buttons = (Button("签收", "sign.x"), Button("误报", "false_alarm.y"), Button("详情", link="https://a.example.cn/1"))
    return Card(task, "红色 须处置 A0231", "明木家具 1号", "请按“签收”。", (("数值", "31"),), buttons)
