"""Whatever a vendor writes back, and however: an outcome, never an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.channel import Channel, Letter
from channels.exchange import Answer
from channels.outcome import Outcome, OutcomeKind
from channels.registry import open_channel, parse
from tests.channels import tencent_account, test_mas, voice_accounts
from tests.channels.aliyun_account import table as aliyun_table
from tests.channels.conftest import NIGHT, a_letter, raw_vendor

SECRET = "whsec_Y2FuYXJ5LTMxMzM3LWNhbmFyeQ=="
TABLES: dict[str, dict[str, Any]] = {
    "wecom_robot": {"key": SECRET, "readers": ["town"], "base_url": "http://127.0.0.1:{port}"},
    "wecom_app": {
        "corpid": "wwdemo0000000001",
        "agentid": 1,
        "secret": SECRET,
        "base_url": "http://127.0.0.1:{port}",
    },
    "dingtalk_robot": {
        "token": SECRET,
        "secret": "SECfake",
        "readers": ["town"],
        "base_url": "http://127.0.0.1:{port}",
    },
    "dingtalk_app": {"client_id": "dingdemo", "client_secret": SECRET, "base_url": "http://127.0.0.1:{port}"},
    "dingtalk_app_group": {
        "client_id": "dingdemo",
        "client_secret": SECRET,
        "conversation": "cidDEMO==",
        "readers": ["town"],
        "base_url": "http://127.0.0.1:{port}",
    },
    "feishu_robot": {"hook": SECRET, "readers": ["town"], "base_url": "http://127.0.0.1:{port}"},
    "sms_aliyun": aliyun_table("http://127.0.0.1:{port}", access_key_secret=SECRET),
    "sms_kannel": {"url": "http://127.0.0.1:{port}/cgi-bin/sendsms", "username": "u", "password": SECRET},
    "sms_mas": test_mas.table("http://127.0.0.1:{port}", secret_key=SECRET),
    "sms_tencent": tencent_account.table("http://127.0.0.1:{port}", secret_key=SECRET),
    "voice_aliyun": voice_accounts.aliyun_table("http://127.0.0.1:{port}", access_key_secret=SECRET),
    "voice_tencent": voice_accounts.tencent_table("http://127.0.0.1:{port}", secret_key=SECRET),
    "webhook": {
        "url": "http://127.0.0.1:{port}/",
        "secrets": [SECRET],
        "allow_hosts": ["127.0.0.1"],
    },
    "smtp_mail": {"host": "127.0.0.1", "port": 1, "security": "none", "sender": "fenghuo@example.com", "timeout": 20.0},
}
HTTP_KINDS = [kind for kind in TABLES if kind != "smtp_mail"]

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=20) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errcode", "errmsg", "Code", "Message", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
bodies = (
    st.binary(max_size=120)
    | values.map(orjson.dumps)
    | st.sampled_from(
        [
            b"",
            b"0:",
            b"0",
            b"3:",
            b"[]",
            b"null",
            b'{"errcode":0',
            b'{"errcode":true}',
            b'{"errcode":"0"}',
            b'{"errcode":0.0}',
            b'{"Code":"OK"',
            b'{"Code":"OK","BizId":7}',
            b'{"Code":"","Message":[]}',
            b'{"Code":["OK"]}',
            b"\xef\xbb\xbf{}",
        ]
    )
)


def channel(kind: str, session: aiohttp.ClientSession, port: int = 9) -> Channel:
    table = {
        name: value.replace("{port}", str(port)) if isinstance(value, str) else value
        for name, value in TABLES[kind].items()
    }
    if kind == "smtp_mail":
        table["port"] = port
    return open_channel("any", parse("any", {**table, "kind": kind, "timeout": 20.0}), session)


ADDRESSES = {"wecom_app": "zhangsan", "dingtalk_app": "user123", "smtp_mail": "zhang@example.com"}


def letter_for(kind: str) -> Letter:
    number = "13800138000" if kind.startswith(("sms_", "voice_")) else ""
    return a_letter(address=ADDRESSES.get(kind, number), subject="[A0231]")


def in_a_loop(work: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            await work(session)

    asyncio.run(main())


@pytest.mark.parametrize("kind", [each for each in HTTP_KINDS if not each.startswith("dingtalk_app")])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status=st.integers(100, 599), body=bodies, header=st.text(max_size=40))
async def test_any_whole_answer_is_an_outcome(
    kind: str, status: int, body: bytes, header: str, session: aiohttp.ClientSession
) -> None:
    driver: Any = channel(kind, session)
    answer = Answer(status, body, header)
    outcome = driver.read(answer, NIGHT, "zhangsan") if kind == "wecom_app" else driver.read(answer, NIGHT)
    assert isinstance(outcome, Outcome)
    assert SECRET not in repr(outcome)
    if outcome.kind is OutcomeKind.ACCEPTED and kind in ("wecom_robot", "wecom_app", "dingtalk_robot"):
        assert orjson.loads(body)["errcode"] == 0
    if outcome.kind is OutcomeKind.ACCEPTED and kind in ("sms_aliyun", "voice_aliyun"):
        assert orjson.loads(body)["Code"] == "OK"
    if outcome.kind is OutcomeKind.THROTTLED:
        assert outcome.retry_after is not None
        assert 0 <= outcome.retry_after <= 3600


@pytest.mark.parametrize("kind", TABLES)
@settings(deadline=None, max_examples=40)
@given(
    start=st.sampled_from(
        [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"220 hello\r\n", b"220-"]
    ),
    rest=st.binary(max_size=200),
)
def test_any_bytes_on_the_wire_are_an_outcome(kind: str, start: bytes, rest: bytes) -> None:
    async def send(session: aiohttp.ClientSession) -> None:
        async with raw_vendor(start + rest, first=kind == "smtp_mail") as (port, _seen):
            driver = channel(kind, session, port)
            outcome = await driver.send(letter_for(kind))
            await driver.close()
        assert isinstance(outcome, Outcome)
        assert SECRET not in repr(outcome)

    in_a_loop(send)


@pytest.mark.parametrize("kind", HTTP_KINDS)
@settings(deadline=None, max_examples=60)
@given(
    text=st.text(max_size=100),
    address=st.text(max_size=40),
    subject=st.text(max_size=40),
    letter_id=st.text(max_size=30),
)
def test_any_letter_is_an_outcome(kind: str, text: str, address: str, subject: str, letter_id: str) -> None:
    async def send(session: aiohttp.ClientSession) -> None:
        driver = channel(kind, session)
        outcome = await driver.send(a_letter(text, address=address, subject=subject, id=letter_id))
        assert outcome.kind is not OutcomeKind.ACCEPTED

    in_a_loop(send)
