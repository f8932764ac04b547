"""The tour of the README, walked in a real browser: every control it names is there and does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from scripts.pictures import PICTURES
from tests.demo.browser import Wall

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "README.zh.md", "docs/demo.md")


def tour(page: str) -> str:
    """The numbered steps of a page."""
    text = (ROOT / page).read_text("utf-8")
    steps = re.findall(r"^\d+\. .*(?:\n   .*)*", text, re.MULTILINE)
    assert len(steps) >= 8, page
    return "\n".join(steps)


def named(page: str) -> set[str]:
    return {re.sub(r"\s+", " ", name) for name in re.findall(r"\*\*([^*]+)\*\*", tour(page))}


def test_the_pictures_are_those_of_the_command_and_stand_on_pages() -> None:
    assert {each.name for each in (ROOT / "docs" / "images").iterdir()} == set(PICTURES)
    pages = "".join(path.read_text("utf-8") for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
    assert [name for name in PICTURES if f"images/{name}" not in pages] == []


class Walk:
    """The wall and the few things a visitor does."""

    def __init__(self, wall: Wall) -> None:
        self.wall = wall
        self.page = wall.page
        self.seen: set[str] = set()

    async def click(self, name: str) -> None:
        await self.page.get_by_role("button", name=name, exact=True).first.click()

    async def choose(self, target: str, grade: str = "") -> None:
        await self.page.select_option("#target", label=target)
        if grade:
            await self.page.select_option("#grade", label=grade)
        self.seen |= await self.words("option")

    async def alarm(self) -> None:
        await self.click("报警")
        await expect(self.page.locator("#said")).to_contain_text("已受理")

    async def later(self, minutes: int) -> None:
        await self.wall.pass_time(minutes)

    def screen(self, phone: str) -> Locator:
        return self.wall.phone(phone).locator(".screen")

    async def words(self, selector: str) -> set[str]:
        return {each.strip() for each in await self.page.locator(selector).all_text_contents()}


@pytest.mark.chromium
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.timeout(180)
async def test_the_tour_can_be_walked_and_names_only_controls_that_exist(wall: Wall) -> None:
    walk = Walk(wall)
    walk.seen |= await walk.words("button") | await walk.words("option")

    await walk.alarm()
    await expect(walk.screen("bai")).to_contain_text("高高报")
    await expect(walk.screen("lin")).to_contain_text("须处置")
    await wall.say("bai", "签收")
    await expect(walk.screen("lin")).to_contain_text("已签收")
    await expect(wall.page.locator("#upstream")).to_contain_text("白木匠")
    await walk.click("恢复")
    await expect(wall.incidents).to_contain_text("关闭")

    await walk.click("夜里无人值班")
    await expect(wall.page.locator("#said")).to_contain_text("夜班无人")
    await expect(wall.page.locator("#time")).to_contain_text("02:0")
    await expect(walk.screen("mu")).to_contain_text("口风压差")
    await expect(wall.phone("group-county-group").locator(".hint")).to_contain_text("当班：无人")
    await walk.later(30)
    await walk.later(30)
    await expect(walk.screen("qinghe-leader")).to_contain_text("口风压差")
    await expect(walk.screen("keeper")).to_contain_text("值班室岗位此刻无人，已转由覃局长接收")
    await wall.page.locator("#night").click()
    await expect(wall.phone("group-county-group").locator(".hint")).to_contain_text("当班：卿值班")

    await walk.choose("远山钢铁 1号高炉平台一氧化碳")
    await walk.alarm()
    await expect(walk.screen("duan")).to_contain_text("须处置")
    await walk.later(5)
    await expect(walk.screen("duan")).to_contain_text("催办")
    await expect(walk.screen("group-park-group")).to_contain_text("人工电话任务")

    await walk.click("青河区企业微信群限流")
    await expect(wall.page.locator("[data-trouble=county-group]")).to_contain_text("▲")
    await walk.choose("明木家具 企业风险预警", "橙色")
    await walk.alarm()
    await expect(walk.screen("group-county-group").locator(".refused")).to_contain_text("45009")
    await walk.later(30)
    await expect(walk.screen("group-park-group")).to_contain_text("逾期升级")
    await expect(walk.screen("group-county-group").locator(".sms", has_text="橙色预警").first).to_be_visible()
    await expect(wall.incidents).to_contain_text("改走短信")
    walk.seen |= await walk.words("button")
    await wall.phone("mu").get_by_role("button", name="接听", exact=True).last.click()
    await expect(walk.screen("mu").locator(".call .replaced").last).to_have_text("接听")
    await wall.page.locator("[data-trouble=county-group]").click()
    await expect(wall.page.locator("[data-trouble=county-group]")).not_to_contain_text("▲")

    await walk.click("短信网关停机")
    await walk.choose("银浪铝业 2号铸造井冷却水流量")
    await walk.alarm()
    await walk.later(5)
    assert await wall.phone("geng").locator(".bubble").count() == 0
    await expect(walk.screen("shi").locator(".mail").last).to_contain_text("升级")
    await expect(walk.screen("keeper")).to_contain_text("渠道 sms 无法使用")
    await wall.page.locator("[data-trouble=gateway]").click()
    await walk.later(1)
    await expect(walk.screen("geng")).to_contain_text("须处置")
    await expect(walk.screen("keeper")).to_contain_text("渠道 sms 已恢复")

    for enterprise in ("银浪铝业", "远山钢铁"):
        await walk.choose(f"{enterprise} 企业风险预警", "黄色")
        await walk.alarm()
    warnings = walk.screen("park-officer").locator(".app", has_text="黄色预警")
    await expect(warnings).to_have_count(2)
    await wall.say("park-officer", "签收")
    await expect(walk.screen("park-officer")).to_contain_text("本次未记录")
    walk.seen |= await walk.words("button")
    await warnings.first.get_by_role("button", name="引用回复").click()
    await expect(wall.phone("park-officer").locator(".quoted")).to_contain_text("黄色预警")
    await wall.say("park-officer", "签收")
    await expect(walk.screen("park-officer")).to_contain_text("已记录签收：裴专管")
    await expect(wall.phone("park-officer").locator(".quoted")).to_be_hidden()
    await wall.say("group-park-bot-group", "签收")
    await expect(walk.screen("group-park-bot-group")).to_contain_text("已记录签收：欧巡检")

    await wall.say("stranger", "着火")
    await expect(walk.screen("stranger")).to_contain_text("本回复不代替事故报告")
    await expect(walk.screen("group-county-group")).to_contain_text("139-0013-0099称“明木家具车间着火了，有人被困”")

    await walk.click("报警风暴")
    await expect(wall.page.locator("#said")).to_contain_text("300 条事件已全部受理")
    await expect(wall.page.locator("#storm-told")).to_contain_text("新警情 33")
    await expect(wall.incidents.locator(".rest summary")).to_contain_text("另有")

    for page in PAGES:
        assert named(page) - walk.seen == set(), page
