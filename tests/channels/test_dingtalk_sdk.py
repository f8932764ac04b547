"""The vendor's own stream client talks to our gateway: it connects, gets a message and a press, and answers them."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.vendor import listening
from tests.channels.conftest import Clock
from tests.channels.ding import KEYS

dingtalk_stream: Any = importlib.import_module("dingtalk_stream")
Heard = list[dict[str, Any]]


def client_of(heard: Heard, keys: tuple[str, str] = KEYS) -> Any:
    """The vendor's client with handlers that keep what they were given."""

    def handler(read: Callable[[dict[str, Any]], Any]) -> Any:
        async def process(_: Any, callback: Any) -> tuple[int, str]:
            heard.append(read(callback.data).to_dict())
            return dingtalk_stream.AckMessage.STATUS_OK, "OK"

        return type("Handler", (dingtalk_stream.CallbackHandler,), {"process": process})()

    client = dingtalk_stream.DingTalkStreamClient(dingtalk_stream.Credential(*keys), logging.getLogger("sdk"))
    chat, press = dingtalk_stream.ChatbotMessage, dingtalk_stream.CardCallbackMessage
    client.register_callback_handler(chat.TOPIC, handler(chat.from_dict))
    client.register_callback_handler(dingtalk_stream.Card_Callback_Router_Topic, handler(press.from_dict))
    # It would look for its own address by asking the network.
    client.get_host_ip = lambda: "192.0.2.10"
    return client


@asynccontextmanager
async def at_work(client: Any) -> AsyncIterator[None]:
    """The client connected: its ticket is asked for beside the loop that serves it."""
    connection = await asyncio.to_thread(client.open_connection)
    client.open_connection = lambda: connection
    task = asyncio.create_task(client.start())
    try:
        yield
    finally:
        if client.websocket is not None:
            await client.websocket.close()
        # It takes a cancellation for a broken network and goes on: what it waits for then is what ends it.
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def vendor(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DingtalkApp]:
    made = DingtalkApp(KEYS, ["user123"], clock)
    async with asyncio.timeout(9), listening(made.app()) as url:
        monkeypatch.setattr(
            dingtalk_stream.DingTalkStreamClient, "OPEN_CONNECTION_API", f"{url}/v1.0/gateway/connections/open"
        )
        yield made


async def test_the_vendors_client_gets_a_message_and_a_press_and_answers(
    vendor: DingtalkApp, session: aiohttp.ClientSession
) -> None:
    heard: Heard = []
    async with at_work(client_of(heard)):
        gateway = vendor.gateway
        await gateway.until(lambda: gateway.lines)
        message = vendor.message("user123", "text", text={"content": " 签收 A0231 "})
        await vendor.say(message, session)
        await vendor.press_code("user123", "A0231@x@1", "sign.abc", session)
        await gateway.until(lambda: len(gateway.answered) == 2)
        assert gateway.unanswered == {}
        first, second = heard
        assert (first["msgId"], first["text"]) == (message["msgId"], {"content": " 签收 A0231 "})
        assert (second["outTrackId"], second["userId"]) == ("A0231@x@1", "user123")
        assert json.loads(second["content"])["cardPrivateData"]["params"] == {"code": "sign.abc"}
        ping = await gateway.ping()
        (line,) = gateway.lines
        await gateway.until(lambda: ping in line.answers)


async def test_the_vendors_client_reads_pictures_and_rich_text_as_we_send_them(
    vendor: DingtalkApp, session: aiohttp.ClientSession
) -> None:
    heard: Heard = []
    async with at_work(client_of(heard)):
        await vendor.gateway.until(lambda: vendor.gateway.lines)
        await vendor.send_picture("user123", b"\xff\xd8\xff", session)
        rich = {"richText": [{"text": "A0231 现场"}, {"type": "picture", "downloadCode": "code-2"}]}
        await vendor.say(vendor.message("user123", "richText", content=rich), session)
        await vendor.gateway.until(lambda: len(vendor.gateway.answered) == 2)
        assert heard[0]["content"]["downloadCode"]
        assert dingtalk_stream.ChatbotMessage.from_dict(heard[1]).get_image_list() == ["code-2"]


async def test_the_gateway_refuses_the_vendors_client_a_wrong_key(vendor: DingtalkApp) -> None:
    assert await asyncio.to_thread(client_of([], keys=(KEYS[0], "wrong")).open_connection) is None
    opened = await asyncio.to_thread(client_of([]).open_connection)
    assert opened["ticket"]
