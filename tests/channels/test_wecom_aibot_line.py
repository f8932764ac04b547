"""The robot's long connection: displaced, refused, too often, dead, cut; and greeted by nobody else."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import aiohttp
import pytest

from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import WecomAibot
from channels.longline import LineTrouble
from channels.masking import Masker
from channels.outcome import OutcomeKind
from channels.wecom.aibot_line import Line as Wire
from tests.channels.aibot_line import BOT, SECRET, Ear, Line, driver_for, held, line
from tests.channels.conftest import Clock

__all__ = ["line"]


async def test_the_displaced_connection_gives_way(line: Line, session: aiohttp.ClientSession) -> None:
    other = driver_for(line.vendor.url, session)
    ear = Ear(line.ear.clock)
    task = asyncio.create_task(other.hold(ear))
    async with asyncio.timeout(5):
        with pytest.raises(LineTrouble) as trouble:
            await line.task
    assert trouble.value.displaced
    assert trouble.value.certain
    assert trouble.value.rest >= 60
    assert (await line.send()).kind is OutcomeKind.TRANSIENT
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_wrong_secret_is_certain_and_the_secret_is_not_said(
    session: aiohttp.ClientSession, clock: Clock
) -> None:
    vendor = WecomAibot(BOT, "another", clock)
    async with listening(vendor.app()) as url:
        driver = driver_for(url.replace("http", "ws"), session)
        with pytest.raises(LineTrouble) as trouble:
            await driver.hold(Ear(clock))
    assert trouble.value.certain
    assert SECRET not in str(trouble.value)


async def test_connections_in_quick_succession_rest(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = WecomAibot(BOT, SECRET, clock, most_connections=1)
    async with listening(vendor.app()) as url:
        driver = driver_for(url.replace("http", "ws"), session, frequency_rest=45)
        ear = Ear(clock)
        first = asyncio.create_task(driver.hold(ear))
        await ear.stands.wait()
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        with pytest.raises(LineTrouble) as trouble:
            await driver.hold(Ear(clock))
    assert (trouble.value.rest, trouble.value.certain) == (45, False)


async def test_nobody_there_is_a_trouble_that_passes(session: aiohttp.ClientSession, clock: Clock) -> None:
    with pytest.raises(LineTrouble) as trouble:
        await driver_for("ws://127.0.0.1:9", session).hold(Ear(clock))
    assert not trouble.value.certain


async def test_a_vendor_that_answers_no_heartbeat_is_dead(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with held(session, clock) as line:
        line.vendor.faults.mute = True
        line.driver.settings = line.driver.settings.model_copy(update={"heartbeat": 0.05, "ack_timeout": 0.1})
        line.task.cancel()
        with suppress(asyncio.CancelledError):
            await line.task
        async with asyncio.timeout(5):
            with pytest.raises(LineTrouble, match="心跳"):
                await line.driver.hold(Ear(clock))
    assert line.vendor.pings == 2


async def test_a_line_that_breaks_says_so_and_what_waits_is_uncertain(line: Line) -> None:
    line.vendor.faults.deaf.append("aibot_send_msg")
    sending = asyncio.create_task(line.send())
    await line.vendor.inbox.wait_for(1)
    await line.vendor.drop()
    assert (await sending).kind is OutcomeKind.UNCERTAIN
    with pytest.raises(LineTrouble):
        await line.task


async def test_frames_of_one_id_wait_for_each_other(line: Line, session: aiohttp.ClientSession) -> None:
    wire = Wire(session, line.driver.settings, Masker([]))
    await wire.open()
    try:
        assert [each.code for each in await asyncio.gather(*(wire.ask("ping", "same") for _ in range(3)))] == [0] * 3
    finally:
        await wire.close()


async def test_greeting_takes_the_line_from_nobody(line: Line) -> None:
    found = await line.driver.greet(time.time_ns() // 1_000_000)
    assert found.standing.good
    assert (line.vendor.subscribed, line.vendor.displaced) == (1, 0)
