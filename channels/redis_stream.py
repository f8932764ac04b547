"""A Redis stream that an upstream system reads: what was answered is appended there, one entry for each notice.

An entry whose reply was lost is appended again, until the server has said that it stands there: nothing is missing, and
whoever reads drops what has the ``id`` of an entry before. The stream is kept to about so many entries (``MAXLEN ~``).
"""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any, ClassVar, Literal

import aiohttp
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from redis import exceptions

from channels import redis_client
from channels.certificates import certificate_words
from channels.channel import Abilities, Form, Letter
from channels.greeting import Greeting, Standing, barrier
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

BODY_BYTES = 20_000
ID = "id"
"""The field of an entry that holds the letter's id, the same on every repeat."""
_ENTRY = re.compile(r"[0-9]+-[0-9]+", re.ASCII)

_CREDENTIALS = (
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
    exceptions.AuthenticationWrongNumberOfArgsError,
)
_PASSES = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.InvalidResponse,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
    exceptions.MasterDownError,
    exceptions.TryAgainError,
    exceptions.ClusterError,
    exceptions.AskError,
    exceptions.RedisClusterException,
    OSError,
    TimeoutError,
    # What answers does not speak the protocol, just now.
    ValueError,
)
"""What ends by itself, or once somebody has mended the server; the entry may stand there already."""
_REFUSING_WORDS = ("WRONGPASS", "NOAUTH", "NOPERM", "invalid username-password")
"""While it connects, the client makes a lost connection of these."""
_PASSING_WORDS = ("NOREPLICAS", "MISCONF", "LOADING", "BUSY", "MASTERDOWN")


class Settings(BaseModel):
    """``[channels.<name>]`` with ``kind = "redis_stream"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Literal["redis_stream"]
    url: Annotated[str, AfterValidator(redis_client.address)] = Field(
        description="Redis 地址，不含密码；也可是 redis+sentinel:// 或 redis+cluster://"
    )
    username: str = Field("", description="用户名；只有密码的不必写")
    password: SecretStr | None = Field(None, description="密码")
    stream: str = Field(min_length=1, max_length=200, description="写入的流（键名）")
    field: str = Field("event", min_length=1, max_length=100, description="条目中放 JSON 的字段")
    max_length: int = Field(100_000, ge=1_000, le=100_000_000, description="流大致保留的条数，更早的由 Redis 裁掉")
    at_once: int = Field(16, ge=1, le=256, description="同时写入的条数")
    timeout: float = Field(5.0, gt=0, le=60, description="一次写入最多等待的秒数")


def _unreached(found: Greeting) -> Greeting:
    return found if found.standing is Standing.CERTIFICATE else Greeting(Standing.NO_ROUTE, found.detail)


class Driver:
    """Appends the letter's JSON text to the stream, on connections of its own."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_client", "_mask", "_settings", "abilities", "name")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:  # noqa: ARG002
        self.name = name
        self.abilities = Abilities(
            kind=settings.kind,
            word="Redis 流",
            form=Form.JSON,
            max_bytes=BODY_BYTES,
            digest=False,
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        self._settings = settings
        self._mask = Masker([settings.password.get_secret_value()] if settings.password else [])
        self._client: redis_client.Client | None = None

    async def send(self, letter: Letter) -> Outcome:
        if letter.address:
            return Outcome(OutcomeKind.MISCONFIGURED, "写入流的渠道不写 address，流名写在渠道的 stream 里")
        try:
            body = letter.text.encode("utf-8")
        except UnicodeEncodeError:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
        if len(body) > BODY_BYTES or not body:
            return Outcome(OutcomeKind.REFUSED_CONTENT, f"正文长 {len(body)} 字节，应为 1–{BODY_BYTES}")
        try:
            async with asyncio.timeout(self.abilities.timeout):
                entry = await self._connected().xadd(
                    self._settings.stream,
                    {ID: letter.id, self._settings.field: body},
                    maxlen=self._settings.max_length,
                    approximate=True,
                )
        except (exceptions.RedisError, exceptions.RedisClusterException, OSError, TimeoutError, ValueError) as error:
            return self.read(error)
        name = entry.decode("ascii", "replace") if isinstance(entry, bytes) else ""
        if not _ENTRY.fullmatch(name):
            return Outcome(OutcomeKind.TRANSIENT, self._mask(f"未确认写入：应答不是条目编号：{entry!r:.100}"))
        return Outcome(OutcomeKind.ACCEPTED, f"条目 {name}", vendor_id=name)

    def read(self, error: Exception) -> Outcome:
        """What a failed append means. A lost reply is no reason to stop: the entry is appended again under its id."""
        said = self._mask(f"{type(error).__name__} {error}")
        certificate = certificate_words(error)
        if certificate:
            return Outcome(OutcomeKind.MISCONFIGURED, self._mask(f"{certificate}：{said}"))
        if isinstance(error, _CREDENTIALS) or any(word in said for word in _REFUSING_WORDS):
            return Outcome(OutcomeKind.MISCONFIGURED, f"用户名、密码或权限不对：{said}")
        if isinstance(error, _PASSES) or str(error).startswith(_PASSING_WORDS):
            return Outcome(OutcomeKind.TRANSIENT, f"未确认写入：{said}")
        return Outcome(OutcomeKind.MISCONFIGURED, f"Redis 拒绝写入：{said}")

    async def greet(self, at: int) -> Greeting:  # noqa: ARG002 (PING tells no time)
        """PING. A user who may only append may not even do that, and has logged in all the same."""
        try:
            async with asyncio.timeout(self.abilities.timeout):
                await self._connected().ping()
        except exceptions.NoPermissionError:
            return Greeting(Standing.WELL, "已登录（此用户没有 PING 的权限）")
        except _CREDENTIALS as error:
            return Greeting(Standing.WRONG_KEY, self._mask(error))
        except (exceptions.RedisError, OSError) as error:
            outcome = self.read(error)
            if "用户名、密码" in outcome.detail:
                return Greeting(Standing.WRONG_KEY, outcome.detail)
            found = barrier(error, self._mask)
            reachable = found.standing is Standing.UNCLEAR and outcome.kind is OutcomeKind.MISCONFIGURED
            return Greeting(Standing.REFUSED, outcome.detail) if reachable else _unreached(found)
        return Greeting(Standing.WELL, "PONG")

    async def close(self) -> None:
        if self._client is not None:
            await redis_client.close(self._client)
            self._client = None

    def _connected(self) -> redis_client.Client:
        """The client; it connects when first used. Repeats are the courier's, so it makes none of its own."""
        if self._client is None:
            settings = self._settings
            password = settings.password.get_secret_value() if settings.password is not None else None
            self._client = redis_client.connect(
                settings.url,
                username=settings.username,
                password=password,
                seconds=settings.timeout,
                at_once=settings.at_once,
            )
        return self._client
