"""The DingTalk app by HTTP on a running hub: a secret path, a signature over the time alone, and cards without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import orjson
import pytest

from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.vendor import listening
from bot.settings.load import load
from channels.callback import Errand, callback_path
from escalation.vocabulary import Verb
from tests.channels.ding import KEYS, TEMPLATE
from tests.demo.house import DUST, House

TOKEN = "fake-callback-token-0058"
LIN = "LinAnquan"
_TABLE = """
[channels.web-ding]
kind = "dingtalk_app"
client_id = "{client}"
client_secret = "file:secrets/web-ding"
base_url = "{url}"
form = "card"
card_template = "{template}"
card_route = "fenghuo"
inbound = "http"
callback_token = "file:secrets/web-ding-callback"
callback_addresses = ["127.0.0.1"]
"""


@dataclass
class Door:
    house: House
    vendor: DingtalkApp

    async def signatures(self, code: str) -> list[str]:
        await self.house.engine.rest()
        return [deed.person for deed in (await self.house.incident(code)).deeds if deed.verb is Verb.SIGN]


@pytest.fixture
async def door(house: House) -> AsyncIterator[Door]:
    """The demo's county, in which one more person is reached by an app that is heard by HTTP."""
    path = callback_path("web-ding", TOKEN, Errand.UPLINK)
    clock = house.demo.clock
    vendor = DingtalkApp(KEYS, [LIN], clock.now, templates=[TEMPLATE], callback_url=house.demo.url + path)
    async with asyncio.timeout(20), listening(vendor.app()) as url:
        config, secrets = house.demo.folder / "config.toml", house.demo.folder / "secrets"
        for name, content in (("web-ding", KEYS[1]), ("web-ding-callback", TOKEN)):
            (secrets / name).write_text(content)
            (secrets / name).chmod(0o600)
        text = config.read_text("utf-8").replace(
            '{ channel = "sms", address = "13800130003" }',
            f'{{ channel = "web-ding", address = "{LIN}" }}, {{ channel = "sms", address = "13800130003" }}',
        )
        config.write_text(text + _TABLE.format(client=KEYS[0], url=url, template=TEMPLATE), "utf-8")
        loaded = load(config)
        assert loaded.settings is not None, loaded.errors
        house.demo.hub.reload(loaded.settings)
        yield Door(house, vendor)


@pytest.mark.timeout(30)
async def test_words_and_presses_come_by_http(door: Door) -> None:
    house, vendor = door.house, door.vendor
    code = await house.post("alarm.raised", DUST)
    await house.engine.rest()
    said = vendor.message(LIN, "text", text={"content": f"签收 {code}"})
    (card,) = vendor.cards.cards.values()
    assert await vendor.press(LIN, card.id, "误报", house.session) == 200
    await house.until(code, lambda found: bool(found.requests))
    for _ in range(2):
        assert await vendor.say(said, house.session) == 200
    # The hub's own worker may have the answer in its hand.
    await house.until(code, lambda found: any(deed.verb is Verb.SIGN for deed in found.deeds))
    assert await door.signatures(code) == ["lin"]


@pytest.mark.timeout(30)
async def test_whoever_lacks_the_path_or_the_signature_is_not_heard(door: Door) -> None:
    house, vendor = door.house, door.vendor
    code = await house.post("alarm.raised", DUST)
    await house.engine.rest()
    said = orjson.dumps(vendor.message(LIN, "text", text={"content": f"签收 {code}"}))
    path = callback_path("web-ding", "wrong-token-of-some-length", Errand.UPLINK)
    async with house.session.post(house.demo.url + path, data=said) as response:
        assert response.status == 404
    for headers in ({}, {"timestamp": str(house.demo.clock.now()), "sign": "AAAA"}):
        async with house.session.post(vendor.callback_url, data=said, headers=headers) as response:
            assert response.status == 400
    card = next(iter(vendor.cards.cards.values()))
    assert await vendor.press_code(LIN, card.id, "sign.AAAAAAAAAAAAAAAAAAAAAA", house.session) == 200
    async with aiohttp.ClientSession() as other:
        assert await vendor.press_code("SomebodyElse", card.id, card.code("签收"), other) == 200
    assert await door.signatures(code) == []
