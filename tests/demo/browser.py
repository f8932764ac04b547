"""The wall in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.demo.house import House

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


@pytest_asyncio.fixture(loop_scope="session")
async def wall(browser: Browser, house: House) -> AsyncIterator[Wall]:
    context = await browser.new_context(viewport={"width": 1600, "height": 1000})
    found = Wall(await context.new_page(), house)
    await found.open()
    yield found
    await context.close()
    assert found.complaints == []
