"""Alibaba Cloud's calls against an account that verifies signatures, templates and limits as the vendor does."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from bot.demo.simulators.aliyun_voice import BUSY, HEARD, HUNG_UP, NO_KEY, OFF, UNANSWERED, AliyunVoice
from bot.demo.simulators.vendor import Fault, listening
from channels.callback import Call, Errand
from channels.channel import Letter, ReceiptKind, Uplink
from channels.exchange import Answer
from channels.greeting import Standing
from channels.outcome import Outcome, OutcomeKind
from channels.voice.aliyun import Driver
from channels.voice.aliyun_settings import Settings
from channels.voice.reference import names, reference, trial_of
from tests.channels.conftest import NIGHT, Clock, a_letter, raw_vendor
from tests.channels.faults import HTTP_FAULTS, REFUSED
from tests.channels.voice_accounts import (
    ALIYUN_TEMPLATES,
    INCIDENT,
    KEY_ID,
    KEY_SECRET,
    SENTENCE,
    SHOWN,
    SIGNED,
    SPOKEN,
    a_call,
    aliyun_table,
    spoken_table,
)


@dataclass
class Account:
    vendor: AliyunVoice
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, table: dict[str, Any] | None = None) -> Driver:
    return Driver("voice", Settings.model_validate(table or aliyun_table()), session)


@pytest.fixture
async def account(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Account]:
    vendor = AliyunVoice(KEY_ID, KEY_SECRET, ALIYUN_TEMPLATES, (SHOWN,), clock)
    async with listening(vendor.app()) as url:
        yield Account(vendor, url, a_driver(session, aliyun_table(url)))


def _library(name: str) -> Any:
    """A module of the vendor's library, which says nothing of its types."""
    return importlib.import_module(f"alibabacloud_{name}")


async def test_the_vendors_own_library_places_the_same_calls_and_asks_the_same_questions(
    session: aiohttp.ClientSession,
) -> None:
    vendor = AliyunVoice(
        KEY_ID, KEY_SECRET, ALIYUN_TEMPLATES, (SHOWN,), lambda: time.time_ns() // 1_000_000, limits=(0, 0, 0)
    )
    async with listening(vendor.app()) as url:
        config = _library("tea_openapi.models").Config(
            access_key_id=KEY_ID,
            access_key_secret=KEY_SECRET,
            endpoint=URL(url).host_port_subcomponent,
            protocol="http",
        )
        client = _library("dyvmsapi20170525.client").Client(config)
        models = _library("dyvmsapi20170525.models")
        letter = a_call(at=time.time_ns() // 1_000_000)
        values = orjson.dumps(dict(letter.parts)).decode()
        key = models.IvrCallRequestMenuKeyMap(key="1", code=SIGNED)
        interactive = models.IvrCallRequest(
            called_number=letter.address,
            called_show_number=SHOWN,
            start_code=INCIDENT,
            start_tts_params=values,
            menu_key_map=[key],
            out_id=reference(letter.id),
            play_times=2,
            timeout=8000,
        )
        answer = await client.ivr_call_async(interactive)
        assert answer.body.code == "OK"
        spoken = models.SingleCallByTtsRequest(
            called_number=letter.address,
            tts_code=SPOKEN,
            tts_param=values,
            out_id=reference(letter.id),
            play_times=2,
            volume=100,
            speed=0,
        )
        assert (await client.single_call_by_tts_async(spoken)).body.code == "OK"
        vendor.end(0, HEARD, "1")
        asked = models.QueryCallDetailByCallIdRequest(
            call_id=answer.body.call_id, prod_id=11000000300005, query_date=letter.at - 60_000
        )
        detail = await client.query_call_detail_by_call_id_async(asked)
        assert orjson.loads(detail.body.data)["state"] == HEARD
        # The very same requests by our own driver.
        for table in (aliyun_table(url), spoken_table(url)):
            assert (await a_driver(session, table).send(letter)).kind is OutcomeKind.ACCEPTED
    theirs, ours = ([orjson.loads(each.raw) for each in vendor.received[part]] for part in (slice(2), slice(2, 4)))
    for one, other in zip(theirs, ours, strict=True):
        for name in ("StartTtsParams", "TtsParam"):
            assert orjson.loads(one.pop(name, "{}")) == orjson.loads(other.pop(name, "{}"))
        assert one == other


async def test_a_call_reads_the_incident_and_takes_the_key(account: Account) -> None:
    outcome = await account.driver.send(a_call())
    assert (outcome.kind, outcome.vendor_id) == (OutcomeKind.ACCEPTED, account.vendor.calls[0].call_id)
    (call,) = account.vendor.calls
    assert call.text == "值班电话：红色高高报，催办，明木家具 1号除尘器灰斗温度，编号A，0，2，3，1。签收请按1。"
    assert (call.action, call.keys, call.out_id) == ("IvrCall", ("1",), "A0231.1.s4")


async def test_without_a_voice_for_the_key_it_only_speaks(session: aiohttp.ClientSession, account: Account) -> None:
    driver = a_driver(session, spoken_table(account.url))
    assert (await driver.send(a_call())).kind is OutcomeKind.ACCEPTED
    assert (account.vendor.calls[0].action, account.vendor.calls[0].keys) == ("SingleCallByTts", ())
    assert driver.abilities.key == ""
    assert not driver.abilities.replies
    assert ReceiptKind.ANSWERED not in driver.abilities.receipts
    assert account.driver.abilities.key == "1"


async def test_a_sentence_has_a_template_of_its_own_or_a_test_uses_the_incidents(
    session: aiohttp.ClientSession, account: Account
) -> None:
    text = "【测试】渠道测试，无需处置。示例县 11-22 10:00 发出，收到即说明这个渠道能用，不必回复。"
    assert (await account.driver.send(a_letter(text, id="trial.0123456789ab.cd"))).kind is OutcomeKind.ACCEPTED
    assert account.vendor.calls[0].text.startswith("值班电话，系统通知：（测试）渠道测试")
    assert account.vendor.calls[0].out_id == "t.0123456789ab"
    account.vendor.calls.clear()
    table = aliyun_table(account.url)
    table["templates"] = table["templates"][:1]
    alone = a_driver(session, table)
    assert (await alone.send(a_letter(text))).kind is OutcomeKind.ACCEPTED
    assert account.vendor.calls[0].text == "值班电话：测试，渠道测试，无需处置，编号无。签收请按1。"
    refused = await alone.send(a_letter("汇总3起：A0231"))
    assert refused.kind is OutcomeKind.REFUSED_CONTENT


@pytest.mark.parametrize("address", ["0571-00001234", "057100001234", "(0571)00001234"])
async def test_a_landline_is_called_with_its_area_code(account: Account, address: str) -> None:
    assert (await account.driver.send(a_call(address=address))).kind is OutcomeKind.ACCEPTED
    assert account.vendor.calls[0].phone == "057100001234"


@pytest.mark.parametrize(
    ("letter", "kind"),
    [
        (a_call(address="88001234"), OutcomeKind.REFUSED_RECIPIENT),
        (a_call(address="张三"), OutcomeKind.REFUSED_RECIPIENT),
        (a_call(parts={"place": "www.example.com"}), OutcomeKind.REFUSED_CONTENT),
        (a_letter(""), OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_what_cannot_be_called_says_so(account: Account, letter: Letter, kind: OutcomeKind) -> None:
    assert (await account.driver.send(letter)).kind is kind
    assert account.vendor.calls == []


@pytest.mark.parametrize(
    ("code", "words", "kind", "rest"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", OutcomeKind.THROTTLED, 60.0),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", OutcomeKind.THROTTLED, 3600.0),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:20", OutcomeKind.THROTTLED, 3600.0),
        ("isv.MOBILE_NUMBER_ILLEGAL", "", OutcomeKind.REFUSED_RECIPIENT, None),
        ("isv.COMPLAINT_REJECT", "防骚扰拦截", OutcomeKind.REFUSED_RECIPIENT, None),
        ("isv.TTS_TEMPLATE_ILLEGAL", "", OutcomeKind.MISCONFIGURED, None),
        ("isv.DISPLAY_NUMBER_ILLEGAL", "", OutcomeKind.MISCONFIGURED, None),
        ("isv.AMOUNT_NOT_ENOUGH", "", OutcomeKind.MISCONFIGURED, None),
        ("isv.TEMPLATE_MISSING_PARAMETERS", "", OutcomeKind.REFUSED_CONTENT, None),
        ("isv.SOMETHING_NEW", "", OutcomeKind.REFUSED_CONTENT, None),
        ("isp.SYSTEM_ERROR", "", OutcomeKind.TRANSIENT, None),
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
    assert (outcome.kind, outcome.retry_after, outcome.detail) == (kind, rest, f"{code} {words}".strip())


@pytest.mark.parametrize(("fault", "kind", "taken"), [REFUSED, *HTTP_FAULTS])
async def test_each_fault_has_its_outcome(account: Account, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    account.vendor.faults.put(fault)
    outcome = await account.driver.send(a_call())
    assert (outcome.kind, len(account.vendor.calls)) == (kind, taken)
    if kind is OutcomeKind.UNCERTAIN:
        assert outcome.retry_after == 90.0, "the call's own report comes before that"


async def test_a_number_has_its_minute(account: Account, clock: Clock) -> None:
    assert (await account.driver.send(a_call())).kind is OutcomeKind.ACCEPTED
    again = await account.driver.send(a_call())
    assert (again.kind, again.retry_after) == (OutcomeKind.THROTTLED, 60.0)


def pushed(driver: Driver, *rows: object) -> list[Uplink]:
    heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, orjson.dumps(rows)), NIGHT)
    assert orjson.loads(heard.thanks.body)["code"] == 0
    return [each for each in heard.items if isinstance(each, Uplink)]


@pytest.mark.parametrize(
    ("status", "pressed", "keyed", "spoken", "signs"),
    [
        (HEARD, "", ReceiptKind.ANSWERED, ReceiptKind.DELIVERED, False),
        (HUNG_UP, "", ReceiptKind.ANSWERED, ReceiptKind.DELIVERED, False),
        (NO_KEY, "", ReceiptKind.ANSWERED, ReceiptKind.DELIVERED, False),
        (HEARD, "1", ReceiptKind.DELIVERED, ReceiptKind.ANSWERED, True),
        (HUNG_UP, "1#", ReceiptKind.DELIVERED, ReceiptKind.ANSWERED, True),
        (HEARD, "11", ReceiptKind.DELIVERED, ReceiptKind.ANSWERED, True),
        (HEARD, "5", ReceiptKind.ANSWERED, ReceiptKind.ANSWERED, False),
        (HEARD, "51", ReceiptKind.ANSWERED, ReceiptKind.ANSWERED, False),
        (HEARD, "#", ReceiptKind.ANSWERED, ReceiptKind.ANSWERED, False),
        (UNANSWERED, "", ReceiptKind.UNDELIVERED, ReceiptKind.UNDELIVERED, False),
        (BUSY, "", ReceiptKind.UNDELIVERED, ReceiptKind.UNDELIVERED, False),
        (OFF, "", ReceiptKind.UNDELIVERED, ReceiptKind.UNDELIVERED, False),
        ("299999", "", ReceiptKind.UNDELIVERED, ReceiptKind.UNDELIVERED, False),
    ],
)
async def test_how_a_call_ended(
    session: aiohttp.ClientSession,
    account: Account,
    status: str,
    pressed: str,
    keyed: ReceiptKind,
    spoken: ReceiptKind,
    signs: bool,
) -> None:
    await account.driver.send(a_call())
    account.vendor.end(0, status, pressed)
    row = account.vendor.row(0)
    for driver, kind in ((account.driver, keyed), (a_driver(session, spoken_table()), spoken)):
        (uplink,) = pushed(driver, row)
        assert uplink.call is not None
        assert (uplink.call.kind, uplink.call.reference) == (kind, "A0231.1.s4")
        assert uplink.call.signs is (signs and driver is account.driver)
    (first,) = pushed(account.driver, row)
    asked = await account.driver.ask(account.vendor.calls[0].call_id, NIGHT)
    assert isinstance(asked, tuple)
    (told,) = asked
    assert isinstance(told, Uplink)
    assert told.call is not None
    assert first.call is not None
    assert (told.message_id, told.sender) == (first.message_id, first.sender), "asked or told: the same end"
    assert (told.call.kind, told.call.signs) == (first.call.kind, first.call.signs)


async def test_a_call_under_way_or_unknown_is_no_end_and_no_answer_is_an_error(
    session: aiohttp.ClientSession, account: Account
) -> None:
    await account.driver.send(a_call())
    known = account.vendor.calls[0].call_id
    assert await account.driver.ask(known, NIGHT) == ()
    assert await account.driver.ask("1^1", NIGHT) == ()
    assert pushed(account.driver, {**account.vendor.row(0), "status_code": "200101"}) == []
    refused = await a_driver(session, aliyun_table(account.url, access_key_id="unknown")).ask(known, NIGHT)
    assert isinstance(refused, Outcome)
    assert refused.detail.startswith("InvalidAccessKeyId")


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"{}", b"[1]", b'[{"call_id":"1"}]', b'[{"status_code":"200000"}]'])
async def test_rubbish_is_no_report(account: Account, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        account.driver.read_call(Call(Errand.REPORT, "POST", "", {}, body), NIGHT)


async def test_one_row_of_rubbish_holds_no_other_up(account: Account) -> None:
    await account.driver.send(a_call())
    account.vendor.end(0, HEARD, "1")
    heard = account.driver.read_call(
        Call(Errand.REPORT, "POST", "", {}, orjson.dumps([account.vendor.row(0), {"call_id": 7}])), NIGHT
    )
    assert (len(heard.items), len(heard.unreadable)) == (1, 1)


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({}, Standing.WELL),
        ({"access_key_secret": "wrong"}, Standing.WRONG_KEY),
        ({"access_key_id": "unknown"}, Standing.WRONG_KEY),
    ],
)
async def test_greeting_logs_in_and_calls_nobody(
    session: aiohttp.ClientSession, account: Account, change: dict[str, str], standing: Standing
) -> None:
    vendor = AliyunVoice(KEY_ID, KEY_SECRET, ALIYUN_TEMPLATES, (SHOWN,), lambda: time.time_ns() // 1_000_000)
    async with listening(vendor.app()) as url:
        greeting = await a_driver(session, aliyun_table(url, **change)).greet(time.time_ns() // 1_000_000)
    assert greeting.standing is standing
    assert vendor.calls == []


def test_a_reference_is_short_and_says_which_letter() -> None:
    letter = "A0231.1.s4-remind.0123456789ab"
    assert (reference(letter), names("A0231.1.s4", letter)) == ("A0231.1.s4", True)
    assert not names("A0231.1.s", letter)
    assert not names("", "nothing")
    assert reference("A123456.12.s345-escalated.0123456789ab") == "A123456.12.s345"
    assert reference("A1234567.12.s345-escalated.0123456789ab") == "", "too long: then by the vendor's id alone"
    assert trial_of(reference("trial.0123456789ab.cdef")) == "trial.0123456789ab"
    assert trial_of("A0231.1.s4") == ""


async def test_no_secret_is_told(session: aiohttp.ClientSession) -> None:
    said = f"bad key {KEY_SECRET} of {KEY_ID} for 13800138000"
    outcome = a_driver(session).read(Answer(200, orjson.dumps({"Code": "isv.X", "Message": said})), NIGHT)
    assert KEY_SECRET not in outcome.detail
    assert KEY_ID not in outcome.detail
    assert "13800138000" not in outcome.detail


def test_the_sentence_template_is_as_long_as_its_variable() -> None:
    settings = Settings.model_validate(aliyun_table())
    assert settings.sentence is not None
    assert settings.sentence.code == SENTENCE


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("isv.CALL_NOT_FOUND", Standing.WELL),
        ("isv.OUT_OF_SERVICE", Standing.REFUSED),
        ("isp.RAM_PERMISSION_DENY", Standing.REFUSED),
        ("Forbidden.RAM", Standing.REFUSED),
        ("Something.New", Standing.REFUSED),
    ],
)
async def test_a_greeting_knows_an_account_that_may_not_call(
    session: aiohttp.ClientSession, code: str, standing: Standing
) -> None:
    body = orjson.dumps({"Code": code, "Message": "said by the vendor"})
    date = formatdate(NIGHT / 1000, usegmt=True)
    head = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with raw_vendor(head + body) as (port, _):
        greeting = await a_driver(session, aliyun_table(f"http://127.0.0.1:{port}")).greet(NIGHT)
    assert greeting.standing is standing, greeting
