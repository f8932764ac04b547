"""The duty page as clerks see and hear it, in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, Playwright, expect

from tests.chromium import BROWSING
from tests.demo.house import DUST, STEEL, House
from tests.duty.clerk import Clerk
from tests.duty.wall import FREE, STRICT, chromium, screen

pytestmark = [*BROWSING, pytest.mark.timeout(90)]

CONTRAST = (Path(__file__).parents[1] / "demo" / "contrast.js").read_text("utf-8")
MINUTE = 60_000


async def push(house: House, minutes: int) -> None:
    await house.engine.advance(house.demo.clock.now() + minutes * MINUTE)


async def test_what_is_owed_next_stands_first_and_a_critical_one_above_all(browser: Browser, house: House) -> None:
    async with screen(browser, house, "qinghe-duty") as page:
        await expect(page.page.locator("#none")).to_be_visible()
        later = await house.post("alarm.raised", STEEL, severity="high")
        await push(house, 3)
        first = await house.post("alarm.raised", "", name="无名厂", point="无名点", severity="high")
        await expect(page.row(first)).to_be_visible()
        states = [await house.incident(code) for code in (later, first)]
        due = {each.code: min(clock.due_at for duty in each.duties for clock in duty.clocks) for each in states}
        await expect(page.page.locator("#rows > li")).to_have_count(2)
        assert await page.order() == sorted(due, key=lambda code: due[code])
        critical = await house.post("alarm.raised")
        await expect(page.page.locator("#rows > li").first).to_have_id(f"row-{critical}")
        await expect(page.row(critical).locator(".chip")).to_have_text("◆ 高高报")
        await expect(page.row(later).locator(".chip")).to_have_text("▲ 高报")
        clock = page.row(critical).locator(".clock", has_text="签收")
        await expect(clock).to_contain_text("剩 4:")
        await push(house, 7)
        await expect(clock).to_contain_text("超 ")
        await expect(page.page.locator(f"#row-{critical} .told summary")).to_contain_text("签收 0")


async def test_the_sound_stops_for_the_tier_that_signs_and_no_other(playwright: Playwright, house: House) -> None:
    async with chromium(playwright, FREE) as browser:
        code = await house.post("alarm.raised")
        await push(house, 31)
        async with screen(browser, house, "mingmu") as worker, screen(browser, house, "hedong-officer") as town:
            for each in (worker, town):
                await expect(each.page.locator("body")).to_have_attribute("data-sound", "ringing")
                await expect(each.page.locator("#blocked")).to_be_hidden()
            await worker.row(code).get_by_role("button", name="签收").dblclick()
            await expect(worker.page.locator("#said")).to_contain_text("已记录签收：林安全")
            await expect(worker.page.locator("body")).to_have_attribute("data-sound", "quiet")
            await expect(worker.row(code)).to_contain_text("✔ 林安全")
            await expect(town.row(code)).to_contain_text("✔ 林安全")
            await expect(town.page.locator("body")).to_have_attribute("data-sound", "ringing")
            await town.page.locator("#mute").click()
            await expect(town.page.locator("body")).to_have_attribute("data-sound", "muted")
            await town.row(code).get_by_role("button", name="签收").click()
            await expect(town.page.locator("body")).to_have_attribute("data-sound", "quiet")
    signed = [deed for deed in (await house.incident(code)).deeds if deed.verb == "sign"]
    assert [deed.unit for deed in signed] == [DUST, "hedong"]


async def test_a_browser_that_blocks_sound_says_so_with_a_button(playwright: Playwright, house: House) -> None:
    async with chromium(playwright, STRICT) as browser, screen(browser, house, "mingmu") as page:
        await page.page.goto(house.demo.url + "/duty")
        await page.ready()
        await house.post("alarm.raised")
        await expect(page.page.locator("body")).to_have_attribute("data-sound", "blocked")
        await expect(page.page.locator("#blocked")).to_contain_text("紧急警情不会响")
        await page.page.locator("#allow-sound").click()
        await expect(page.page.locator("body")).to_have_attribute("data-sound", "ringing")
        await expect(page.page.locator("#blocked")).to_be_hidden()


async def test_a_page_that_loses_the_hub_says_so_and_catches_up(browser: Browser, house: House) -> None:
    async with screen(browser, house, "qinghe-duty", clock=True) as page:
        await page.page.route("**/duty/stream", lambda route: route.abort())
        await page.page.route("**/duty/alive", lambda route: route.abort())
        await page.page.clock.run_for(13_500)
        await expect(page.page.locator("#stale")).to_contain_text("与系统失去联系")
        await expect(page.page.locator("body")).to_have_attribute("data-link", "stale")
        code = await house.post("alarm.raised")
        await page.page.unroute("**/duty/alive")
        await page.page.unroute("**/duty/stream")
        await page.page.clock.run_for(8_000)
        await expect(page.row(code)).to_be_visible()
        await expect(page.page.locator("#stale")).to_be_hidden()


async def test_a_hub_that_hangs_makes_the_page_stale(
    browser: Browser, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stays open and the heart beats, but nothing is read from the store any more."""
    async with screen(browser, house, "qinghe-duty", clock=True) as page:
        await house.post("alarm.raised")
        await expect(page.page.locator("#rows > li")).to_have_count(1)

        async def hang(*_: object) -> None:
            raise TimeoutError("the store does not answer")

        monkeypatch.setattr("escalation.ledger.watching.Watching.look", hang)
        await page.page.clock.run_for(14_000)
        await expect(page.page.locator("#stale")).to_be_visible()


@pytest.mark.usefixtures("lively")
async def test_a_session_that_ends_is_said_on_the_page(browser: Browser, house: House) -> None:
    async with screen(browser, house, "qinghe-duty") as page:
        house.demo.clock.push_to(house.demo.clock.now() + 25 * 60 * MINUTE)
        await expect(page.page.locator("#stale")).to_contain_text("登录已失效")
        await page.page.get_by_role("link", name="重新登录").click()
        await expect(page.page.locator("#password")).to_be_visible()


async def test_what_upstream_and_people_write_is_text(browser: Browser, house: House) -> None:
    hostile = "<img src=x onerror=alert(1)><b>粗</b>\"'><script>alert(1)</script>"
    code = await house.post("alarm.raised", "", name=hostile, point=hostile, unit=hostile[:20])
    async with screen(browser, house, "qinghe-duty") as page:
        await expect(page.row(code)).to_contain_text("<img src=x")
        await page.row(code).get_by_role("button", name="签收").click()
        await expect(page.page.locator("#said")).to_contain_text("已记录签收")
        assert await page.page.locator("main img, main b, main script").count() == 0
        await page.row(code).locator("a.code").click()
        await expect(page.page.locator("h1")).to_contain_text("<img src=x")
        assert await page.page.locator("main img, main b, main script").count() == 0


async def test_everything_can_be_read_and_reached_without_a_mouse(browser: Browser, house: House) -> None:
    codes = [
        await house.post("alarm.raised"),
        await house.post("alarm.raised", STEEL, severity="high", level="yellow"),
        await house.post("alarm.raised", "", name="某厂", point="某点", severity="fault", level="blue"),
    ]
    await push(house, 6)
    async with screen(browser, house, "hedong-officer", width=320, height=700) as page:
        await expect(page.page.locator("#task-list li")).to_have_count(1)
        await page.page.locator(".told summary").first.click()
        await page.page.locator(".legend summary").click()
        assert await page.page.evaluate(CONTRAST) == []
        assert await page.page.evaluate("() => document.documentElement.scrollWidth") <= 320
        small = (
            "nodes => nodes.filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 24).length"
        )
        assert await page.page.locator("button, summary, select, input").evaluate_all(small) == 0
        await page.page.locator("#task-list input[name=name]").focus()
        await page.page.keyboard.type("白木匠")
        await page.page.keyboard.press("Tab")
        await page.page.keyboard.press("ArrowDown")
        await page.page.keyboard.press("Tab")
        await page.page.keyboard.press("Enter")
        await expect(page.page.locator("#said")).to_contain_text("电话通知不等于签收")
        await expect(page.page.locator("#task-list li")).to_have_count(0)
    async with screen(browser, house, "qinghe-duty") as page:
        await expect(page.page.locator("#rows > li")).to_have_count(len(codes))
        assert await page.page.evaluate(CONTRAST) == []
        assert await page.page.evaluate("() => document.documentElement.scrollWidth") <= 1920
        await page.row(codes[0]).locator("a.code").focus()
        await page.page.keyboard.press("Enter")
        await expect(page.page.locator(".story")).to_contain_text("警情建立")
        assert await page.page.evaluate(CONTRAST) == []


async def test_a_row_with_the_focus_stays_where_it_is(browser: Browser, house: House) -> None:
    code = await house.post("alarm.raised", STEEL, severity="high")
    async with screen(browser, house, "qinghe-duty") as page:
        button = page.row(code).get_by_role("button", name="催办")
        await button.focus()
        other = await house.post("alarm.raised")
        await expect(page.row(other)).to_be_visible()
        await expect(button).to_be_focused()
        assert await page.order() == [other, code]
        async with Clerk.at(house, "park-duty") as park:
            await park.act("sign", code)
        await page.page.keyboard.press("Enter")
        await expect(page.page.locator("#said")).to_contain_text("已催办")
