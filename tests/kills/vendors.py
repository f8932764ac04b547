"""The simulated vendors as a process of their own, so that they outlive every hub that is killed.

``python -m tests.kills.vendors FOLDER`` writes ``vendors.json`` (addresses) and ``county/`` (a configuration) there and
serves until its standard input closes. ``/control/…`` sets their clock and their faults and says what they received.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.demo.county import (
    CLOUD_KEY,
    CLOUD_LIMITS,
    CLOUD_SIGNATURE,
    DINGTALK,
    MEMBERS,
    ROBOTS,
    TEMPLATES,
    Addresses,
    app_account,
    secrets_of,
    write_county,
)
from bot.demo.simulators.aliyun import AliyunSms
from bot.demo.simulators.dingtalk import DingtalkRobots, Robot
from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.smtp import MailServer
from bot.demo.simulators.upstream import Upstream
from bot.demo.simulators.vendor import Fault, listening
from bot.demo.simulators.wecom import WecomRobots
from bot.demo.simulators.wecom_app import WecomApp


class Vendors:
    """All vendors with one clock; DingTalk's robots and the cloud are there for whoever writes a county with them."""

    def __init__(self, secrets: dict[str, str]) -> None:
        self.now = 0
        self.wecom = WecomRobots({secrets[name]: name for name in ROBOTS}, lambda: self.now)
        self.app = WecomApp(app_account(secrets), MEMBERS, lambda: self.now)
        self.sms = KannelGateway("fenghuo", secrets["sms-password"], lambda: self.now)
        self.mail = MailServer(lambda: self.now)
        self.upstream = Upstream((secrets["upstream"],), lambda: self.now)
        robot = Robot(DINGTALK, secrets[f"{DINGTALK}-sign"])
        self.dingtalk = DingtalkRobots({secrets[DINGTALK]: robot}, lambda: self.now)
        self.cloud = AliyunSms(
            CLOUD_KEY, secrets["cloud-key"], (CLOUD_SIGNATURE,), TEMPLATES, lambda: self.now, limits=CLOUD_LIMITS
        )
        self.by_name: dict[str, Any] = {
            "wecom": self.wecom,
            "app": self.app,
            "sms": self.sms,
            "mail": self.mail,
            "upstream": self.upstream,
            "dingtalk": self.dingtalk,
            "cloud": self.cloud,
        }

    def control(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/received", self._received)
        app.router.add_post("/reset", self._reset)
        app.router.add_post("/clock", self._clock)
        app.router.add_post("/fault", self._fault)
        return app

    async def _received(self, _: web.Request) -> web.Response:
        told = [
            {"vendor": name, "address": each.address, "text": each.text, "subject": each.subject}
            for name, vendor in self.by_name.items()
            for each in vendor.received
        ]
        happened = {
            f"{name}/{fault}": count
            for name, vendor in self.by_name.items()
            for fault, count in vendor.faults.happened.items()
        }
        return web.json_response({"received": told, "faults": happened})

    async def _reset(self, _: web.Request) -> web.Response:
        for vendor in self.by_name.values():
            vendor.received.clear()
            vendor.faults.clear()
            vendor.faults.happened.clear()
        self.wecom.forget()
        self.app.forget()
        self.upstream.forget()
        return web.Response()

    async def _clock(self, request: web.Request) -> web.Response:
        self.now = int(await request.text())
        return web.Response()

    async def _fault(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        self.by_name[wanted["vendor"]].faults.put(Fault(wanted["fault"]), times=wanted.get("times", 1))
        return web.Response()


async def serve(folder: Path) -> None:
    secrets = secrets_of()
    vendors = Vendors(secrets)
    async with AsyncExitStack() as stack:
        sms = await stack.enter_async_context(listening(vendors.sms.app()))
        wecom = await stack.enter_async_context(listening(vendors.app.beside(vendors.wecom.app())))
        upstream = await stack.enter_async_context(listening(vendors.upstream.app()))
        smtp_port = await stack.enter_async_context(vendors.mail.listening())
        control = await stack.enter_async_context(listening(vendors.control()))
        addresses = Addresses(
            public_url="http://127.0.0.1:8080",
            port=8080,
            sms_url=f"{sms}/cgi-bin/sendsms",
            smtp_port=smtp_port,
            wecom_url=wecom,
            upstream_url=f"{upstream}/hook",
        )
        county = write_county(folder / "county", addresses, secrets)
        ready = {"control": control, "config": str(county.config)}
        (folder / "vendors.json.new").write_text(json.dumps(ready))
        (folder / "vendors.json.new").rename(folder / "vendors.json")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
