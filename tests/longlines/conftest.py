"""The county with a DingTalk app for two people of one works, and line holders that a test starts and kills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bot import longlines as module
from bot.collectors import ask_once
from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.dingtalk_cards import DingCard
from bot.demo.simulators.vendor import Received, listening
from bot.longlines import LineHolder
from bot.store.client import Store
from channels.dingtalk.app import Driver
from escalation.deed import Deed
from escalation.ledger.leadership import Leadership
from escalation.vocabulary import Severity, Verb
from tests.channels.ding import KEYS, TEMPLATE
from tests.store.real_server import eventually
from tests.workers.house import EVENING, OFFICER, OPERATOR, Edit, House, house_on

LIN, CAO = "LinAnquan", "CaoZuogong"
"""The safety officer, whose second way is mail, and the operator."""
_TABLE = """
[channels.ding]
kind = "dingtalk_app"
client_id = "{client_id}"
client_secret = "file:secrets/ding"
base_url = "{url}"
session_url = "{url}"
timeout = 1
form = "card"
card_template = "{template}"
inbound = "stream"
"""


def with_ding(url: str, secrets: Path) -> Edit:
    """The county with the app's channel, by which two people of 明木家具 are reached in place of text messages."""

    def edit(text: str) -> str:
        (secrets / "ding").write_text(KEYS[1], "utf-8")
        for number, member in ((OFFICER, LIN), (OPERATOR, CAO)):
            was = f'channel = "sms", address = "{number}"'
            assert was in text
            text = text.replace(was, f'channel = "ding", address = "{member}"')
        return text + _TABLE.format(client_id=KEYS[0], url=url, template=TEMPLATE)

    return edit


class Line:
    """The county, its DingTalk app, and the hubs that hold its line. Time stands unless it is pushed."""

    def __init__(self, house: House, vendor: DingtalkApp) -> None:
        self.house = house
        self.vendor = vendor
        self.gateway = vendor.gateway
        self._holders: list[asyncio.Task[None]] = []

    def driver(self) -> Driver:
        driver = self.house.engine.rules.channels["ding"]
        assert isinstance(driver, Driver)
        return driver

    def start(self, hub: str = "hub-a") -> asyncio.Task[None]:
        """A hub that holds the line whenever it leads."""
        self._holders.append(task := self._task(hub))
        return task

    def hold(self) -> None:
        """One hub holds the line for the whole test."""
        self._holders.append(self._task("hub-a"))

    def _task(self, hub: str) -> asyncio.Task[None]:
        holder = LineHolder(self.driver(), lambda: self.house.engine, hub, spread=lambda: 0.0)
        return asyncio.create_task(holder.run())

    async def up(self, count: int = 1) -> None:
        """Until so many connections have stood."""
        await self.gateway.until(lambda: self.gateway.opened >= count and self.gateway.lines)

    async def end(self, holder: asyncio.Task[None]) -> None:
        """The hub stops in order."""
        holder.cancel()
        with suppress(asyncio.CancelledError):
            await holder
        self._holders.remove(holder)

    async def kill(self, holder: asyncio.Task[None], monkeypatch: pytest.MonkeyPatch) -> None:
        """The hub dies where it stands: it gives nothing back, and its lease must end."""

        async def gone(_self: Leadership, _now: int) -> None:
            return

        with monkeypatch.context() as patch:
            patch.setattr(Leadership, "give_up", gone)
            await self.end(holder)
        await self.house.crash()

    async def alarm(self) -> str:
        return await self.house.alarm(Severity.HIGH)

    def cards(self, member: str) -> list[DingCard]:
        return [each for each in self.vendor.cards.cards.values() if each.member == member]

    def told(self, member: str) -> list[str]:
        return [each.text for each in self._received() if each.address == member]

    def _received(self) -> list[Received]:
        return self.vendor.received

    async def says(self, member: str, text: str) -> None:
        await self.vendor.write(member, text, self.house._session)
        await self.heard()

    async def press(self, member: str, words: str) -> None:
        await self.vendor.press(member, self.cards(member)[-1].id, words, self.house._session)
        await self.heard()

    async def heard(self) -> None:
        """Until the gateway was thanked for everything, and the engine has acted on it."""
        await self.gateway.until(lambda: not self.gateway.unanswered)
        await self.house.engine.rest()

    async def signatures(self, code: str) -> list[Deed]:
        await self.house.engine.rest()
        return [deed for deed in (await self.house.incident(code)).deeds if deed.verb is Verb.SIGN]

    async def ask(self) -> int:
        """Ask the vendor about the sends that are due; about how many."""
        asked = await ask_once(self.driver(), self.house.engine)
        await self.house.engine.rest()
        return asked

    async def until(self, holds: Callable[[], bool]) -> None:
        async def look() -> bool:
            await self.house.engine.rest()
            return holds()

        await eventually(look)

    async def close(self) -> None:
        for holder in list(self._holders):
            await self.end(holder)


@pytest.fixture
async def line(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Line]:
    """Nobody holds the line yet. Holders that wait do so briefly."""
    for name in ("LOOK", "FIRST_PAUSE", "LONGEST_PAUSE", "RENEW"):
        monkeypatch.setattr(module, name, 0.05)
    clock: list[House] = []

    def now() -> int:
        return clock[0].clock.now() if clock else EVENING

    vendor = DingtalkApp(KEYS, [LIN, CAO], now, templates=[TEMPLATE])
    async with (
        asyncio.timeout(20),
        listening(vendor.app()) as url,
        house_on(store, tmp_path, with_ding(url, tmp_path / "county" / "secrets")) as house,
    ):
        clock.append(house)
        made = Line(house, vendor)
        try:
            yield made
        finally:
            await made.close()
