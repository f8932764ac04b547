"""企业微信群机器人: a robot's webhook posts into one group.

The vendor answers HTTP 200 for success and for refusal alike; only ``errcode`` in the body decides. A group is read by
many, so no personal link may go there, and nothing comes back. Sources of the rules: the vendor's page "消息推送"
(path/99110, 2025-08-07).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from yarl import URL

from channels.channel import Abilities, Form, Letter, Window
from channels.cutting import cut_bytes
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.fields import HttpUrl, Readers
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

MARKDOWN_BYTES = 4096
WINDOW_SECONDS = 60

# The mention must only make a phone ring; the message itself stands above it.
_MENTION_BYTES = 240
_MARKUP = re.compile(r"</?font[^>]*>|[*`#>]+")

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


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "wecom_robot"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["wecom_robot"]
    key: SecretStr = Field(min_length=1, description="机器人 Webhook 地址里 key= 之后的部分")
    readers: Readers
    base_url: HttpUrl = Field(
        "https://qyapi.weixin.qq.com", min_length=1, description="接口地址；经内网转发时改成转发地址"
    )
    per_minute: int = Field(18, ge=1, le=20, description="每分钟最多发几条；平台上限 20，留出余量")
    reserve: int = Field(4, ge=0, description="每分钟留给紧急消息的条数")
    timeout: float = Field(10.0, gt=0, le=60, description="一次发送最多等待的秒数")
    codes: dict[int, OutcomeKind] = Field(
        default={93000: OutcomeKind.MISCONFIGURED},
        description="平台文档之外的 errcode 及其含义",
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Settings:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self


class Driver:
    """Sends markdown to the robot's group, and a short text that calls people by their phone numbers after it."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_headers", "_limits", "_mask", "_meanings", "_session", "_url", "abilities", "name")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信群机器人",
            form=Form.MARKDOWN,
            max_bytes=MARKDOWN_BYTES,
            windows=(Window(settings.per_minute, WINDOW_SECONDS),),
            reserve=settings.reserve,
            mention_cost=1,
            timeout=settings.timeout,
        )
        key = settings.key.get_secret_value()
        self._session = session
        self._mask = Masker([key])
        self._meanings = {**settings.codes, **_MEANINGS}
        self._limits = limits_for(settings.timeout)
        self._headers = {"Content-Type": "application/json; charset=utf-8"}
        self._url = URL(settings.base_url.rstrip("/") + "/cgi-bin/webhook/send").with_query({"key": key})

    async def send(self, letter: Letter) -> Outcome:
        try:
            length = len(letter.text.encode("utf-8"))
        except UnicodeEncodeError:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
        if length > MARKDOWN_BYTES or not letter.text.strip():
            said = f"markdown 长 {length} 字节，上限 {MARKDOWN_BYTES}" if length else "文本为空"
            return Outcome(OutcomeKind.REFUSED_CONTENT, said)
        outcome = await self._post({"msgtype": "markdown", "markdown": {"content": letter.text}}, letter.at)
        if outcome.kind is OutcomeKind.ACCEPTED and letter.mentions:
            return await self._mention(letter, outcome)
        return outcome

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    async def _mention(self, letter: Letter, told: Outcome) -> Outcome:
        # Markdown cannot call a phone number by name: only the type "text" can, so it follows as a second message.
        first = (letter.subject.strip() or letter.text.strip()).splitlines()[0]
        line = _MARKUP.sub("", first).strip()
        text = {
            "content": cut_bytes(line, _MENTION_BYTES) or self.name,
            "mentioned_mobile_list": list(letter.mentions),
        }
        called = await self._post({"msgtype": "text", "text": text}, letter.at)
        if called.kind is OutcomeKind.ACCEPTED:
            return told
        # The message itself is out; a missing call by name must not send it again.
        return Outcome(OutcomeKind.ACCEPTED, self._mask(f"{told.detail}；点名未成功：{called.detail}"))

    async def _post(self, message: dict[str, Any], at: int) -> Outcome:
        try:
            body = orjson.dumps(message)
        except TypeError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(f"无法写成 JSON：{error}"))
        answer = await ask(
            self._session,
            "POST",
            self._url,
            body=body,
            headers=self._headers,
            limits=self._limits,
            mask=self._mask,
        )
        return answer if isinstance(answer, Outcome) else self.read(answer, at)

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means: the body's ``errcode``, and the HTTP status only where there is none.

        ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
        """
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        code = said.get("errcode") if isinstance(said, dict) else None
        if isinstance(code, bool) or not isinstance(code, int):
            return self._read_status(answer, at)
        detail = self._mask(f"{code} {said.get('errmsg', '')}")
        kind = self._meanings.get(code, OutcomeKind.TRANSIENT)
        if kind is OutcomeKind.THROTTLED:
            # Whether the vendor's minute slides is not documented; a whole one is over either way.
            return Outcome(kind, detail, retry_after=float(WINDOW_SECONDS))
        return Outcome(kind, detail)

    def _read_status(self, answer: Answer, at: int) -> Outcome:
        status = answer.status
        detail = self._mask(f"HTTP {status}，应答中没有 errcode：{answer.body[:200].decode('utf-8', 'replace')}")
        if status == 429:
            rest = retry_seconds(answer.retry_after, at, float(WINDOW_SECONDS))
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest)
        if status == 413:
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        if status < 300 or status == 504:
            # A gateway that gave up waiting does not know whether the vendor took the message.
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        return Outcome(OutcomeKind.MISCONFIGURED, detail)
