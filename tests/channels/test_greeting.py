"""Logging in without sending: each vendor's simulator, each thing that may be wrong, and not one message."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.demo.simulators.aliyun import AliyunSms
from bot.demo.simulators.dingtalk import DingtalkRobots
from bot.demo.simulators.feishu import Bot, FeishuRobots
from bot.demo.simulators.imap import MailboxServer
from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.mas import MasPlatform
from bot.demo.simulators.smstools import Smsd
from bot.demo.simulators.smtp import MailServer
from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import Fault, listening
from bot.demo.simulators.wecom import WecomRobots
from bot.demo.simulators.wecom_app import AppAccount, WecomApp
from channels.greeting import Greeting, Greets, Standing, skewed
from channels.registry import kinds, open_channel, parse
from tests.channels import tencent_account, test_mas
from tests.channels.aliyun_account import KEY_ID, KEY_SECRET, TEMPLATES
from tests.channels.aliyun_account import table as aliyun
from tests.channels.certificates import contexts
from tests.channels.conftest import NIGHT, Clock, a_letter, closed_port
from tests.store.real_server import running

APP = AppAccount(
    "wwdemo0000000001", 1000002, "canary-app-secret", "faketoken", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
)
LOGIN = ("fenghuo", "canary-mail-password")
WHSEC = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


async def greet(session: aiohttp.ClientSession, at: int = NIGHT, **table: Any) -> Greeting:
    channel = open_channel("it", parse("it", {"timeout": 20.0, **table}), session)
    assert isinstance(channel, Greets)
    try:
        return await channel.greet(at)
    finally:
        await channel.close()


def now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def kannel(url: str, **other: Any) -> dict[str, Any]:
    path = f"{url}/cgi-bin/sendsms"
    return {"kind": "sms_kannel", "url": path, "username": "fenghuo", "password": "canary-sms", **other}


def app(url: str, **other: Any) -> dict[str, Any]:
    table = {"kind": "wecom_app", "corpid": APP.corpid, "agentid": APP.agentid, "secret": APP.secret, "base_url": url}
    return {**table, **other}


def robot(url: str) -> dict[str, Any]:
    return {"kind": "dingtalk_robot", "token": "canary", "secret": "SECcanary", "readers": ["town"], "base_url": url}


def mail(port: int, **other: Any) -> dict[str, Any]:
    known = {"username": LOGIN[0], "password": LOGIN[1], "sender": "a@example.cn", "security": "none"}
    return {"kind": "smtp_mail", "host": "127.0.0.1", "port": port, **known, **other}


def test_every_kind_of_channel_can_be_greeted() -> None:
    assert [kind for kind, module in kinds().items() if not hasattr(module.Driver, "greet")] == []


@pytest.mark.parametrize("method", ["post", "get"])
async def test_a_gateway_looks_at_the_password_and_misses_the_number(
    session: aiohttp.ClientSession, clock: Clock, method: str
) -> None:
    vendor = KannelGateway("fenghuo", "canary-sms", clock)
    async with listening(vendor.app()) as url:
        assert (await greet(session, **kannel(url, method=method))).standing is Standing.WELL
        wrong = await greet(session, **kannel(url, method=method, password="canary-other"))
        assert (wrong.standing, "canary" in wrong.detail) == (Standing.WRONG_KEY, False)
    assert vendor.received == []


async def test_an_app_is_known_by_its_token(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = WecomApp(APP, ["zhangsan"], clock)
    async with listening(vendor.app()) as url:
        assert (await greet(session, now(), **app(url))).standing is Standing.WELL
        wrong = await greet(session, now(), **app(url, secret="canary-other"))
        assert (wrong.standing, "canary" in wrong.detail) == (Standing.WRONG_KEY, False)
        nobody = await greet(session, now(), **app(url, corpid="wwdemo0000000009"))
        assert (nobody.standing, nobody.where) == (Standing.WRONG_KEY, ("corpid",))
        other = await greet(session, now(), **app(url, agentid=1000009))
        assert (other.standing, other.where) == (Standing.REFUSED, ("agentid",))
        vendor.listed = False
        stranger = await greet(session, now(), **app(url))
        assert (stranger.standing, stranger.detail.split()[0]) == (Standing.REFUSED, "60020")
        vendor.listed, vendor.works = True, False
        off = await greet(session, now(), **app(url))
        assert (off.standing, "停用" in off.detail) == (Standing.REFUSED, True)
        fast = await greet(session, now() + 600_000, **app(url))
        assert fast.standing is Standing.CLOCK
        assert "快 " in fast.detail
    assert vendor.received == []


async def test_a_cloud_is_asked_what_sends_nothing(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = AliyunSms(KEY_ID, KEY_SECRET, ("青河应急",), TEMPLATES, clock)
    clock.at = now()
    async with listening(vendor.app()) as url:
        assert (await greet(session, clock.at, **aliyun(url))).standing is Standing.WELL
        for wrong in ({"access_key_secret": "canary-other"}, {"access_key_id": "canaryid"}):
            said = await greet(session, clock.at, **aliyun(url, **wrong))
            assert (said.standing, "canary" in said.detail) == (Standing.WRONG_KEY, False)
        assert (await greet(session, clock.at + 3_600_000, **aliyun(url))).standing is Standing.CLOCK
    assert vendor.received == []


async def test_a_second_cloud_is_asked_too(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = TencentSms(
        tencent_account.SECRET_ID,
        tencent_account.SECRET_KEY,
        tencent_account.APP_ID,
        ("青河应急",),
        tencent_account.TEMPLATES,
        clock,
    )
    clock.at = now()
    async with listening(vendor.app()) as url:
        table = tencent_account.table
        assert (await greet(session, clock.at, **table(url))).standing is Standing.WELL
        for wrong in ({"secret_key": "canary-other"}, {"secret_id": "canaryid"}):
            said = await greet(session, clock.at, **table(url, **wrong))
            assert (said.standing, "canary" in said.detail) == (Standing.WRONG_KEY, False)
        for asks in (True, False):
            said = await greet(session, clock.at, **table(url, app_id="1400000009", ask_first=asks))
            assert said.standing is Standing.REFUSED
        assert (await greet(session, clock.at + 3_600_000, **table(url))).standing is Standing.CLOCK
    assert vendor.received == []


@pytest.mark.parametrize(("asks", "standing"), [(True, Standing.REFUSED), (False, Standing.REACHED)])
async def test_an_account_that_may_not_ask_is_known_only_as_far_as_its_key(
    session: aiohttp.ClientSession, asks: bool, standing: Standing
) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"Response": {"Error": {"Code": "UnsupportedOperation", "Message": "not opened"}}})

    app = web.Application()
    app.router.add_post("/", refuse)
    async with listening(app) as url:
        said = await greet(session, now(), **tencent_account.table(url, ask_first=asks))
    assert said.standing is standing
    assert "UnsupportedOperation" in said.detail


async def test_a_carriers_platform_can_only_be_reached(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = MasPlatform(test_mas.EC, test_mas.AP, test_mas.KEY, {test_mas.SIGN: "青河应急"}, clock)
    async with listening(vendor.app()) as url:
        assert (await greet(session, now(), **test_mas.table(url))).standing is Standing.REACHED
        assert (await greet(session, now() + 600_000, **test_mas.table(url))).standing is Standing.CLOCK
    assert vendor.received == []


async def test_a_modem_s_folders_are_looked_at(session: aiohttp.ClientSession, clock: Clock, tmp_path: Path) -> None:
    smsd = Smsd(tmp_path / "sms", clock)
    table = {"kind": "sms_spool", "spool": str(smsd.spool)}
    assert (await greet(session, clock.at, **table)).standing is Standing.WELL
    assert list((smsd.spool / "outgoing").iterdir()) == []
    await open_channel("modem", parse("modem", table), session).send(a_letter())
    stopped = await greet(session, a_letter().at + 600_000, **table)
    assert (stopped.standing, "1 个文件没有发出" in stopped.detail) == (Standing.REFUSED, True)
    (smsd.spool / "sent").rename(smsd.spool / "elsewhere")
    missing = await greet(session, clock.at, **table)
    assert (missing.standing, "没有目录" in missing.detail) == (Standing.REFUSED, True)


async def test_a_group_robot_that_does_not_know_its_key(session: aiohttp.ClientSession) -> None:
    vendor = WecomRobots({"right": "town"}, now)
    async with listening(vendor.app()) as url:
        table = {"kind": "wecom_robot", "key": "right", "readers": ["town"], "base_url": url}
        assert (await greet(session, now(), **table)).standing is Standing.REACHED
        wrong = await greet(session, now(), **{**table, "key": "canary-key"})
        assert (wrong.standing, wrong.where) == (Standing.WRONG_KEY, ("key",))
        assert wrong.detail.startswith("93000 ")
        assert "canary" not in wrong.detail
        assert (await greet(session, now() - 600_000, **table)).standing is Standing.CLOCK
        vendor.faults.put(Fault.STATUS_500)
        assert await greet(session, now(), **table) == Greeting(Standing.REACHED, "HTTP 500")
    assert vendor.received == []


async def test_a_feishu_robot_that_does_not_know_its_hook_or_its_signature(session: aiohttp.ClientSession) -> None:
    vendor = FeishuRobots({"right": Bot("town", "sealed"), "open": Bot("town", keywords=("监测",))}, now)
    async with listening(vendor.app()) as url:
        table = {"kind": "feishu_robot", "hook": "right", "secret": "sealed", "readers": ["town"], "base_url": url}
        assert (await greet(session, now(), **table)).standing is Standing.REACHED
        assert (await greet(session, now(), **{**table, "hook": "open", "secret": ""})).standing is Standing.REACHED
        for name, code in (("hook", 19001), ("secret", 19021)):
            wrong = await greet(session, now(), **{**table, name: "canary-other"})
            assert (wrong.standing, wrong.where) == (Standing.WRONG_KEY, (name,)), wrong
            assert wrong.detail.startswith(f"{code} ")
            assert "canary" not in wrong.detail
    assert vendor.received == []


async def test_a_dingtalk_robot_can_only_be_reached_and_its_clock_compared(
    session: aiohttp.ClientSession, clock: Clock
) -> None:
    vendor = DingtalkRobots({}, clock)
    async with listening(vendor.app()) as url:
        assert (await greet(session, now(), **robot(url))).standing is Standing.REACHED
        assert (await greet(session, now() - 600_000, **robot(url))).standing is Standing.CLOCK
    assert vendor.received == []


async def test_a_mail_server_is_logged_in_to(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = MailServer(clock, login=LOGIN)
    async with vendor.listening() as port:
        assert (await greet(session, **mail(port))).standing is Standing.WELL
        wrong = await greet(session, **mail(port, password="canary-other"))
        assert (wrong.standing, "canary" in wrong.detail) == (Standing.WRONG_KEY, False)
        no_tls = await greet(session, **mail(port, security="starttls"))
        assert no_tls.standing is Standing.REFUSED
    assert vendor.received == []


async def test_the_mailbox_that_is_read_is_logged_in_to_as_well(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor, box = MailServer(clock, login=LOGIN), MailboxServer(clock, ("reader", "canary-imap"), needs_id=True)
    async with vendor.listening() as port, box.listening() as imap_port:
        imap: dict[str, Any] = {"host": "127.0.0.1", "port": imap_port, "security": "none", "username": "reader"}
        imap |= {"password": "canary-imap", "reply_secret": "canary-reply-secret-of-32-characters", "timeout": 1}
        well = await greet(session, **mail(port, imap=imap))
        assert well.standing is Standing.WELL
        assert "收信：已登录" in well.detail
        wrong = await greet(session, **mail(port, imap=imap | {"password": "canary-no"}))
        assert (wrong.standing, "canary" in wrong.detail) == (Standing.WRONG_KEY, False)
        assert "收信：登录被拒" in wrong.detail
        folder = await greet(session, **mail(port, imap=imap | {"folder": "Nowhere"}))
        assert (folder.standing, "Nowhere" in folder.detail) == (Standing.REFUSED, True)
        away = await greet(session, **mail(port, imap=imap | {"port": closed_port()}))
        assert away.standing is Standing.NO_ROUTE
        # Whichever of the two is wrong, it is said.
        sending = await greet(session, **mail(port, password="canary-other", imap=imap))
        assert sending.standing is Standing.WRONG_KEY
        assert "发信：535" in sending.detail
    assert not any(word in each.upper() for each in box.commands for word in ("SELECT", "CREATE", "STORE", "FETCH"))
    assert vendor.received == []


async def test_a_stream_s_server_is_pinged(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    async with running(tmp_path / "theirs") as (server, store):
        table: dict[str, Any] = {"kind": "redis_stream", "url": f"unix://{server.socket}", "stream": "answers"}
        assert (await greet(session, **table)).detail == "PONG"
        await store.execute("ACL", "SETUSER", "fenghuo", "on", ">canary", "~answers", "+xadd")
        may = {**table, "username": "fenghuo", "password": "canary"}
        assert (await greet(session, **may)).standing is Standing.WELL
        wrong = await greet(session, **{**may, "password": "canary-other"})
        assert (wrong.standing, "canary" in wrong.detail) == (Standing.WRONG_KEY, False)
        assert await store.execute("EXISTS", "answers") == 0


async def test_nobody_there(session: aiohttp.ClientSession) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    webhook = {"kind": "webhook", "url": url, "secrets": [WHSEC], "allow_hosts": ["127.0.0.1"]}
    redis = {"kind": "redis_stream", "url": url.replace("http", "redis"), "stream": "answers"}
    for table in (kannel(url), app(url), aliyun(url), robot(url), mail(closed_port()), webhook, redis):
        said = await greet(session, **table)
        assert (said.standing, "canary" in said.detail) == (Standing.NO_ROUTE, False), table["kind"]
    unknown = await greet(session, **robot("https://nobody.invalid"))
    assert unknown.standing is Standing.NO_ROUTE
    assert "无法解析" in unknown.detail


async def test_a_webhook_is_shaken_hands_with_and_nothing_more(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    server, _ = contexts(tmp_path)
    async with tls(server) as (port, asked):
        table: dict[str, Any] = {"kind": "webhook", "url": f"https://127.0.0.1:{port}/in", "secrets": [WHSEC]}
        said = await greet(session, **table, allow_hosts=["127.0.0.1"])
        assert said.standing is Standing.CERTIFICATE
        said = await greet(session, **table)
        assert said.standing is Standing.REFUSED
        assert "allow_hosts" in said.detail
    assert asked == []
    assert (await greet(session, kind="webhook", secrets=[WHSEC])).standing is Standing.REACHED


@asynccontextmanager
async def tls(server: ssl.SSLContext) -> AsyncIterator[tuple[int, list[str]]]:
    """A vendor behind TLS; its port, and what was asked of it."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"errcode": 0})

    vendor = web.Application()
    vendor.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(vendor, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server).start()
        yield runner.addresses[0][1], asked
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("trusted", "until", "words"),
    [
        (True, datetime(2021, 1, 1, tzinfo=UTC), "已过期"),
        (False, datetime(2100, 1, 1, tzinfo=UTC), "装进本机的信任库"),
    ],
)
async def test_what_is_wrong_with_a_certificate(tmp_path: Path, trusted: bool, until: datetime, words: str) -> None:
    server, authority = contexts(tmp_path, until=until)
    client = ssl.create_default_context(cafile=str(authority) if trusted else None)
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(ssl=client)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        port, asked = await stack.enter_async_context(tls(server))
        said = await greet(session, **robot(f"https://127.0.0.1:{port}"))
        assert (said.standing, words in said.detail) == (Standing.CERTIFICATE, True), said
        plain = await greet(session, **robot(f"http://127.0.0.1:{port}"))
        assert plain.standing in (Standing.UNCLEAR, Standing.NO_ROUTE, Standing.REFUSED)
        assert asked == []


async def test_a_vendor_that_says_nothing_is_waited_for_briefly(session: aiohttp.ClientSession) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        for table in (robot(f"http://127.0.0.1:{port}"), mail(port)):
            said = await greet(session, **{**table, "timeout": 0.2})
            assert not said.standing.good
    finally:
        for writer in held:
            writer.close()
        server.close()


@pytest.mark.parametrize(("off", "said"), [(0, None), (60_000, None), (-60_000, None), (60_001, "快"), (-60_001, "慢")])
def test_clocks_may_differ_by_a_minute(off: int, said: str | None) -> None:
    found = skewed(NIGHT, NIGHT + off)
    assert (found is None) == (said is None)
    assert found is None or f"比对方{said} 60 秒" in found.detail
