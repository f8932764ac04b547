"""What comes back from the gateway: reports and answers, over a real door and as rubbish."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.vendor import listening
from channels.callback import Call, Errand, Inbound, address_allowed, callback_path
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.kannel import Driver, Settings
from channels.sms.kannel_inbound import UPLINK_QUERY, read_query, read_report, read_uplink
from tests.channels.conftest import NIGHT, Clock, a_letter

TOKEN = "fake-callback-token-0001"
PASSWORD = "fake-gateway-password"


class Door:
    """What the hub's web server does with a call-back, at its shortest."""

    def __init__(self, read: Callable[[], Inbound]) -> None:
        self.read = read
        self.reports: list[Report] = []
        self.uplinks: list[Uplink] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get(callback_path("sms", TOKEN, Errand.REPORT), self.report)
        app.router.add_get(callback_path("sms", TOKEN, Errand.UPLINK), self.uplink)
        return app

    async def report(self, request: web.Request) -> web.Response:
        self.reports += [item for item in self.heard(request, Errand.REPORT) if isinstance(item, Report)]
        return web.Response(text="")

    async def uplink(self, request: web.Request) -> web.Response:
        self.uplinks += [item for item in self.heard(request, Errand.UPLINK) if isinstance(item, Uplink)]
        return web.Response(text="")

    def heard(self, request: web.Request, errand: Errand) -> tuple[Uplink | Report, ...]:
        call = Call(errand, request.method, request.rel_url.raw_query_string, {})
        return self.read().read_call(call, NIGHT).items


@asynccontextmanager
async def gateway_and_hub(
    session: aiohttp.ClientSession, clock: Clock
) -> AsyncIterator[tuple[KannelGateway, Door, Driver]]:
    drivers: list[Driver] = []
    door = Door(lambda: drivers[0])
    gateway = KannelGateway("fenghuo", PASSWORD, clock)
    async with listening(gateway.app()) as gateway_url, listening(door.app()) as hub_url:
        table = {
            "kind": "sms_kannel",
            "url": f"{gateway_url}/cgi-bin/sendsms",
            "username": "fenghuo",
            "password": PASSWORD,
            "hub_url": hub_url,
            "callback_token": TOKEN,
        }
        drivers.append(Driver("sms", Settings.model_validate(table), session))
        gateway.uplink_url = f"{hub_url}{callback_path('sms', TOKEN, Errand.UPLINK)}?{UPLINK_QUERY}"
        yield gateway, door, drivers[0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (1, ReceiptKind.DELIVERED),
        (2, ReceiptKind.UNDELIVERED),
        (4, ReceiptKind.ACCEPTED),
        (8, ReceiptKind.ACCEPTED),
        (16, ReceiptKind.UNDELIVERED),
    ],
)
@pytest.mark.parametrize("letter_id", ["A0231-n17", "A0231/开启 100%D%I?&x=1"])
async def test_a_delivery_report_finds_its_letter(
    session: aiohttp.ClientSession, clock: Clock, status: int, kind: ReceiptKind, letter_id: str
) -> None:
    async with gateway_and_hub(session, clock) as (gateway, door, driver):
        await driver.send(a_letter(id=letter_id))
        assert await gateway.report(0, status, session, "id:1 stat:空号") == 200
    (report,) = door.reports
    assert (report.channel, report.letter_id, report.kind) == ("sms", letter_id, kind)
    assert report.detail.endswith("id:1 stat:空号")
    assert report.vendor_id


async def test_an_answer_from_a_phone_comes_in_once_known_by_its_id(
    session: aiohttp.ClientSession, clock: Clock
) -> None:
    async with gateway_and_hub(session, clock) as (gateway, door, _driver):
        for _ in range(2):
            assert await gateway.answer("+8613800138000", "签收 A0231 & 现场+1人", session, "mo-1") == 200
    first, again = door.uplinks
    assert first == again
    assert first == Uplink("sms", "mo-1", "13800138000", "签收 A0231 & 现场+1人", NIGHT)


def test_chinese_in_the_gateways_own_charset_is_read() -> None:
    raw = "sender=13800138000&charset=UTF-16BE&text=" + "".join(f"%{byte:02X}" for byte in "签收".encode("utf-16-be"))
    assert read_uplink("sms", read_query(raw), NIGHT).text == "签收"
    with pytest.raises(ValueError, match="mo-recode"):
        read_query("charset=UTF-16BE&text=%7B")


def test_without_an_id_sender_time_and_text_identify() -> None:
    base = {"sender": "13800138000", "text": "1", "time": "1795197600"}
    one = read_uplink("sms", base, NIGHT)
    assert read_uplink("sms", base, NIGHT + 5000).message_id == one.message_id
    for other in ({"sender": "13900139000"}, {"text": "2"}, {"time": "1795197601"}):
        assert read_uplink("sms", base | other, NIGHT).message_id != one.message_id


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({}, "sender"),
        ({"sender": "张三", "text": "1"}, "电话号码"),
        ({"sender": "13800138000"}, "text"),
        ({"sender": "13800138000", "text": "\x00\n "}, "text"),
        ({"sender": "13800138000", "text": "警" * 2001}, "2000"),
        ({"sender": "13800138000", "text": "1", "id": "x" * 300}, "编号"),
    ],
)
def test_an_answer_that_is_none_says_why(params: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_uplink("sms", params, NIGHT)


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"status": "1"}, "letter"),
        ({"letter": "n1"}, "status"),
        ({"letter": "n1", "status": "32"}, "32"),
        ({"letter": "n1", "status": "%d"}, "%d"),
        ({"letter": "n\x1b1", "status": "1"}, "编号"),
    ],
)
def test_a_report_that_is_none_says_why(params: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_report("sms", params, NIGHT)


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=200))
def test_any_query_is_read_or_refused_in_words(raw: str) -> None:
    for read in (read_uplink, read_report):
        words = ""
        try:
            read("sms", read_query("sender=13800138000&letter=n1&text=" + raw), NIGHT)
            words = "read"
        except ValueError as refused:
            words = str(refused)
        assert words


def test_who_may_knock() -> None:
    allowed = ("10.1.2.0/24", "::1", "192.0.2.7")
    assert address_allowed("10.1.2.200", allowed)
    assert address_allowed("::ffff:10.1.2.3", allowed)
    assert address_allowed("::1", allowed)
    for stranger in ("10.1.3.1", "192.0.2.8", "::2", "", "localhost", "10.1.2.3, 8.8.8.8"):
        assert not address_allowed(stranger, allowed)
    assert not address_allowed("127.0.0.1", ())


def test_a_path_cannot_be_bent_by_a_name() -> None:
    assert callback_path("sms/../x", "a?b#c", Errand.UPLINK) == "/callback/sms%2F..%2Fx/a%3Fb%23c/uplink"
