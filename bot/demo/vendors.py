"""The simulated vendors of the demo, started together, and the side of the phones: what people write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import aiohttp

from bot.demo.carriers import Carriers, carriers
from bot.demo.county import (
    CALL_TEMPLATES,
    CALLING,
    CLOUD_KEY,
    CLOUD_LIMITS,
    CLOUD_SIGNATURE,
    DING_CHAT,
    DING_ID,
    DING_MEMBERS,
    DING_TEMPLATE,
    DINGTALK,
    FEISHU,
    MAIL_USER,
    MEMBERS,
    ROBOT_CHAT,
    ROBOT_ID,
    ROBOTS,
    ROBOTS_MEMBERS,
    STREAM,
    STREAM_USER,
    TEMPLATES,
    TENCENT_CALL_TEMPLATES,
    TENCENT_ID,
    VOICE_APP,
    Addresses,
    app_account,
)
from bot.demo.replies import reply
from bot.demo.simulators.aliyun import AliyunSms, taken_as_received
from bot.demo.simulators.aliyun_voice import AliyunVoice
from bot.demo.simulators.dingtalk import DingtalkRobots, Robot
from bot.demo.simulators.dingtalk_app import DingtalkApp
from bot.demo.simulators.feishu import Bot, FeishuRobots
from bot.demo.simulators.imap import MailboxServer
from bot.demo.simulators.kannel import KannelGateway
from bot.demo.simulators.redis_server import RedisServer
from bot.demo.simulators.smtp import MailServer
from bot.demo.simulators.tencent_voice import TencentVoice
from bot.demo.simulators.upstream import Upstream
from bot.demo.simulators.vendor import Door, Now, OnRefused, Received, listening
from bot.demo.simulators.wecom import WecomRobots
from bot.demo.simulators.wecom_aibot import WecomAibot
from bot.demo.simulators.wecom_app import WecomApp
from bot.demo.telephone import Telephone
from bot.demo.troubles import Troubles
from channels.callback import Errand, callback_path, listener_path
from channels.sms.kannel_inbound import UPLINK_QUERY

log = logging.getLogger(__name__)

CLOUD = "cloud"
"""The channel of the cloud's text messages."""

Hear = Callable[[Received], Awaitable[None]]

_DELIVERED = 1
_ON_THE_AIR = 0.4
"""How long a text message takes to its phone, in seconds."""
_MORE = 3
"""How often a report that the hub did not take is repeated."""


@dataclass(frozen=True, slots=True)
class Vendors:
    """The running vendors and where they listen."""

    gateway: KannelGateway
    app: WecomApp
    robot: WecomAibot
    ding: DingtalkApp
    cloud: AliyunSms
    carriers: Carriers
    telephone: Telephone
    mail: MailServer
    mailbox: MailboxServer
    troubles: Troubles
    addresses: Addresses
    session: aiohttp.ClientSession

    async def write(self, number: str, text: str, channel: str) -> int:
        """The phone ``number`` answers by text message on the way it is written to. The HTTP status of the hub's door,
        0 where the gateway is down."""
        status = await self.carriers.write(number, text, channel)
        if status is not None:
            return status
        if channel != CLOUD and self.troubles.gateway_down:
            return 0
        vendor = self.cloud if channel == CLOUD else self.gateway
        return await vendor.answer(number, text, self.session)

    async def write_mail(self, address: str, text: str) -> int:
        """Somebody answers the newest mail they got. 404 where they got none."""
        got = next((each.raw for each in reversed(self.mail.received) if each.address == address), None)
        if got is None:
            return 404
        await self.mailbox.deliver(reply(got, text, identity=token_hex(8)))
        return 200

    async def write_in_app(self, member: str, text: str, original: str = "") -> int:
        """A member writes to the WeCom app or to the robot, perhaps quoting an ``original``. Returns the HTTP status of
        the hub's door, 0 where it did not answer or holds no line."""
        if member in ROBOTS_MEMBERS:
            return await self.robot.heard(self.robot.write(member, text, quote=original))
        return await self.app.write(member, text, self.session, original=original)

    async def write_in_group(self, member: str, text: str, chat: str) -> int:
        """A member calls the robot in a group. The status as of :meth:`write_in_app`."""
        if chat == ROBOT_CHAT:
            return await self.robot.heard(self.robot.write(member, text, group=chat))
        return await self.ding.write(member, text, self.session, group=chat)


@asynccontextmanager
async def vendors(
    public_url: str, port: int, secrets: Mapping[str, str], spool: Path, now: Now, hear: Hear, refused: OnRefused
) -> AsyncIterator[Vendors]:
    """Start gateway, clouds, robots, mail server, telephone lines and upstream receivers on free loopback ports until
    the block ends, and a modem on the folder ``spool``.

    ``hear`` is told of every message a vendor took, ``refused`` of those that a robot or app did not take; ``now`` is
    the clock all of them obey.
    """
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        uplink = public_url + callback_path("sms", secrets["sms-callback"], Errand.UPLINK) + "?" + UPLINK_QUERY
        gateway = KannelGateway("fenghuo", secrets["sms-password"], now, uplink_url=uplink)
        cloud = _cloud(public_url, secrets, now)
        reports = _Reports(gateway, cloud, session)
        stack.push_async_callback(reports.stop)

        async def sms(message: Received) -> None:
            reports.follow(message.channel)
            await hear(message)

        gateway.inbox.on_message = cloud.inbox.on_message = sms
        others = await stack.enter_async_context(carriers(public_url, secrets, spool, now, hear, session))
        telephone = Telephone(_aliyun_line(public_url, secrets, now), _tencent_line(public_url, secrets, now), session)
        stack.push_async_callback(telephone.stop)

        async def call(message: Received) -> None:
            telephone.ring(message)
            await hear(message)

        telephone.aliyun.inbox.on_message = telephone.tencent.inbox.on_message = call
        app = WecomApp(app_account(secrets), MEMBERS, now, hear, callback_url=f"{public_url}{listener_path('app')}")
        robot = WecomAibot(ROBOT_ID, secrets["robot-secret"], now, (*ROBOTS_MEMBERS, ROBOT_CHAT), hear)
        keys = DING_ID, secrets["ding-secret"]
        ding = DingtalkApp(keys, DING_MEMBERS, now, hear, groups=[DING_CHAT], templates=[DING_TEMPLATE])
        robots = WecomRobots({secrets[name]: name for name in ROBOTS if name not in (DINGTALK, FEISHU)}, now, hear)
        groups = {secrets[DINGTALK]: Robot(DINGTALK, secrets[f"{DINGTALK}-sign"])}
        dingtalk = DingtalkRobots(groups, now, hear)
        feishu = FeishuRobots({secrets[FEISHU]: Bot(FEISHU, secrets[f"{FEISHU}-sign"])}, now, hear)
        mail = MailServer(now, hear)
        mailbox = MailboxServer(now, (MAIL_USER, secrets["mail-password"]))
        upstream = Upstream([secrets["upstream"]], now, hear)
        stream = RedisServer(STREAM, STREAM_USER, secrets["upstream-stream"], now, hear)
        app.on_refused = ding.on_refused = robots.on_refused = dingtalk.on_refused = feishu.on_refused = refused
        robot.url = (await stack.enter_async_context(listening(robot.app()))).replace("http", "ws", 1)
        door = Door(gateway.app)
        sms_url = await stack.enter_async_context(door.standing())
        addresses = Addresses(
            public_url=public_url,
            port=port,
            sms_url=sms_url + "/cgi-bin/sendsms",
            smtp_port=await stack.enter_async_context(mail.listening()),
            imap_port=await stack.enter_async_context(mailbox.listening()),
            wecom_url=await stack.enter_async_context(listening(app.beside(robots.app()))),
            dingtalk_url=await stack.enter_async_context(listening(dingtalk.app())),
            ding_url=await stack.enter_async_context(listening(ding.app())),
            feishu_url=await stack.enter_async_context(listening(feishu.app())),
            cloud_url=await stack.enter_async_context(listening(cloud.app())),
            tencent_url=others.tencent_url,
            mas_url=others.mas_url,
            spool=_whole(spool),
            voice_url=await stack.enter_async_context(listening(telephone.aliyun.app())),
            tencent_voice_url=await stack.enter_async_context(listening(telephone.tencent.app())),
            stream_url=await stack.enter_async_context(stream.listening()),
            robot_url=robot.url,
            upstream_url=await stack.enter_async_context(listening(upstream.app())) + "/hook",
        )
        troubles = Troubles(door, app, robots, dingtalk, feishu)
        yield Vendors(gateway, app, robot, ding, cloud, others, telephone, mail, mailbox, troubles, addresses, session)


def _cloud(public_url: str, secrets: Mapping[str, str], now: Now) -> AliyunSms:
    report, uplink = (
        public_url + callback_path(CLOUD, secrets["cloud-callback"], errand)
        for errand in (Errand.REPORT, Errand.UPLINK)
    )
    return AliyunSms(
        CLOUD_KEY,
        secrets["cloud-key"],
        (CLOUD_SIGNATURE,),
        TEMPLATES,
        now,
        limits=CLOUD_LIMITS,
        report_url=report,
        uplink_url=uplink,
    )


def _aliyun_line(public_url: str, secrets: Mapping[str, str], now: Now) -> AliyunVoice:
    report = public_url + callback_path("phone", secrets["phone-callback"], Errand.REPORT)
    return AliyunVoice(CLOUD_KEY, secrets["phone-key"], CALL_TEMPLATES, (CALLING,), now, report_url=report)


def _tencent_line(public_url: str, secrets: Mapping[str, str], now: Now) -> TencentVoice:
    report = public_url + callback_path("phone-tencent", secrets["phone-tencent-callback"], Errand.REPORT)
    key = secrets["phone-tencent-key"]
    return TencentVoice(TENCENT_ID, key, VOICE_APP, TENCENT_CALL_TEMPLATES, now, report_url=report)


class _Reports:
    """Tells the hub that each text message was delivered, a moment after it was taken."""

    def __init__(self, gateway: KannelGateway, cloud: AliyunSms, session: aiohttp.ClientSession) -> None:
        self._gateway = gateway
        self._cloud = cloud
        self._session = session
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, kind: str) -> None:
        """Follow the newest message of the gateway or of the cloud."""
        cloud = kind == self._cloud.channel
        index = len(self._cloud.sent if cloud else self._gateway.received) - 1
        task = asyncio.create_task(self._deliver(index, cloud=cloud), name=f"report {kind} {index}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, index: int, *, cloud: bool) -> None:
        for turn in range(_MORE):
            await asyncio.sleep(_ON_THE_AIR * (turn + 1))
            try:
                if await self._told(index, cloud=cloud):
                    return
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("the hub did not take a delivery report: %s", type(error).__name__)

    async def _told(self, index: int, *, cloud: bool) -> bool:
        if cloud:
            status, body = await self._cloud.report(index, self._session)
            return status < 300 and taken_as_received(body)
        told = await self._gateway.report(index, _DELIVERED, self._session)
        return told is None or told < 300

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _whole(folder: Path) -> str:
    """The folder as a configuration names it: it may be given relative to where the demo is started."""
    return str(folder.absolute())
