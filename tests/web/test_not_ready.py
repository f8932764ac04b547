"""Health, and what pages and doors say while the store is not ready or something inside breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from bot.clock import Clock, PushedClock
from bot.engine import Engine
from bot.rules import Rules
from bot.web.guards import Handler, shown_path
from bot.web.links import LinkFacts, Links
from bot.web.routes import add_routes
from channels.callback import Errand, callback_path
from tests.demo.house import House

PAGE = {"Accept": "text/html"}


@dataclass
class Closed:
    """A hub whose store is not there."""

    rules: Rules
    clock: Clock
    links: Links
    engine: Engine | None = None
    not_ready: str = "存储空间不足\nthe disk is full"


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def closed(house: House) -> Closed:
    hub = house.demo.hub
    return Closed(hub.rules, PushedClock(house.demo.clock.now()), hub.links)


async def test_a_ready_hub_says_so(house: House) -> None:
    for path, said in (("/healthz", "alive"), ("/readyz", "ready")):
        async with house.session.get(house.demo.url + path) as response:
            assert (response.status, await response.json()) == (200, {"status": said})
    status, text = await house.get("/")
    assert (status, "青河区安全生产预警中心" in text, "运行正常" in text) == (200, True, True)


async def test_without_a_store_nothing_is_taken_and_the_reason_is_told(house: House) -> None:
    where = closed(house)
    app = web.Application()
    add_routes(app, where)
    token = where.links.seal(LinkFacts("A0001", "lin", "91000000DEM0000019", "operator", 2**52, ""))
    secret = (house.demo.folder / "secrets" / "sms-callback").read_text()
    async with serving(app) as url, aiohttp.ClientSession() as session:
        async with session.get(url + "/healthz") as response:
            assert response.status == 200
        async with session.get(url + "/readyz") as response:
            assert response.status == 503
            body = await response.json()
            assert (body["reason"], body["reason_en"]) == ("存储空间不足", "the disk is full")
        form = {"form": where.links.form_token(token), "nonce": "0" * 24, "verb": "sign"}
        async with session.get(f"{url}/a/{token}") as looked, session.post(f"{url}/a/{token}", data=form) as acted:
            for response in (looked, acted):
                assert response.status == 503
                assert response.headers["Retry-After"]
                assert "没有记录" in await response.text()
        query = "?sender=13800130001&text=1&id=1"
        async with session.get(url + callback_path("sms", secret, Errand.UPLINK) + query) as response:
            assert response.status == 503
        async with session.get(url + "/", headers=PAGE) as response:
            assert "尚未就绪" in await response.text()


async def test_a_store_that_goes_while_a_call_back_arrives_is_not_thanked_for(house: House) -> None:
    """The vendor would take its answer as a promise."""
    where = closed(house)
    where.engine, where.not_ready = house.engine, ""
    app = web.Application()
    add_routes(app, where)
    secret = (house.demo.folder / "secrets" / "sms-callback").read_text()

    async def body() -> AsyncIterator[bytes]:
        yield b"sender=13800130001&text="
        await arriving.wait()
        where.engine = None
        yield b"1&id=1"

    arriving = asyncio.Event()

    @web.middleware
    async def noticing(request: web.Request, handler: Handler) -> web.StreamResponse:
        asyncio.get_running_loop().call_soon(arriving.set)
        return await handler(request)

    app.middlewares.append(noticing)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    path = callback_path("sms", secret, Errand.UPLINK)
    async with (
        serving(app) as url,
        aiohttp.ClientSession() as session,
        session.post(url + path, data=body(), headers=headers) as response,
    ):
        assert response.status == 503
        assert response.headers["Retry-After"]


async def test_what_nobody_caught_is_logged_and_tells_nothing(house: House, caplog: pytest.LogCaptureFixture) -> None:
    app = web.Application()
    add_routes(app, closed(house))

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("the secret inside")

    app.router.add_get("/broken/{rest}", broken)
    async with serving(app) as url, aiohttp.ClientSession() as session:
        with caplog.at_level(logging.ERROR):
            async with session.get(url + "/broken/x") as response:
                assert response.status == 500
                assert response.content_type == "application/problem+json"
                assert "secret" not in await response.text()
            async with session.get(url + "/broken/x", headers=PAGE) as response:
                assert (response.status, response.content_type) == (500, "text/html")
                assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "the secret inside" in caplog.text


async def test_refusals_are_problems_for_machines_and_pages_for_people(house: House) -> None:
    async with house.session.get(house.demo.url + "/nowhere") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
        assert (await response.json(content_type=None))["status"] == 404
    status, text = await house.get("/nowhere")
    assert (status, "没有这个页面" in text) == (404, True)
    async with house.session.delete(house.demo.url + "/healthz") as response:
        assert response.status == 405
        assert "GET" in response.headers["Allow"]


def test_a_log_never_holds_a_link_or_a_call_backs_secret() -> None:
    assert shown_path("/a/abcdef") == "/a/***"
    assert shown_path("/callback/sms/0123456789abcdef/uplink") == "/callback/sms/***"
    assert shown_path("/events/x\n\x1b[31m") == "/events/x??[31m"


async def test_files_are_served_once_and_then_confirmed(house: House) -> None:
    url = house.demo.url + "/static/page.css"
    async with house.session.get(url) as response:
        assert (response.status, response.content_type) == (200, "text/css")
        tag = response.headers["ETag"]
    async with house.session.get(url, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
