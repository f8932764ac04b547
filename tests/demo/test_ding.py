"""The demo's DingTalk app, heard by its stream: a leader of the town gets a card there, presses it, writes, sends a
picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.demo.cards import CardPressed, PictureTaken
from bot.demo.controls import Refusal
from bot.demo.wall import Answer
from channels.channel import Channel
from tests.demo.house import DUST, House

MINUTE = 60_000
LEADER = "hedong-leader"


def messages(house: House) -> list[dict[str, Any]]:
    return house.demo.wall._phones.by_id[LEADER].messages


def answers(house: House) -> list[dict[str, Any]]:
    return [each for each in messages(house) if each["by"] == "ding" and "card" not in each]


async def until(house: House, holds: Callable[[], object]) -> None:
    while not holds():
        await house.engine.rest()
        await asyncio.sleep(0.02)


@pytest.mark.timeout(30)
async def test_a_card_is_pressed_on_the_wall_and_says_who_signed(house: House) -> None:
    ding = house.demo.wall.vendors.ding
    async with asyncio.timeout(20):
        await ding.gateway.until(lambda: ding.gateway.lines)
        code = await house.post("alarm.raised", DUST)
        await house.engine.advance(house.demo.clock.now() + 80 * MINUTE)
        await until(house, lambda: any(code in each["card"]["task"] for each in messages(house) if "card" in each))
        shown = next(each for each in messages(house) if "card" in each)
        assert shown["by"] == "ding"
        assert shown["link"].startswith(f"{house.demo.url}/a/")
        assert shown["card"]["buttons"] == ["签收", "误报"]
        cards = house.demo.wall.cards
        assert await cards.press(CardPressed(LEADER, shown["card"]["task"], "签收")) == "已按“签收”"
        await house.until(code, lambda found: any(deed.channel == "ding" for deed in found.deeds))
        await until(house, lambda: shown["card"]["replaced"].endswith("已签收"))
        with pytest.raises(Refusal, match="没有这个按钮"):
            await cards.press(CardPressed(LEADER, shown["card"]["task"], "签收"))
        before = len(answers(house))
        assert await cards.picture(PictureTaken(LEADER)) == "图片已发出"
        assert await house.demo.wall.answer(Answer(phone=LEADER, text="帮助")) == "已发出"
        await until(house, lambda: len(answers(house)) >= before + 2)
    channel: Channel = house.demo.hub.rules.channels["ding"]
    assert channel.abilities.replies
