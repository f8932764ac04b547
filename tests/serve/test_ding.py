"""The DingTalk app beside a hub of its own process: heard by the stream, killed in the middle, heard once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.vendor import listening
from tests.channels.ding import KEYS, TEMPLATE
from tests.serve.town import WORKER, Town

pytestmark = pytest.mark.timeout(120)
BAI = "BaiMujiang"
_TABLE = """
[channels.ding]
kind = "dingtalk_app"
client_id = "{client}"
client_secret = "file:secrets/ding"
base_url = "{url}"
session_url = "{url}"
form = "card"
card_template = "{template}"
inbound = "stream"
"""


@dataclass
class App:
    town: Town
    vendor: DingtalkApp
    session: aiohttp.ClientSession

    async def count(self, code: str, reason: str) -> int:
        story = await self.town.ask(f"/show/{code}")
        return [line["reason"] for line in story["lines"]].count(reason)

    async def until(self, code: str, reason: str) -> None:
        async def there() -> bool:
            return await self.count(code, reason) > 0

        await self.town.until(there, f"no {reason}")


@pytest.fixture
async def app(town: Town) -> AsyncIterator[App]:
    """The town, whose worker reads the app and is reached by nothing else."""
    vendor = DingtalkApp(KEYS, [BAI], lambda: time.time_ns() // 1_000_000, templates=[TEMPLATE])
    async with listening(vendor.app()) as url, aiohttp.ClientSession() as session:
        secret = town.config.parent / "secrets" / "ding"
        secret.write_text(KEYS[1])
        secret.chmod(0o600)
        town.edit(f'channel = "sms", address = "{WORKER}"', f'channel = "ding", address = "{BAI}"')
        town.config.write_text(town.config.read_text() + _TABLE.format(client=KEYS[0], url=url, template=TEMPLATE))
        yield App(town, vendor, session)


async def test_a_hub_killed_before_it_thanked_signs_once(app: App) -> None:
    town, vendor, gateway = app.town, app.vendor, app.vendor.gateway
    await town.start()
    async with asyncio.timeout(60):
        await gateway.until(lambda: gateway.lines)
        code = await town.raised("e1")
        await vendor.inbox.wait_for(1)
        (card,) = [each for each in vendor.cards.cards.values() if code in each.text]
        gateway.losing = True
        assert await vendor.write(BAI, f"签收 {code}", app.session) == 200
        await app.until(code, "reply_sign")
        assert gateway.unanswered
        await town.kill()
        gateway.losing = False
        await town.start()
        await gateway.until(lambda: not gateway.unanswered and gateway.lines)
        assert vendor.cards.cards[card.id] is card
        await vendor.write(BAI, f"处置 已停机 {code}", app.session)
        await app.until(code, "reply_dispose")
        assert await app.count(code, "reply_sign") == 1

        async def changed() -> bool:
            return card.replaced.endswith("已签收")

        await town.until(changed, "the card does not say who signed")
    shown = await town.run("channels")
    assert "ding  钉钉应用（dingtalk_app）" in shown.out
    assert "收不到答复" not in shown.out
