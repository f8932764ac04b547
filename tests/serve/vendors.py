"""The simulated vendors on the machine's clock, as a process of their own that outlives every hub.

It writes ``vendors.json`` and ``county/`` for a hub into a folder and serves until it is ended. The control address
says what arrived, waits for what is to arrive, and sends text messages as a phone would.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.demo.county import MEMBERS, ROBOTS, Addresses, app_account
from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.smtp import MailServer
from bot.demo.simulators.upstream import Upstream
from bot.demo.simulators.vendor import Fault, Received, listening
from bot.demo.simulators.wecom import WecomRobots
from bot.demo.simulators.wecom_app import WecomApp
from channels.callback import Errand, callback_path, listener_path
from channels.sms.kannel_inbound import UPLINK_QUERY
from tests.county import secrets_of, write_county

DELIVERED = 1
_TURNS = 600
_MANY = 1000


def now() -> int:
    return time.time_ns() // 1_000_000


class Vendors:
    """All vendors; the robots take any number of messages a minute, the hub's own limits stay."""

    def __init__(self, secrets: dict[str, str], hub: str, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._heard = asyncio.Condition()
        self._reporting: set[asyncio.Task[None]] = set()
        self.received: list[Received] = []
        uplink = f"{hub}{callback_path('sms', secrets['sms-callback'], Errand.UPLINK)}?{UPLINK_QUERY}"
        self.sms = KannelGateway("fenghuo", secrets["sms-password"], now, self._text, uplink_url=uplink)
        robots = {secrets[name]: name for name in ROBOTS}
        self.wecom = WecomRobots(robots, now, self._hear, per_minute=0)
        app = f"{hub}{listener_path('app')}"
        self.app = WecomApp(app_account(secrets), MEMBERS, now, self._hear, callback_url=app, per_minute=0)
        self.mail = MailServer(now, self._hear)
        self.upstream = Upstream([secrets["upstream"]], now, self._hear)
        self.reports = False

    async def _text(self, message: Received) -> None:
        await self._hear(message)
        if self.reports:
            task = asyncio.create_task(self._report(len(self.sms.received) - 1))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)

    async def _report(self, index: int) -> None:
        """Report it until the hub has it on disk."""
        for _ in range(_TURNS):
            with suppress(aiohttp.ClientError):
                if await self.sms.report(index, DELIVERED, self._session) == 202:
                    return
            await asyncio.sleep(0.1)

    async def _hear(self, message: Received) -> None:
        self.received.append(message)
        async with self._heard:
            self._heard.notify_all()

    def control(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/received", self._received)
        app.router.add_post("/wait", self._wait)
        app.router.add_post("/write", self._write)
        app.router.add_post("/picture/{member}", self._picture)
        app.router.add_post("/reports", self._reports)
        app.router.add_post("/hang", self._hang)
        app.router.add_post("/heal", self._heal)
        return app

    async def _received(self, request: web.Request) -> web.Response:
        return web.json_response([_shown(each) for each in self.received[int(request.query.get("since", "0")) :]])

    async def _wait(self, request: web.Request) -> web.Response:
        """The first message from ``since`` on, to ``address``, that holds all ``words``; 408 when none comes."""
        asked = await request.json()
        try:
            async with asyncio.timeout(asked["seconds"]), self._heard:
                await self._heard.wait_for(lambda: self._found(asked) is not None)
        except TimeoutError:
            return web.Response(status=408)
        found = self._found(asked)
        assert found is not None
        return web.json_response(_shown(found) | _raw(found))

    def _found(self, asked: dict[str, Any]) -> Received | None:
        for each in self.received[asked["since"] :]:
            text = f"{each.subject}\n{each.text}"
            if asked["address"] in ("", each.address) and all(word in text for word in asked["words"]):
                return each
        return None

    async def _write(self, request: web.Request) -> web.Response:
        """A phone writes, or a member in the app; the status of the hub's door, 0 where nobody opened."""
        asked = await request.json()
        try:
            if asked["number"] in MEMBERS:
                status = await self.app.write(asked["number"], asked["text"], self._session, asked["id"])
            else:
                status = await self.sms.answer(asked["number"], asked["text"], self._session, asked["id"])
        except aiohttp.ClientError:
            status = 0
        return web.json_response(status)

    async def _picture(self, request: web.Request) -> web.Response:
        """A member sends a picture in the app; the status as of writing."""
        body = await request.read()
        return web.json_response(await self.app.send_picture(request.match_info["member"], body, self._session))

    async def _reports(self, request: web.Request) -> web.Response:
        """From now on each text message is reported as delivered."""
        self.reports = True
        return web.Response()

    async def _hang(self, request: web.Request) -> web.Response:
        """The text message gateway takes requests and answers none; returns when it holds the first."""
        self.sms.faults.put(Fault.HANG, times=_MANY)
        await self.sms.faults.wait_for(Fault.HANG)
        return web.Response()

    async def _heal(self, request: web.Request) -> web.Response:
        """It works again, and has forgotten what it held."""
        self.sms.faults.clear()
        return web.Response()


def _shown(message: Received) -> dict[str, str]:
    shown = asdict(message)
    return {name: shown[name] for name in ("channel", "address", "text", "subject")}


def _raw(message: Received) -> dict[str, str]:
    """A mail as it came, each byte a sign."""
    return {"raw": message.raw.decode("latin-1")} if message.channel == "smtp_mail" else {}


async def serve(folder: Path, port: int) -> None:
    secrets = secrets_of()
    hub = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        vendors = Vendors(secrets, hub, session)
        async with (
            listening(vendors.sms.app()) as sms,
            listening(vendors.app.beside(vendors.wecom.app())) as wecom,
            listening(vendors.upstream.app()) as upstream,
            vendors.mail.listening() as smtp_port,
            listening(vendors.control()) as control,
        ):
            addresses = Addresses(
                public_url=hub,
                port=port,
                sms_url=f"{sms}/cgi-bin/sendsms",
                smtp_port=smtp_port,
                wecom_url=wecom,
                upstream_url=f"{upstream}/hook",
            )
            county = write_county(folder / "county", addresses, secrets)
            ready = {"control": control, "config": str(county.config), "token": secrets["source-demo"]}
            (folder / "vendors.json.new").write_text(json.dumps(ready))
            (folder / "vendors.json.new").rename(folder / "vendors.json")
            await asyncio.Event().wait()
