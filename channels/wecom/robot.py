"""企业微信群机器人: a robot's webhook posts into one group.

The vendor answers HTTP 200 for success and for refusal alike; only ``errcode`` in the body decides. A group is read by
many, so no personal link may go there, and nothing comes back. Sources of the rules: the vendor's page "消息推送"
(path/99110, 2025-08-07).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, model_validator
from yarl import URL

from channels.channel import Abilities, Form, Letter, Window
from channels.fields import HttpUrl
from channels.fitting import unfit
from channels.greeting import Greeting, Standing
from channels.group_robot import WINDOW_SECONDS, Robot, RobotSettings
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.robot_forms import MARKDOWN_BYTES, TEXT_BYTES, Style, message

# The mention must only make a phone ring; the message itself stands above it.
_MENTION_BYTES = 240

_MEANINGS = MappingProxyType(
    {
        0: OutcomeKind.ACCEPTED,
        -1: OutcomeKind.TRANSIENT,
        40008: OutcomeKind.MISCONFIGURED,
        42045: OutcomeKind.MISCONFIGURED,
        40058: OutcomeKind.REFUSED_CONTENT,
        45002: OutcomeKind.REFUSED_CONTENT,
        45009: OutcomeKind.THROTTLED,
    }
)
_ASSUMED = MappingProxyType({93000: OutcomeKind.MISCONFIGURED})


class Settings(RobotSettings):
    """``[channels.<name>]`` with ``kind = "wecom_robot"``."""

    kind: Literal["wecom_robot"]
    key: SecretStr = Field(min_length=1, description="机器人 Webhook 地址里 key= 之后的部分")
    base_url: HttpUrl = Field(
        "https://qyapi.weixin.qq.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    style: Style = Field(
        Style.MARKDOWN,
        description="消息类型：markdown（有颜色）、markdown_v2、text（不带格式，同一条里点名）、"
        "card（通知卡片，放不下的发 markdown）",
    )
    page: HttpUrl = Field("", description='style = "card" 时点卡片打开的网页，例如值班页；平台要求必须有')
    codes: dict[int, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 errcode 及其含义")

    @model_validator(mode="after")
    def _opens_a_page(self) -> Settings:
        if self.style is Style.CARD and not self.page:
            raise ValueError('style = "card" 要写 page：点卡片打开的网页，例如值班页的地址')
        return self


class Driver(Robot):
    """Sends messages to the robot's group, and after each a short text that calls people by their phone numbers; in the
    form ``text`` the message itself calls them."""

    Settings: ClassVar[Any] = Settings

    _wrong: ClassVar[Any] = MappingProxyType({93000: (Standing.WRONG_KEY, ("key",))})
    __slots__ = ("_page", "_style", "_url", "abilities")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        key = settings.key.get_secret_value()
        super().__init__(
            name,
            session,
            secrets=[key],
            meanings={**_ASSUMED, **settings.codes, **_MEANINGS},
            timeout=settings.timeout,
            # Whether the vendor's minute slides is not documented; a whole one is over either way.
            rest=float(WINDOW_SECONDS),
        )
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信群机器人",
            form=Form.MARKDOWN,
            max_bytes=TEXT_BYTES if settings.style is Style.TEXT else MARKDOWN_BYTES,
            windows=(Window(settings.per_minute, WINDOW_SECONDS),),
            reserve=settings.reserve,
            mentions=True,
            mention_cost=0 if settings.style is Style.TEXT else 1,
            timeout=settings.timeout,
        )
        self._style, self._page = settings.style, settings.page
        self._url = URL(settings.base_url.rstrip("/") + "/cgi-bin/webhook/send").with_query({"key": key})

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text, self.abilities.max_bytes):
            return refused
        said = message(self._style, letter.text, self._page, letter.mentions)
        outcome = await self.post(self._url, said, letter.at)
        if outcome.kind is OutcomeKind.ACCEPTED and letter.mentions and self._style is not Style.TEXT:
            return await self._mention(letter, outcome)
        return outcome

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor is there, its clock ours, and the key one it knows."""
        return await self.knock(self._url, {"msgtype": "fenghuo-check"}, at)

    async def _mention(self, letter: Letter, told: Outcome) -> Outcome:
        # Only the type "text" calls a phone number by name, so it follows as a second message.
        text = {
            "content": self.headline(letter, _MENTION_BYTES),
            "mentioned_mobile_list": list(letter.mentions),
        }
        called = await self.post(self._url, {"msgtype": "text", "text": text}, letter.at)
        if called.kind is OutcomeKind.ACCEPTED:
            return told
        # The message itself is out; a missing call by name must not send it again.
        return Outcome(OutcomeKind.ACCEPTED, self._mask(f"{told.detail}；点名未成功：{called.detail}"))
