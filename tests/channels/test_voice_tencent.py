"""Tencent Cloud's calls against an account that verifies signatures, templates and limits as the vendor does."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from bot.demo.simulators.tencent_voice import TencentVoice
from bot.demo.simulators.vendor import Fault, listening
from channels.callback import Call, Errand
from channels.channel import ReceiptKind, Uplink
from channels.exchange import Answer
from channels.greeting import Standing
from channels.outcome import OutcomeKind
from channels.tc3 import signed_headers
from channels.voice.tencent import Driver
from channels.voice.tencent_settings import Settings
from tests.channels.conftest import NIGHT, Clock, a_letter
from tests.channels.faults import HTTP_FAULTS, REFUSED
from tests.channels.voice_accounts import (
    APP_ID,
    SECRET_ID,
    SECRET_KEY,
    TENCENT_INCIDENT,
    TENCENT_TEMPLATES,
    a_call,
    tencent_table,
)

VECTORS = orjson.loads((Path(__file__).parent / "vectors" / "tencent_tc3.json").read_bytes())


@dataclass
class Account:
    vendor: TencentVoice
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, table: dict[str, Any] | None = None) -> Driver:
    return Driver("vms", Settings.model_validate(table or tencent_table()), session)


@pytest.fixture
async def account(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Account]:
    vendor = TencentVoice(SECRET_ID, SECRET_KEY, APP_ID, TENCENT_TEMPLATES, clock)
    async with listening(vendor.app()) as url:
        yield Account(vendor, url, a_driver(session, tencent_table(url)))


def test_the_signature_is_that_of_the_vendors_own_library() -> None:
    case = next(each for each in VECTORS["cases"] if each["name"] == "SendTtsVoice")
    headers = signed_headers(
        action="SendTtsVoice",
        version="2020-09-02",
        region="ap-guangzhou",
        service="vms",
        host="vms.tencentcloudapi.com",
        body=case["body"].encode(),
        key_id=VECTORS["secret_id"],
        key=VECTORS["secret_key"],
        at=case["timestamp"] * 1000,
    )
    assert headers == case["headers"]


async def test_the_vendors_own_library_places_the_same_call(session: aiohttp.ClientSession) -> None:
    vendor = TencentVoice(
        SECRET_ID, SECRET_KEY, APP_ID, TENCENT_TEMPLATES, lambda: time.time_ns() // 1_000_000, limits=(0, 0, 0)
    )
    async with listening(vendor.app()) as url:
        letter = a_call(at=time.time_ns() // 1_000_000)

        def theirs(place: str) -> str:
            common, vms = importlib.import_module("tencentcloud.common"), "tencentcloud.vms.v20200902"
            profile = importlib.import_module("tencentcloud.common.profile.client_profile").ClientProfile()
            http = importlib.import_module("tencentcloud.common.profile.http_profile").HttpProfile
            profile.httpProfile = http(protocol="http", endpoint=place)
            credential = importlib.import_module(f"{common.__name__}.credential").Credential(SECRET_ID, SECRET_KEY)
            client = importlib.import_module(f"{vms}.vms_client").VmsClient(credential, "ap-guangzhou", profile)
            request = importlib.import_module(f"{vms}.models").SendTtsVoiceRequest()
            request.TemplateId, request.CalledNumber = TENCENT_INCIDENT, f"+86{letter.address}"
            request.VoiceSdkAppid, request.PlayTimes = APP_ID, 2
            request.TemplateParamSet = list(letter.parts.values())
            request.SessionContext = "A0231.1.s4"
            return str(client.SendTtsVoice(request).SendStatus.CallId)

        place = URL(url).host_port_subcomponent
        assert place is not None
        call_id = await asyncio.to_thread(theirs, place)
        assert (await a_driver(session, tencent_table(url)).send(letter)).kind is OutcomeKind.ACCEPTED
    assert vendor.calls[0].call_id == call_id
    assert orjson.loads(vendor.received[0].raw) == orjson.loads(vendor.received[1].raw)


async def test_a_call_reads_the_incident(account: Account) -> None:
    outcome = await account.driver.send(a_call())
    (call,) = account.vendor.calls
    assert (outcome.kind, outcome.vendor_id) == (OutcomeKind.ACCEPTED, call.call_id)
    assert call.phone == "+8613800138000"
    assert call.text == "值班电话：红色高高报，催办，明木家具 1号除尘器灰斗温度，编号A，0，2，3，1。签收请按1。"


async def test_landlines_are_not_called(account: Account) -> None:
    assert not account.driver.abilities.landlines
    refused = await account.driver.send(a_call(address="0571-00001234"))
    assert refused.kind is OutcomeKind.REFUSED_RECIPIENT


async def test_a_test_is_spoken_and_other_sentences_need_their_template(account: Account) -> None:
    assert (await account.driver.send(a_letter("汇总"))).kind is OutcomeKind.ACCEPTED
    assert account.vendor.calls[0].text == "值班电话，系统通知：汇总，请查看短信。"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("LimitExceeded.DeliveryFrequencyLimit", OutcomeKind.THROTTLED),
        ("InvalidParameterValue.CalledNumberVerifyFail", OutcomeKind.REFUSED_RECIPIENT),
        ("FailedOperation.TemplateIncorrectOrUnapproved", OutcomeKind.MISCONFIGURED),
        ("FailedOperation.InsufficientBalanceInVoicePackage", OutcomeKind.MISCONFIGURED),
        ("FailedOperation.ContainSensitiveWord", OutcomeKind.REFUSED_CONTENT),
        ("InternalError.AccessUpstreamTimeout", OutcomeKind.UNCERTAIN),
        ("InternalError.UpstreamError", OutcomeKind.TRANSIENT),
        ("AuthFailure.SignatureFailure", OutcomeKind.MISCONFIGURED),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", OutcomeKind.MISCONFIGURED),
        ("InvalidParameter.Other", OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_each_code_has_its_outcome(session: aiohttp.ClientSession, code: str, kind: OutcomeKind) -> None:
    body = orjson.dumps({"Response": {"Error": {"Code": code, "Message": "x"}, "RequestId": "r"}})
    assert a_driver(session).read(Answer(200, body), NIGHT).kind is kind
    named = a_driver(session, tencent_table(codes={code: "transient"}))
    assert named.read(Answer(200, body), NIGHT).kind is OutcomeKind.TRANSIENT, "the table's own word comes first"


@pytest.mark.parametrize(("fault", "kind", "taken"), [REFUSED, *HTTP_FAULTS])
async def test_each_fault_has_its_outcome(account: Account, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    account.vendor.faults.put(fault)
    outcome = await account.driver.send(a_call())
    assert (outcome.kind, len(account.vendor.calls)) == (kind, taken)


ROW = {"callid": "c-1", "mobile": "13800138000", "nationcode": "86"}


def told(driver: Driver, body: object) -> Uplink:
    heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, orjson.dumps(body)), NIGHT)
    assert orjson.loads(heard.thanks.body) == {"result": 0, "errmsg": "OK"}
    (item,) = heard.items
    assert isinstance(item, Uplink)
    return item


@pytest.mark.parametrize(
    ("body", "kind", "signs"),
    [
        ({"voiceprompt_callback": {**ROW, "result": "0"}}, ReceiptKind.ANSWERED, False),
        ({"voiceprompt_callback": {**ROW, "result": "1"}}, ReceiptKind.UNDELIVERED, False),
        ({"voiceprompt_callback": {**ROW, "result": "2"}}, ReceiptKind.UNDELIVERED, False),
        ({"voicekey_callback": {**ROW, "keypress": "1"}}, ReceiptKind.DELIVERED, True),
        ({"voicekey_callback": {**ROW, "keypress": "3"}}, ReceiptKind.ANSWERED, False),
        (
            {"voice_failure_callback": {**ROW, "failure_code": 8, "failure_reason": "空号"}},
            ReceiptKind.UNDELIVERED,
            False,
        ),
    ],
)
async def test_what_is_pushed(account: Account, body: object, kind: ReceiptKind, signs: bool) -> None:
    item = told(account.driver, body)
    assert item.call is not None
    assert (item.sender, item.call.vendor_id, item.call.kind, item.call.signs) == ("13800138000", "c-1", kind, signs)


async def test_where_no_key_can_be_pressed_answered_is_heard_and_a_key_signs_nothing(
    session: aiohttp.ClientSession,
) -> None:
    table = tencent_table(takes_keys=False)
    table["templates"][0]["text"] = table["templates"][0]["text"].replace("签收请按1", "请查看短信")
    driver = a_driver(session, table)
    end = told(driver, {"voiceprompt_callback": {**ROW, "result": "0"}}).call
    assert end is not None
    assert end.kind is ReceiptKind.DELIVERED
    key = told(driver, {"voicekey_callback": {**ROW, "keypress": "1"}}).call
    assert key is not None
    assert not key.signs


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"voiceprompt_callback":1}', b'{"voiceprompt_callback":{}}'])
async def test_rubbish_is_no_report(account: Account, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        account.driver.read_call(Call(Errand.REPORT, "POST", "", {}, body), NIGHT)


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({}, Standing.WELL),
        ({"secret_key": "wrong"}, Standing.WRONG_KEY),
        ({"app_id": "1"}, Standing.REFUSED),
    ],
)
async def test_greeting_logs_in_and_calls_nobody(
    session: aiohttp.ClientSession, change: dict[str, str], standing: Standing
) -> None:
    vendor = TencentVoice(SECRET_ID, SECRET_KEY, APP_ID, TENCENT_TEMPLATES, lambda: time.time_ns() // 1_000_000)
    async with listening(vendor.app()) as url:
        greeting = await a_driver(session, tencent_table(url, **change)).greet(time.time_ns() // 1_000_000)
    assert greeting.standing is standing
    assert vendor.calls == []
