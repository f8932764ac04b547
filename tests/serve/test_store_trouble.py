"""The store goes away, comes back, comes back empty, finds no room: nothing accepted is lost, and nobody is misled."""

from __future__ import annotations

import asyncio
import resource
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.serve.bulk import in_flight
from tests.serve.town import WORKER, Town, alarm

pytestmark = pytest.mark.timeout(180)


async def test_a_killed_store_is_started_again_and_nothing_accepted_is_lost(town: Town) -> None:
    await town.start()
    codes = []
    for turn in range(4):
        codes.append(await town.raised(f"e{turn}", point=f"P{turn}"))
        before = town.store_pids
        assert before
        town.kill_store()
        event = alarm(f"f{turn}", point=f"Q{turn}")
        answers: list[int] = []

        async def taken(event: dict[str, object] = event, answers: list[int] = answers) -> bool:
            answers.append((await town.post(event)).status)
            return answers[-1] == 202

        await town.until(taken, "nothing is taken again")
        assert set(answers) <= {202, 503}
        assert town.store_pids != before
        codes.append((await town.post(event)).item["code"])
    for code in codes:
        await town.told(code, address=WORKER)
    said = town.log.read_text("utf-8")
    assert said.count("nothing is taken: the store ended (status -9)") == 4, said
    assert said.count("the store is there again") == 4
    assert (await town.run("verify")).code == 0
    assert await town.stop() == 0


async def test_a_next_hub_adopts_the_orphan(town: Town) -> None:
    await town.start()
    code = await town.raised("e1")
    orphan = town.store_pids
    await town.kill()
    assert town.store_pids == orphan
    await town.start()
    assert town.store_pids == orphan
    assert await town.write(WORKER, f"签收 {code}") == 202
    await town.told("已记录签收", code, address=WORKER)
    assert await town.stop() == 0
    assert town.store_pids == []


async def test_what_a_dead_hub_was_sending_is_sent_by_the_next_one_at_once(town: Town) -> None:
    """It is alone on its store, and need not wait for the end of a lease that nobody keeps."""
    await town.start()
    hanging = asyncio.create_task(town.gateway_hangs())
    code = await town.raised("e1")
    await hanging
    await town.kill()
    held = await in_flight(town)
    assert held
    await town.gateway_heals()
    await town.start()
    for address, about in held:
        assert about == code
        await town.told(code, address=address)


async def test_a_store_that_comes_back_empty_stays_shut_until_an_operator_says_so(town: Town) -> None:
    await town.start()
    lost = await town.raised("e1")
    await town.told(lost, address=WORKER)
    assert (await town.run("verify")).code == 0
    await town.until_anchored()
    assert await town.stop() == 0
    _wipe(town.data)

    town.launch()
    said = await town.until_shut()
    assert "存储为空" in said["reason"]
    assert "the store is empty" in said["reason_en"]
    refused = await town.post(alarm("e2"))
    assert refused.status == 503
    assert "存储为空" in str(refused.body)
    assert "Retry-After" in refused.headers
    for asked in (("show", lost), ("verify",)):
        ran = await town.run(*asked)
        assert ran.code == 2
        assert "存储为空" in ran.err
    assert await town.write(WORKER, "1") == 503

    opened = await town.run("open-anyway")
    assert opened.code == 0
    assert "存储为空" in opened.out
    await town.until_ready()
    code = await town.raised("e2")
    await town.told(code, address=WORKER)
    assert (await town.run("verify")).code == 0
    assert len(list(town.data.glob("anchor-*.json"))) == 1
    assert await town.stop() == 0
    await town.start()
    assert (await town.story(code))["code"] == code


@pytest.mark.parametrize("apart", [False, True], ids=["alone", "with a courier process"])
@pytest.mark.parametrize("look", [0.2, 3.0], ids=["", "the operator faster than the hub's look"])
async def test_a_store_emptied_under_a_running_hub(town: Town, apart: bool, look: float) -> None:
    town.constants["bot.hub.LOOK"] = look
    if apart:
        town.edit("[hub]", "[hub]\ncourier_process = true")
    await town.start()
    await town.told(await town.raised("e1"), address=WORKER)
    await town.until_anchored()
    _wipe(town.data)
    town.kill_store()
    said = await town.until_shut()
    assert said

    async def noticed() -> bool:
        return "存储为空" in (await town.until_shut())["reason"]

    await town.until(noticed, "the empty store was not noticed")
    assert (await town.post(alarm("e2"))).status == 503
    assert (await town.run("open-anyway")).code == 0
    await town.until_ready()
    since = len(await town.received())
    await town.told(await town.raised("e2"), address=WORKER, since=since)
    assert (await town.run("verify")).code == 0

    async def sent_apart_again() -> bool:
        return town.log.read_text().count("a courier process sends for this hub") == 2

    if apart:
        await town.until(sent_apart_again, "no other courier process sends")
        assert "could not be started" not in town.log.read_text()


async def test_an_operator_decides_while_no_hub_runs(town: Town) -> None:
    await town.start()
    code = await town.raised("e1")
    await town.until_anchored()
    assert await town.stop() == 0
    (town.data / "anchor.json").rename(town.data / "moved-away")
    refused = await town.run("show", code)
    assert refused.code == 2
    assert "锚点文件不存在" in refused.err
    assert "锚点文件不存在" in (await town.run("open-anyway")).out
    assert (await town.run("show", code)).code == 0
    await town.start()
    assert (await town.run("verify")).code == 0


async def test_a_torn_end_is_cut_off_and_told(town: Town) -> None:
    """What the sealer wrote last is torn: the journal is behind its anchor, and opens, and only grows again."""
    await town.start()
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    await town.until_anchored()
    await town.kill()
    town.kill_store()
    await town.until(_no_store(town), "the store does not end")
    (file,) = (town.data / "store" / "appendonlydir").glob("*.incr.aof")
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.rindex(b"seal") - 1] if b"seal" in whole else whole[:-3])
    await town.start()
    assert "torn" in town.log.read_text()
    assert (await town.story(code))["code"] == code
    assert (await town.run("verify")).code == 0
    second = await town.raised("e2", point="DC01-P01")
    await town.told(second, address=WORKER)


async def test_no_room_on_disk(town: Town) -> None:
    """The store may write no more: 503, nothing accepted is lost, and it goes on by itself when there is room."""
    await town.start()
    code = await town.raised("e1")
    await town.told(code, address=WORKER)
    (store,) = town.store_pids
    (file,) = (town.data / "store" / "appendonlydir").glob("*.incr.aof")
    resource.prlimit(store, resource.RLIMIT_FSIZE, (file.stat().st_size + 20_000, resource.RLIM_INFINITY))
    accepted, refused = [code], 0
    for turn in range(200):
        event = alarm(f"f{turn}", point=f"Q{turn}")
        answer = await town.post(event)
        if answer.status == 202:
            accepted.append(answer.item["code"])
            continue
        assert answer.status == 503
        refused += 1
        break
    assert refused == 1, "the disk was never full"

    async def taken() -> bool:
        return (await town.post(event)).status == 202

    await town.until(taken, "it does not go on by itself")
    assert town.store_pids != [store]
    assert "nothing is taken: " in town.log.read_text("utf-8")
    for each in accepted:
        await town.told(each, address=WORKER)
    assert (await town.run("verify")).code == 0


def _no_store(town: Town) -> Callable[[], Awaitable[bool]]:
    async def none() -> bool:
        return town.store_pids == []

    return none


def _wipe(data: Path) -> None:
    shutil.rmtree(data / "store" / "appendonlydir")
