"""What Alibaba Cloud's services have in common: a door that verifies each signature from the request's own bytes, codes
under HTTP 200, faults that can be set, limits of each number.

Sources of the rules: the vendor's pages on signature version 3 and on error codes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote

import aiohttp
import orjson
from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, begin, lose_answer

_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
_NEEDED = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")
_STALE = 15 * 60_000
_CHINA = timezone(timedelta(hours=8))
_WINDOWS = (("分钟级", 60_000), ("小时级", 3_600_000), ("天级", 86_400_000))
VARIABLE = re.compile(r"\$\{(\w+)\}")
LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


class RefusedByCode(Exception):
    """What the vendor answers instead: its ``code``, its ``words``, and the HTTP status."""

    def __init__(self, code: str, words: str, status: int = 200) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.status = status


@dataclass
class Acs3Door:
    """One access key to one version of an interface; ``now`` gives milliseconds."""

    key_id: str
    key_secret: str
    version: str
    now: Now
    _nonces: set[str] = field(default_factory=set)

    def verified(self, request: web.Request, raw: bytes) -> dict[str, str]:
        """The parameters of a request whose signature is right; computed from the request alone. Raises
        :class:`RefusedByCode`."""
        found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            raise RefusedByCode("IncompleteSignature", "The request signature does not conform to standards.", 400)
        key_id, names, said = found.groups()
        if key_id != self.key_id:
            raise RefusedByCode("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        signed = names.split(";")
        present = [name for name in _NEEDED if name in request.headers]
        if signed != sorted(signed) or not set(present) == set(_NEEDED) <= set(signed):
            raise RefusedByCode("IncompleteSignature", "A header that must be signed is not.", 400)
        digest = hashlib.sha256(raw).hexdigest()
        if request.headers["x-acs-content-sha256"] != digest or request.headers["x-acs-version"] != self.version:
            raise RefusedByCode("InvalidParameter", "content hash or version", 400)
        pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, strict_parsing=True)
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(pairs))
        headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed)
        canonical = f"{request.method}\n/\n{query}\n{headers}\n{names}\n{digest}"
        to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        right = hmac.digest(self.key_secret.encode(), to_sign.encode(), hashlib.sha256).hex()
        if not hmac.compare_digest(right, said):
            raise RefusedByCode("SignatureDoesNotMatch", "Specified signature is not matched.", 400)
        self._check_fresh(request.headers["x-acs-date"], request.headers["x-acs-signature-nonce"])
        return dict(pairs)

    def _check_fresh(self, date: str, nonce: str) -> None:
        try:
            at = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp() * 1000
        except ValueError:
            raise RefusedByCode("InvalidTimeStamp.Format", "Specified time stamp is not well formed.", 400) from None
        if abs(at - self.now()) > _STALE:
            raise RefusedByCode("InvalidTimeStamp.Expired", "Specified time stamp is expired.", 400)
        if nonce in self._nonces:
            raise RefusedByCode("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
        self._nonces.add(nonce)


class Acs3Service(ABC):
    """One account at one service, whose actions a subclass acts out. ``costly`` are those that faults are for."""

    version: ClassVar[str] = "2017-05-25"
    costly: ClassVar[frozenset[str]]
    key_id: str
    key_secret: str
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None
    refusal: str
    faults: Faults

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.on_message)
        self._door = Acs3Door(self.key_id, self.key_secret, self.version, self.now)

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/", self._serve)
        return app

    @abstractmethod
    def _act(self, action: str, query: Mapping[str, str]) -> tuple[dict[str, Any], Received | None]:
        """What a signed request is answered, and the message it brought. Raises :class:`RefusedByCode`."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        action = request.headers.get("x-acs-action", "")
        fault: Fault | None = None
        if action in self.costly:
            fault, _, played = await begin(request, self.faults)
            if played is not None:
                return played
        try:
            query = self._door.verified(request, raw)
            if fault is Fault.REFUSE:
                raise RefusedByCode(self.refusal, "refused as told")
            answer, received = self._act(action, query)
        except RefusedByCode as refused:
            said = {"Code": refused.code, "Message": refused.words, "RequestId": str(uuid.uuid4())}
            return web.Response(status=refused.status, body=orjson.dumps(said), content_type="application/json")
        if received is not None:
            await self.inbox.add(received)
        body = orjson.dumps({"RequestId": str(uuid.uuid4()), "Code": "OK", "Message": "OK", **answer})
        if fault is not None:
            return await lose_answer(request, fault, body)
        return web.Response(body=body, content_type="application/json")


def check_limits(times: Iterable[int], limits: tuple[int, int, int], now: int) -> None:
    """Whether a number that was reached at these times (ms) may be reached now, ``limits`` a minute, an hour and a day
    (0: any number). Raises :class:`RefusedByCode`."""
    reached = list(times)
    for (word, length), limit in zip(_WINDOWS, limits, strict=True):
        if limit and sum(at > now - length for at in reached) >= limit:
            raise RefusedByCode("isv.BUSINESS_LIMIT_CONTROL", f"触发{word}流控Permits:{limit}")


def day_of(at: int) -> str:
    """The vendor's day of a time in ms."""
    return f"{datetime.fromtimestamp(at // 1000, _CHINA):%Y%m%d}"


def time_of(at: int) -> str:
    """The vendor's time of a time in ms."""
    return f"{datetime.fromtimestamp(at // 1000, _CHINA):%Y-%m-%d %H:%M:%S}"


async def push(url: str, body: object, session: aiohttp.ClientSession) -> tuple[int, bytes]:
    """Push as the vendors do; the hub's answer."""
    async with session.post(url, json=body) as response:
        return response.status, await response.read()
