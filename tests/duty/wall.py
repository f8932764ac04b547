"""A real Chromium on the duty page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, Locator, Page, Playwright

from tests.chromium import ARGUMENTS
from tests.demo.house import House
from tests.parts import CHROMIUM

FREE = "--autoplay-policy=no-user-gesture-required"
STRICT = "--autoplay-policy=document-user-activation-required"

EXPECTED = ("net::ERR", "Failed to load resource", "AudioContext was not allowed to start")
"""What the browser itself says of a lost connection, a refusal and blocked sound."""


@dataclass
class Screen:
    """One open duty page; ``complaints`` is what the browser's console said, ``foreign`` what it asked of others."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def row(self, code: str) -> Locator:
        return self.page.locator(f"#row-{code}")

    async def order(self) -> list[str]:
        """The codes from top to bottom."""
        found: list[str] = await self.page.locator("#rows > li").evaluate_all(
            "nodes => nodes.map(node => node.dataset.code)"
        )
        return found

    async def log_in(self, account: str) -> None:
        await self.page.goto(self.house.demo.url + "/duty")
        await self.page.fill("#name", account)
        await self.page.fill("#password", self.house.demo.password)
        await self.page.keyboard.press("Enter")
        await self.ready()

    async def ready(self) -> None:
        await self.page.locator("body[data-ready=yes]").wait_for()


@asynccontextmanager
async def screen(
    browser: Browser, house: House, account: str, *, width: int = 1920, height: int = 1080, clock: bool = False
) -> AsyncIterator[Screen]:
    """A logged-in page of its own context; nothing may have been complained of at the end, nor asked of other hosts.

    With ``clock`` the page's clock is one that the test runs."""
    context: BrowserContext = await browser.new_context(viewport={"width": width, "height": height})
    page = await context.new_page()
    if clock:
        await page.clock.install()
    found = Screen(page, house)
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("request", lambda asked: found.foreign.append(asked.url) if house.demo.url not in asked.url else None)
    await found.log_in(account)
    yield found
    assert found.foreign == []
    assert [each for each in found.complaints if not any(one in each for one in EXPECTED)] == []
    await context.close()


@asynccontextmanager
async def chromium(playwright: Playwright, policy: str) -> AsyncIterator[Browser]:
    """A browser of its own, with the autoplay policy given."""
    launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=(*ARGUMENTS, policy))
    yield launched
    await launched.close()
