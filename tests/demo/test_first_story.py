"""The whole first story, as a newcomer plays it on the wall: an alarm, a phone, a signature, and the next tower."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from escalation.ledger.keys import partition_keys, partition_of_code
from escalation.notice import Notice, NoticeState
from tests.chromium import BROWSING
from tests.demo.browser import Wall
from tests.demo.house import STEEL, House
from tests.duty.clerk import Clerk

pytestmark = [*BROWSING, pytest.mark.timeout(60)]

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


async def test_the_right_phones_ring_a_worker_signs_and_upstream_clears(wall: Wall) -> None:
    await wall.press("raise")
    await expect(wall.phone("bai").locator(".bubble")).to_contain_text(["高高报，须处置：明木家具"])
    await expect(wall.phone("lin").locator(".bubble.mail .subject")).to_contain_text("须处置")
    assert await wall.ringing() == {"bai", "lin"}
    await expect(wall.incidents).to_contain_text("明木家具：尚未签收")

    await wall.say("bai", "签收")
    await expect(wall.phone("bai").locator(".bubble").last).to_contain_text("已记录签收：白木匠")
    await expect(wall.phone("bai").locator(".bubble.me")).to_contain_text("签收")
    await expect(wall.phone("lin").locator(".screen")).to_contain_text("已签收：高高报")
    await expect(wall.incidents).to_contain_text("✔ 明木家具：白木匠")
    await expect(wall.page.locator("#upstream")).to_contain_text("白木匠")

    await wall.press("clear")
    await expect(wall.incidents).to_contain_text("关闭")
    await expect(wall.phone("bai").locator(".bubble").last).to_contain_text("关闭")
    assert await wall.ringing() == {"bai", "lin"}


async def test_nobody_signs_and_the_next_towers_are_lit(wall: Wall) -> None:
    await wall.press("raise")
    await expect(wall.phone("bai").locator(".bubble")).to_have_count(1)

    await wall.pass_time(5)
    await expect(wall.phone("bai").locator(".screen")).to_contain_text("催办")
    await expect(wall.phone("song").locator(".screen")).to_contain_text("须处置")
    await expect(wall.phone("group-hedong-group").locator(".screen")).to_contain_text("人工电话任务")
    await expect(wall.phone("group-hedong-group").locator(".hint")).to_contain_text("当班：何专管")
    await expect(wall.incidents).to_contain_text("签收已逾期")
    assert "qinghe-leader" not in await wall.ringing()

    await wall.pass_time(30)
    await expect(wall.phone("mu").locator(".screen")).to_contain_text("升级")
    await expect(wall.phone("group-hedong-group").locator(".screen")).to_contain_text("逾期升级")
    await wall.say("hedong-officer", "签收")
    await expect(wall.incidents).to_contain_text("✔ 河东镇：何专管")
    # The town's signature is the town's: the enterprise still owes its own.
    await expect(wall.incidents).to_contain_text("明木家具：尚未签收")
    for stranger in ("duan", "geng", "park-officer"):
        assert stranger not in await wall.ringing()

    await wall.press("clear")
    await expect(wall.incidents).to_contain_text("关闭")
    await expect(wall.phone("bai").locator(".bubble").last).to_contain_text("关闭")


async def test_a_rise_a_drill_and_the_next_due_moment(wall: Wall) -> None:
    page = wall.page
    await page.select_option("#target", label="远山钢铁 1号高炉平台一氧化碳")
    await page.select_option("#grade", "high")
    await page.select_option("#mode", "exercise")
    await wall.press("raise")
    await expect(wall.phone("duan").locator(".bubble")).to_contain_text(["【演练】高报"])
    await wall.press("repeat")
    await expect(page.locator("#said")).to_contain_text("已并入")
    await wall.press("higher")
    await expect(wall.phone("duan").locator(".bubble")).to_contain_text(["【演练】高报", "【演练】"])
    await expect(wall.incidents).to_contain_text("【演练】高高报")
    await page.locator("[data-due]").click()
    await expect(wall.phone("duan").locator(".screen")).to_contain_text("催办")
    await wall.press("clear")
    await expect(wall.incidents).to_contain_text("数值恢复，未确认安全")


async def test_a_page_that_hears_nothing_says_so_and_catches_up(browser: Browser, house: House) -> None:
    page = await browser.new_page()
    await page.clock.install()
    found = Wall(page, house)
    await found.open()
    await page.route("**/demo/api/stream", lambda route: route.abort())
    await page.clock.run_for(31_000)
    await expect(page.locator("#link")).to_contain_text("画面可能已过时")
    await expect(page.locator("body")).to_have_class("stale")
    code = await house.post("alarm.raised")
    await expect(found.incidents).not_to_contain_text(code)
    await page.unroute("**/demo/api/stream")
    await page.clock.run_for(16_000)
    await expect(page.locator("#link")).to_contain_text("已连接")
    await expect(found.incidents).to_contain_text(code)
    await expect(found.phone("bai").locator(".bubble")).to_have_count(1)


async def test_what_upstream_writes_is_text_on_the_wall(wall: Wall) -> None:
    hostile = "<img src=x onerror=alert(1)><b>粗</b>"
    await wall.house.post("alarm.raised", "", name=hostile, point=hostile)
    await expect(wall.incidents.locator(".incident")).to_have_count(1)
    await expect(wall.phone("group-county-group").locator(".bubble")).not_to_have_count(0)
    assert await wall.page.locator("#wall img, #incidents img, #wall b, #incidents p b").count() == 0


def _is_done(notice: Notice) -> bool:
    """Whether nothing more is heard of its sending."""
    return notice.state is (NoticeState.SUBMITTED if notice.contact.channel == "mail" else NoticeState.DELIVERED)


async def test_what_cannot_be_read_stands_first_on_the_wall_as_on_the_duty_page(wall: Wall) -> None:
    house = wall.house
    code = await house.post("alarm.raised")
    # What is still recorded of its notices would mend it.
    await house.until(code, lambda it: all(_is_done(each) for each in it.notices.values()))
    other = await house.post("alarm.raised", STEEL)
    engine = house.engine
    key = partition_keys(partition_of_code(code, engine.partitions)).incidents
    kept = await engine.store.execute("HGET", key, code)
    await engine.store.execute("HSET", key, code, b"\x00 not a state")
    for _ in range(2):
        await house.demo.wall.refresh()
        first = wall.incidents.locator("article").first
        await expect(first).to_have_id(f"incident-{code}")
        await expect(first).to_contain_text("记录无法读取，可能仍须处置")
        await expect(wall.incidents.locator("article")).to_have_count(2)
        await wall.page.reload()
    assert await wall.page.evaluate(CONTRAST) == []
    async with Clerk.at(house) as clerk:
        assert [each["code"] for each in (await clerk.snapshot())["unreadable"]] == [code]
    assert wall.complaints == []
    await engine.store.execute("HSET", key, code, kept)
    await house.demo.wall.refresh()
    await expect(wall.incidents).not_to_contain_text("无法读取")
    await expect(wall.incidents).to_contain_text(other)


async def test_the_wall_can_be_read_and_needs_no_mouse(wall: Wall) -> None:
    await wall.press("raise")
    await expect(wall.phone("bai").locator(".bubble")).to_have_count(1)
    await wall.pass_time(30)
    assert await wall.page.evaluate(CONTRAST) == []
    await wall.phone("bai").locator("input").focus()
    await wall.page.keyboard.type("签收")
    await wall.page.keyboard.press("Enter")
    await expect(wall.phone("bai").locator(".screen")).to_contain_text("已记录签收")
    await wall.page.set_viewport_size({"width": 320, "height": 700})
    wide = await wall.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 320


async def test_the_phone_page_works_at_320_pixels_and_without_scripts(browser: Browser, house: House) -> None:
    code = await house.post("alarm.raised")
    context = await browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(house.demo.url + await house.link(code, "lin"))
    await page.locator("button", has_text="签收").click()
    await expect(page.locator(".recorded")).to_contain_text("已记录签收：林安全")
    await page.locator("summary", has_text="核查").click()
    await page.select_option("#cause", "真实超限")
    await page.locator("button", has_text="提交核查").click()
    await expect(page.locator(".deeds")).to_contain_text("已核查")
    await context.close()

    context = await browser.new_context(viewport={"width": 320, "height": 640})
    page = await context.new_page()
    await page.goto(house.demo.url + await house.link(code, "bai"))
    await page.locator("summary", has_text="核查").click()
    await page.locator("summary", has_text="处置").click()
    assert await page.evaluate("() => document.documentElement.scrollWidth") == 320
    assert await page.evaluate(CONTRAST) == []
    small = "nodes => nodes.filter(node => node.getBoundingClientRect().height < 44).length"
    assert await page.locator("button, summary, select").evaluate_all(small) == 0
    await context.close()
