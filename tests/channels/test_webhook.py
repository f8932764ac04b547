"""The outgoing webhook against an upstream system that verifies by the standard."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from standardwebhooks import Webhook

from bot.demo.simulators.upstream import Upstream
from bot.demo.simulators.vendor import Fault, listening
from channels.exchange import Answer
from channels.outcome import OutcomeKind
from channels.standard_webhooks import Verification
from channels.webhook import BODY_BYTES, Driver, Settings, webhook_id
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port, raw_vendor
from tests.patience import LONG, Patience

SECRET = "whsec_" + base64.b64encode(b"fake-secret-for-tests-01").decode()
OTHER = "whsec_" + base64.b64encode(b"fake-secret-for-tests-02").decode()
BODY = orjson.dumps({"type": "duty.signed", "data": {"code": "A0231", "by": "值班室"}}).decode()
TLS = Path(__file__).parent / "tls"


@dataclass
class Receiver:
    vendor: Upstream
    url: str
    driver: Driver


def a_driver(session: aiohttp.ClientSession, url: str = "", **other: Any) -> Driver:
    table = {"kind": "webhook", "url": url, "secrets": [SECRET], "allow_hosts": ["127.0.0.1"], "timeout": 20.0, **other}
    return Driver("upstream", Settings.model_validate(table), session)


@pytest.fixture
async def receiver(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Receiver]:
    vendor = Upstream([SECRET], clock)
    async with listening(vendor.app()) as base:
        yield Receiver(vendor, f"{base}/hook", a_driver(session, f"{base}/hook"))


async def test_upstream_verifies_what_the_hub_tells(receiver: Receiver) -> None:
    outcome = await receiver.driver.send(a_letter(BODY, address=""))
    assert outcome.kind is OutcomeKind.ACCEPTED
    (message,) = await receiver.vendor.inbox.wait_for(1)
    assert orjson.loads(message.text)["data"]["by"] == "值班室"
    assert message.subject == "A0231-n17"


async def test_the_reference_library_verifies_the_request_as_it_was_on_the_wire(session: aiohttp.ClientSession) -> None:
    requests: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        requests.append((dict(request.headers), await request.read()))
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/hook", take)
    async with listening(app) as base:
        driver = a_driver(session, f"{base}/hook", secrets=[OTHER, SECRET])
        now = int(time.time() * 1000)
        assert (await driver.send(a_letter(BODY, address="", at=now))).kind is OutcomeKind.ACCEPTED
    ((headers, body),) = requests
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(body, headers) == orjson.loads(BODY)


async def test_a_repeat_keeps_its_id_and_has_a_time_of_its_own(receiver: Receiver, clock: Clock) -> None:
    receiver.vendor.faults.put(Fault.DROP_AFTER)
    first = await receiver.driver.send(a_letter(BODY, address=""))
    assert first.kind is OutcomeKind.TRANSIENT
    clock.at += 3_600_000
    second = await receiver.driver.send(a_letter(BODY, address="", at=clock.at))
    assert second.kind is OutcomeKind.ACCEPTED
    assert len(receiver.vendor.received) == 1
    assert receiver.vendor.repeats == 1


async def test_a_changed_secret_is_noticed_as_wrong_settings(
    receiver: Receiver, session: aiohttp.ClientSession
) -> None:
    outcome = await a_driver(session, receiver.url, secrets=[OTHER]).send(a_letter(BODY, address=""))
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert receiver.vendor.refused == [Verification.NO_MATCH]


@pytest.mark.parametrize(
    ("status", "kind", "rest"),
    [
        (400, OutcomeKind.REFUSED_CONTENT, None),
        (401, OutcomeKind.MISCONFIGURED, None),
        (404, OutcomeKind.MISCONFIGURED, None),
        (408, OutcomeKind.TRANSIENT, 11.0),
        (410, OutcomeKind.REFUSED_RECIPIENT, None),
        (413, OutcomeKind.REFUSED_CONTENT, None),
        (429, OutcomeKind.THROTTLED, 11.0),
        (500, OutcomeKind.TRANSIENT, 11.0),
        (502, OutcomeKind.TRANSIENT, 11.0),
        (503, OutcomeKind.TRANSIENT, 11.0),
        (504, OutcomeKind.TRANSIENT, 11.0),
    ],
)
async def test_each_status_has_its_outcome(
    receiver: Receiver, status: int, kind: OutcomeKind, rest: float | None
) -> None:
    receiver.vendor.faults.put(Fault.REFUSE, code=status)
    outcome = await receiver.driver.send(a_letter(BODY, address=""))
    assert (outcome.kind, outcome.retry_after) == (kind, rest)
    assert outcome.detail == f"HTTP {status} refused as told"


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("120", 120.0),
        ("999999999999", 3600.0),
        ("Sat, 21 Nov 2026 18:01:00 GMT", 3600.0),
        ("Fri, 20 Nov 2026 18:01:30 GMT", 90.0),
        ("Fri, 20 Nov 2020 18:01:30 GMT", 0.0),
        ("soon", 30.0),
        ("-5", 30.0),
        ("nan", 30.0),
        ("", 30.0),
    ],
)
async def test_how_long_to_wait_is_read_in_every_form(session: aiohttp.ClientSession, header: str, rest: float) -> None:
    assert a_driver(session).read(Answer(429, b"", header), NIGHT).retry_after == rest


@pytest.mark.parametrize(
    ("fault", "kind", "taken"),
    [
        (Fault.STATUS_429, OutcomeKind.THROTTLED, 0),
        (Fault.REDIRECT, OutcomeKind.MISCONFIGURED, 0),
        (Fault.GARBAGE, OutcomeKind.ACCEPTED, 0),
        (Fault.DROP_BEFORE, OutcomeKind.TRANSIENT, 0),
        (Fault.HALF_BODY, OutcomeKind.TRANSIENT, 1),
        (Fault.DROP_AFTER, OutcomeKind.TRANSIENT, 1),
    ],
)
async def test_each_fault_has_its_outcome(receiver: Receiver, fault: Fault, kind: OutcomeKind, taken: int) -> None:
    """Garbage under 200 is a success here: the standard knows nothing but the status."""
    receiver.vendor.faults.put(fault)
    assert (await receiver.driver.send(a_letter(BODY, address=""))).kind is kind
    assert receiver.vendor.faults.happened == {fault: 1}
    assert len(receiver.vendor.received) == taken


async def test_a_receiver_that_does_not_answer_is_asked_again(
    receiver: Receiver, session: aiohttp.ClientSession, patience: Patience
) -> None:
    faults = receiver.vendor.faults
    faults.put(Fault.HANG)
    driver = a_driver(session, receiver.url, timeout=LONG)
    outcome = await patience.ended(driver.send(a_letter(BODY, address="")), faults.wait_for(Fault.HANG))
    assert outcome.kind is OutcomeKind.TRANSIENT
    receiver.vendor.faults.release()


async def test_nobody_listening_is_transient(session: aiohttp.ClientSession) -> None:
    outcome = await a_driver(session, f"http://127.0.0.1:{closed_port()}/hook").send(a_letter(BODY, address=""))
    assert outcome.kind is OutcomeKind.TRANSIENT


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}/hook",
        "http://127.0.0.1:{port}/hook",
        "http://[::1]:{port}/hook",
        "http://2130706433:{port}/hook",
        "http://0x7f.1:{port}/hook",
        "http://[::ffff:127.0.0.1]:{port}/hook",
        "https://127.0.0.1:{port}/hook",
        "http://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/hook",
        "http://0.0.0.0:{port}/hook",
        "http://8.8.8.8/hook",
        "http://user:password@127.0.0.1:{port}/hook",
        "ftp://127.0.0.1/hook",
        "file:///etc/passwd",
        "/hook",
        "http://[::1",
        "",
    ],
)
async def test_a_host_that_is_not_listed_is_not_reached(
    receiver: Receiver, session: aiohttp.ClientSession, address: str
) -> None:
    port = receiver.url.rpartition(":")[2].partition("/")[0]
    letter = a_letter(BODY, address=address.replace("{port}", port))
    outcome = await a_driver(session, allow_hosts=["192.168.7.7", "inner.example"]).send(letter)
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert receiver.vendor.received == []
    assert receiver.vendor.refused == []
    assert "password" not in outcome.detail


@pytest.mark.parametrize("listed", ["127.0.0.1", "127.0.0.0/8", "localhost", "LOCALHOST"])
async def test_a_listed_host_is_reached(receiver: Receiver, session: aiohttp.ClientSession, listed: str) -> None:
    host = "localhost" if "local" in listed.lower() else "127.0.0.1"
    address = receiver.url.replace("127.0.0.1", host)
    driver = a_driver(session, allow_hosts=[listed])
    outcomes = {(await driver.send(a_letter(BODY, address=address))).kind for _ in range(2)}
    # "localhost" may first lead to ::1, where nobody listens; the next attempt takes the next address.
    assert OutcomeKind.ACCEPTED in outcomes
    assert outcomes <= {OutcomeKind.ACCEPTED, OutcomeKind.TRANSIENT}


async def test_the_connection_goes_to_the_address_that_was_checked(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real, asked = loop.getaddrinfo, []

    async def changing(host: str, port: int, **other: Any) -> Any:
        """A name server that answers with an inner address from the second question on."""
        if host != "hooks.example":
            return await real(host, port, **other)
        asked.append(host)
        return await real("127.0.0.1" if len(asked) == 1 else "169.254.169.254", port, **other)

    monkeypatch.setattr(loop, "getaddrinfo", changing)
    driver = a_driver(session)
    async with raw_vendor(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") as (port, seen):
        letter = a_letter(BODY, address=f"http://hooks.example:{port}/hook")
        for _ in range(3):
            assert (await driver.send(letter)).kind is OutcomeKind.ACCEPTED
    assert asked == ["hooks.example"]
    assert all(f"Host: hooks.example:{port}\r\n".encode() in head for head in seen)
    # Now nobody listens: the name is asked again, and what it says now may not be reached.
    assert (await driver.send(letter)).kind is OutcomeKind.TRANSIENT
    assert (await driver.send(letter)).kind is OutcomeKind.MISCONFIGURED


async def test_a_host_with_several_addresses_is_tried_at_the_next_one(
    receiver: Receiver, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def both(host: str, port: int, **other: Any) -> Any:
        """A name server that knows two addresses; at the first nobody listens."""
        if host != "hooks.example":
            return await real(host, port, **other)
        return [*await real("127.0.0.2", port, **other), *await real("127.0.0.1", port, **other)]

    monkeypatch.setattr(loop, "getaddrinfo", both)
    driver = a_driver(session, allow_hosts=["hooks.example"])
    letter = a_letter(BODY, address=receiver.url.replace("127.0.0.1", "hooks.example"))
    assert (await driver.send(letter)).kind is OutcomeKind.TRANSIENT
    assert (await driver.send(letter)).kind is OutcomeKind.ACCEPTED
    assert (await driver.send(letter)).kind is OutcomeKind.ACCEPTED


async def test_a_redirect_into_the_house_is_not_followed(receiver: Receiver, session: aiohttp.ClientSession) -> None:
    async def elsewhere(_request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": receiver.url})

    app = web.Application()
    app.router.add_post("/hook", elsewhere)
    async with listening(app) as base:
        outcome = await a_driver(session, f"{base}/hook").send(a_letter(BODY, address=""))
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert receiver.vendor.received == []


async def test_a_certificate_must_be_known(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = Upstream([SECRET], clock)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(TLS / "loopback.pem")
    runner = web.AppRunner(vendor.app(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side)
        await site.start()
        address = f"https://127.0.0.1:{runner.addresses[0][1]}/hook"
        outcome = await a_driver(session, address).send(a_letter(BODY, address=""))
        assert outcome.kind is OutcomeKind.MISCONFIGURED
        known = ssl.create_default_context(cafile=str(TLS / "loopback_ca.pem"))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=known)) as trusting:
            outcome = await a_driver(trusting, address).send(a_letter(BODY, address=""))
            assert outcome.kind is OutcomeKind.ACCEPTED
    finally:
        await runner.cleanup()
    assert len(vendor.received) == 1


@pytest.mark.parametrize("text", ["", "x" * (BODY_BYTES + 1), "\ud83d"])
async def test_what_no_receiver_should_get_does_not_leave(receiver: Receiver, text: str) -> None:
    assert (await receiver.driver.send(a_letter(text, address=""))).kind is OutcomeKind.REFUSED_CONTENT
    assert receiver.vendor.received == []


async def test_secrets_are_never_shown(session: aiohttp.ClientSession) -> None:
    driver = a_driver(session)
    bare = SECRET.removeprefix("whsec_")
    outcome = driver.read(Answer(401, f"secret {SECRET} or {bare} is wrong".encode()), NIGHT)
    assert outcome.detail == "HTTP 401 secret *** or *** is wrong"
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"kind": "webhook", "secrets": [SECRET, "whsec_canary"]})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("letter_id", ["A0231.n17", "警情", "", "x" * 300, "a\r\nb"])
def test_an_id_no_header_can_hold_becomes_a_hash_that_stays_the_same(letter_id: str) -> None:
    assert webhook_id(letter_id) == webhook_id(letter_id)
    assert webhook_id(letter_id).startswith("sha256-")
    assert webhook_id("A0231/open:n17") == "A0231/open:n17"
