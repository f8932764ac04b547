"""Sending in a process of its own: it sends, it may die, hang, or lose its hub, and nobody is told late or twice."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.hubs.sentinels import Server, until
from tests.serve.apart import Apart
from tests.serve.town import WORKER, Town

SENDS = re.compile(r"a courier process sends for this hub: process (\d+)")
pytestmark = pytest.mark.timeout(120)


async def with_courier(town: Town) -> int:
    """A hub whose courier process sends; that process."""
    town.edit("[hub]", "[hub]\ncourier_process = true")
    await town.start()
    return await courier_of(town)


async def courier_of(town: Town, *, but: int = 0) -> int:
    """The process that sends for the hub, once it does; ``but``: not this one."""
    found: list[int] = []

    async def sends() -> bool:
        found[:] = [int(pid) for pid in SENDS.findall(town.log.read_text()) if int(pid) != but]
        return bool(found)

    await town.until(sends, "no courier process sends")
    return found[-1]


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def gone(town: Town, pid: int) -> None:
    async def is_gone() -> bool:
        # Of a process that has ended and whose end nobody has asked for, nothing is left but its number.
        return state_of(pid) in ("", "Z")

    await town.until(is_gone, "the courier process is still there")


async def times_told(town: Town, code: str) -> int:
    return len([each for each in await town.received() if each["address"] == WORKER and code in each["text"]])


async def test_it_sends_and_ends_with_its_hub(town: Town) -> None:
    courier = await with_courier(town)
    assert town.hub is not None
    assert command_of(courier) == command_of(town.hub.pid), "the first is forked from the hub, whose memory it shares"
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    assert await town.write(WORKER, f"签收 {code}", "m1") == 202
    await town.told("已记录签收", code, address=WORKER)
    reasons = [line["reason"] for line in (await town.story(code))["lines"]]
    assert "receipt_submitted" in reasons
    assert await town.stop() == 0
    await gone(town, courier)
    assert (await town.run("verify")).code == 0


async def test_it_is_killed_and_the_hub_sends_until_there_is_another(town: Town) -> None:
    courier = await with_courier(town)
    await town.told(await town.raised("e1", point="P1"), address=WORKER)
    os.kill(courier, signal.SIGKILL)
    codes = [await town.raised(f"f{number}", point=f"Q{number}") for number in range(3)]
    for code in codes:
        await town.told(code, address=WORKER)
    assert b"bot.relay" in command_of(await courier_of(town, but=courier)), "later ones are started afresh"
    await town.told(await town.raised("g1", point="R1"), address=WORKER)
    assert [await times_told(town, code) for code in codes] == [1, 1, 1]
    assert await town.stop() == 0


async def test_it_hangs_and_the_hub_sends_what_it_was_given(town: Town) -> None:
    courier = await with_courier(town)
    os.kill(courier, signal.SIGSTOP)
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    os.kill(courier, signal.SIGCONT)
    later = await town.raised("e2", point="P2")
    await town.told(later, address=WORKER)
    assert [await times_told(town, each) for each in (code, later)] == [1, 1]
    assert await town.stop() == 0


async def test_its_hub_is_killed_and_it_goes(town: Town) -> None:
    courier = await with_courier(town)
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    await town.kill()
    await gone(town, courier)
    await town.start()
    await town.told(await town.raised("e2", point="P2"), address=WORKER)
    assert await times_told(town, code) == 1
    assert await town.stop() == 0


async def test_a_new_configuration_brings_a_new_one(town: Town) -> None:
    town.constants["bot.serving.WATCH"] = 0.2
    courier = await with_courier(town)
    town.edit('name = "白木匠"', 'name = "白师傅"')
    await courier_of(town, but=courier)
    await gone(town, courier)
    await town.told(await town.raised("e1"), address=WORKER)
    assert await town.stop() == 0


async def test_its_store_does_not_answer_it_and_the_hub_sends_until_it_does(town: Town, tmp_path: Path) -> None:
    """It still beats, and is not trusted; the metrics and the log say so."""
    server = Server(tmp_path / "store")
    try:
        until(server.answers)
        async with Apart(server.port).listening() as way:
            town.edit(
                "[pages]",
                f'[store]\nurl = "redis://127.0.0.1:{way.port}"\n\n[metrics]\nallow = ["127.0.0.1"]\n\n[pages]',
            )
            courier = await with_courier(town)
            await town.told(await town.raised("e1"), address=WORKER)

            async def figures(word: str) -> bool:
                return f"fenghuo_courier_process {word}" in (await town.get("/metrics"))[1]

            await town.until(lambda: figures("1.0"), "the metrics never say that it sends")

            way.cut(courier)
            codes = [await town.raised(f"f{number}", point=f"Q{number}") for number in range(3)]
            for code in codes:
                await town.told(code, address=WORKER)
            assert way.refused
            assert "come through no turn" in town.log.read_text()

            await town.until(lambda: figures("0.0"), "the metrics say that it sends")
            assert command_of(courier), "it is alive, and beats"
            way.mend()
            await town.until(lambda: figures("1.0"), "it is never trusted again")
            await town.told(await town.raised("g1", point="R1"), address=WORKER)
            assert [await times_told(town, code) for code in codes] == [1, 1, 1]
            assert await town.stop() == 0
    finally:
        server.close()
