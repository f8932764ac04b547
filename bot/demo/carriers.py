"""The demonstration's other carriers: a second cloud, the carrier's MAS, and a modem beside the hub."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.demo.county import CLOUD_LIMITS, CLOUD_SIGNATURE, TENCENT_ID, TENCENT_TEMPLATES
from bot.demo.simulators.mas import MasPlatform
from bot.demo.simulators.smstools import Smsd
from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import Now, Received, listening
from channels.callback import Errand, callback_path

log = logging.getLogger(__name__)

Hear = Callable[[Received], Awaitable[None]]

_ON_THE_AIR = 0.4
"""How long a text message takes to its phone, in seconds."""
_FETCH = 0.2
"""How often the modem's daemon looks into its folder, in seconds."""


@dataclass
class Carriers:
    """The running carriers, and where the first two listen."""

    tencent: TencentSms
    mas: MasPlatform
    modem: Smsd
    session: aiohttp.ClientSession
    tencent_url: str = ""
    mas_url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def write(self, number: str, text: str, channel: str) -> int | None:
        """The phone ``number`` answers by one of these channels: the HTTP status of the hub's door, None where the
        channel is none of them."""
        if channel == "tencent":
            return await self.tencent.answer(number, text, self.session)
        if channel == "mas":
            serial = next((each.serial for each in reversed(self.mas.sent) if each.phone == number), "")
            return await self.mas.answer(number, text, self.session, serial)
        if channel == "modem":
            self.modem.answer(number, text)
            return 200
        return None

    def follow(self, message: Received) -> None:
        """Tell the hub a moment later that the newest message of a carrier was delivered."""
        task = asyncio.create_task(self._deliver(message.channel), name=f"report {message.channel}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, kind: str) -> None:
        index = {
            self.tencent.channel: len(self.tencent.sent),
            self.mas.channel: len(self.mas.sent),
            self.modem.channel: len(self.modem.sent),
        }[kind] - 1
        await asyncio.sleep(_ON_THE_AIR)
        try:
            if kind == self.tencent.channel:
                await self.tencent.report(index, self.session)
            elif kind == self.mas.channel:
                await self.mas.report(index, self.session)
            else:
                self.modem.report(index)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.warning("the hub did not take a delivery report: %s", type(error).__name__)

    async def fetch(self) -> None:
        """What the modem's daemon does, until cancelled."""
        while True:
            await self.modem.step()
            await asyncio.sleep(_FETCH)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def carriers(
    public_url: str, secrets: Mapping[str, str], spool: Path, now: Now, hear: Hear, session: aiohttp.ClientSession
) -> AsyncIterator[Carriers]:
    """Start them on free loopback ports and in the folder ``spool`` until the block ends. ``hear`` is told of every
    message one of them took; ``now`` is the clock all of them obey."""

    def pushes(channel: str, errand: Errand) -> str:
        return public_url + callback_path(channel, secrets[f"{channel}-callback"], errand)

    async with AsyncExitStack() as stack:
        made = Carriers(
            TencentSms(
                TENCENT_ID,
                secrets["tencent-key"],
                "1400000000",
                (CLOUD_SIGNATURE,),
                TENCENT_TEMPLATES,
                now,
                limits=CLOUD_LIMITS,
                report_url=pushes("tencent", Errand.REPORT),
                uplink_url=pushes("tencent", Errand.UPLINK),
            ),
            MasPlatform(
                "青河县应急管理局",
                "fenghuo",
                secrets["mas-key"],
                {"DEMOSIGN1": CLOUD_SIGNATURE},
                now,
                report_url=pushes("mas", Errand.REPORT),
                uplink_url=pushes("mas", Errand.UPLINK),
            ),
            Smsd(spool, now),
            session,
        )

        async def heard(message: Received) -> None:
            made.follow(message)
            await hear(message)

        made.tencent.inbox.on_message = made.mas.inbox.on_message = made.modem.inbox.on_message = heard
        made.tencent_url = await stack.enter_async_context(listening(made.tencent.app()))
        made.mas_url = await stack.enter_async_context(listening(made.mas.app()))
        stack.push_async_callback(made.stop)
        fetching = asyncio.create_task(made.fetch(), name="modem")
        stack.push_async_callback(_ended, fetching)
        yield made


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
