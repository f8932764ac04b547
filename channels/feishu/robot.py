"""飞书自定义机器人: a robot's webhook posts into one group.

Success and refusal both come as HTTP 200: only ``code`` in the body decides (an older answer says ``StatusCode``). The
signature stands in the body and is not DingTalk's: key and message are the other way round, and the time is in seconds.
A group is read by many, so no personal link may go there, and nothing comes back. Sources of the rules: the vendor's
guide to custom robots (open.feishu.cn); what it does not say is a setting.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, model_validator
from yarl import URL

from channels.channel import Abilities, Form, Letter, Window
from channels.feishu.forms import bare, card, post, title_of
from channels.fields import HttpUrl
from channels.fitting import unfit
from channels.greeting import Greeting, Standing
from channels.group_robot import WINDOW_SECONDS, GroupSettings, Robot
from channels.outcome import Outcome, OutcomeKind

BODY_BYTES = 20_000
"""The vendor takes 20 KB of request; which thousand it means it does not say."""
# The words added below, and the paragraphs around each line, take room that the renderer does not count.
_ROOM = 400

_MEANINGS = MappingProxyType(
    {
        0: OutcomeKind.ACCEPTED,
        9499: OutcomeKind.REFUSED_CONTENT,
        19021: OutcomeKind.MISCONFIGURED,
        19022: OutcomeKind.MISCONFIGURED,
        19024: OutcomeKind.MISCONFIGURED,
        11232: OutcomeKind.THROTTLED,
        99991400: OutcomeKind.THROTTLED,
    }
)
_ASSUMED = MappingProxyType(
    {
        19001: OutcomeKind.MISCONFIGURED,
        19002: OutcomeKind.REFUSED_CONTENT,
        19003: OutcomeKind.MISCONFIGURED,
        19007: OutcomeKind.MISCONFIGURED,
        11246: OutcomeKind.REFUSED_CONTENT,
        230001: OutcomeKind.REFUSED_CONTENT,
    }
)
_MemberId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Settings(GroupSettings):
    """``[channels.<name>]`` with ``kind = "feishu_robot"``."""

    kind: Literal["feishu_robot"]
    hook: SecretStr = Field(min_length=1, description="机器人 Webhook 地址里 /hook/ 之后的部分")
    secret: SecretStr = Field(SecretStr(""), description="安全设置“签名校验”的密钥；没有启用时不写")
    keyword: str = Field("", max_length=40, description="安全设置“自定义关键词”中的一个；正文里没有时加在末尾")
    base_url: HttpUrl = Field("https://open.feishu.cn", min_length=1, description="接口地址；经内网转发时改成转发地址")
    style: Literal["post", "card", "text"] = Field(
        "post", description="消息类型：post（富文本）、card（彩色卡片）或不带格式的 text"
    )
    members: dict[str, _MemberId] = Field(
        default_factory=dict, description="要点名的人：手机号 = open_id（ou_ 开头）；飞书机器人不能按手机号点名"
    )
    max_bytes: int = Field(6000, ge=1000, le=12_000, description="一条消息正文最多几字节；平台限制整个请求 20 KB")
    per_minute: int = Field(95, ge=1, le=100, description="每分钟最多发几条；平台上限 100，留出余量")
    per_second: int = Field(4, ge=1, le=5, description="每秒最多发几条；平台上限 5，留出余量")
    reserve: int = Field(2, ge=0, description="每分钟、每秒留给紧急消息的条数")
    rest: float = Field(30.0, ge=1, le=3600, description="被平台限流而没有说明多久时停发的秒数")
    codes: dict[int, OutcomeKind] = Field(default=dict(_ASSUMED), description="平台文档之外的 code 及其含义")

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        if self.reserve >= self.per_second:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_second（{self.per_second}）：普通消息也要有份")
        if self.per_second > self.per_minute:
            raise ValueError(f"per_second（{self.per_second}）不能大于 per_minute（{self.per_minute}）")
        if any(mark in self.hook.get_secret_value() for mark in "/?"):
            raise ValueError("hook 只写 Webhook 地址里 /hook/ 之后的部分，不写整个地址")
        return self


def sign(secret: str, seconds: int) -> str:
    """The base64 signature of a request at ``seconds`` since the epoch: HMAC-SHA256 of nothing, under the key
    ``<seconds>\\n<secret>``."""
    return base64.b64encode(hmac.digest(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256)).decode("ascii")


class Driver(Robot):
    """Sends one message a letter to the robot's group; people whose ids are known are called by name inside it."""

    Settings: ClassVar[Any] = Settings

    _code_names: ClassVar[tuple[str, ...]] = ("code", "StatusCode")
    _word_names: ClassVar[tuple[str, ...]] = ("msg", "StatusMessage")
    _wrong: ClassVar[Any] = MappingProxyType(
        {
            19001: (Standing.WRONG_KEY, ("hook",)),
            19021: (Standing.WRONG_KEY, ("secret",)),
            19022: (Standing.REFUSED, ()),
        }
    )
    __slots__ = ("_settings", "_url", "abilities")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        hook = settings.hook.get_secret_value()
        super().__init__(
            name,
            session,
            secrets=[hook, settings.secret.get_secret_value()],
            meanings={**_ASSUMED, **settings.codes, **_MEANINGS},
            timeout=settings.timeout,
            rest=settings.rest,
        )
        self.abilities = Abilities(
            kind=settings.kind,
            word="飞书群机器人",
            form=Form.MARKDOWN,
            max_bytes=settings.max_bytes - _ROOM,
            windows=(Window(settings.per_second, 1), Window(settings.per_minute, WINDOW_SECONDS)),
            reserve=settings.reserve,
            mentions=bool(settings.members),
            timeout=settings.timeout,
        )
        self._settings = settings
        self._url = URL(settings.base_url.rstrip("/") + "/open-apis/bot/v2/hook/") / hook

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text, self._settings.max_bytes):
            return refused
        return await self.post(self._url, self.message(letter), letter.at, BODY_BYTES)

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor is there, its clock ours, and hook and signature such as it knows."""
        return await self.knock(self._url, self._signed({"msg_type": "fenghuo-check"}, at), at)

    def message(self, letter: Letter) -> dict[str, Any]:
        """The body of the request, signed where the robot wants it. Whom it knows no id of it does not call."""
        settings = self._settings
        called = list(dict.fromkeys(settings.members[each] for each in letter.mentions if each in settings.members))
        text = letter.text.strip()
        if settings.keyword and settings.keyword not in text:
            text += f"\n{settings.keyword}"
        title = title_of(letter.subject, letter.text, self.name)
        match settings.style:
            case "text":
                made = bare(text, called)
            case "card":
                made = card(title, text, called, critical=letter.critical)
            case _:
                made = post(title, text, called)
        return self._signed(made, letter.at)

    def _signed(self, made: dict[str, Any], at: int) -> dict[str, Any]:
        secret = self._settings.secret.get_secret_value()
        if not secret:
            return made
        seconds = at // 1000
        return {"timestamp": str(seconds), "sign": sign(secret, seconds), **made}
