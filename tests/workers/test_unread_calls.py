"""Who hears of a call-back that nobody can read."""

from __future__ import annotations

from bot.unread import QUIET, UnreadParts
from channels.callback import Errand, Unread
from tests.workers.house import KEEPER_MAIL, MINUTE, House

ROOM = "13800130031"
"""Who is on duty at the county."""


async def come(house: House, parts: UnreadParts, errand: Errand, *read: tuple[str, str]) -> None:
    made = parts.rows("sms", errand, [Unread(*each) for each in read], house.clock.now())
    await house.engine.take(made)
    parts.told(made)
    await house.engine.rest()


async def test_what_somebody_wrote_reaches_the_duty_room_and_the_maintainers(house: House) -> None:
    await come(house, UnreadParts(), Errand.UPLINK, ("短信内容为空", "sender=13800130001&text="))
    (room,) = house.texts(ROOM)
    assert "渠道 sms 收到一条无法读取的回复，可能有人求助，请核实" in room
    assert "13800130001" in room, "the room must be able to call"
    (mail,) = house.texts(KEEPER_MAIL)
    assert "渠道 sms 的一条回复无法读取，已隔离" in mail
    (entry,) = await house.loose_journal("unreadable")
    assert (entry.detail["source"], entry.detail["callback"]) == ("sms", "uplink")


async def test_words_of_an_accident_are_critical(house: House) -> None:
    raw = "sender=x&text=%E4%B8%89%E5%8F%B7%E7%82%89%E7%88%86%E7%82%B8%E4%BA%86"
    await come(house, UnreadParts(), Errand.UPLINK, ("缺少 sender", raw))
    (room,) = house.texts(ROOM)
    assert "三号炉爆炸了" in room
    assert any("三号炉爆炸了" in text for text in house.texts("county-group")), "critical goes every way"


async def test_reports_are_the_maintainers_and_told_once_an_hour(house: House) -> None:
    parts = UnreadParts()
    for number in range(30):
        house.push(1000)
        await come(house, parts, Errand.REPORT, (f"第 {number} 条：缺少 success", f'{{"out_id":"A{number}"}}'))
    assert house.texts(ROOM) == []
    assert len(house.texts(KEEPER_MAIL)) == 1
    await come(house, parts, Errand.REPORT, ("第 1 条：缺少 out_id", "{}"))
    assert len(house.texts(KEEPER_MAIL)) == 2, "another trouble"
    house.push(QUIET)
    await come(house, parts, Errand.REPORT, ("第 1 条：缺少 success", '{"out_id":"B"}'))
    await house.wait(MINUTE)
    assert len(house.texts(KEEPER_MAIL)) == 3
    assert len(await house.loose_journal("unreadable")) == 32, "each is kept"
