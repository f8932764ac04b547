"""Takes the pictures of README and manual from running demonstrations: ``make screenshots``."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from bot.demo.demo import Demo, running

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
IMAGES = Path(__file__).parent.parent / "docs" / "images"
MOST_BYTES = 300_000
SETTLED = 7_000
"""Milliseconds until the phones have stopped ringing."""


async def _wall_of(browser: Browser, demo: Demo, width: int = 1380, height: int = 900) -> Page:
    page = await browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    await page.goto(demo.url + "/demo")
    await page.locator("body[data-ready=yes]").wait_for()
    return page


async def _said(page: Page, text: str) -> None:
    await expect(page.locator("#said")).to_contain_text(text, timeout=30_000)


async def _later(page: Page, minutes: int) -> None:
    await page.locator(f"[data-minutes='{minutes}']").click()
    await _said(page, "现在是")
    await expect(page.locator(f"[data-minutes='{minutes}']")).to_be_enabled()


async def _issue(page: Page, where: str, level: str) -> None:
    await page.select_option("#target", label=f"{where} 企业风险预警")
    await page.select_option("#grade", level)
    await page.locator("[data-do=raise]").click()
    await _said(page, "新警情")


def _tier(page: Page, word: str) -> Locator:
    return page.locator("section.tier").filter(has=page.locator("h2", has_text=word))


async def _phone(browser: Browser, demo: Demo) -> None:
    """The page behind the safety officer's mail, before anybody has signed."""
    wall = await _wall_of(browser, demo)
    await wall.locator("[data-do=raise]").click()
    await expect(wall.locator("#phone-lin .mail")).to_be_visible()
    link = await wall.locator("#phone-lin .mail a").first.get_attribute("href")
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    await page.goto(str(link))
    await page.screenshot(path=IMAGES / "phone.png", full_page=True)


async def _unsigned(browser: Browser, demo: Demo) -> Page:
    """Five minutes after an alarm that nobody signs: the second worker is called, and the town has been asked to
    phone."""
    page = await _wall_of(browser, demo)
    await page.locator("[data-do=raise]").click()
    await expect(page.locator("#phone-lin .mail")).to_be_visible()
    await _later(page, 5)
    await expect(page.locator("#phone-group-hedong-group .bubble").first).to_be_visible()
    await expect(page.locator("#phone-song .bubble")).to_be_visible()
    return page


async def _duty(browser: Browser, demo: Demo) -> None:
    """The town's board while it has to phone."""
    await _unsigned(browser, demo)
    page = await browser.new_page(viewport={"width": 1380, "height": 900})
    await page.goto(demo.url + "/duty")
    await page.fill("#name", "hedong-officer")
    await page.fill("#password", demo.password)
    await page.keyboard.press("Enter")
    await page.locator("#task-list li").wait_for()
    await page.locator(".told summary").first.click()
    await page.screenshot(path=IMAGES / "duty.png")


async def _wall(browser: Browser, demo: Demo) -> None:
    """The second worker signs."""
    page = await _unsigned(browser, demo)
    await page.locator("#phone-song .quick button").first.click()
    await expect(page.locator("#phone-song .screen")).to_contain_text("已记录签收")
    await page.wait_for_timeout(SETTLED)
    await page.screenshot(path=IMAGES / "wall.png")


async def _throttled(browser: Browser, demo: Demo) -> None:
    """The county's group refuses; half an hour later the room's own telephone has rung instead."""
    page = await _wall_of(browser, demo, 1280)
    await page.locator("[data-trouble=county-group]").click()
    await _issue(page, "明木家具", "orange")
    room = page.locator("#phone-group-county-group")
    await expect(room.locator(".refused")).to_be_visible()
    await _later(page, 30)
    await page.wait_for_timeout(SETTLED)
    await room.locator(".screen").evaluate("screen => { screen.scrollTop = 0; }")
    await _tier(page, "区县").screenshot(path=IMAGES / "throttled.png")


async def _stranger(browser: Browser, demo: Demo) -> None:
    """A stranger writes that something burns, and the county's duty room reads it word for word."""
    page = await _wall_of(browser, demo, 1280, 1800)
    await page.locator("#phone-stranger .quick button").first.click()
    await expect(page.locator("#phone-stranger .screen")).to_contain_text("收到您的事故信息")
    await expect(page.locator("#phone-group-county-group .screen")).to_contain_text("有人被困")
    await page.wait_for_timeout(SETTLED)
    await _only_awake(page)
    await _to_the_end(page)
    await page.locator("#phone-group-county-group .screen").evaluate("screen => { screen.scrollTop = 0; }")
    await page.locator("#wall").screenshot(path=IMAGES / "stranger.png")


async def _group(browser: Browser, demo: Demo) -> None:
    """A member of the park's officers signs in their group, where the robot listens, and is answered there."""
    page = await _wall_of(browser, demo, 1280, 1800)
    await _issue(page, "银浪铝业", "黄色")
    group = page.locator("#phone-group-park-bot-group")
    await expect(group.locator(".screen")).to_contain_text("须处置")
    await group.locator(".quick button").first.click()
    await expect(group.locator(".screen")).to_contain_text("已记录签收")
    await page.wait_for_timeout(SETTLED)
    await _only_awake(page)
    await _to_the_end(page)
    await group.locator(".bubble.me").evaluate("said => { said.parentNode.scrollTop = said.offsetTop - 60; }")
    await _tier(page, "镇街").screenshot(path=IMAGES / "group.png")


async def _to_the_end(page: Page) -> None:
    """Every screen shows its newest message again, after its phone was moved."""
    await page.locator(".screen").evaluate_all("all => all.forEach((each) => { each.scrollTop = each.scrollHeight; })")


async def _only_awake(page: Page) -> None:
    """Leave out the phones that got nothing, so that those that rang stand together."""
    await page.evaluate(
        """() => {
            document.querySelectorAll(".phone.asleep").forEach((phone) => phone.remove());
            document.querySelectorAll(".tier").forEach((tier) => tier.querySelector(".phone") || tier.remove());
            for (const row of document.querySelectorAll(".tier .row")) {
                const columns = [...row.children];
                row.querySelectorAll(".phone").forEach((phone, n) => columns[n % columns.length].append(phone));
            }
        }"""
    )


async def _night(browser: Browser, demo: Demo) -> None:
    """02:00 and nobody at the post: the factory's leader hears instead, and the maintainer hears why."""
    page = await _wall_of(browser, demo, 1280, 960)
    await page.locator("#night").click()
    await _said(page, "夜班无人")
    await expect(page.locator("#phone-keeper .bubble")).to_be_visible()
    await page.wait_for_timeout(SETTLED)
    await _only_awake(page)
    await _to_the_end(page)
    await page.screenshot(path=IMAGES / "night.png")


async def _storm(browser: Browser, demo: Demo) -> None:
    """Three hundred alarms, and what they come to."""
    page = await _wall_of(browser, demo, 1200, 720)
    await page.locator("#storm").click()
    await _said(page, "已全部受理")
    await page.wait_for_timeout(SETTLED)
    await page.screenshot(path=IMAGES / "storm.png")


PICTURES: dict[str, Callable[[Browser, Demo], Awaitable[None]]] = {
    "wall.png": _wall,
    "phone.png": _phone,
    "duty.png": _duty,
    "throttled.png": _throttled,
    "group.png": _group,
    "stranger.png": _stranger,
    "night.png": _night,
    "storm.png": _storm,
}
"""Every picture in ``docs/images``, each from a demonstration of its own."""


async def main(names: Sequence[str] = ()) -> None:
    """The named pictures, or all; raises SystemExit for an unknown name, and when one is too large for the
    repository."""
    unknown = sorted(set(names) - set(PICTURES))
    if unknown:
        raise SystemExit(f"no such picture: {', '.join(unknown)}; there are {', '.join(PICTURES)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in names or PICTURES:
            with tempfile.TemporaryDirectory() as folder:
                async with running(Path(folder) / "demo", 0) as demo:
                    await PICTURES[name](browser, demo)
            size = (IMAGES / name).stat().st_size
            if size > MOST_BYTES:
                raise SystemExit(f"{name} has {size} bytes, more than {MOST_BYTES}")
            print(f"docs/images/{name}: {size} bytes")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
