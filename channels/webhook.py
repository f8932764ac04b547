"""The outgoing webhook: tells an upstream system what was answered, signed by Standard Webhooks 1.0.0.

Only 2xx is success; a redirect is a failure; 410 means that the receiver wants no more. The id stays the same over
repeats, so a receiver drops what it has, and what may not have come is sent again; the timestamp is each attempt's own.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from channels.channel import Abilities, Form, Letter
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.fields import HttpUrl
from channels.greeting import Greeting, Standing, barrier, shake_hands
from channels.guard import ForbiddenHostError, Guard
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.standard_webhooks import ID, SIGNATURE, TIMESTAMP, key, sign_with

# The standard asks for less than 20 kB.
BODY_BYTES = 20_000
_THROTTLED_REST = 30.0
_PLAIN_ID = re.compile(r"[A-Za-z0-9_:/@=+~-]{1,200}")


def _decodes(secret: SecretStr) -> SecretStr:
    key(secret.get_secret_value())
    return secret


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "webhook"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["webhook"]
    url: HttpUrl = Field("", description="收信地址；联系人另写地址时以联系人的为准")
    secrets: tuple[Annotated[SecretStr, AfterValidator(_decodes)], ...] = Field(
        min_length=1, max_length=4, description="签名密钥（whsec_…），轮换期写两个"
    )
    allow_hosts: tuple[str, ...] = Field((), description="允许访问的内网主机名、地址或网段；公网 https 不必写")
    at_once: int = Field(16, ge=1, le=256, description="同时发送的条数")
    timeout: float = Field(15.0, gt=0, le=60, description="一次发送最多等待的秒数")


class Driver:
    """Posts the letter's JSON text to its address, or to the channel's own."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_guard", "_keys", "_limits", "_mask", "_session", "_url", "abilities", "name")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.abilities = Abilities(
            kind=settings.kind,
            word="对外通知接口",
            form=Form.JSON,
            max_bytes=BODY_BYTES,
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        secrets = [secret.get_secret_value() for secret in settings.secrets]
        self._session = session
        self._url = settings.url
        self._keys = [key(secret) for secret in secrets]
        self._mask = Masker([*secrets, *(secret.removeprefix("whsec_") for secret in secrets)])
        self._guard = Guard(settings.allow_hosts)
        self._limits = limits_for(settings.timeout)

    async def send(self, letter: Letter) -> Outcome:
        try:
            body = letter.text.encode("utf-8")
        except UnicodeEncodeError:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
        if len(body) > BODY_BYTES or not body:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"正文长 {len(body)} 字节，应为 1–{BODY_BYTES}")
        address = letter.address or self._url
        try:
            async with asyncio.timeout(self.abilities.timeout):
                target = await self._guard.target(address)
        except ForbiddenHostError as error:
            return Outcome(OutcomeKind.MISCONFIGURED, self._mask(error))
        except OSError as error:
            return Outcome(OutcomeKind.TRANSIENT, self._mask(f"主机名无法解析：{error}"))
        message_id = webhook_id(letter.id)
        timestamp = letter.at // 1000
        answer = await ask(
            self._session,
            "POST",
            target.url,
            body=body,
            headers={
                "Host": target.host,
                "Content-Type": "application/json; charset=utf-8",
                ID: message_id,
                TIMESTAMP: str(timestamp),
                SIGNATURE: sign_with(self._keys, message_id, timestamp, body),
            },
            limits=self._limits,
            mask=self._mask,
            server_hostname=target.server_hostname,
        )
        if isinstance(answer, Answer):
            return self.read(answer, letter.at)
        if answer.kind is OutcomeKind.TRANSIENT:
            self._guard.forget(address)
        if answer.kind is OutcomeKind.UNCERTAIN:
            # The receiver knows a repeat by its id, so it is repeated until somebody has said that it came.
            return replace(answer, kind=OutcomeKind.TRANSIENT)
        return answer

    async def greet(self, at: int) -> Greeting:  # noqa: ARG002 (a handshake tells no time)
        """A TLS handshake with its own address, and nothing more: no receiver has a call without effect."""
        if not self._url:
            return Greeting(Standing.REACHED, "没有自己的地址，各联系人另写")
        try:
            async with asyncio.timeout(self.abilities.timeout):
                target = await self._guard.target(self._url)
        except ForbiddenHostError as error:
            return Greeting(Standing.REFUSED, self._mask(error))
        except OSError as error:
            return barrier(error, self._mask)
        url = target.url
        return await shake_hands(url.host or "", url.port or 443, target.server_hostname, self.abilities.timeout)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the receiver's status means; ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date."""
        status = answer.status
        said = answer.body[:200].decode("utf-8", "replace")
        detail = self._mask(f"HTTP {status} {said}")
        match status:
            case _ if 200 <= status < 300:
                return Outcome(OutcomeKind.ACCEPTED, detail)
            case 410:
                return Outcome(OutcomeKind.REFUSED_RECIPIENT, detail)
            case 429:
                rest = retry_seconds(answer.retry_after, at, _THROTTLED_REST)
                return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest)
            case 400 | 413 | 415 | 422:
                return Outcome(OutcomeKind.REFUSED_CONTENT, detail)
            case 408 | 409 | 425:
                return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
            case _ if status >= 500:
                # The id stays the same, so a repeat is harmless even where a gateway lost the receiver's answer.
                return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
            case _:
                return Outcome(OutcomeKind.MISCONFIGURED, detail)


def webhook_id(letter_id: str) -> str:
    """The ``webhook-id`` of a letter: its own id, or a hash where that holds a dot or what no header may hold."""
    if _PLAIN_ID.fullmatch(letter_id):
        return letter_id
    return "sha256-" + hashlib.sha256(letter_id.encode("utf-8", "surrogatepass")).hexdigest()
