"""企业微信智能机器人所在的群: the hub's own messages into one group, on the robot's long connection.

The group must have spoken to the robot before. What members say to the robot there comes in by the robot's own channel.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import aiohttp

from channels.carrying import NO_CARRIER, Carrier
from channels.channel import Abilities, Form, Letter, Window
from channels.fitting import unfit
from channels.greeting import Greeting, Standing
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.aibot import GROUP, HOUR, MINUTE
from channels.wecom.aibot_settings import GroupSettings as Settings

__all__ = ["Driver", "Settings"]


class Driver:
    """Sends markdown to one group; several readers, so no personal link and no buttons."""

    Settings: ClassVar[Any] = Settings

    def __init__(self, name: str, settings: Settings, _: aiohttp.ClientSession) -> None:
        self.name = name
        self.carrier: Carrier | None = None
        self._settings = settings
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信智能机器人（群）",
            form=Form.MARKDOWN,
            max_bytes=settings.text_bytes,
            hears=True,
            windows=(Window(settings.per_minute, MINUTE), Window(settings.per_hour, HOUR)),
            reserve=settings.reserve,
            timeout=settings.timeout,
        )

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text, self._settings.text_bytes):
            return refused
        if self.carrier is None:
            return Outcome(OutcomeKind.TRANSIENT, NO_CARRIER)
        sent = replace(letter, address=f"{GROUP}{self._settings.chatid}", card=None, changes="")
        return await self.carrier.carry(self._settings.bot, sent, self._settings.timeout)

    async def greet(self, at: int) -> Greeting:  # noqa: ARG002 (nobody is asked)
        """It has no way of its own."""
        return Greeting(Standing.REACHED, f"走渠道 {self._settings.bot} 的长连接，结果见那一行")

    async def close(self) -> None:
        """Nothing to give back."""
