"""The driver, and the simulated gateway, beside Debian's Kannel with its fake carrier."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.vendor import listening
from channels.callback import Call, Errand
from channels.channel import ReceiptKind, Report, Uplink
from channels.greeting import Standing
from channels.outcome import OutcomeKind
from channels.sms.kannel import Driver, Settings
from channels.sms.kannel_inbound import UPLINK_QUERY
from tests.channels.conftest import NIGHT, Clock, a_letter
from tests.kannel import PASSWORD, SENDER, USER, Kannel, kannel
from tests.ports import free_port

pytestmark = [pytest.mark.part("kannel"), pytest.mark.timeout(60)]

PHONE = "13800138000"
TOKEN = "fake-callback-token-0001"


class Door:
    """A hub's door in small: reads call-backs with the driver, as the web server does."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.refusing = 0
        self.turned_away = 0
        self.uplinks: list[Uplink] = []
        self.reports: list[Report] = []
        self.errors: list[str] = []
        self._port = port
        self._heard = asyncio.Condition()
        self.driver: Driver | None = None

    async def _take(self, request: web.Request) -> web.Response:
        assert self.driver is not None
        async with self._heard:
            self._heard.notify_all()
            if self.refusing:
                self.refusing -= 1
                self.turned_away += 1
                return web.Response(status=503)
            try:
                errand = Errand.UPLINK if request.path.endswith("/uplink") else Errand.REPORT
                call = Call(errand, request.method, request.rel_url.raw_query_string, {})
                heard = self.driver.read_call(call, NIGHT)
                self.uplinks += [item for item in heard.items if isinstance(item, Uplink)]
                self.reports += [item for item in heard.items if isinstance(item, Report)]
            except ValueError as error:
                self.errors.append(str(error))
                return web.Response(status=400)
        return web.Response(status=heard.thanks.status)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._heard:
            await self._heard.wait_for(holds)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/{rest:.*}", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            yield
        finally:
            await runner.cleanup()


def a_driver(session: aiohttp.ClientSession, gateway: Kannel, **other: Any) -> Driver:
    table = {
        "kind": "sms_kannel",
        "url": gateway.url,
        "username": USER,
        "password": PASSWORD,
        "signature": "烽火预警",
        "callback_token": TOKEN,
        "timeout": 5.0,
        **other,
    }
    return Driver("sms", Settings.model_validate(table), session)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    made = Door(free_port())
    async with made.open():
        yield made


@pytest.fixture
async def gateway(tmp_path: Path, door: Door) -> AsyncIterator[Kannel]:
    async with kannel(tmp_path / "kannel", f"{door.url}/uplink?{UPLINK_QUERY}") as running:
        yield running


async def test_chinese_short_and_long_reaches_the_phone_whole(
    session: aiohttp.ClientSession, gateway: Kannel, door: Door
) -> None:
    short = "一号井 CO 31ppm & 限值 24+，100% 确认\n回复1签收 A0231"
    long = "。".join(f"第{count}段：CO 超限，请立即撤人并报告" for count in range(1, 14))
    for method in ("post", "get"):
        driver = door.driver = a_driver(session, gateway, method=method, hub_url=door.url)
        for text in (short, long):
            outcome = await driver.send(a_letter(f"{method} {text}", id=f"{method}/{len(text)}%&号"))
            assert (outcome.kind, outcome.detail) == (OutcomeKind.ACCEPTED, "HTTP 202 0: Accepted for delivery")
            assert await gateway.carrier.shown(PHONE, method, text) == f"【烽火预警】{method} {text}"
    parts = [part for part in gateway.carrier.parts if part.to == PHONE]
    assert {part.sender for part in parts} == {SENDER}
    assert all(len(part.header) + len(part.body) <= 140 for part in parts)
    # Each letter is reported under its own name, whatever marks stand in it, and as delivered.
    wanted = {f"{method}/{len(text)}%&号" for method in ("post", "get") for text in (short, long)}
    await door.until(lambda: {each.letter_id for each in door.reports if each.kind is ReceiptKind.DELIVERED} == wanted)
    assert door.errors == []
    assert {each.kind for each in door.reports} <= {ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED}


async def test_the_longest_letter_the_settings_allow_is_not_cut(
    session: aiohttp.ClientSession, gateway: Kannel
) -> None:
    driver = a_driver(session, gateway, max_parts=5)
    assert driver.abilities.max_chars is not None
    text = ("警情" * 400)[: driver.abilities.max_chars - 1] + "末"
    assert (await driver.send(a_letter(text))).kind is OutcomeKind.ACCEPTED
    assert await gateway.carrier.shown(PHONE, "末") == "【烽火预警】" + text
    assert len([part for part in gateway.carrier.parts if part.to == PHONE]) == 5


async def test_answers_come_in_as_they_were_typed(session: aiohttp.ClientSession, gateway: Kannel, door: Door) -> None:
    door.driver = a_driver(session, gateway)
    long = "处置 A0231 " + "已停机清灰，风机复位，人员撤离；" * 12
    said = ["签收 A0231", "收到了👍 100% & 马上到+1", long]
    for count, text in enumerate(said, 1):
        await gateway.carrier.write("13800130001", text)
        await door.until(functools.partial(_has, door, count))
    assert [each.text for each in door.uplinks] == [text.strip() for text in said]
    assert {each.sender for each in door.uplinks} == {"13800130001"}
    assert len({each.message_id for each in door.uplinks}) == len(said)
    assert door.errors == []


def _has(door: Door, count: int) -> bool:
    return len(door.uplinks) == count


async def test_a_long_answer_in_parts_is_one_answer(
    session: aiohttp.ClientSession, gateway: Kannel, door: Door
) -> None:
    """The second part first, as the air brings them; in letters, and in bytes whose coding the phone did not say."""
    door.driver = a_driver(session, gateway)
    raw = "已到现场，正在处置".encode()
    for reference, kind, pieces in ((7, "udh-text", (b"fine,", b"coming")), (8, "udh-data", (raw[:14], raw[14:]))):
        for index in (2, 1):
            header = f"%05%00%03%{reference:02x}%02%{index:02x}"
            piece = pieces[index - 1].decode() if kind == "udh-text" else quote_from_bytes(pieces[index - 1])
            await gateway.carrier.open("13800130001", SENDER, kind, header, piece)
            await gateway.carrier.handed_over()
    await door.until(lambda: len(door.uplinks) == 2)
    assert [each.text for each in door.uplinks] == ["fine,coming", "已到现场，正在处置"]
    assert door.errors == []


async def test_a_hub_that_is_away_hears_the_answer_later(
    session: aiohttp.ClientSession, gateway: Kannel, door: Door
) -> None:
    door.driver = a_driver(session, gateway, hub_url=door.url)
    door.refusing = 3
    await gateway.carrier.write("13800130001", "签收")
    await door.driver.send(a_letter(id="A0231-n17"))
    await door.until(lambda: bool(door.uplinks) and any(e.kind is ReceiptKind.DELIVERED for e in door.reports))
    assert door.turned_away == 3
    assert [each.text for each in door.uplinks] == ["签收"]


async def test_what_is_wrong_is_said_by_its_name(session: aiohttp.ClientSession, gateway: Kannel) -> None:
    for method in ("post", "get"):
        wrong = await a_driver(session, gateway, method=method, password="wrong").send(a_letter())
        assert (wrong.kind, wrong.detail) == (
            OutcomeKind.MISCONFIGURED,
            "HTTP 403 Authorization failed for sendsms",
        )
    await gateway.carrier.close()
    # The carrier's line is down: the gateway keeps the message, and hands it over when the line is back.
    await gateway.until_the_line_is_down(session)
    kept = await a_driver(session, gateway).send(a_letter("线路中断时发出"))
    assert (kept.kind, kept.detail) == (OutcomeKind.ACCEPTED, "HTTP 202 3: Queued for later delivery")
    await gateway.carrier.open()
    await gateway.carrier.shown(PHONE, "线路中断时发出")
    await gateway.stop()
    down = await a_driver(session, gateway).send(a_letter())
    assert down.kind is OutcomeKind.TRANSIENT
    await gateway.start()
    assert (await a_driver(session, gateway).send(a_letter("网关恢复"))).kind is OutcomeKind.ACCEPTED
    await gateway.carrier.shown(PHONE, "网关恢复")


REQUESTS: list[tuple[str, dict[str, str]]] = [
    ("all is well", {}),
    ("wrong user", {"username": "nobody"}),
    ("wrong password", {"password": "x"}),
    ("no number", {"to": ""}),
    ("letters for a number", {"to": "abc"}),
    ("unknown charset", {"charset": "klingon"}),
    ("unknown coding", {"coding": "9"}),
    ("a report to nowhere", {"dlr-url": "nowhere"}),
]


@pytest.mark.parametrize("method", ["get", "post"])
async def test_the_simulated_gateway_answers_as_the_real_one(
    session: aiohttp.ClientSession, clock: Clock, gateway: Kannel, method: str
) -> None:
    async def said(base: str, changes: dict[str, str]) -> tuple[int, str]:
        given = {"username": USER, "password": PASSWORD, "to": PHONE, "coding": "2", "charset": "UTF-8"} | changes
        if method == "get":
            request: Awaitable[aiohttp.ClientResponse] = session.get(URL(base).with_query(given | {"text": "好"}))
        else:
            kind = {"Content-Type": f"text/plain; charset={given.pop('charset')}"}
            headers = {f"X-Kannel-{name}": value for name, value in given.items()}
            request = session.post(base, data="好".encode(), headers=headers | kind)
        response = await request
        return response.status, await response.text()

    simulated = KannelGateway(USER, PASSWORD, clock)
    async with listening(simulated.app()) as url:
        for name, changes in REQUESTS:
            right = await said(gateway.url, changes)
            assert await said(f"{url}/cgi-bin/sendsms", changes) == right, name
        if method == "post":
            for kind in ("text/html", "application/x-www-form-urlencoded", "application/json"):
                answers = [await _typed(session, each, kind) for each in (gateway.url, f"{url}/cgi-bin/sendsms")]
                assert answers[0] == answers[1], kind


async def _typed(session: aiohttp.ClientSession, url: str, kind: str) -> tuple[int, str]:
    headers = {"Content-Type": kind, "X-Kannel-Username": USER, "X-Kannel-Password": PASSWORD, "X-Kannel-To": PHONE}
    async with session.post(url, data=b"x", headers=headers) as response:
        return response.status, await response.text()


async def test_logging_in_without_a_receiver_sends_nothing(session: aiohttp.ClientSession, gateway: Kannel) -> None:
    for method in ("post", "get"):
        assert (await a_driver(session, gateway, method=method).greet(NIGHT)).standing is Standing.WELL
        wrong = a_driver(session, gateway, method=method, password="other")
        assert (await wrong.greet(NIGHT)).standing is Standing.WRONG_KEY
    assert gateway.carrier.parts == []
