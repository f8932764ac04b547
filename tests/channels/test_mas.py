"""云MAS against a platform that opens the body and checks its seal."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from pydantic import ValidationError

from bot.demo.simulators.mas import MasPlatform
from bot.demo.simulators.vendor import Fault, listening
from channels.channel import Letter, ReceiptKind
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.sms.mas import Driver
from channels.sms.mas_settings import Settings
from channels.sms.mas_signing import BY_TEMPLATE, PLAIN, mac, sealed
from tests.channels.aliyun_account import TOKEN, a_notice
from tests.channels.conftest import NIGHT, Clock, a_letter
from tests.channels.faults import HTTP_FAULTS, REFUSED
from tests.channels.tencent_account import table as tencent_table

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "cmcc_mas.json").read_bytes())
EC, AP, KEY, SIGN = "青河县应急管理局", "fenghuo", "fake-mas-canary", "DEMOSIGN1"
TEMPLATES = {each["code"]: each["text"] for each in tencent_table()["templates"]}


def table(endpoint: str = "http://example.invalid", **other: Any) -> dict[str, Any]:
    """``[channels.<name>]`` as its TOML would be."""
    return {
        "kind": "sms_mas",
        "endpoint": endpoint,
        "ec_name": EC,
        "ap_id": AP,
        "secret_key": KEY,
        "sign": SIGN,
        "signature": "青河应急",
        "callback_token": TOKEN,
        "callback_addresses": ["127.0.0.1"],
        "timeout": 20.0,
        **other,
    }


@dataclass
class Account:
    vendor: MasPlatform
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, endpoint: str = "http://example.invalid", **other: object) -> Driver:
    return Driver("mas", Settings.model_validate(table(endpoint, **other)), session)


@pytest.fixture
async def account(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Account]:
    vendor = MasPlatform(EC, AP, KEY, {SIGN: "青河应急"}, clock, TEMPLATES)
    async with listening(vendor.app()) as url:
        yield Account(vendor, url, a_driver(session, url))


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: str(case["mac"][:6]))
def test_seals_are_the_vectors(case: dict[str, Any]) -> None:
    fields = {**json.loads(case["json"]), "secretKey": case["secretKey"]}
    order = PLAIN if case["kind"] == "norsubmit" else BY_TEMPLATE
    assert list(order) == case["order"]
    assert mac(fields, order) == case["mac"]
    body = sealed(fields, order)
    assert orjson.loads(base64.b64decode(body)) == json.loads(case["json"])
    if case["kind"] == "norsubmit":
        assert body.decode() == case["http_body_base64"]


async def test_a_text_of_ones_own_leaves_whole_and_the_platform_signs_it(account: Account) -> None:
    outcome = await account.driver.send(a_letter("【红色】一号井 CO 31ppm（限值 24）A0231"))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert [each.text for each in account.vendor.received] == ["【青河应急】【红色】一号井 CO 31ppm（限值 24）A0231"]
    assert outcome.vendor_id == account.vendor.sent[0].group


async def test_where_the_platform_signs_nothing_the_hub_does(session: aiohttp.ClientSession, account: Account) -> None:
    account.vendor.signs = {SIGN: ""}
    await a_driver(session, account.url, write_signature=True).send(a_letter("红色"))
    assert account.vendor.received[0].text == "【】【青河应急】红色"


async def test_with_templates_a_notice_leaves_by_its_parts(session: aiohttp.ClientSession, account: Account) -> None:
    driver = a_driver(session, account.url, templates=tencent_table()["templates"])
    await driver.send(a_notice())
    await driver.send(a_letter("A0231 已记录签收。"))
    assert [each.text for each in account.vendor.received] == [
        "【青河应急】红色高高报（新警情）：明木家具 1号除尘器灰斗温度 97.2限95℃，无。回1签收，编号A0231。",
        "【青河应急】预警系统消息：A0231 已记录签收，无，无。",
    ]
    assert driver.abilities.registered
    assert not account.driver.abilities.registered


async def test_each_message_has_a_sub_code_of_its_own(session: aiohttp.ClientSession, account: Account) -> None:
    driver = a_driver(session, account.url, extend_code="01", extend_digits=6)
    await driver.send(a_letter(id="W0045.1.s1-raised.abc"))
    assert account.vendor.sent[0].serial == "01200045"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret_key": "wrong"}, "IllegalMac"),
        ({"ec_name": "别的单位"}, "InvalidUsrOrPwd"),
        ({"sign": "OTHER"}, "IllegalSignId"),
    ],
)
async def test_wrong_keys_and_signatures_are_misconfigured(
    session: aiohttp.ClientSession, account: Account, change: dict[str, str], code: str
) -> None:
    outcome = await a_driver(session, account.url, **change).send(a_letter())
    assert (outcome.kind, outcome.detail) == (OutcomeKind.MISCONFIGURED, code)
    assert account.vendor.received == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("InvalidMessage", OutcomeKind.REFUSED_CONTENT),
        ("TooManyMobiles", OutcomeKind.MISCONFIGURED),
        ("SomethingNew", OutcomeKind.MISCONFIGURED),
        ("OverLimit", OutcomeKind.THROTTLED),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
async def test_each_code_has_its_outcome(
    session: aiohttp.ClientSession, code: str, kind: OutcomeKind, status: int
) -> None:
    body = orjson.dumps({"msgGroup": "", "rspcod": code, "success": False})
    outcome = a_driver(session, codes={"OverLimit": "throttled"}).read(Answer(status, body), NIGHT)
    assert (outcome.kind, outcome.retry_after) == (kind, 60.0 if kind is OutcomeKind.THROTTLED else None)


async def test_success_that_says_it_failed_is_none(session: aiohttp.ClientSession) -> None:
    body = orjson.dumps({"msgGroup": "1", "rspcod": "success", "success": False})
    assert a_driver(session).read(Answer(200, body), NIGHT).kind is OutcomeKind.MISCONFIGURED


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (a_letter(address="张三"), OutcomeKind.REFUSED_RECIPIENT),
        (a_letter(""), OutcomeKind.REFUSED_CONTENT),
        (a_letter("见 https://evil.example.com/a"), OutcomeKind.REFUSED_CONTENT),
        (a_letter("长" * 300), OutcomeKind.REFUSED_CONTENT),
        (a_letter("半\ud800"), OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_what_cannot_be_sent_says_so(account: Account, letter: Letter, kind: OutcomeKind) -> None:
    assert (await account.driver.send(letter)).kind is kind
    assert account.vendor.received == []


@pytest.mark.parametrize(("fault", "kind", "taken"), [REFUSED, *HTTP_FAULTS])
async def test_each_fault_has_its_outcome(account: Account, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    account.vendor.faults.put(fault)
    assert (await account.driver.send(a_letter())).kind is kind
    assert account.vendor.faults.happened == {fault: 1}
    assert len(account.vendor.received) == taken


async def test_abilities_count_the_signature(session: aiohttp.ClientSession) -> None:
    abilities = a_driver(session, max_parts=2).abilities
    assert (abilities.max_chars, abilities.first_chars) == (2 * 67 - 6, 70 - 6)
    assert abilities.receipts == {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}
    assert abilities.reports_by_id
    assert abilities.windows == ()
    assert not a_driver(session, uplink=False).abilities.replies


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"endpoint": ""}, "endpoint"),
        ({"signature": "【应急】"}, "不带【】"),
        ({"write_signature": True, "templates": tencent_table()["templates"]}, "write_signature"),
        ({"templates": tencent_table()["templates"][1:]}, "没有模板用于"),
        ({"plain_path": "sms/norsubmit"}, "plain_path"),
    ],
)
def test_a_wrong_table_says_so_at_the_start(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        Settings.model_validate(table(**change))


async def test_no_secret_is_ever_shown(session: aiohttp.ClientSession) -> None:
    body = orjson.dumps({"rspcod": f"{KEY} {TOKEN} 13800138000"})
    shown = repr(a_driver(session).read(Answer(200, body), NIGHT)) + repr(Settings.model_validate(table()))
    assert not any(secret in shown for secret in (KEY, TOKEN, "13800138000"))
