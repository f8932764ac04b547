"""The daily self-test: sent once a day, marked, and told where it does not arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo.simulators.vendor import Fault
from bot.self_test import LATE, SelfTests
from bot.store.client import Store
from channels.channel import ReceiptKind, Report
from escalation.calendar import local, moment
from tests.workers.house import HOUR, KEEPER, KEEPER_MAIL, MINUTE, SECOND, House, house_on

DAY = 24 * HOUR


def daily(text: str) -> str:
    return text + '\n[self_test]\nat = "19:10"\nwithin = "5m"\n'


async def at(house: House, clock: str, *, day: int = 0) -> None:
    """Let time pass minute by minute to that time of a day, as the schedule would."""
    hour, minute = map(int, clock.split(":"))
    start = local(house.clock.now())
    end = moment(start.date(), start.time().replace(hour=hour, minute=minute, second=0, microsecond=0)) + day * DAY
    while house.clock.now() < end:
        house.push(min(MINUTE, end - house.clock.now()))
        await SelfTests(house.engine).step(house.clock.now())
        await house.engine.rest()


def arrived(house: House, address: str) -> list[str]:
    return [text for text in house.texts(address) if "渠道测试，无需处置" in text]


async def deliver(house: House) -> None:
    """The gateway reports every text message as delivered."""
    story = await house.engine.trials.find(f"trial.daily.{local(house.clock.now()):%Y%m%d}")
    assert story is not None
    reports = [
        Report("sms", each.notice, "", ReceiptKind.DELIVERED, house.clock.now())
        for each in story.trial.notices
        if each.channel == "sms"
    ]
    await house.engine.report(reports)


async def test_every_channel_that_people_read_is_tested_once_a_day(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, daily) as house:
        await at(house, "19:09")
        assert arrived(house, "county-group") == []
        await at(house, "19:12")
        await deliver(house)
        for address in ("county-group", "city-group", KEEPER_MAIL, KEEPER):
            (text,) = arrived(house, address)
            assert "【测试】" in text
        house.engine = await house.another()
        await at(house, "23:59")
        assert len(arrived(house, "county-group")) == 1, "nor by a hub that has just started"
        assert not [text for text in house.texts(KEEPER_MAIL) if "每日自检" in text], "what is well is not told"
        assert house.vendors.upstream.received == [], "no person reads there"
        await at(house, "19:12", day=1)
        assert len(arrived(house, "county-group")) == 2


async def test_what_does_not_arrive_is_told_once_by_another_channel(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, daily) as house:
        house.vendors.wecom.faults.put(Fault.REFUSE, times=1000, code=93000)
        await at(house, "19:12")
        await deliver(house)
        await at(house, "20:30")
        (text,) = [text for text in house.texts(KEEPER_MAIL) if "每日自检" in text]
        assert "county-group（企业微信群机器人）渠道配置有误：93000" in text
        assert "fenghuo check --online" in text
        (row,) = await house.loose_journal("self_test_failed")
        assert "county-group" in str(row.detail["channels"])
        assert await house.engine.ledger.dead_letters() == []


async def test_a_text_message_without_its_receipt_is_a_missing_success(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, daily) as house:
        await at(house, "20:00")
        (text,) = [text for text in house.texts(KEEPER_MAIL) if "每日自检" in text]
        assert "sms（" in text
        assert "送达回执未到" in text


@pytest.mark.parametrize(("away", "sent"), [(LATE - MINUTE, 1), (LATE + MINUTE, 0)])
async def test_a_hub_that_was_away_tests_late_but_not_at_night(
    store: Store, tmp_path: Path, away: int, sent: int
) -> None:
    async with house_on(store, tmp_path, daily) as house:
        await at(house, "19:09")
        house.push(MINUTE + away)
        await SelfTests(house.engine).step(house.clock.now())
        await house.engine.rest()
        assert len(arrived(house, "county-group")) == sent


async def test_without_a_time_there_is_none(house: House) -> None:
    await at(house, "19:20")
    house.push(SECOND)
    assert arrived(house, "county-group") == []
