"""The whole way of a call: a red alarm nobody signs, a telephone that rings, and the door its end comes in by."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.demo.cards import CardPressed
from bot.demo.simulators.aliyun_voice import HEARD, AliyunVoice
from bot.demo.telephone import KEY_1, LEFT
from channels.callback import Errand, callback_path
from escalation.deciding.phoning import open_tasks
from escalation.incident import Incident
from escalation.notice import Notice
from escalation.vocabulary import Verb
from tests.demo.house import STEEL, House

STEP = 5 * 60_000


async def ringing(house: House) -> tuple[str, AliyunVoice]:
    """An alarm that nobody signs, up to its call."""
    code = await house.post("alarm.raised", STEEL)
    clock = house.demo.clock
    await house.engine.advance((await house.incident(code)).opened_at + STEP)
    vendor = house.demo.wall.vendors.telephone.aliyun
    await vendor.inbox.wait_for(1)
    assert clock.now() >= vendor.calls[0].at
    return code, vendor


def door(house: House, token: str = "") -> str:
    given = token or (house.demo.folder / "secrets" / "phone-callback").read_text()
    return house.demo.url + callback_path("phone", given, Errand.REPORT)


async def push(house: House, url: str, rows: Any) -> tuple[int, Any]:
    async with house.session.post(url, json=rows) as response:
        return response.status, await response.json(content_type=None) if response.status == 200 else None


def call_of(incident: Incident) -> Notice:
    return next(each for each in incident.notices.values() if each.spoken)


async def test_the_phone_rings_and_key_1_signs(house: House) -> None:
    code, vendor = await ringing(house)
    (call,) = vendor.calls
    assert (call.phone, call.keys) == ("13800130005", ("1",))
    said = await house.demo.wall.cards.press(CardPressed("duan", call.call_id, KEY_1))
    assert said == f"已{KEY_1}"
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert [(d.verb, d.person, d.channel, d.text) for d in incident.deeds] == [
        (Verb.SIGN, "duan", "phone", "电话按键1")
    ]
    shown = house.demo.wall.snapshot()["phones"]
    messages = next(each for each in shown if each["id"] == "duan")["messages"]
    assert [each["card"]["replaced"] for each in messages if each["by"] == "call"] == [KEY_1]


async def test_a_call_that_is_not_taken_is_made_by_hand(house: House) -> None:
    code, vendor = await ringing(house)
    await house.demo.wall.cards.press(CardPressed("duan", vendor.calls[0].call_id, LEFT))
    incident = await house.until(code, lambda found: any("段炉长" in task.note for task in open_tasks(found)))
    assert incident.deeds == []


async def test_a_forged_report_acts_on_nothing(house: House) -> None:
    code, vendor = await ringing(house)
    vendor.end(0, HEARD, "1")
    rows = [vendor.row(0)]
    assert (await push(house, door(house, "0" * 32), rows))[0] == 404, "without the secret"
    driver = house.demo.hub.rules.channels["phone"]
    assert hasattr(driver, "callback_addresses")
    listed, driver.callback_addresses = driver.callback_addresses, ("10.0.0.0/8",)
    assert (await push(house, door(house), rows))[0] == 404, "from an address that is not listed"
    driver.callback_addresses = listed
    assert (await push(house, door(house), [{**rows[0], "callee": "13800130001"}]))[0] == 200, "of another number"
    await house.engine.rest()
    assert (await house.incident(code)).deeds == []
    assert (await push(house, door(house), rows))[1]["code"] == 0
    await house.until(code, lambda found: bool(found.deeds))


async def test_the_vendor_is_answered_whatever_the_hub_has_to_do(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor waits for 700 ms: what came is on disk when it is answered, and decided later, here by nobody."""
    code, vendor = await ringing(house)
    vendor.end(0, HEARD, "1")
    row = vendor.row(0)
    stuck = asyncio.Event()
    decide = house.engine.decider.reply

    async def hangs(*given: Any) -> Any:
        await stuck.wait()
        return await decide(*given)

    monkeypatch.setattr(house.engine.decider, "reply", hangs)
    others = [[{**row, "call_id": f"{number}^1", "callee": f"1390013{number:04}"}] for number in range(200)]
    answers = await asyncio.gather(*(push(house, door(house), each) for each in ([row], *others)))
    assert {answer for answer, _ in answers} == {200}
    assert (await house.incident(code)).deeds == []
    stuck.set()
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert len(incident.deeds) == 1


async def test_rubbish_is_refused_and_one_good_row_is_taken(house: House) -> None:
    code, vendor = await ringing(house)
    vendor.end(0, HEARD, "1")
    assert (await push(house, door(house), [{"x": 1}]))[0] == 400
    assert (await push(house, door(house), [{"x": 1}, vendor.row(0)]))[0] == 200
    await house.until(code, lambda found: bool(found.deeds) and call_of(found).delivered_at > 0)
