"""Takes the pictures of the README from a running demonstration: ``python -m scripts.pictures``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from bot.demo.demo import Demo, running

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
IMAGES = Path(__file__).parent.parent / "docs" / "images"
MOST_BYTES = 300_000
SETTLED = 7_000
"""Milliseconds until the phones have stopped ringing."""


async def _raise(browser: Browser, demo: Demo) -> Page:
    """A wall on which an alarm has just been raised."""
    page = await browser.new_page(viewport={"width": 1380, "height": 900})
    await page.goto(demo.url + "/demo")
    await page.locator("body[data-ready=yes]").wait_for()
    await page.locator("[data-do=raise]").click()
    await expect(page.locator("#phone-lin .mail")).to_be_visible()
    return page


async def _phone(browser: Browser, wall: Page) -> None:
    """The page behind the safety officer's mail, before anybody has signed."""
    link = await wall.locator("#phone-lin .mail a").first.get_attribute("href")
    page = await browser.new_page(viewport={"width": 390, "height": 844})
    await page.goto(str(link))
    await page.screenshot(path=IMAGES / "phone.png", full_page=True)


async def _duty(browser: Browser, demo: Demo) -> None:
    """The town's board while it has to phone."""
    page = await browser.new_page(viewport={"width": 1380, "height": 900})
    await page.goto(demo.url + "/duty")
    await page.fill("#name", "hedong-officer")
    await page.fill("#password", demo.password)
    await page.keyboard.press("Enter")
    await page.locator("#task-list li").wait_for()
    await page.locator(".told summary").first.click()
    await page.screenshot(path=IMAGES / "duty.png")


async def _wall(page: Page, browser: Browser, demo: Demo) -> None:
    """Five minutes later the second worker is called and signs; the town has been asked to phone."""
    await page.locator("[data-minutes='5']").click()
    await expect(page.locator("#phone-group-hedong-group .bubble")).to_be_visible()
    await expect(page.locator("#phone-song .bubble")).to_be_visible()
    await _duty(browser, demo)
    await page.locator("#phone-song .quick button").first.click()
    await expect(page.locator("#phone-song .screen")).to_contain_text("已记录签收")
    await page.wait_for_timeout(SETTLED)
    await page.screenshot(path=IMAGES / "wall.png")


async def main() -> None:
    """All pictures; raises SystemExit when one is too large for the repository."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        async with running(Path(folder) / "demo", 0) as demo, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            wall = await _raise(browser, demo)
            await _phone(browser, wall)
            await _wall(wall, browser, demo)
            await browser.close()
    for name in ("wall.png", "phone.png", "duty.png"):
        size = (IMAGES / name).stat().st_size
        if size > MOST_BYTES:
            raise SystemExit(f"{name} has {size} bytes, more than {MOST_BYTES}")
        print(f"docs/images/{name}: {size} bytes")


if __name__ == "__main__":
    asyncio.run(main())
