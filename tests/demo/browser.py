"""A real Chromium on the wall."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.demo.house import House
from tests.parts import CHROMIUM

ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

MOVING = 30_000
"""How long the hub may take to work through half an hour, in milliseconds."""


@dataclass
class Wall:
    """One open wall; ``complaints`` is what the browser's console said."""

    page: Page
    house: House
    complaints: list[str] = field(default_factory=list)

    async def open(self) -> None:
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.page.goto(self.house.demo.url + "/demo")
        await self.page.locator("body[data-ready=yes]").wait_for()

    def phone(self, name: str) -> Locator:
        return self.page.locator(f"#phone-{name}")

    async def ringing(self) -> set[str]:
        """The phones with something unread."""
        found = await self.page.locator(".phone.unread").evaluate_all("nodes => nodes.map(node => node.id)")
        return {each.removeprefix("phone-") for each in found}

    async def press(self, what: str) -> None:
        await self.page.locator(f"[data-do={what}]").click()

    async def say(self, phone: str, word: str) -> None:
        await self.phone(phone).locator(".quick button", has_text=word).click()

    async def pass_time(self, minutes: int) -> None:
        await self.page.locator(f"[data-minutes='{minutes}']").click()
        await expect(self.page.locator("#said")).to_contain_text("现在是", timeout=MOVING)
        await expect(self.page.locator(f"[data-minutes='{minutes}']")).to_be_enabled(timeout=MOVING)

    @property
    def incidents(self) -> Locator:
        return self.page.locator("#incidents")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def wall(browser: Browser, house: House) -> AsyncIterator[Wall]:
    page = await browser.new_page(viewport={"width": 1600, "height": 1000})
    found = Wall(page, house)
    await found.open()
    yield found
    assert found.complaints == []
