"""Groups whose robot listens, and the second telephone line, in a real browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.chromium import BROWSING
from tests.demo.browser import MOVING, Wall
from tests.demo.test_first_story import CONTRAST

pytestmark = [*BROWSING, pytest.mark.timeout(60)]


async def warn(wall: Wall, where: str, level: str) -> None:
    await wall.page.select_option("#target", label=f"{where} 企业风险预警")
    await wall.page.select_option("#grade", level)
    await wall.press("raise")
    await expect(wall.page.locator("#said")).to_contain_text("新警情")


async def test_one_of_several_members_speaks_in_a_group(wall: Wall) -> None:
    await warn(wall, "银浪铝业", "yellow")
    group = wall.phone("group-park-bot-group")
    await expect(group.locator(".screen")).to_contain_text("请在群里 @机器人 回复")
    speaker = group.get_by_label("群里由谁说")
    assert await speaker.locator("option").all_text_contents() == ["欧巡检", "彭主任"]
    await group.locator(".quick button", has_text="签收").click()
    await expect(group.locator(".bubble.me")).to_contain_text("欧巡检 在群里")
    await expect(group.locator(".screen")).to_contain_text("已记录签收：欧巡检")
    await expect(wall.incidents).to_contain_text("✔ 开发区：欧巡检")
    await speaker.select_option(label="彭主任")
    await group.locator("input").fill("查询")
    await group.locator("input").press("Enter")
    await expect(group.locator(".bubble.me").last).to_contain_text("彭主任 在群里")
    # A page that comes back keeps who was about to speak.
    await wall.page.evaluate("connect()")
    await expect(group.locator(".bubble.me")).to_have_count(2)
    assert await speaker.evaluate("select => select.selectedOptions[0].textContent") == "彭主任"


async def test_the_leaders_phone_rings_and_is_taken(wall: Wall) -> None:
    await warn(wall, "明木家具", "orange")
    await wall.pass_time(30)
    call = wall.phone("mu").locator(".bubble.call")
    await expect(call).to_contain_text("值班电话：橙色预警", timeout=MOVING)
    assert await call.locator("button").all_text_contents() == ["接听", "挂断", "不接"]
    assert await wall.page.evaluate(CONTRAST) == []
    await call.get_by_role("button", name="接听").click()
    await expect(call.locator(".replaced")).to_have_text("接听")
    await expect(wall.incidents).to_contain_text("明木家具：尚未签收")


async def test_upstream_hears_by_both_ways_and_it_is_one_line(wall: Wall) -> None:
    await wall.press("raise")
    await expect(wall.phone("bai").locator(".bubble")).to_have_count(1)
    await wall.say("bai", "签收")
    rows = wall.page.locator("#upstream li")
    await expect(rows.first.locator(".way")).to_have_text(["接口", "流"])
    await expect(rows).to_have_count(1)
