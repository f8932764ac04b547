"""Frames of the robot's line read alone, its sealed files against the vector, and the vendor's side against an SDK."""

from __future__ import annotations

import asyncio
import base64
import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import WecomAibot, sealed
from channels.callback import Media
from channels.channel import Uplink
from channels.exchange import Answer
from channels.outcome import Outcome, OutcomeKind
from channels.registry import UnknownKindError, parse
from channels.wecom.aibot_inbound import read_frame
from channels.wecom.aibot_media import read_file, unsealed
from tests.channels.conftest import NIGHT, Clock

VECTOR = json.loads((Path(__file__).parent / "vectors" / "wecom_aibot_media.json").read_text("utf-8"))
# An untyped library, used as an oracle only.
sdk: Any = importlib.import_module("wecom_aibot_sdk")
sdk_crypto: Any = importlib.import_module("wecom_aibot_sdk.crypto")
PATIENCE = 5


def test_the_vectors_file_is_unsealed() -> None:
    cipher = bytes_of(VECTOR["cipher_base64"])
    assert unsealed(cipher, VECTOR["aeskey_base64"]) == bytes.fromhex(VECTOR["plain_hex"])
    assert unsealed(cipher, VECTOR["aeskey_base64"].rstrip("=")) == bytes.fromhex(VECTOR["plain_hex"])


def bytes_of(text: str) -> bytes:
    return base64.b64decode(text)


@given(st.binary(max_size=200), st.binary(min_size=32, max_size=32))
def test_what_the_simulator_seals_the_sdk_and_the_hub_unseal(body: bytes, key: bytes) -> None:
    shown, cipher = base64.b64encode(key).decode(), sealed(body, key)
    assert unsealed(cipher, shown) == body
    assert sdk_crypto.decrypt_file(cipher, shown) == body


@given(st.binary(max_size=300))
def test_anything_else_is_refused_and_nothing_raised(body: bytes) -> None:
    found = read_file(Answer(200, body), VECTOR["aeskey_base64"], 1000, over=False)
    assert isinstance(found, Media | Outcome)


@pytest.mark.parametrize("change", [b"", b"x" * 15])
def test_a_damaged_file_is_none(change: bytes) -> None:
    cipher = bytearray(bytes_of(VECTOR["cipher_base64"]))
    cipher[-1] ^= 1
    for body in (bytes(cipher), change or b"x" * 15):
        found = read_file(Answer(200, body), VECTOR["aeskey_base64"], 1000, over=False)
        assert isinstance(found, Outcome)
        assert found.kind is OutcomeKind.REFUSED_CONTENT


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_named = st.fixed_dictionaries(
    {},
    optional={
        "msgid": st.text(max_size=8),
        "msgtype": st.sampled_from(["text", "image", "mixed", "voice", "file", "event", "new", ""]),
        "from": st.fixed_dictionaries({"userid": st.text(max_size=5)}) | _json,
        "text": st.fixed_dictionaries({"content": st.text(max_size=20)}) | _json,
        "image": _json,
        "mixed": st.fixed_dictionaries({"msg_item": _json}) | _json,
        "quote": _json,
        "chattype": st.sampled_from(["single", "group"]),
        "event": st.fixed_dictionaries({"eventtype": st.sampled_from(["enter_chat", "template_card_event", "x"])})
        | _json,
    },
)


@given(
    st.fixed_dictionaries(
        {"cmd": st.sampled_from(["aibot_msg_callback", "aibot_event_callback", "x"]), "body": _named | _json},
        optional={"headers": _json},
    )
)
def test_whatever_comes_is_read_or_kept_and_never_raises(frame: dict[str, Any]) -> None:
    found = read_frame("bot", frame, NIGHT)
    uplinks = [item for item in found.heard.items if isinstance(item, Uplink)]
    for each in uplinks:
        assert each.message_id
        assert each.sender
        assert each.message_id.isprintable()
    body = frame["body"]
    silent = isinstance(body, dict) and isinstance(body.get("event"), dict)
    assert uplinks or found.heard.unreadable or silent


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"url": "https://openws.work.weixin.qq.com"}, "wss://"),
        ({"per_minute": 4, "reserve": 4}, "reserve"),
        ({"per_minute": 31}, "30"),
        ({"form": "text"}, "card"),
        ({"bot_id": "有空 格"}, "bot_id"),
        ({"text_bytes": 20_481}, "20480"),
    ],
)
def test_settings_that_cannot_work_are_refused(table: dict[str, Any], said: str) -> None:
    whole = {"kind": "wecom_aibot", "bot_id": "demo-bot-0001", "secret": "fake", **table}
    with pytest.raises((ValueError, UnknownKindError), match=said):
        parse("bot", whole)


async def test_the_sdk_subscribes_receives_answers_and_sends(clock: Clock) -> None:
    vendor = WecomAibot("demo-bot-0001", "fake-secret", clock, ["zhangsan"])
    async with listening(vendor.app()) as url:
        vendor.url = url.replace("http", "ws")
        client = sdk.WSClient({"bot_id": "demo-bot-0001", "secret": "fake-secret", "ws_url": vendor.url})
        came: asyncio.Queue[Any] = asyncio.Queue()
        for kind in ("message.text", "message.image", "event.enter_chat", "event.template_card_event"):
            client.on(kind, came.put)
        async with asyncio.timeout(PATIENCE):
            await client.connect_async()
            await vendor.standing.wait()
            await vendor.write("zhangsan", "签收 A0231")
            frame = await came.get()
            assert frame.body["text"]["content"] == "签收 A0231"
            await client.reply_stream(frame, "s1", "已签收", finish=True)
            assert vendor.answers[0]["content"] == "已签收"
            body = {"msgtype": "markdown", "markdown": {"content": "**红色** A0231"}}
            # The SDK names no kind of chat; the vendor finds it by itself.
            await client.send_message("zhangsan", {**body, "chat_type": 0})
            with pytest.raises(RuntimeError, match="93006"):
                await client.send_message("lisi", {**body, "chat_type": 0})
            await vendor.enter("zhangsan")
            await client.reply_welcome(await came.get(), {"msgtype": "text", "text": {"content": "您好"}})
            assert len(vendor.welcomes) == 1
            await vendor.send_picture("zhangsan", b"\xff\xd8\xffpicture")
            image = (await came.get()).body["image"]
            assert (await client.download_file(image["url"], image["aeskey"]))[0] == b"\xff\xd8\xffpicture"
            await client.disconnect()
        assert [each.text for each in vendor.received] == ["已签收", "**红色** A0231", "您好"]
