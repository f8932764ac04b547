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
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from channels.channel import Abilities, Form, Letter, Window
from channels.cutting import size
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.feishu.forms import bare, card, post, title_of
from channels.fields import HttpUrl, Readers
from channels.greeting import Greeting, reach
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

MINUTE = 60
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


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "feishu_robot"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["feishu_robot"]
    hook: SecretStr = Field(min_length=1, description="机器人 Webhook 地址里 /hook/ 之后的部分")
    readers: Readers
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
    timeout: float = Field(10.0, gt=0, le=60, description="一次发送最多等待的秒数")
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


class Driver:
    """Sends one message a letter to the robot's group; people whose ids are known are called by name inside it."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_headers", "_limits", "_mask", "_meanings", "_session", "_settings", "_url", "abilities", "name")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.abilities = Abilities(
            kind=settings.kind,
            word="飞书群机器人",
            form=Form.MARKDOWN,
            max_bytes=settings.max_bytes - _ROOM,
            windows=(Window(settings.per_second, 1), Window(settings.per_minute, MINUTE)),
            reserve=settings.reserve,
            mentions=bool(settings.members),
            timeout=settings.timeout,
        )
        self._settings = settings
        self._session = session
        self._mask = Masker([settings.hook.get_secret_value(), settings.secret.get_secret_value()])
        self._meanings: Mapping[int, OutcomeKind] = {**_ASSUMED, **settings.codes, **_MEANINGS}
        self._limits = limits_for(settings.timeout)
        self._headers = {"Content-Type": "application/json; charset=utf-8"}
        path = "/open-apis/bot/v2/hook/"
        self._url = URL(settings.base_url.rstrip("/") + path) / settings.hook.get_secret_value()

    async def send(self, letter: Letter) -> Outcome:
        try:
            length = size(letter.text)
        except UnicodeEncodeError:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
        if not letter.text.strip():
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本为空")
        body = orjson.dumps(self.message(letter))
        if length > self._settings.max_bytes or len(body) > BODY_BYTES:
            said = f"正文长 {length} 字节，上限 {self._settings.max_bytes}；请求长 {len(body)} 字节，上限 {BODY_BYTES}"
            return Outcome(OutcomeKind.REFUSED_CONTENT, said)
        answer = await ask(
            self._session,
            "POST",
            self._url,
            body=body,
            headers=self._headers,
            limits=self._limits,
            mask=self._mask,
        )
        return answer if isinstance(answer, Outcome) else self.read(answer, letter.at)

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor is there and its clock ours: the robot has no call that only logs in."""
        return await reach(self._session, self._url.with_path("/"), at, self._limits)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

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
        secret = settings.secret.get_secret_value()
        if not secret:
            return made
        seconds = letter.at // 1000
        return {"timestamp": str(seconds), "sign": sign(secret, seconds), **made}

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means: the body's ``code``, and the HTTP status only where there is none.

        ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
        """
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        code = said.get("code", said.get("StatusCode")) if isinstance(said, dict) else None
        if isinstance(code, bool) or not isinstance(code, int):
            return self._read_status(answer, at)
        kind = self._meanings.get(code, OutcomeKind.TRANSIENT)
        detail = self._mask(f"{code} {said.get('msg', said.get('StatusMessage', ''))}")
        if kind is OutcomeKind.THROTTLED:
            rest = retry_seconds(answer.retry_after, at, self._settings.rest)
            return Outcome(kind, detail, retry_after=rest)
        return Outcome(kind, detail)

    def _read_status(self, answer: Answer, at: int) -> Outcome:
        status = answer.status
        detail = self._mask(f"HTTP {status}，应答中没有 code：{answer.body[:200].decode('utf-8', 'replace')}")
        if status == 429:
            rest = retry_seconds(answer.retry_after, at, self._settings.rest)
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest)
        if status == 413:
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        if status < 300 or status == 504:
            # A gateway that gave up waiting does not know whether the vendor took the message.
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        return Outcome(OutcomeKind.MISCONFIGURED, detail)
