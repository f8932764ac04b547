"""The demo's other carriers, both ways: a phone asks by its own carrier and is answered by it."""

from __future__ import annotations

import asyncio

import pytest

from bot.demo.wall import Answer
from tests.demo.house import House

NUMBERS = {"tie": "13800130007", "qinghe-leader": "13800130033", "city-leader": "13800130042"}

CHANNELS = {"tie": "tencent", "qinghe-leader": "mas", "city-leader": "modem"}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("who", NUMBERS)
async def test_a_phone_is_answered_by_the_carrier_it_wrote_by(house: House, who: str) -> None:
    carriers = house.demo.wall.vendors.carriers
    inbox = {
        "tie": carriers.tencent.inbox,
        "qinghe-leader": carriers.mas.inbox,
        "city-leader": carriers.modem.inbox,
    }[who]
    assert await house.demo.wall.answer(Answer(phone=who, text="帮助")) == "已发出"
    async with asyncio.timeout(20):
        (message,) = await inbox.wait_for(1)
    assert message.address == NUMBERS[who]
    assert "青河" in message.text
    assert house.demo.hub.rules.channels[CHANNELS[who]].abilities.replies
