"""The second telephone line, Tencent's: the leader's phone rings, is taken, hung up or left, and the vendor tells it at
the hub's own door."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.demo.cards import CardPressed
from bot.demo.controls import Asked, Refusal
from bot.demo.telephone import HUNG_UP, KEY_1, LEFT, NOBODY, TAKEN
from bot.demo.wall import Answer
from channels.callback import Errand, callback_path
from escalation.deciding.phoning import open_tasks
from escalation.incident import Incident
from escalation.notice import Notice, NoticeState
from escalation.vocabulary import Mode
from tests.demo.house import DUST, House

LEADER, LINE = "mu", "phone-tencent"
STEP = 30 * 60_000
"""When an orange warning that nobody signs is telephoned."""


def call_of(incident: Incident) -> Notice:
    return next(each for each in incident.notices.values() if each.spoken)


def shown_calls(house: House) -> list[dict[str, Any]]:
    phones = {each["id"]: each for each in house.demo.wall.snapshot()["phones"]}
    return [each for each in phones[LEADER]["messages"] if each["by"] == "call"]


async def ringing(house: House) -> tuple[str, dict[str, Any]]:
    """An orange warning that nobody signs, up to its call: its code, and the call on the wall."""
    wall = house.demo.wall
    said = await wall.press(Asked("raise", DUST, "", "orange", Mode.ACTUAL))
    code = said.split()[0]
    await house.engine.advance((await house.incident(code)).opened_at + STEP)
    async with asyncio.timeout(8):
        await wall.vendors.telephone.tencent.inbox.wait_for(1)
    (shown,) = shown_calls(house)
    return code, shown


async def test_a_call_that_is_taken_tells_and_signs_nothing(house: House) -> None:
    code, shown = await ringing(house)
    assert shown["card"]["buttons"] == [TAKEN, HUNG_UP, LEFT], "this account takes no keys"
    assert "橙色" in shown["lines"][0]["parts"][0]["text"]
    cards = house.demo.wall.cards
    with pytest.raises(Refusal, match="不响了"):
        await cards.press(CardPressed(LEADER, shown["card"]["task"], KEY_1))
    assert await cards.press(CardPressed(LEADER, shown["card"]["task"], TAKEN)) == "已接听"
    incident = await house.until(code, lambda found: call_of(found).state is NoticeState.DELIVERED)
    assert incident.deeds == []
    assert open_tasks(incident) == [] or "穆厂长" not in "".join(task.note for task in open_tasks(incident))
    assert shown_calls(house)[0]["card"]["replaced"] == TAKEN
    with pytest.raises(Refusal, match="不响了"):
        await cards.press(CardPressed(LEADER, shown["card"]["task"], TAKEN))
    await house.demo.wall.answer(Answer(LEADER, f"签收 {code}"))
    signed = await house.until(code, lambda found: bool(found.deeds))
    assert [(deed.person, deed.channel) for deed in signed.deeds] == [(LEADER, "sms")]


@pytest.mark.parametrize(("button", "detail"), [(HUNG_UP, "用户拒接"), (LEFT, "无人接听")])
async def test_a_call_that_is_not_taken_is_made_by_hand(house: House, button: str, detail: str) -> None:
    code, shown = await ringing(house)
    await house.demo.wall.cards.press(CardPressed(LEADER, shown["card"]["task"], button))
    incident = await house.until(code, lambda found: any("穆厂长" in task.note for task in open_tasks(found)))
    assert detail in call_of(incident).detail
    assert incident.deeds == []


async def test_a_call_that_nobody_touches_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.demo.telephone.RINGS", 0.2)
    code, _ = await ringing(house)
    await house.until(code, lambda found: any("穆厂长" in task.note for task in open_tasks(found)))
    assert shown_calls(house)[0]["card"]["replaced"] == NOBODY


async def test_the_vendors_report_counts_at_its_own_door_alone(house: House) -> None:
    code, _ = await ringing(house)
    (call,) = house.demo.wall.vendors.telephone.tencent.calls
    row = {"callid": call.call_id, "mobile": "13800130004", "nationcode": "86", "call_from": "", "result": "0"}
    secrets = house.demo.folder / "secrets"
    for channel, token in ((LINE, "0" * 32), ("phone", (secrets / f"{LINE}-callback").read_text())):
        url = house.demo.url + callback_path(channel, token, Errand.REPORT)
        async with house.session.post(url, json={"voiceprompt_callback": row}) as response:
            assert response.status == 404
    await house.engine.rest()
    assert call_of(await house.incident(code)).state is NoticeState.SUBMITTED
