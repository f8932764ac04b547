"""What the duty page says beside its rows: a flood, what cannot be read, and what it is fed by."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from bot.demo.simulators.vendor import Fault
from escalation.incident import Incident
from escalation.ledger.keys import partition_keys, partition_of_code
from tests.chromium import BROWSING
from tests.demo.house import STEEL, House
from tests.duty.wall import screen

pytestmark = [*BROWSING, pytest.mark.timeout(90), pytest.mark.usefixtures("lively")]
MINUTE = 60_000


async def push(house: House, minutes: int) -> None:
    await house.engine.advance(house.demo.clock.now() + minutes * MINUTE)


async def storm(house: House, count: int) -> None:
    for number in range(count):
        await house.post("alarm.raised", "", name=f"无名{number}号厂", point="无名点", severity="high")


async def test_a_flood_is_said_with_its_beginning_and_its_count_until_it_ebbs(browser: Browser, house: House) -> None:
    async with screen(browser, house, "qinghe-duty") as page:
        band = page.page.locator("#flood")
        await storm(house, 10)
        await expect(page.page.locator("#rows > li")).to_have_count(10)
        await expect(band).to_be_hidden()
        critical = await house.post("alarm.raised", STEEL)
        await expect(band).to_contain_text("起新警情 11 条，最近 10 分钟 11 条")
        await expect(page.page.locator("#rows > li").first).to_have_id(f"row-{critical}")
        await expect(page.page.locator("#rows > li")).to_have_count(11)
        await push(house, 11)
        await expect(band).to_be_hidden()


async def test_a_source_that_fell_silent_is_named_and_an_empty_board_says_what_feeds_it(
    browser: Browser, house: House
) -> None:
    sources = house.demo.hub.rules.settings.sources
    object.__setattr__(sources["demo"], "silent_after", "10m")
    async with screen(browser, house, "qinghe-duty") as page:
        fed, none = page.page.locator("#fed"), page.page.locator("#none")
        await expect(none).to_contain_text("有 1 个数据源没有数据，可能是没有收到")
        await expect(fed).to_contain_text("demo 还没有收到过，超过 10 分钟没有数据")
        await house.post("data.restored", STEEL)
        await expect(fed).to_contain_text("数据源 1/1 正常：demo 刚刚")
        await expect(none).to_contain_text("当前没有未关闭的警情（数据源 1/1 正常）")
        await push(house, 12)
        await expect(fed).to_contain_text("⚠ demo 12 分钟前，超过 10 分钟没有数据")


async def test_what_waits_unsent_and_a_broken_channel_are_said(browser: Browser, house: House) -> None:
    gateway = house.demo.wall.vendors.gateway
    gateway.faults.put(Fault.STATUS_500, times=10_000)
    async with screen(browser, house, "qinghe-duty") as page:
        await house.post("alarm.raised")
        await push(house, 5)
        assert gateway.faults.happened[Fault.STATUS_500] > 5
        fed = page.page.locator("#fed")
        await expect(fed).to_contain_text("⚠ 渠道 sms 无法使用")
        gateway.faults.clear()


async def test_an_incident_that_cannot_be_read_is_named_with_what_to_do(browser: Browser, house: House) -> None:
    code, other = await house.post("alarm.raised"), await house.post("alarm.raised", STEEL)
    await house.until(code, _heard)
    key = partition_keys(partition_of_code(code, house.engine.partitions)).incidents
    raw: bytes = await house.engine.store.execute("HGET", key, code)
    await house.engine.store.execute("HSET", key, code, raw.replace(b'"plan":', b'"plant":'))
    async with screen(browser, house, "qinghe-duty") as page:
        band = page.page.locator("#unreadable")
        await expect(band).to_contain_text(f"有 1 条警情不能显示。{code} 的记录无法读取，可能仍须处置")
        await expect(band).to_contain_text(f"fenghuo show {code}")
        await expect(page.row(other)).to_be_visible()
        await expect(page.row(code)).to_have_count(0)
        status, said = await page.page.evaluate(
            "code => fetch('/duty/incident/' + code, { headers: { Accept: 'text/html' } })"
            ".then(async answer => [answer.status, await answer.text()])",
            code,
        )
        assert (status, "可能仍须处置" in said) == (503, True)
        await house.engine.store.execute("HSET", key, code, raw)
        await expect(page.row(code)).to_be_visible()
        await expect(band).to_be_hidden()


def _heard(incident: Incident) -> bool:
    """Every phone has reported its message: nothing more is written of the incident by itself."""
    return all(each.delivered_at for each in incident.notices.values() if each.contact.channel == "sms")
