"""Alibaba Cloud SMS against an account that verifies signatures, templates and limits as the vendor does."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from bot.demo.simulators.aliyun import AliyunSms
from bot.demo.simulators.vendor import Fault, listening
from channels.acs3 import canonical_query, signed_headers
from channels.channel import ReceiptKind
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.sms.aliyun import Driver
from channels.sms.aliyun_settings import Settings
from tests.channels.aliyun_account import KEY_ID, KEY_SECRET, SENTENCE, TEMPLATES, a_notice, table
from tests.channels.conftest import NIGHT, Clock

DAY = 86_400_000


@dataclass
class Account:
    vendor: AliyunSms
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, endpoint: str = "https://example.invalid", **other: object) -> Driver:
    return Driver("cloud", Settings.model_validate(table(endpoint, **other)), session)


@pytest.fixture
async def account(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Account]:
    vendor = AliyunSms(KEY_ID, KEY_SECRET, ("青河应急",), TEMPLATES, clock)
    async with listening(vendor.app()) as url:
        yield Account(vendor, url, a_driver(session, url))


SENT = {
    "OutId": "A-0001",
    "PhoneNumbers": "13800138000",
    "SignName": "应急平台",
    "SmsUpExtendCode": "90999",
    "TemplateCode": "SMS_123456789",
    "TemplateParam": '{"level":"红色","site":"一号井"}',
}
ASKED = {
    "BizId": "900619746936498440^0",
    "CurrentPage": "1",
    "PageSize": "10",
    "PhoneNumber": "13800138000",
    "SendDate": "20261121",
}


@pytest.mark.parametrize(
    ("action", "query", "signature"),
    [
        ("SendSms", SENT, "16c650e71780dd26ddda04ca4ed9bd5bad1d4acdcd374c3bb42df9c5ca4427ed"),
        ("QuerySendDetails", ASKED, "ca5c42cfec9a2c91493b5d8b06307416441b8ad6fbfdf8dd80497f5e60dacf44"),
    ],
)
def test_signatures_are_those_of_the_vendors_own_library(action: str, query: dict[str, str], signature: str) -> None:
    headers = signed_headers(
        action=action,
        version="2017-05-25",
        host="dysmsapi.aliyuncs.com",
        query=query,
        key_id="testId",
        key_secret="testSecret",
        at=1_795_219_200_000,
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert headers["x-acs-date"] == "2026-11-21T00:00:00Z"
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    assert headers["authorization"] == (
        f"ACS3-HMAC-SHA256 Credential=testId,SignedHeaders={names},Signature={signature}"
    )


def test_what_is_signed_is_what_leaves() -> None:
    encoded = canonical_query({"b": "一 号*~/+", "a": ""})
    assert encoded == "a=&b=%E4%B8%80%20%E5%8F%B7%2A~%2F%2B"
    assert URL("http://h/?" + encoded, encoded=True).raw_query_string == encoded


def _library(name: str) -> Any:
    """A module of the vendor's library, which says nothing of its types."""
    return importlib.import_module(f"alibabacloud_{name}")


async def test_the_vendors_own_library_is_let_in_by_the_same_account() -> None:
    vendor = AliyunSms(KEY_ID, KEY_SECRET, ("青河应急",), TEMPLATES, lambda: time.time_ns() // 1_000_000)
    async with listening(vendor.app()) as url:
        place = URL(url).host_port_subcomponent
        client, models = (_library(f"dysmsapi20170525.{part}") for part in ("client", "models"))
        config = _library("tea_openapi.models").Config(
            access_key_id=KEY_ID, access_key_secret=KEY_SECRET, endpoint=place, protocol="http"
        )
        param = orjson.dumps({"a": "红色 *~+ 井", "b": "无", "c": "无"}).decode()
        request = models.SendSmsRequest(
            phone_numbers="13800138000", sign_name="青河应急", template_code=SENTENCE, template_param=param
        )
        answer = await client.Client(config).send_sms_async(request)
    assert answer.body.code == "OK"
    assert vendor.received[0].text == "【青河应急】预警系统消息：红色 *~+ 井，无，无。"


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"access_key_secret": "wrong"}, OutcomeKind.MISCONFIGURED, "SignatureDoesNotMatch"),
        ({"access_key_id": "unknown"}, OutcomeKind.MISCONFIGURED, "InvalidAccessKeyId.NotFound"),
        ({"signature": "别的签名"}, OutcomeKind.MISCONFIGURED, "isv.SMS_SIGNATURE_ILLEGAL"),
    ],
)
async def test_wrong_keys_and_signatures_are_misconfigured(
    session: aiohttp.ClientSession, account: Account, change: dict[str, str], kind: OutcomeKind, code: str
) -> None:
    outcome = await a_driver(session, account.url, **change).send(a_notice())
    assert (outcome.kind, outcome.detail.split()[0]) == (kind, code)
    assert account.vendor.received == []


@pytest.mark.parametrize(
    ("code", "words", "kind", "rest"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", OutcomeKind.THROTTLED, 60.0),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", OutcomeKind.THROTTLED, 3600.0),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", OutcomeKind.THROTTLED, 3600.0),
        ("isv.BUSINESS_LIMIT_CONTROL", "", OutcomeKind.THROTTLED, 60.0),
        ("isv.DAY_LIMIT_CONTROL", "", OutcomeKind.MISCONFIGURED, None),
        ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足", OutcomeKind.MISCONFIGURED, None),
        ("isv.MOBILE_NUMBER_ILLEGAL", "", OutcomeKind.REFUSED_RECIPIENT, None),
        ("isv.SMS_TEMPLATE_ILLEGAL", "", OutcomeKind.MISCONFIGURED, None),
        ("isv.PARAM_LENGTH_LIMIT", "", OutcomeKind.REFUSED_CONTENT, None),
        ("isv.BLACK_KEY_CONTROL_LIMIT", "", OutcomeKind.REFUSED_CONTENT, None),
        ("isv.SOMETHING_NEW", "", OutcomeKind.REFUSED_CONTENT, None),
        ("isp.SYSTEM_ERROR", "", OutcomeKind.TRANSIENT, None),
        ("isp.SOMETHING_NEW", "", OutcomeKind.TRANSIENT, None),
        ("Something.New", "", OutcomeKind.MISCONFIGURED, None),
        ("isp.RAM_PERMISSION_DENY", "", OutcomeKind.MISCONFIGURED, None),
        ("Throttling.User", "", OutcomeKind.TRANSIENT, None),
        ("Forbidden.RAM", "", OutcomeKind.MISCONFIGURED, None),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_each_code_has_its_outcome_whatever_the_status(
    session: aiohttp.ClientSession, code: str, words: str, kind: OutcomeKind, rest: float | None, status: int
) -> None:
    body = orjson.dumps({"Code": code, "Message": words, "RequestId": "r"})
    outcome = a_driver(session).read(Answer(status, body), NIGHT)
    assert (outcome.kind, outcome.retry_after) == (kind, rest)
    assert outcome.detail == f"{code} {words}".strip()


async def test_the_numbers_minute_and_the_day_are_the_vendors(account: Account, clock: Clock) -> None:
    assert (await account.driver.send(a_notice())).kind is OutcomeKind.ACCEPTED
    outcome = await account.driver.send(a_notice(at=clock.at))
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.THROTTLED, 60.0)
    assert (await account.driver.send(a_notice(address="13900139000"))).kind is OutcomeKind.ACCEPTED
    clock.at += 60_000
    assert (await account.driver.send(a_notice(at=clock.at))).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(("fault", "sends"), [(Fault.DROP_AFTER, 1), (Fault.DROP_BEFORE, 1), (Fault.HALF_BODY, 1)])
async def test_a_lost_answer_is_settled_by_asking_not_by_sending_again(
    account: Account, clock: Clock, fault: Fault, sends: int
) -> None:
    account.vendor.faults.put(fault)
    await account.driver.send(a_notice())
    clock.at += 60_000
    again = await account.driver.send(a_notice(at=clock.at, repeat=True))
    assert again.kind is OutcomeKind.ACCEPTED
    assert len(account.vendor.sent) == sends
    assert ("没有重发" in again.detail) is (fault is not Fault.DROP_BEFORE)


async def test_an_earlier_try_of_yesterday_is_found_too(account: Account, clock: Clock) -> None:
    await account.driver.send(a_notice())
    clock.at += DAY
    again = await account.driver.send(a_notice(at=clock.at, repeat=True))
    assert "没有重发" in again.detail
    assert account.vendor.queries == 2


async def test_an_earlier_try_that_failed_at_the_carrier_goes_another_way(
    account: Account, clock: Clock, session: aiohttp.ClientSession
) -> None:
    async with aiohttp.ClientSession() as other:
        await account.driver.send(a_notice())
        account.vendor.report_url = account.url
        await account.vendor.report(0, other, failure="MK:0001")
    again = await account.driver.send(a_notice(repeat=True))
    assert again.kind is OutcomeKind.REFUSED_RECIPIENT
    assert "MK:0001" in again.detail
    assert len(account.vendor.sent) == 1


async def test_it_is_found_behind_a_page_of_others(account: Account, clock: Clock) -> None:
    account.vendor.limits = (0, 0, 0)
    await account.driver.send(a_notice(id="first"))
    for number in range(60):
        await account.driver.send(a_notice(id=f"n{number}"))
    again = await account.driver.send(a_notice(id="first", repeat=True))
    assert "没有重发" in again.detail
    assert len(account.vendor.sent) == 61


async def test_abilities_say_what_comes_back(session: aiohttp.ClientSession) -> None:
    abilities = a_driver(session).abilities
    assert [(each.count, each.per) for each in abilities.windows] == [(6, 60), (20, 3600), (40, 86_400)]
    assert abilities.reserve == 10
    assert abilities.receipts == {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}
    assert abilities.replies
    assert abilities.personal
    assert not abilities.links
    deaf = a_driver(session, callback_token="", per_minute=0, per_hour=50).abilities
    assert (deaf.receipts, deaf.replies) == (frozenset(), False)
    assert [(each.count, each.per) for each in deaf.windows] == [(50, 3600), (40, 86_400)]
    assert not a_driver(session, uplink=False).abilities.replies
