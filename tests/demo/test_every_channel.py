"""Every kind of channel has a place on the wall: an account with its simulator, and a phone or a list that shows what
came by it. A kind that is added without one fails here."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.channel_desk import desk_of
from bot.demo.wall import Answer
from channels.registry import kinds
from escalation.directory import Directory
from tests.demo.house import House
from tests.demo.listening import Listener, Phones

TO_UPSTREAM = {"webhook": "接口", "redis_stream": "流"}
"""What tells no people: whatever is answered goes there."""
TOLD = "渠道测试"


def place(directory: Directory, channel: str) -> tuple[str, str]:
    """Whom a test by this channel is for ('' where the channel is a group), and whose phone shows it."""
    for person in directory.people.values():
        if any(each.channel == channel for each in person.contacts):
            return person.id, person.id
    for post in directory.posts:
        if any(each.channel == channel for each in post.contacts):
            return "", f"group-{channel}"
    raise AssertionError(f"nobody on the wall has the channel {channel}")


@pytest.mark.parametrize("kind", [each for each in kinds() if each not in TO_UPSTREAM])
async def test_what_is_sent_by_a_channel_shows_on_a_phone(house: House, kind: str) -> None:
    rules = house.demo.hub.rules
    names = [name for name, channel in rules.channels.items() if channel.abilities.kind == kind]
    assert names, f"the demonstration's county has no channel of the kind {kind}"
    async with Phones.of(house) as phones, asyncio.timeout(20):
        await house.demo.wall.vendors.robot.standing.wait()
        for name in names:
            to, phone = place(rules.directory, name)
            trials = desk_of(house.engine)
            await trials.ask(trials.wanted(to, [name], house.demo.clock.now()), by="测试", now=house.demo.clock.now())
            await phones.on(phone, TOLD)


async def test_what_is_answered_shows_by_every_way_to_upstream(house: House) -> None:
    configured = {channel.abilities.kind for channel in house.demo.hub.rules.channels.values()}
    assert set(TO_UPSTREAM) <= configured
    async with Listener.at(house) as page, asyncio.timeout(20):
        await house.post("alarm.raised")
        await house.demo.wall.answer(Answer("bai", "签收"))
        row: dict[str, Any] = {"ways": []}
        while set(row["ways"]) != set(TO_UPSTREAM.values()):
            _, row, _ = await page.next_of("upstream")
    assert "白木匠" in row["text"]
    assert len(house.demo.wall.snapshot()["upstream"]) == 1, "the same by two ways is one row"
