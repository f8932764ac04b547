"""What the group robots of the chat platforms have in common: one POST of JSON to a webhook, answered by ``errcode``.

The vendors answer HTTP 200 for success and for refusal alike; only ``errcode`` in the body decides. A group is read by
many, so no personal link may go there, and nothing comes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator
from yarl import URL

from channels.channel import Letter
from channels.cutting import cut_bytes
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.fields import Readers
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

WINDOW_SECONDS = 60
# Marks that only cost room in the notification a phone shows.
_MARKUP = re.compile(r"</?font[^>]*>|[*`#>]+")
_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


class RobotSettings(BaseModel):
    """What every robot's table has; the vendors allow 20 messages a minute."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    readers: Readers
    per_minute: int = Field(18, ge=1, le=20, description="每分钟最多发几条；平台上限 20，留出余量")
    reserve: int = Field(4, ge=0, description="每分钟留给紧急消息的条数")
    timeout: float = Field(10.0, gt=0, le=60, description="一次发送最多等待的秒数")

    @model_validator(mode="after")
    def _leaves_room(self) -> RobotSettings:
        if self.reserve >= self.per_minute:
            raise ValueError(f"reserve（{self.reserve}）必须小于 per_minute（{self.per_minute}）：普通消息也要有份")
        return self


class Robot:
    """Posts messages and reads the vendor's answers. ``meanings`` are the outcomes of its codes, ``rest`` how long it
    rests when it is throttled (s), ``secrets`` what must never be shown."""

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

    async def post(self, url: URL, message: dict[str, Any], at: int) -> Outcome:
        """Send one message at the hub's time ``at`` (ms)."""
        try:
            body = orjson.dumps(message)
        except TypeError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(f"无法写成 JSON：{error}"))
        answer = await ask(
            self._session, "POST", url, body=body, headers=_HEADERS, limits=self._limits, mask=self._mask
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
        found = said.get("errcode") if isinstance(said, dict) else None
        code = found if isinstance(found, int) and not isinstance(found, bool) else None
        if isinstance(said, dict) and self._is_throttled(said, code):
            return Outcome(OutcomeKind.THROTTLED, self._throttled_words(said, answer), retry_after=self._rest)
        if code is None:
            return self._read_status(answer, at)
        return Outcome(self._meanings.get(code, OutcomeKind.TRANSIENT), self._words(said))

    def _is_throttled(self, said: Mapping[str, Any], code: int | None) -> bool:  # noqa: ARG002 (a vendor's own signs)
        return code is not None and self._meanings.get(code) is OutcomeKind.THROTTLED

    def _throttled_words(self, said: Mapping[str, Any], answer: Answer) -> str:  # noqa: ARG002 (a vendor's own words)
        return self._words(said)

    def _words(self, said: Mapping[str, Any]) -> str:
        return self._mask(f"{said.get('errcode')} {said.get('errmsg', '')}")

    def _read_status(self, answer: Answer, at: int) -> Outcome:
        status = answer.status
        detail = self._mask(f"HTTP {status}，应答中没有 errcode：{answer.body[:200].decode('utf-8', 'replace')}")
        if status == 429:
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=retry_seconds(answer.retry_after, at, self._rest))
        if status == 413:
            return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
        if status < 300 or status == 504:
            # A gateway that gave up waiting does not know whether the vendor took the message.
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        return Outcome(OutcomeKind.MISCONFIGURED, detail)
