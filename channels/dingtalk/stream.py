"""DingTalk's stream, held: a new connection stands before the old one is closed.

Two things make the hub change over: the gateway says that it is about to leave, or nothing but pings has come for some
time. The last is how a connection is found that looks alive and delivers nothing: the vendor
tells no difference between that and a quiet day, so the hub takes a new ticket after :attr:`stream_quiet` seconds, and
what the old connection kept back is pushed on the new one. That it was so is seen there, and said.
"""

from __future__ import annotations

import asyncio
import logging

import aiohttp

from channels.dingtalk.app_inbound import Hearing
from channels.dingtalk.app_settings import Settings
from channels.dingtalk.stream_link import Link, connect
from channels.longline import Ear, LineTrouble

log = logging.getLogger(__name__)

DRAIN = 5.0
"""How long an old connection may still answer for what came on it, in seconds."""
LOOK = 1.0
"""Between two looks at whether it is quiet, and two tries to change over, in seconds,"""
MOST = 30.0
"""growing up to this."""


class Stream:
    """One app's stream."""

    def __init__(self, hearing: Hearing, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._hearing = hearing
        self._settings = settings
        self._session = session

    async def hold(self, ear: Ear) -> None:
        """Connect, hear, change over, until cancelled. Raises LineTrouble once there is no connection any more."""
        link = await self._connect(ear)
        leaving: set[asyncio.Task[None]] = set()
        try:
            await ear.well()
            while True:
                link = await self._change_over(link, ear, leaving)
        finally:
            await link.close()
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)

    async def _change_over(self, link: Link, ear: Ear, leaving: set[asyncio.Task[None]]) -> Link:
        """The next connection, once there is a reason for one. Raises LineTrouble when the present one breaks before
        there is another."""
        why = await self._reason(link)
        fresh, pause = None, LOOK
        while fresh is None:
            try:
                fresh = await self._connect(ear)
            except LineTrouble as trouble:
                log.warning("%s: %s, and no other stream could be had: %s", self._hearing.channel, why, trouble)
                await asyncio.wait({link.ended}, timeout=max(pause, trouble.rest))
                if link.ended.done():
                    raise
                pause = min(pause * 2, MOST)
        log.info("%s: a new stream stands, %s", self._hearing.channel, why)
        if why is _QUIET:
            leaving.add(watching := asyncio.create_task(self._was_it_deaf(fresh)))
            watching.add_done_callback(leaving.discard)
        leaving.add(ending := asyncio.create_task(link.close(DRAIN)))
        ending.add_done_callback(leaving.discard)
        await ear.well()
        return fresh

    async def _reason(self, link: Link) -> str:
        """Wait for a reason to change over. Raises LineTrouble when the connection breaks."""
        told = asyncio.create_task(link.leaving.wait())
        try:
            while True:
                await asyncio.wait({link.ended, told}, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    return _LEAVES
                if link.ended.done():
                    raise LineTrouble("长连接断开")
                quiet = asyncio.get_running_loop().time() - link.heard_at
                if 0 < self._settings.stream_quiet <= quiet:
                    return _QUIET
        finally:
            told.cancel()

    async def _was_it_deaf(self, fresh: Link) -> None:
        """What the vendor made before this connection stood, and pushes on it, the one before did not deliver."""
        await asyncio.wait({fresh.ended}, timeout=MOST)
        if fresh.late:
            log.error(
                "%s: the stream before looked alive and delivered nothing; %d messages came on the new one",
                self._hearing.channel,
                fresh.late,
            )

    async def _connect(self, ear: Ear) -> Link:
        return await connect(self._hearing, self._settings, self._session, ear)


_LEAVES = "the gateway leaves the one before"
_QUIET = "the one before was quiet for long"
