"""The demonstration's telephone line: a call rings on its phone until somebody takes it, or nobody does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp

from bot.demo.simulators.aliyun_voice import HEARD, UNANSWERED, AliyunVoice
from bot.demo.simulators.vendor import Received

log = logging.getLogger(__name__)

RINGS = 30.0
"""How long a call rings before it is given up, in seconds."""
KEY_1, KEY_9, TAKEN, LEFT = "接听并按 1", "接听并按 9", "接听，不按键", "不接"
BUTTONS = (KEY_1, KEY_9, TAKEN, LEFT)
"""What may be done with a call that rings."""
_ENDS = {KEY_1: (HEARD, "1"), KEY_9: (HEARD, "9"), TAKEN: (HEARD, ""), LEFT: (UNANSWERED, "")}


class Telephone:
    """The line of one account; ``over`` hears which call ended, and in which words."""

    def __init__(self, vendor: AliyunVoice, session: aiohttp.ClientSession) -> None:
        self.vendor = vendor
        self.over: Callable[[str, str], Awaitable[None]] | None = None
        self._session = session
        self._ringing: dict[str, asyncio.Task[None]] = {}

    def ring(self, call: Received) -> None:
        """A call rings from now on."""
        self._ringing[call.subject] = asyncio.create_task(self._give_up(call.subject), name=f"ring {call.subject}")

    async def press(self, call_id: str, words: str) -> int:
        """Do this with a call that rings: the HTTP status of the hub's door. Raises KeyError where it rings no more, or
        there is no such button."""
        status, key = _ENDS[words]
        self._ringing.pop(call_id).cancel()
        return await self._end(call_id, status, key, words)

    async def _give_up(self, call_id: str) -> None:
        await asyncio.sleep(RINGS)
        del self._ringing[call_id]
        try:
            await self._end(call_id, UNANSWERED, "", "无人接听")
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the hub did not take the end of a call: %s", type(error).__name__)

    async def _end(self, call_id: str, status: str, key: str, words: str) -> int:
        index = next(place for place, each in enumerate(self.vendor.calls) if each.call_id == call_id)
        self.vendor.end(index, status, key)
        if self.over is not None:
            await self.over(call_id, words)
        answered, _ = await self.vendor.report(index, self._session)
        return answered

    async def stop(self) -> None:
        """No call rings any more."""
        tasks = list(self._ringing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
