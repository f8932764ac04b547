"""Groups whose robot listens: what comes there is read by many, and what a member says there is that member's own."""

from __future__ import annotations

import asyncio

import pytest

from bot.demo.controls import Asked, Refusal
from bot.demo.wall import Answer
from escalation.vocabulary import Mode, Verb
from tests.demo.house import ALUMINIUM, DUST, House
from tests.demo.listening import Phones

Spoken = tuple[str, str]
ROBOT: Spoken = ("group-park-bot-group", "park-patrol")
DING: Spoken = ("group-hedong-ding-group", "hedong-grid")


async def yellow(house: House, enterprise: str) -> str:
    """A yellow warning, which is the town's or park's to verify; its code."""
    said = await house.demo.wall.press(Asked("raise", enterprise, "", "yellow", Mode.ACTUAL))
    return said.split()[0]


async def lines_stand(house: House) -> None:
    vendors = house.demo.wall.vendors
    await vendors.robot.standing.wait()
    await vendors.ding.gateway.until(lambda: vendors.ding.gateway.lines)


@pytest.mark.parametrize(
    ("enterprise", "spoken", "channel"), [(ALUMINIUM, ROBOT, "robot"), (DUST, DING, "ding")], ids=["wecom", "dingtalk"]
)
async def test_a_member_signs_in_the_group_for_themselves(
    house: House, enterprise: str, spoken: Spoken, channel: str
) -> None:
    group, member = spoken
    async with Phones.of(house) as phones, asyncio.timeout(20):
        await lines_stand(house)
        code = await yellow(house, enterprise)
        told = await phones.on(group, code)
        assert "须处置" in told
        assert "/a/" not in told, "no personal link where many read"
        assert f"请在群里 @机器人 回复“签收 {code}”" in told
        assert await house.demo.wall.answer(Answer(group, f"签收 {code}", speaker=member)) == "已发出"
        incident = await house.until(code, lambda found: bool(found.deeds))
        assert [(deed.verb, deed.person, deed.channel) for deed in incident.deeds] == [(Verb.SIGN, member, channel)]
        # WeCom's robot answers where it was called; DingTalk's app answers the member alone.
        await phones.on(group if channel == "robot" else member, "已记录签收")
        assert phones.texts(group, "me") == [f"@烽火 签收 {code}"]


async def test_the_wall_says_who_is_in_a_group(house: House) -> None:
    shown = {each["id"]: each for each in house.demo.wall.snapshot()["phones"]}
    assert {name: phone["speakers"] for name, phone in shown.items() if phone["speakers"]} == {
        ROBOT[0]: ["park-patrol", "park-leader"],
        DING[0]: ["hedong-grid", "hedong-leader"],
    }
    assert not {ROBOT[0], DING[0]} & set(house.demo.wall.beat()["on_duty"]), "officers have no shifts"


@pytest.mark.parametrize("speaker", ["", "bai", "hedong-grid"])
async def test_nobody_speaks_in_a_group_of_others(house: House, speaker: str) -> None:
    with pytest.raises(Refusal, match="群里的谁"):
        await house.demo.wall.answer(Answer(ROBOT[0], "签收", speaker=speaker))


async def test_what_is_said_while_no_line_stands_is_told_to_have_got_lost(house: House) -> None:
    robot = house.demo.wall.vendors.robot
    async with asyncio.timeout(20):
        await robot.standing.wait()
        await robot.drop()
        with pytest.raises(Refusal, match="没有送到"):
            await house.demo.wall.answer(Answer(ROBOT[0], "查询", speaker=ROBOT[1]))
