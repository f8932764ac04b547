"""A running hub takes a new configuration whole or not at all, and stops in order."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.serve.town import WORKER, Town, alarm

pytestmark = pytest.mark.timeout(120)
NEWCOMER = "13900130099"
PERSON = f"""
[[people]]
id = "newcomer"
name = "辛师傅"
contacts = [{{ channel = "sms", address = "{NEWCOMER}" }}]
"""
OLD_POST = 'role = "operator"\npeople = ["bai", "song"]'
NEW_POST = 'role = "operator"\npeople = ["newcomer", "bai"]'


async def _logged(town: Town, words: str) -> None:
    async def said() -> bool:
        return words in town.log.read_text("utf-8")

    await town.until(said, f"the hub never said: {words}")


async def test_a_new_person_is_told_of_the_next_alarm(town: Town) -> None:
    town.constants["bot.serving.WATCH"] = 0.2
    """The files changed; nobody has to say so."""
    await town.start()
    before = await town.raised("e1")
    await town.told(before, address=WORKER)
    town.edit(OLD_POST, NEW_POST)
    town.edit("# Posts of the enterprises.", PERSON)
    await _logged(town, "the configuration was reloaded")
    after = await town.raised("e2", point="DC01-P01")
    await town.told(after, address=NEWCOMER)
    assert await town.write(NEWCOMER, f"签收 {after}") == 202
    await town.told("已记录签收", after, address=NEWCOMER)
    assert not any(before in each["text"] for each in await town.received() if each["address"] == NEWCOMER)


async def test_a_broken_one_is_refused_and_reported_and_the_old_one_stays(town: Town) -> None:
    await town.start()
    town.edit(OLD_POST, 'role = "operator"\npeople = ["nobody-has-this-id"]')
    town.ask_to_reload()
    await _logged(town, "the changed configuration is not in force (refused)")
    assert "nobody-has-this-id" in town.log.read_text("utf-8")
    await town.told(await town.raised("e1"), address=WORKER)
    town.edit('people = ["nobody-has-this-id"]', 'people = ["bai", "song"]')
    town.ask_to_reload()
    await _logged(town, "the configuration was reloaded")


async def test_a_running_hub_is_asked_though_the_configuration_is_broken(town: Town) -> None:
    """Somebody saved half a sentence and went home; at two in the night the story is needed all the same."""
    await town.start()
    code = await town.raised("e1")
    town.edit("[hub]\n", "[hub]\nlisten = half a sentence\n")
    for asked in (("show", code), ("verify",), ("quarantine", "list"), ("dead", "list"), ("open-anyway",)):
        ran = await town.run(*asked)
        assert ran.code == 0, (asked, ran)
        assert "运行中的烽火仍按原配置工作" in ran.err
    assert code in (await town.run("show", code)).out
    assert await town.stop() == 0
    ran = await town.run("show", code)
    assert ran.code == 2
    assert "配置不可用" in ran.err


async def test_what_a_running_hub_cannot_change_waits_for_a_restart(town: Town) -> None:
    await town.start()
    town.edit(f"port = {town.port}\n", f"port = {town.port + 1}\n")
    town.ask_to_reload()
    await _logged(town, "the changed configuration is not in force (restart)")
    assert (await town.get("/readyz"))[0] == 200


async def test_a_sample_that_nobody_adopted_is_not_taken_by_a_reload(town: Town) -> None:
    await town.start()
    town.edit('adopt_sample = "示例规则"\n', "")
    town.ask_to_reload()
    await _logged(town, "the changed configuration is not in force (refused)")
    await town.told(await town.raised("e1"), address=WORKER)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_finishes_what_it_holds(town: Town, number: signal.Signals) -> None:
    """Events are being posted while it is told to stop: what was accepted is told by it, or by the next hub, once."""
    await town.start()
    accepted: list[str] = []

    async def post(line: int) -> None:
        for turn in range(100):
            answer = await town.post(alarm(f"e{line}-{turn}", point=f"P{line}-{turn}"))
            if answer.status != 202:
                return
            accepted.append(answer.item["code"])

    posting = [asyncio.create_task(post(line)) for line in range(4)]
    await town.told("P", address=WORKER)
    assert town.hub is not None
    town.hub.send_signal(number)
    assert await asyncio.to_thread(town.hub.wait, 30) == 0
    await asyncio.gather(*posting)
    town.hub = None
    assert town.store_pids == []
    assert accepted
    await town.start()
    for code in accepted:
        await town.told(code, address=WORKER)
    texts = [(each["address"], each["text"]) for each in await town.received()]
    assert len(texts) == len(set(texts)), "a message was sent twice over an orderly stop"
    assert (await town.run("verify")).code == 0


async def test_told_to_stop_while_it_starts(town: Town) -> None:
    hub = town.launch()

    async def begun() -> bool:
        return (town.data / "store").exists()

    await town.until(begun, "it never began")
    hub.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(hub.wait, 30) in (0, -signal.SIGTERM)
    town.hub = None
    assert "Traceback" not in town.log.read_text()
    await town.start()
    await town.told(await town.raised("e1"), address=WORKER)
