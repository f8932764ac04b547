"""Tencent Cloud SMS against an account that verifies signatures, templates and limits as the vendor does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import ValidationError

from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import Fault, listening
from channels.channel import Letter, ReceiptKind
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.sms.tencent import Driver
from channels.sms.tencent_settings import Settings
from channels.tc3 import signature, signed_headers
from tests.channels.aliyun_account import a_notice
from tests.channels.conftest import NIGHT, Clock, a_letter
from tests.channels.tencent_account import APP_ID, SECRET_ID, SECRET_KEY, TEMPLATES, table

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "tencent_tc3.json").read_bytes())


@dataclass
class Account:
    vendor: TencentSms
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, endpoint: str = "https://example.invalid", **other: object) -> Driver:
    return Driver("tencent", Settings.model_validate(table(endpoint, **other)), session)


@pytest.fixture
async def account(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Account]:
    vendor = TencentSms(SECRET_ID, SECRET_KEY, APP_ID, ("青河应急",), TEMPLATES, clock)
    async with listening(vendor.app()) as url:
        yield Account(vendor, url, a_driver(session, url))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["name"]))
def test_signatures_are_those_of_the_vendors_own_library(case: dict[str, Any]) -> None:
    host, kind = ("cvm.tencentcloudapi.com", "application/json; charset=utf-8")
    if "headers" in case:
        host, kind = case["headers"]["Host"], case["headers"]["Content-Type"]
    key = case.get("secret_key", VECTORS["secret_key"])
    made = signature(
        service=case["service"], host=host, body=case["body"].encode(), key=key, at=case["timestamp"], content_type=kind
    )
    assert made == case["signature"]


def test_a_call_carries_the_headers_of_the_vendors_own_library() -> None:
    case = VECTORS["cases"][0]
    made = signed_headers(
        action="SendSms",
        version="2021-01-11",
        region="ap-guangzhou",
        service="sms",
        host="sms.tencentcloudapi.com",
        body=case["body"].encode(),
        key_id=VECTORS["secret_id"],
        key=VECTORS["secret_key"],
        at=case["timestamp"] * 1000 + 999,
    )
    assert made == case["headers"]


async def test_each_message_has_an_extension_of_its_own_where_digits_were_bought(
    session: aiohttp.ClientSession, account: Account, clock: Clock
) -> None:
    driver = a_driver(session, account.url, extend_code="90", extend_digits=6)
    account.vendor.limits = (0, 0, 0)
    for identity in ("A0231.1.s3-remind.abc", "W123456.1.s1-raised.abc", "digest.0"):
        await driver.send(a_notice(id=identity))
    assert [each.extension for each in account.vendor.sent] == ["90100231", "90000000", "90000000"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"secret_id": "unknown"}, "AuthFailure.SecretIdNotFound"),
        ({"app_id": "1400000001"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        ({"signature": "别的签名"}, "FailedOperation.SignatureIncorrectOrUnapproved"),
    ],
)
async def test_wrong_keys_and_signatures_are_misconfigured(
    session: aiohttp.ClientSession, account: Account, change: dict[str, str], code: str
) -> None:
    outcome = await a_driver(session, account.url, **change).send(a_notice())
    assert (outcome.kind, outcome.detail.split()[0]) == (OutcomeKind.MISCONFIGURED, code)
    assert account.vendor.received == []


@pytest.mark.parametrize(
    ("code", "kind", "rest"),
    [
        ("LimitExceeded.PhoneNumberThirtySecondLimit", OutcomeKind.THROTTLED, 30.0),
        ("LimitExceeded.PhoneNumberOneHourLimit", OutcomeKind.THROTTLED, 3600.0),
        ("LimitExceeded.PhoneNumberDailyLimit", OutcomeKind.THROTTLED, 3600.0),
        ("LimitExceeded.DeliveryFrequencyLimit", OutcomeKind.THROTTLED, 60.0),
        ("LimitExceeded.PhoneNumberSameContentDailyLimit", OutcomeKind.REFUSED_CONTENT, None),
        ("LimitExceeded.AppDailyLimit", OutcomeKind.MISCONFIGURED, None),
        ("FailedOperation.InsufficientBalanceInSmsPackage", OutcomeKind.MISCONFIGURED, None),
        ("FailedOperation.PhoneNumberInBlacklist", OutcomeKind.REFUSED_RECIPIENT, None),
        ("FailedOperation.ContainSensitiveWord", OutcomeKind.REFUSED_CONTENT, None),
        ("InvalidParameterValue.IncorrectPhoneNumber", OutcomeKind.REFUSED_RECIPIENT, None),
        ("InvalidParameterValue.ContentLengthLimit", OutcomeKind.REFUSED_CONTENT, None),
        ("UnauthorizedOperation.SerivceSuspendDueToArrears", OutcomeKind.MISCONFIGURED, None),
        ("InternalError.SendAndRecvFail", OutcomeKind.TRANSIENT, None),
        ("InternalError.Timeout", OutcomeKind.UNCERTAIN, None),
        ("RequestLimitExceeded", OutcomeKind.TRANSIENT, None),
        ("SomethingNew", OutcomeKind.MISCONFIGURED, None),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("whole", [True, False])
async def test_each_code_has_its_outcome_whatever_the_status_and_wherever_it_stands(
    session: aiohttp.ClientSession, code: str, kind: OutcomeKind, rest: float | None, status: int, whole: bool
) -> None:
    said = {"Code": code, "Message": "words"}
    body = orjson.dumps({"Response": {"Error": said} if whole else {"SendStatusSet": [said]}})
    outcome = a_driver(session).read(Answer(status, body), NIGHT)
    assert (outcome.kind, outcome.retry_after, outcome.detail) == (kind, rest, f"{code} words")


async def test_the_table_may_say_otherwise_of_a_code(session: aiohttp.ClientSession) -> None:
    body = orjson.dumps({"Response": {"Error": {"Code": "FailedOperation.PhoneNumberInBlacklist", "Message": ""}}})
    driver = a_driver(session, codes={"FailedOperation.PhoneNumberInBlacklist": "misconfigured"})
    assert driver.read(Answer(200, body), NIGHT).kind is OutcomeKind.MISCONFIGURED


async def test_the_numbers_half_minute_and_hour_are_the_vendors(account: Account, clock: Clock) -> None:
    assert (await account.driver.send(a_notice())).kind is OutcomeKind.ACCEPTED
    outcome = await account.driver.send(a_notice(at=clock.at))
    assert (outcome.kind, outcome.retry_after) == (OutcomeKind.THROTTLED, 30.0)
    assert (await account.driver.send(a_notice(address="13900139000"))).kind is OutcomeKind.ACCEPTED
    clock.at += 30_000
    assert (await account.driver.send(a_notice(at=clock.at))).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (a_notice(address="张三"), OutcomeKind.REFUSED_RECIPIENT),
        (a_notice(address="02584000000"), OutcomeKind.REFUSED_RECIPIENT),
        (a_notice(address="+13800"), OutcomeKind.REFUSED_RECIPIENT),
        (a_letter(""), OutcomeKind.REFUSED_CONTENT),
        (a_letter("见 https://evil.example.com/a"), OutcomeKind.REFUSED_CONTENT),
        (a_notice(parts={"place": "www.example.com"}), OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_what_cannot_be_sent_says_so(account: Account, letter: Letter, kind: OutcomeKind) -> None:
    assert (await account.driver.send(letter)).kind is kind
    assert account.vendor.received == []


@pytest.mark.parametrize(("failure", "kind"), [("", OutcomeKind.ACCEPTED), ("空号", OutcomeKind.REFUSED_RECIPIENT)])
async def test_a_lost_answer_is_settled_by_asking_not_by_sending_again(
    account: Account, clock: Clock, failure: str, kind: OutcomeKind
) -> None:
    account.vendor.faults.put(Fault.DROP_AFTER)
    await account.driver.send(a_notice())
    account.vendor.fate(0, failure)
    clock.at += 60_000
    again = await account.driver.send(a_notice(at=clock.at, repeat=True))
    assert (again.kind, len(account.vendor.sent), account.vendor.queries) == (kind, 1, 1)


async def test_what_the_vendor_does_not_know_is_sent_again(account: Account, clock: Clock) -> None:
    account.vendor.limits = (0, 0, 0)
    await account.driver.send(a_notice(id="another"))
    account.vendor.fate(0)
    account.vendor.faults.put(Fault.DROP_BEFORE)
    await account.driver.send(a_notice())
    again = await account.driver.send(a_notice(at=clock.at, repeat=True))
    assert (again.kind, [each.context for each in account.vendor.sent]) == (
        OutcomeKind.ACCEPTED,
        ["another", "A0231-n17"],
    )


async def test_an_account_that_may_not_ask_sends_again(session: aiohttp.ClientSession, account: Account) -> None:
    driver = a_driver(session, account.url, ask_first=False)
    assert (await driver.send(a_notice(repeat=True))).kind is OutcomeKind.ACCEPTED
    assert account.vendor.queries == 0


async def test_abilities_say_what_comes_back(session: aiohttp.ClientSession) -> None:
    abilities = a_driver(session).abilities
    assert abilities.receipts == {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}
    assert abilities.replies
    assert abilities.personal
    assert abilities.reports_by_id
    assert not abilities.links
    deaf = a_driver(session, callback_token="", uplink=False).abilities
    assert (deaf.receipts, deaf.replies) == (frozenset(), False)


GOOD: dict[str, Any] = table()["templates"][0]
FLOW: dict[str, Any] = table()["templates"][1]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"templates": [{**GOOD, "code": "SMS_1"}, FLOW]}, "code"),
        ({"templates": [{**GOOD, "text": GOOD["text"].replace("{7}", "{8}")}, FLOW]}, "不一致"),
        (
            {
                "templates": [
                    {
                        **GOOD,
                        "text": "{2}：编号{3}。",
                        "variables": [{"name": "2", "part": "level"}, {"name": "3", "part": "code"}],
                    },
                    FLOW,
                ]
            },
            "从 1 起",
        ),
        ({"templates": [{**GOOD, "text": GOOD["text"].replace(" {4}", "{4}")}, FLOW]}, "不能相邻"),
        ({"templates": [FLOW]}, "没有模板用于"),
        ({"templates": []}, "templates"),
        ({"app_id": "abc"}, "app_id"),
        ({"extend_digits": 3}, "至少 5 位"),
        ({"callback_token": "short"}, "16 个字符"),
        ({"callback_addresses": []}, "callback_addresses"),
    ],
)
def test_a_wrong_table_says_so_at_the_start(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        Settings.model_validate(table(**change))
