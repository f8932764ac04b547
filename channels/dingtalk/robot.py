"""钉钉自定义机器人: a robot's webhook posts into one group.

The vendor answers HTTP 200 for success and for refusal alike; only ``errcode`` in the body decides. A group is read by
many, so no personal link may go there, and nothing comes back. Sources of the rules: the vendor's pages on custom
robots (open.dingtalk.com); what they do not say is a setting.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, model_validator
from yarl import URL

from channels.channel import Abilities, Form, Letter, Window
from channels.dingtalk.markdown import markdown, plain
from channels.exchange import Answer
from channels.fields import HttpUrl
from channels.fitting import unfit
from channels.greeting import Greeting, reach
from channels.group_robot import WINDOW_SECONDS, Robot, RobotSettings
from channels.outcome import Outcome, OutcomeKind

_TITLE_BYTES = 120
# Forced line ends, quotes set apart and the words added below take room that the renderer does not count.
_ROOM = 400

_MEANINGS = MappingProxyType(
    {
        0: OutcomeKind.ACCEPTED,
        -1: OutcomeKind.TRANSIENT,
        88: OutcomeKind.MISCONFIGURED,
        310000: OutcomeKind.MISCONFIGURED,
        130101: OutcomeKind.THROTTLED,
    }
)
_ASSUMED = MappingProxyType(
    {
        40035: OutcomeKind.REFUSED_CONTENT,
        43004: OutcomeKind.REFUSED_CONTENT,
        90030: OutcomeKind.MISCONFIGURED,
        300001: OutcomeKind.MISCONFIGURED,
        400013: OutcomeKind.MISCONFIGURED,
        400101: OutcomeKind.MISCONFIGURED,
        400102: OutcomeKind.MISCONFIGURED,
        410100: OutcomeKind.THROTTLED,
        430101: OutcomeKind.REFUSED_CONTENT,
        430102: OutcomeKind.REFUSED_CONTENT,
        430103: OutcomeKind.REFUSED_CONTENT,
        430104: OutcomeKind.REFUSED_CONTENT,
    }
)


class Settings(RobotSettings):
    """``[channels.<name>]`` with ``kind = "dingtalk_robot"``."""

    kind: Literal["dingtalk_robot"]
    token: SecretStr = Field(min_length=1, description="机器人 Webhook 地址里 access_token= 之后的部分")
    secret: SecretStr = Field(SecretStr(""), description="安全设置“加签”的密钥，以 SEC 开头；没有启用加签时不写")
    keyword: str = Field("", max_length=40, description="安全设置“自定义关键词”中的一个；正文里没有时加在末尾")
    by_address: bool = Field(False, description="安全设置只用了“IP 地址段”时写 true")
    base_url: HttpUrl = Field(
        "https://oapi.dingtalk.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    style: Literal["markdown", "text"] = Field("markdown", description="消息类型：markdown，或不带格式的 text")
    mention: bool = Field(True, description="按手机号点名；点名的号码会写在群消息里")
    max_bytes: int = Field(
        5000, ge=1000, le=18_000, description="一条消息正文最多几字节；平台限制整个请求约 20000 字节"
    )
    rest: float = Field(600.0, ge=60, le=3600, description="被平台限流后停发的秒数；平台的处罚约 10 分钟")
    codes: dict[int, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 errcode 及其含义")

    @model_validator(mode="after")
    def _is_let_in(self) -> Settings:
        secret = self.secret.get_secret_value()
        if not (secret or self.keyword or self.by_address):
            raise ValueError("钉钉机器人的安全设置至少有一种：写 secret（加签）、keyword（关键词）或 by_address = true")
        if secret and not secret.startswith("SEC"):
            raise ValueError("secret 应以 SEC 开头：复制“加签”下面的整个密钥，SEC 是它的一部分")
        if any(mark in self.token.get_secret_value() for mark in "/?"):
            raise ValueError("token 只写 Webhook 地址里 access_token= 之后的部分，不写整个地址")
        return self


def sign(secret: str, at: int) -> str:
    """The base64 signature of a request at ``at`` (ms): HMAC-SHA256 of ``<at>\\n<secret>`` under the secret itself."""
    digest = hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


class Driver(Robot):
    """Sends one message a letter to the robot's group; people are called by their phone numbers inside it."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_settings", "_url", "abilities")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        super().__init__(
            name,
            session,
            secrets=[settings.token.get_secret_value(), settings.secret.get_secret_value()],
            meanings={**_ASSUMED, **settings.codes, **_MEANINGS},
            timeout=settings.timeout,
            # Sending on during the punishment would prolong it: the robot rests for all of it.
            rest=settings.rest,
        )
        self.abilities = Abilities(
            kind=settings.kind,
            word="钉钉群机器人",
            form=Form.MARKDOWN,
            max_bytes=settings.max_bytes - _ROOM,
            windows=(Window(settings.per_minute, WINDOW_SECONDS),),
            reserve=settings.reserve,
            mentions=settings.mention,
            timeout=settings.timeout,
        )
        self._settings = settings
        self._url = URL(settings.base_url.rstrip("/") + "/robot/send")

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text):
            return refused
        message = self.message(letter)
        text = message[self._settings.style]["text" if self._settings.style == "markdown" else "content"]
        if refused := unfit(text, self._settings.max_bytes):
            return refused
        return await self.post(self._signed(letter.at), message, letter.at)

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor is there and its clock ours. No message is tried: whoever sends one to a robot that is
        being punished prolongs it."""
        return await reach(self._session, self._url.with_path("/"), at, self._limits)

    def message(self, letter: Letter) -> dict[str, Any]:
        """The body of the request. A keyword the robot listens to, and the numbers it calls, must stand in the text."""
        settings, called = self._settings, list(letter.mentions) if self._settings.mention else []
        style = settings.style
        text = markdown(letter.text) if style == "markdown" else plain(letter.text)
        parting = "\n\n" if style == "markdown" else "\n"
        if called:
            text += parting + " ".join(f"@{number}" for number in called)
        if settings.keyword and settings.keyword not in text:
            text += parting + settings.keyword
        at = {"atMobiles": called, "isAtAll": False}
        if style == "text":
            return {"msgtype": "text", "text": {"content": text}, "at": at}
        title = self.headline(letter, _TITLE_BYTES)
        return {"msgtype": "markdown", "markdown": {"title": title, "text": text}, "at": at}

    def _signed(self, at: int) -> URL:
        query = {"access_token": self._settings.token.get_secret_value()}
        secret = self._settings.secret.get_secret_value()
        if secret:
            query |= {"timestamp": str(at), "sign": sign(secret, at)}
        return self._url.with_query(query)

    def _is_throttled(self, said: Mapping[str, Any], code: int | None) -> bool:
        return super()._is_throttled(said, code) or (code is None and said.get("punish") is not None)

    def _throttled_words(self, said: Mapping[str, Any], code: int | None, answer: Answer) -> str:  # noqa: ARG002
        # Its shape is another one: all of it is told.
        return self._mask(answer.body[:300].decode("utf-8", "replace"))
