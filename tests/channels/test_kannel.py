"""The text message gateway's driver against a gateway that checks what Kannel checks."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.vendor import Fault, listening
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.sms.kannel import Driver, Settings
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port, raw_vendor
from tests.channels.faults import HTTP_FAULTS
from tests.patience import LONG, Patience

PASSWORD = "fake-gateway-password"
TOKEN = "fake-callback-token-0001"


@dataclass
class Gateway:
    vendor: KannelGateway
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, url: str, **other: Any) -> Driver:
    table = {
        "kind": "sms_kannel",
        "url": f"{url}/cgi-bin/sendsms",
        "username": "fenghuo",
        "password": PASSWORD,
        "signature": "烽火预警",
        "timeout": 20.0,
        **other,
    }
    return Driver("sms", Settings.model_validate(table), session)


@pytest.fixture(params=["post", "get"])
async def gateway(
    request: pytest.FixtureRequest, session: aiohttp.ClientSession, clock: Clock
) -> AsyncIterator[Gateway]:
    vendor = KannelGateway("fenghuo", PASSWORD, clock)
    async with listening(vendor.app()) as url:
        yield Gateway(vendor, url, a_driver(session, url, method=request.param))


async def test_a_text_reaches_the_phone_with_the_signature_first(gateway: Gateway) -> None:
    outcome = await gateway.driver.send(a_letter("一号井 CO 31ppm & 限值 24+\n回复1签收 A0231"))
    assert outcome.kind is OutcomeKind.ACCEPTED
    assert outcome.detail == "HTTP 202 0: Accepted for delivery"
    (message,) = await gateway.vendor.inbox.wait_for(1)
    assert message.address == "13800138000"
    assert message.text == "【烽火预警】一号井 CO 31ppm & 限值 24+\n回复1签收 A0231"


async def test_the_gateways_prefix_stands_before_the_bare_number(
    session: aiohttp.ClientSession, gateway: Gateway
) -> None:
    driver = a_driver(session, gateway.url, number_prefix="+86")
    assert (await driver.send(a_letter(address="0086 138-0013-8000"))).kind is OutcomeKind.ACCEPTED
    for whoever, dialled in (("+852 9123 4567", "+85291234567"), ("10086", "10086"), ("106900001234", "106900001234")):
        assert (await driver.send(a_letter(address=whoever))).kind is OutcomeKind.ACCEPTED
        assert gateway.vendor.received[-1].address == dialled, "a country code belongs before mobiles of the country"
    assert gateway.vendor.received[0].address == "+8613800138000"


async def test_a_long_text_is_counted_with_the_signature(session: aiohttp.ClientSession, gateway: Gateway) -> None:
    driver = a_driver(session, gateway.url, max_parts=2)
    assert driver.abilities.max_chars == 134 - 6
    assert driver.abilities.first_chars == 70 - 6
    assert (await driver.send(a_letter("警" * 128))).kind is OutcomeKind.ACCEPTED
    assert (await driver.send(a_letter("警" * 129))).kind is OutcomeKind.REFUSED_CONTENT
    assert [message.text for message in gateway.vendor.received] == ["【烽火预警】" + "警" * 128]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "详见 https://example.invalid/a",
        "详见 www.example.com",
        "详见example.gov.cn/a",
        "\x07",
        "半个 \ud83d",
    ],
)
async def test_what_carriers_refuse_does_not_leave(gateway: Gateway, text: str) -> None:
    assert (await gateway.driver.send(a_letter(text))).kind is OutcomeKind.REFUSED_CONTENT
    assert gateway.vendor.received == []


@pytest.mark.parametrize("address", ["", "张三", "138001380００", "13800138000\r\nX-Kannel-To: 1", "12"])
async def test_what_is_no_number_is_refused(gateway: Gateway, address: str) -> None:
    assert (await gateway.driver.send(a_letter(address=address))).kind is OutcomeKind.REFUSED_RECIPIENT
    assert gateway.vendor.received == []


async def test_a_wrong_password_is_misconfigured_and_never_shown(
    session: aiohttp.ClientSession, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = "canary password/31337"
    for method in ("get", "post"):
        driver = a_driver(
            session, gateway.url, password=canary, method=method, hub_url="http://127.0.0.1:1", callback_token=TOKEN
        )
        outcome = await driver.send(a_letter())
        assert outcome.kind is OutcomeKind.MISCONFIGURED
        unreachable = a_driver(session, f"http://127.0.0.1:{closed_port()}", password=canary, method=method)
        lost = await unreachable.send(a_letter())
        assert lost.kind is OutcomeKind.TRANSIENT
        shown = f"{outcome!r} {lost!r} {driver!r} {caplog.text}"
        assert "31337" not in shown
        assert TOKEN not in shown


async def test_a_gateway_that_repeats_the_request_shows_neither_password_nor_number(
    session: aiohttp.ClientSession,
) -> None:
    driver = a_driver(session, "http://example.invalid", password="p w/1")
    body = b"bad request: username=fenghuo&password=p%20w%2F1 or p+w%2F1 to=13800138000"
    outcome = driver.read(Answer(400, body), NIGHT)
    assert outcome.detail == "HTTP 400 bad request: username=fenghuo&password=*** or *** to=138****8000"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (202, "0: Accepted for delivery", OutcomeKind.ACCEPTED),
        (202, "3: Queued for later delivery", OutcomeKind.ACCEPTED),
        (202, "Sent.", OutcomeKind.ACCEPTED),
        (200, "welcome to the portal", OutcomeKind.UNCERTAIN),
        (202, "", OutcomeKind.UNCERTAIN),
        (302, "", OutcomeKind.MISCONFIGURED),
        (400, "Empty receiver number not allowed, rejected", OutcomeKind.REFUSED_RECIPIENT),
        (400, "Number(s) has/have been denied by white- and/or black-lists.", OutcomeKind.REFUSED_RECIPIENT),
        (400, "Charset or body misformed, rejected", OutcomeKind.REFUSED_CONTENT),
        (400, "Sender missing and no global set, rejected", OutcomeKind.MISCONFIGURED),
        (403, "Authorization failed for sendsms", OutcomeKind.MISCONFIGURED),
        (403, "Not routable. Do not try again.", OutcomeKind.REFUSED_RECIPIENT),
        (404, "not found", OutcomeKind.MISCONFIGURED),
        (429, "slow down", OutcomeKind.THROTTLED),
        (500, "Sending failed.", OutcomeKind.TRANSIENT),
        (503, "Temporal failure, try again later.", OutcomeKind.TRANSIENT),
        (504, "gateway time-out", OutcomeKind.UNCERTAIN),
    ],
)
async def test_each_answer_has_its_outcome(
    session: aiohttp.ClientSession, status: int, words: str, kind: OutcomeKind
) -> None:
    outcome = a_driver(session, "http://example.invalid").read(Answer(status, words.encode()), NIGHT)
    assert outcome.kind is kind
    assert words in outcome.detail


@pytest.mark.parametrize(("fault", "kind", "taken"), [(Fault.REFUSE, OutcomeKind.REFUSED_RECIPIENT, 0), *HTTP_FAULTS])
async def test_each_fault_has_its_outcome_and_sends_no_second_message(
    gateway: Gateway, fault: Fault, kind: OutcomeKind, taken: int
) -> None:
    # A first send keeps a connection open: that is where a client library would repeat a GET by itself.
    await gateway.driver.send(a_letter())
    gateway.vendor.faults.put(fault)
    outcome = await gateway.driver.send(a_letter())
    assert outcome.kind is kind
    assert gateway.vendor.faults.happened == {fault: 1}
    assert len(gateway.vendor.received) == 1 + taken
    if fault is Fault.STATUS_429:
        assert outcome.retry_after == 7.0


async def test_a_gateway_that_does_not_answer_is_uncertain_in_time(
    session: aiohttp.ClientSession, gateway: Gateway, patience: Patience
) -> None:
    faults = gateway.vendor.faults
    faults.put(Fault.HANG)
    outcome = await patience.ended(
        a_driver(session, gateway.url, timeout=LONG).send(a_letter()), faults.wait_for(Fault.HANG)
    )
    assert outcome.kind is OutcomeKind.UNCERTAIN
    assert gateway.vendor.faults.happened == {Fault.HANG: 1}
    gateway.vendor.faults.release()


async def test_the_password_stays_out_of_the_url_unless_get_is_asked_for(session: aiohttp.ClientSession) -> None:
    answer = b"HTTP/1.1 202 OK\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery"
    for method, in_url in (("post", False), ("get", True)):
        async with raw_vendor(answer) as (port, seen):
            outcome = await a_driver(session, f"http://127.0.0.1:{port}", method=method).send(a_letter())
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert (PASSWORD.encode() in seen[0].splitlines()[0]) is in_url


@pytest.mark.parametrize(
    "table",
    [
        {"url": "10.0.0.5:13013"},
        {"url": ""},
        {"signature": "【烽火】"},
        {"hub_url": "http://127.0.0.1:8080"},
        {"hub_url": "http://127.0.0.1:8080", "callback_token": "short"},
        {"callback_token": TOKEN, "callback_addresses": ["10.0.0.0/33"]},
        {"number_prefix": "86 "},
        {"method": "put"},
        {"per_minute": 3, "reserve": 3},
        {"reserve": 1},
    ],
)
def test_wrong_settings_are_named(table: dict[str, Any]) -> None:
    right = {"kind": "sms_kannel", "url": "http://127.0.0.1:1", "username": "u", "password": PASSWORD}
    Settings.model_validate(right)
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({**right, **table})
    assert PASSWORD not in str(caught.value.errors(include_input=False))


async def test_a_kept_connection_that_was_closed_is_replaced_unnoticed(session: aiohttp.ClientSession) -> None:
    answer = b"HTTP/1.1 202 OK\r\nContent-Length: 24\r\n\r\n0: Accepted for delivery"
    async with raw_vendor(answer) as (port, seen):
        driver = a_driver(session, f"http://127.0.0.1:{port}")
        for count in range(1, 4):
            assert (await driver.send(a_letter())).kind is OutcomeKind.ACCEPTED
            assert len(seen) == count
