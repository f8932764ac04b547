"""钉钉应用机器人发群: the app's robot posts into one group that it was added to.

A group is read by many, so no personal link may go there and nobody is called by name. Unlike the custom robot's, its
messages leave by the app's access token. Source of the rules: the vendor's page on groupMessages/send.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import aiohttp

from channels.channel import Abilities, Form, Letter, Window
from channels.dingtalk.api import MINUTE, Api
from channels.dingtalk.app_messages import ROOM, body_of
from channels.dingtalk.app_settings import GroupSettings
from channels.dingtalk.markdown import plain
from channels.fitting import unfit
from channels.greeting import Greeting
from channels.outcome import Outcome, OutcomeKind

__all__ = ["Driver", "Settings"]

Settings = GroupSettings
_SEND = "v1.0/robot/groupMessages/send"
LONGEST_PARAM = 15_000
"""The vendor's limit for ``msgParam``, in bytes."""


class Driver:
    """Sends one message a letter to the group."""

    Settings: ClassVar[Any] = Settings

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.abilities = Abilities(
            kind=settings.kind,
            word="钉钉应用群消息",
            form=Form.MARKDOWN,
            max_bytes=settings.max_bytes - ROOM,
            hears=bool(settings.app),
            windows=(Window(settings.per_minute, int(MINUTE)),),
            reserve=settings.reserve,
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        self._settings = settings
        keys = settings.client_id, settings.client_secret.get_secret_value()
        self._api = Api(session, settings.base_url, keys, settings.meanings, settings.timeout)

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text):
            return refused
        styled = self._settings.form == "markdown"
        if not styled:
            # The templates of groups are written once, in markdown.
            letter = replace(letter, text=plain(letter.text))
        message = body_of(letter, markdown=styled, name=self.name)
        if refused := unfit(message.text, self._settings.max_bytes) or unfit(message.param, LONGEST_PARAM):
            return refused
        body = {
            "robotCode": self._settings.robot,
            "openConversationId": self._settings.conversation,
            "msgKey": message.key,
            "msgParam": message.param,
        }
        said = await self._api.call("POST", _SEND, letter.at, body=body)
        if isinstance(said, Outcome):
            return said
        key = said.get("processQueryKey")
        if not isinstance(key, str) or not key:
            return Outcome(OutcomeKind.UNCERTAIN, "应答中没有 processQueryKey")
        return Outcome(OutcomeKind.ACCEPTED, "已提交")

    async def greet(self, at: int) -> Greeting:
        """Ask for an access token, and keep it for nothing."""
        return await self._api.login.greet(at)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""
