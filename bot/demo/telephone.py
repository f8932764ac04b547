"""The demonstration's telephone lines: a call rings on its phone until somebody takes it, or nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from bot.demo.simulators.aliyun_voice import HEARD, OUT_OF_REACH, UNANSWERED, AliyunVoice
from bot.demo.simulators.tencent_voice import ANSWERED, MISSED, TencentVoice
from bot.demo.simulators.vendor import Received

log = logging.getLogger(__name__)

RINGS = 30.0
"""How long a call rings before it is given up, in seconds."""
KEY_1, KEY_9, NO_KEY, TAKEN, HUNG_UP, LEFT = "接听并按 1", "接听并按 9", "接听，不按键", "接听", "挂断", "不接"
NOBODY = "无人接听"
"""What a call is called that nobody did anything with."""
BUTTONS = {
    "voice_aliyun": (KEY_1, KEY_9, NO_KEY, HUNG_UP, LEFT),
    "voice_tencent": (TAKEN, HUNG_UP, LEFT),
}
"""What may be done with a call that rings, by the kind of channel that placed it: the demonstration's account at the
second vendor takes no keys."""
_REJECTED = (5, "用户拒接")


class Line(Protocol):
    """One account: how a call of it ends, and how the hub hears of that."""

    async def end(self, call_id: str, words: str, session: aiohttp.ClientSession) -> int:
        """The call ended in these words: the HTTP status of the hub's door."""


@dataclass(frozen=True, slots=True)
class AliyunLine:
    """Tells the end and the key in one push."""

    vendor: AliyunVoice

    async def end(self, call_id: str, words: str, session: aiohttp.ClientSession) -> int:
        index = [each.call_id for each in self.vendor.calls].index(call_id)
        status = {HUNG_UP: OUT_OF_REACH, LEFT: UNANSWERED, NOBODY: UNANSWERED}.get(words, HEARD)
        self.vendor.end(index, status, {KEY_1: "1", KEY_9: "9"}.get(words, ""))
        answered, _ = await self.vendor.report(index, session)
        return answered


@dataclass(frozen=True, slots=True)
class TencentLine:
    """Tells whether somebody answered, and why nobody did where it knows."""

    vendor: TencentVoice

    async def end(self, call_id: str, words: str, session: aiohttp.ClientSession) -> int:
        index = [each.call_id for each in self.vendor.calls].index(call_id)
        if words == HUNG_UP:
            answered, _ = await self.vendor.fail(index, session, _REJECTED)
        else:
            answered, _ = await self.vendor.report(index, ANSWERED if words == TAKEN else MISSED, session)
        return answered


class Telephone:
    """What rings, on whichever of ``lines`` (by the kind of channel); ``over`` hears which call ended, and in which
    words."""

    def __init__(self, aliyun: AliyunVoice, tencent: TencentVoice, session: aiohttp.ClientSession) -> None:
        self.aliyun = aliyun
        self.tencent = tencent
        self.over: Callable[[str, str], Awaitable[None]] | None = None
        self._lines: dict[str, Line] = {aliyun.channel: AliyunLine(aliyun), tencent.channel: TencentLine(tencent)}
        self._session = session
        self._ringing: dict[str, tuple[str, asyncio.Task[None]]] = {}

    def ring(self, call: Received) -> None:
        """A call rings from now on."""
        giving_up = asyncio.create_task(self._give_up(call.channel, call.subject), name=f"ring {call.subject}")
        self._ringing[call.subject] = call.channel, giving_up

    async def press(self, call_id: str, words: str) -> int:
        """Do this with a call that rings: the HTTP status of the hub's door. Raises KeyError where it rings no more, or
        there is no such button."""
        kind, giving_up = self._ringing[call_id]
        if words not in BUTTONS[kind]:
            raise KeyError(words)
        del self._ringing[call_id]
        giving_up.cancel()
        return await self._end(kind, call_id, words)

    async def _give_up(self, kind: str, call_id: str) -> None:
        await asyncio.sleep(RINGS)
        del self._ringing[call_id]
        try:
            await self._end(kind, call_id, NOBODY)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the hub did not take the end of a call: %s", type(error).__name__)

    async def _end(self, kind: str, call_id: str, words: str) -> int:
        if self.over is not None:
            await self.over(call_id, words)
        return await self._lines[kind].end(call_id, words, self._session)

    async def stop(self) -> None:
        """No call rings any more."""
        tasks = [giving_up for _, giving_up in self._ringing.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
