"""Mail against a server that parses what it takes, over kept connections."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from bot.demo.simulators.smtp import MailServer
from bot.demo.simulators.vendor import Fault
from channels.mail import Driver, Settings
from channels.mail.pool import Pool
from channels.outcome import OutcomeKind
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port, raw_vendor
from tests.patience import LONG, OVER, Patience

TO = "zhang.san@example.com"
LOGIN = ("fenghuo", "fake-mail-password")
TLS = Path(__file__).parent / "tls"


def a_driver(session: aiohttp.ClientSession, port: int, **other: Any) -> Driver:
    table = {
        "kind": "smtp_mail",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "烽火值班 <fenghuo@example.gov.cn>",
        "timeout": 20.0,
        **other,
    }
    return Driver("mail", Settings.model_validate(table), session)


def a_mail(**other: Any) -> Any:
    fields = {"address": TO, "subject": "[红色][A0231] 一号井 CO 31ppm", "text": "一号井 CO 31ppm\n.\n签收：回复 1\n"}
    return a_letter(**{**fields, **other})


@asynccontextmanager
async def serving(
    session: aiohttp.ClientSession, clock: Clock, *, settings: dict[str, Any] | None = None, **server: Any
) -> AsyncIterator[tuple[MailServer, Driver]]:
    vendor = MailServer(clock, **server)
    async with vendor.listening() as port:
        driver = a_driver(session, port, **(settings or {}))
        try:
            yield vendor, driver
        finally:
            await driver.close()


@pytest.fixture
async def mail(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[tuple[MailServer, Driver]]:
    async with serving(session, clock) as both:
        yield both


async def test_a_mail_arrives_as_it_was_meant(mail: tuple[MailServer, Driver]) -> None:
    vendor, driver = mail
    html = "<p>一号井 <b>CO 31ppm</b></p>"
    outcome = await driver.send(a_mail(html=html, critical=True))
    assert (outcome.kind, outcome.detail) == (OutcomeKind.ACCEPTED, "250 2.0.0 taken")
    (message,) = await vendor.inbox.wait_for(1)
    assert (message.address, message.subject) == (TO, "[红色][A0231] 一号井 CO 31ppm")
    assert message.text.replace("\r\n", "\n") == "一号井 CO 31ppm\n.\n签收：回复 1\n"
    parsed = message_from_bytes(message.raw, policy=policy.default)
    assert parsed["From"] == "烽火值班 <fenghuo@example.gov.cn>"
    assert parsed["Message-ID"] == "<A0231-n17@example.gov.cn>"
    assert parsed["Date"] == "Sat, 21 Nov 2026 02:00:00 +0800"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert parsed["X-Priority"] == "1"
    shown = parsed.get_body(("html",))
    assert shown is not None
    assert shown.get_content().strip() == html
    assert message.raw.isascii()


async def test_all_mails_of_an_incident_stand_in_one_thread(mail: tuple[MailServer, Driver]) -> None:
    vendor, driver = mail
    await driver.send(a_mail(thread="A0231"))
    await driver.send(a_mail(id="A0231-n18", thread="A0231", thread_first=False))
    await driver.send(a_mail(id="A0300-n1", thread="A0300"))
    first, second, other = [message_from_bytes(each.raw, policy=policy.default) for each in vendor.received]
    assert first["References"] == second["References"] == second["In-Reply-To"] == "<thread.A0231@example.gov.cn>"
    assert first["In-Reply-To"] is None
    assert other["References"] != first["References"]
    assert first["Message-ID"] != second["Message-ID"]


async def test_a_repeat_is_the_same_mail_byte_for_byte(mail: tuple[MailServer, Driver]) -> None:
    vendor, driver = mail
    for _ in range(2):
        await driver.send(a_mail(html="<p>x</p>", thread="A0231"))
    assert vendor.received[0].raw == vendor.received[1].raw


async def test_connections_are_kept_and_not_more_than_asked_for(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with serving(session, clock, settings={"connections": 2}) as (vendor, driver):
        outcomes = await asyncio.gather(*(driver.send(a_mail(id=f"n{number}")) for number in range(10)))
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.ACCEPTED}
        assert len(vendor.received) == 10
        assert vendor.connections == 2
        assert driver.abilities.at_once == 2


async def test_a_kept_connection_that_broke_is_replaced_unnoticed(mail: tuple[MailServer, Driver]) -> None:
    vendor, driver = mail
    await driver.send(a_mail())
    vendor.hang_up()
    assert (await driver.send(a_mail(id="n18"))).kind is OutcomeKind.ACCEPTED
    assert (len(vendor.received), vendor.connections) == (2, 2)


async def test_a_connection_that_rested_long_is_asked_before_it_is_used(clock: Clock) -> None:
    vendor = MailServer(clock)
    async with vendor.listening() as port:
        settings = Settings.model_validate({**_settings(), "host": "127.0.0.1", "port": port, "security": "none"})
        trusting, doubting = Pool(settings), Pool(settings, trusted=0.0)
        for pool, noops, connections in ((trusting, 0, 1), (doubting, 1, 2)):
            for _ in range(2):
                async with pool.connection():
                    pass
            assert (vendor.noops, vendor.connections) == (noops, connections)
        vendor.hang_up()
        async with doubting.connection() as smtp:
            assert smtp.is_connected
        assert vendor.connections == 3
        await trusting.close()
        await doubting.close()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.1.1 User unknown", OutcomeKind.REFUSED_RECIPIENT),
        ("553 5.1.3 bad address", OutcomeKind.REFUSED_RECIPIENT),
        ("450 4.2.0 greylisted", OutcomeKind.TRANSIENT),
        ("452 4.5.3 too many", OutcomeKind.TRANSIENT),
        ("530 5.7.0 authentication required", OutcomeKind.MISCONFIGURED),
    ],
)
async def test_a_refused_recipient(mail: tuple[MailServer, Driver], answer: str, kind: OutcomeKind) -> None:
    vendor, driver = mail
    vendor.refuses[TO] = answer
    outcome = await driver.send(a_mail())
    assert (outcome.kind, outcome.detail) == (kind, answer)
    assert (await driver.send(a_mail(address="li.si@example.com"))).kind is OutcomeKind.ACCEPTED
    assert (len(vendor.received), vendor.connections) == (1, 1)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (451, OutcomeKind.TRANSIENT),
        (421, OutcomeKind.TRANSIENT),
        (552, OutcomeKind.REFUSED_CONTENT),
        (554, OutcomeKind.REFUSED_CONTENT),
        (550, OutcomeKind.REFUSED_CONTENT),
        (535, OutcomeKind.MISCONFIGURED),
        (251, OutcomeKind.UNCERTAIN),
    ],
)
async def test_a_refused_mail(mail: tuple[MailServer, Driver], code: int, kind: OutcomeKind) -> None:
    vendor, driver = mail
    vendor.faults.put(Fault.REFUSE, code=code)
    assert (await driver.send(a_mail())).kind is kind
    assert vendor.faults.happened == {Fault.REFUSE: 1}
    assert (await driver.send(a_mail(id="n18"))).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("550 5.7.1 not your sender", OutcomeKind.MISCONFIGURED),
        ("451 4.3.0 later", OutcomeKind.TRANSIENT),
        ("552 5.3.4 too big", OutcomeKind.REFUSED_CONTENT),
    ],
)
async def test_a_refused_sender(mail: tuple[MailServer, Driver], answer: str, kind: OutcomeKind) -> None:
    vendor, driver = mail
    vendor.sender_refusal = answer
    assert (await driver.send(a_mail())).kind is kind


async def test_a_mail_beyond_the_servers_size_is_refused_content(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with serving(session, clock, data_size_limit=2000) as (vendor, driver):
        assert (await driver.send(a_mail(text="警" * 2000))).kind is OutcomeKind.REFUSED_CONTENT
        assert vendor.received == []


@pytest.mark.parametrize(
    ("fault", "taken"), [(Fault.DROP_BEFORE, 0), (Fault.DROP_AFTER, 1), (Fault.GARBAGE, 0), (Fault.HANG, 0)]
)
async def test_an_answer_lost_after_the_mail_was_handed_over_is_uncertain(
    session: aiohttp.ClientSession, clock: Clock, fault: Fault, taken: int, patience: Patience
) -> None:
    async with serving(session, clock, settings={"timeout": LONG}) as (vendor, driver):
        await driver.send(a_mail())
        vendor.faults.put(fault)
        sending, happened = driver.send(a_mail(id="n18")), vendor.faults.wait_for(fault)
        outcome = await patience.ended(sending, happened, OVER if fault is Fault.HANG else 0.0)
        assert outcome.kind is OutcomeKind.UNCERTAIN
        assert (vendor.faults.happened, len(vendor.received)) == ({fault: 1}, 1 + taken)
        vendor.faults.release()
        assert (await driver.send(a_mail(id="n19"))).kind is OutcomeKind.ACCEPTED


async def test_nobody_listening_is_transient(session: aiohttp.ClientSession) -> None:
    assert (await a_driver(session, closed_port()).send(a_mail())).kind is OutcomeKind.TRANSIENT


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"421 4.3.2 busy\r\n", OutcomeKind.TRANSIENT),
        (b"554 5.7.1 no service for you\r\n", OutcomeKind.MISCONFIGURED),
        (b"", OutcomeKind.TRANSIENT),
    ],
)
async def test_a_server_that_does_not_greet(session: aiohttp.ClientSession, greeting: bytes, kind: OutcomeKind) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        assert (await a_driver(session, server.sockets[0].getsockname()[1]).send(a_mail())).kind is kind


async def test_a_server_that_never_greets_is_transient_in_time(session: aiohttp.ClientSession) -> None:
    async with raw_vendor(b"250 never reached\r\n") as (port, _seen):
        assert (await a_driver(session, port, timeout=0.3).send(a_mail())).kind is OutcomeKind.TRANSIENT


@pytest.mark.parametrize(
    "address",
    [
        "",
        "张三@example.com",
        "a b@example.com",
        "a@b\r\nBcc: c@d",
        "<a@b.cn>",
        "a@b.cn,c@d.cn",
        "a@",
        "x" * 255 + "@b.cn",
    ],
)
async def test_what_is_no_address_is_refused(mail: tuple[MailServer, Driver], address: str) -> None:
    vendor, driver = mail
    assert (await driver.send(a_mail(address=address))).kind is OutcomeKind.REFUSED_RECIPIENT
    assert vendor.connections == 0


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "[A0231] 某企业\r\nBcc: thief@example.com"},
        {"subject": "[A0231]\u2028x"},
        {"subject": " "},
        {"subject": "警" * 201},
        {"text": "\ud83d"},
        {"html": "\ud83d"},
    ],
)
async def test_headers_take_no_injection(mail: tuple[MailServer, Driver], other: dict[str, str]) -> None:
    vendor, driver = mail
    assert (await driver.send(a_mail(**other))).kind is OutcomeKind.REFUSED_CONTENT
    assert vendor.connections == 0


@pytest.mark.parametrize("letter_id", ["A0231.n17", "警情/开启\r\nBcc: x@y", "x" * 300, "a..b", "", "n>1"])
async def test_any_letter_id_makes_a_clean_message_id(mail: tuple[MailServer, Driver], letter_id: str) -> None:
    vendor, driver = mail
    assert (await driver.send(a_mail(id=letter_id, thread=letter_id))).kind is OutcomeKind.ACCEPTED
    parsed = message_from_bytes(vendor.received[0].raw, policy=policy.default)
    assert parsed["Message-ID"].endswith("@example.gov.cn>")
    assert parsed["Bcc"] is None


async def test_dsn_is_asked_for_when_the_server_offers_it(session: aiohttp.ClientSession, clock: Clock) -> None:
    for receipts, wanted in (
        ("off", set()),
        ("failure", {"NOTIFY=FAILURE,DELAY"}),
        ("all", {"NOTIFY=SUCCESS,FAILURE,DELAY"}),
    ):
        async with serving(session, clock, settings={"receipts": receipts}) as (vendor, driver):
            assert (await driver.send(a_mail(id="A0231+n 17"))).kind is OutcomeKind.ACCEPTED
            assert {option for option in vendor.options if option.startswith("NOTIFY")} == wanted
            assert ("ENVID=A0231+2Bn+2017" in vendor.options) is bool(wanted)


def _server_tls() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "loopback.pem")
    return context


def _with_login(**other: Any) -> dict[str, Any]:
    ca = str(TLS / "loopback_ca.pem")
    return {"security": "starttls", "ca_file": ca, "username": LOGIN[0], "password": LOGIN[1], **other}


async def test_login_over_starttls(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with serving(session, clock, tls=_server_tls(), login=LOGIN, settings=_with_login()) as (vendor, driver):
        assert (await driver.send(a_mail())).kind is OutcomeKind.ACCEPTED
        assert len(vendor.received) == 1


async def test_login_over_a_line_that_is_safe_from_its_first_byte(session: aiohttp.ClientSession, clock: Clock) -> None:
    server = {"tls": _server_tls(), "wrapped": True, "login": LOGIN}
    async with serving(session, clock, settings=_with_login(security="tls"), **server) as (vendor, driver):
        for number in range(2):
            assert (await driver.send(a_mail(id=f"n{number}"))).kind is OutcomeKind.ACCEPTED
        assert (len(vendor.received), vendor.connections) == (2, 1)
    unknown = _with_login(security="tls", ca_file="")
    async with serving(session, clock, settings=unknown, **server) as (vendor, driver):
        outcome = await driver.send(a_mail())
        assert (outcome.kind, "TLS 证书" in outcome.detail) == (OutcomeKind.MISCONFIGURED, True)
    without = _with_login(security="tls", username="", password="")
    async with serving(session, clock, settings=without, **server) as (vendor, driver):
        assert (await driver.send(a_mail())).kind is OutcomeKind.MISCONFIGURED
        assert vendor.received == []


async def test_a_wrong_password_is_misconfigured_and_never_shown(
    session: aiohttp.ClientSession, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    canary = "canary-31337-password"
    wrong = _with_login(password=canary)
    async with serving(session, clock, tls=_server_tls(), login=LOGIN, settings=wrong) as (vendor, driver):
        outcome = await driver.send(a_mail())
        assert outcome.kind is OutcomeKind.MISCONFIGURED
        assert vendor.received == []
    assert canary not in f"{outcome!r} {driver!r} {Settings.model_validate({**_settings(), **wrong})!r} {caplog.text}"


async def test_a_server_without_starttls_or_with_an_unknown_certificate_is_misconfigured(
    session: aiohttp.ClientSession, clock: Clock
) -> None:
    async with serving(session, clock, settings={"security": "starttls"}) as (vendor, driver):
        assert (await driver.send(a_mail())).kind is OutcomeKind.MISCONFIGURED
    async with serving(session, clock, tls=_server_tls(), settings={"security": "starttls"}) as (vendor, driver):
        assert (await driver.send(a_mail())).kind is OutcomeKind.MISCONFIGURED
        assert vendor.received == []


async def test_cancelling_frees_the_connection(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with serving(session, clock, settings={"connections": 1}) as (vendor, driver):
        vendor.faults.put(Fault.HANG)
        sending = asyncio.create_task(driver.send(a_mail()))
        await vendor.faults.wait_for(Fault.HANG)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        vendor.faults.release()
        assert (await driver.send(a_mail(id="n18"))).kind is OutcomeKind.ACCEPTED


def _settings() -> dict[str, Any]:
    return {"kind": "smtp_mail", "host": "mail.example.gov.cn", "sender": "fenghuo@example.gov.cn"}


@pytest.mark.parametrize(
    "table",
    [
        {"host": "smtp://mail"},
        {"sender": "烽火"},
        {"sender": ""},
        {"sender": "a@b.cn\r\nBcc: x@y"},
        {"sender": "a..b@c.cn"},
        {"username": "u"},
        {"password": "p"},
        {"reply_to": "nobody"},
        {"connections": 0},
    ],
)
def test_wrong_settings_are_named(table: dict[str, Any]) -> None:
    Settings.model_validate(_settings())
    with pytest.raises(ValidationError):
        Settings.model_validate({**_settings(), **table})


def test_ports_follow_the_kind_of_encryption() -> None:
    ports = [
        Settings.model_validate({**_settings(), "security": each}).real_port for each in ("starttls", "tls", "none")
    ]
    assert ports == [587, 465, 25]
    assert NIGHT % 1000 == 0
