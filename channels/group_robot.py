"""What the group robots of the chat platforms have in common: one POST of JSON to a webhook, answered by a code.

The vendors answer HTTP 200 for success and for refusal alike; only the code in the body decides. A group is read by
many, so no personal link may go there, and nothing comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from yarl import URL

from channels.channel import Letter
from channels.cutting import cut_bytes
from channels.exchange import Answer, ask, json_object, limits_for, number_in, read_status, retry_seconds
from channels.fields import Readers
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

WINDOW_SECONDS = 60
# Marks that only cost room in the notification a phone shows.
_MARKUP = re.compile(r"</?font[^>]*>|[*`#>]+")
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class GroupSettings(BaseModel):
    """What every robot's table has."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    readers: Readers
    timeout: float = Field(10.0, gt=0, le=60, description="一次发送最多等待的秒数")


class RobotSettings(GroupSettings):
    """What the tables have of those whose vendors allow 20 messages a minute."""

    per_minute: int = Field(18, ge=1, le=20, description="每分钟最多发几条；平台上限 20，留出余量")
    reserve: int = Field(4, ge=0, description="每分钟留给紧急消息的条数")

    @model_validator(mode="after")
    def _leaves_room(self) -> RobotSettings:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self


class Robot:
    """Posts messages and reads the vendor's answers. ``meanings`` are the outcomes of its codes, ``rest`` how long it
    rests when it is throttled (s) and is not told, ``secrets`` what must never be shown."""

    _code_names: ClassVar[tuple[str, ...]] = ("errcode",)
    _word_names: ClassVar[tuple[str, ...]] = ("errmsg",)
    _wrong: ClassVar[Mapping[int, tuple[Standing, tuple[str, ...]]]] = MappingProxyType({})
    __slots__ = ("_limits", "_mask", "_meanings", "_rest", "_session", "name")

    def __init__(
        self,
        name: str,
        session: aiohttp.ClientSession,
        *,
        secrets: Iterable[str],
        meanings: Mapping[int, OutcomeKind],
        timeout: float,
        rest: float,
    ) -> None:
        self.name = name
        self._session = session
        self._mask = Masker(secrets)
        self._meanings = meanings
        self._limits = limits_for(timeout)
        self._rest = rest

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def headline(self, letter: Letter, most: int) -> str:
        """What a phone shows of the letter, in at most so many bytes; the channel's name where it has no line."""
        first = (letter.subject.strip() or letter.text.strip()).splitlines()[0]
        return cut_bytes(_MARKUP.sub("", first).strip(), most) or self.name

    async def post(self, url: URL, message: dict[str, Any], at: int, most: int | None = None) -> Outcome:
        """Send one message at the hub's time ``at`` (ms), whose whole request may have ``most`` bytes."""
        try:
            body = orjson.dumps(message)
        except TypeError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(f"无法写成 JSON：{error}"))
        if most is not None and len(body) > most:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"请求长 {len(body)} 字节，上限 {most}")
        answer = await ask(
            self._session, "POST", url, body=body, headers=_HEADERS, limits=self._limits, mask=self._mask
        )
        return answer if isinstance(answer, Outcome) else self.read(answer, at)

    async def knock(self, url: URL, message: dict[str, Any], at: int) -> Greeting:
        """Post what the vendor refuses for its type, so that no group shows it: ``_wrong`` are the codes that tell of a
        setting, and which. A vendor that looks at the type before the key tells nothing about the key."""
        body = orjson.dumps(message)
        hailed = await hail(
            self._session, "POST", url, limits=self._limits, mask=self._mask, headers=_HEADERS, body=body
        )
        if isinstance(hailed, Greeting):
            return hailed
        said, code = self._coded(hailed.answer)
        if clock := hailed.clock(at):
            return clock
        if code is not None and code in self._wrong:
            standing, where = self._wrong[code]
            return Greeting(standing, self._words(said, code), where)
        return Greeting(Standing.REACHED, f"HTTP {hailed.answer.status}" if code is None else "对方没有说密钥不对")

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means: the code in the body, and the HTTP status only where there is none.

        ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
        """
        said, code = self._coded(answer)
        if self._is_throttled(said, code):
            rest = retry_seconds(answer.retry_after, at, self._rest)
            return Outcome(OutcomeKind.THROTTLED, self._throttled_words(said, code, answer), retry_after=rest)
        if code is None:
            return read_status(answer, at, self._mask, self._code_names[0], rest=self._rest, whole_channel=False)
        return Outcome(self._meanings.get(code, OutcomeKind.TRANSIENT), self._words(said, code))

    def _coded(self, answer: Answer) -> tuple[Mapping[str, Any], int | None]:
        said = json_object(answer.body)
        return said, next((found for name in self._code_names if (found := number_in(said, name)) is not None), None)

    def _is_throttled(self, said: Mapping[str, Any], code: int | None) -> bool:  # noqa: ARG002 (a vendor's own signs)
        return code is not None and self._meanings.get(code) is OutcomeKind.THROTTLED

    def _throttled_words(self, said: Mapping[str, Any], code: int | None, answer: Answer) -> str:  # noqa: ARG002
        return self._words(said, code)

    def _words(self, said: Mapping[str, Any], code: int | None) -> str:
        told = next((said[name] for name in self._word_names if name in said), "")
        return self._mask(f"{code} {told}")
