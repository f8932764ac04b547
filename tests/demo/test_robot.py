"""The intelligent robot on the wall: a person without a public address in between reads, presses, writes, shows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.demo.cards import CardPressed, PictureTaken
from bot.demo.wall import Answer
from escalation.vocabulary import Verb
from tests.demo.house import ALUMINIUM, House

PHONE = "park-leader"
CLIMBED = 80 * 60_000
"""By when a ladder that nobody answers has reached the leader (ms)."""


def messages(house: House) -> list[dict[str, Any]]:
    phones = {each["id"]: each for each in house.demo.wall.snapshot()["phones"]}
    found: list[dict[str, Any]] = phones[PHONE]["messages"]
    return found


@pytest.mark.timeout(60)
async def test_told_by_the_robot_pressed_and_signed_and_the_card_says_so(house: House) -> None:
    wall, robot = house.demo.wall, house.demo.wall.vendors.robot
    async with asyncio.timeout(20):
        await robot.standing.wait()
        code = await house.post("alarm.raised", ALUMINIUM)
        await house.engine.advance(house.demo.clock.now() + CLIMBED)
        await robot.inbox.wait_for(1)
    shown = next(each for each in messages(house) if "card" in each)
    assert shown["card"]["buttons"] == ["签收", "误报"]
    assert code in "".join(part["text"] for line in shown["lines"] for part in line["parts"])
    assert await wall.cards.press(CardPressed(PHONE, shown["card"]["task"], "签收")) == "已按“签收”"
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert [(deed.verb, deed.person, deed.channel) for deed in incident.deeds] == [(Verb.SIGN, PHONE, "robot")]
    async with asyncio.timeout(8):
        await robot.until(lambda: shown["card"]["replaced"])
    assert shown["card"]["replaced"].endswith("已签收")
    assert await wall.answer(Answer(PHONE, "查询", shown["id"])) == "已发出"
    async with asyncio.timeout(8):
        await robot.until(lambda: robot.answers)
    assert code in robot.answers[0]["content"]
    assert await wall.cards.picture(PictureTaken(PHONE)) == "图片已发出"
    kept = await house.until(code, lambda found: any(each.file for each in found.evidence))
    assert len(kept.evidence) == 1
