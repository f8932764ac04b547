"""What Tencent Cloud's services have in common: a door that verifies each signature from the request's own bytes,
errors under HTTP 200, and faults that can be set.

Source of the rules: the vendor's page on signature version 3.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, begin, lose_answer

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/([a-z]+)/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})"
)
_STALE = 5 * 60
VARIABLE = re.compile(r"\{(\d+)\}")


class RefusedByTencent(Exception):
    """What the vendor answers instead: its ``code`` and its ``words``, under HTTP 200."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Tc3Door:
    """One key to one version of a service; ``now`` gives milliseconds."""

    secret_id: str
    secret_key: str
    service: str
    version: str
    now: Now

    def verify(self, request: web.Request, raw: bytes) -> None:
        """Raises :class:`RefusedByTencent` for a request whose signature is not right, computed from it alone."""
        found = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if found is None:
            raise RefusedByTencent("AuthFailure.InvalidAuthorization", "The request header Authorization is not valid.")
        secret_id, day, service, said = found.groups()
        if secret_id != self.secret_id:
            raise RefusedByTencent("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        stamp = request.headers.get("X-TC-Timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - self.now() // 1000) > _STALE:
            raise RefusedByTencent("AuthFailure.SignatureExpire", "The provided credentials have expired.")
        if day != f"{datetime.fromtimestamp(int(stamp), UTC):%Y-%m-%d}" or service != self.service:
            raise RefusedByTencent("AuthFailure.SignatureFailure", "Credential scope is not this request's.")
        headers = f"content-type:{request.headers['Content-Type'].lower()}\nhost:{request.headers['Host'].lower()}\n"
        canonical = f"POST\n/\n\n{headers}\ncontent-type;host\n{hashlib.sha256(raw).hexdigest()}"
        to_sign = (
            f"TC3-HMAC-SHA256\n{stamp}\n{day}/{service}/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        )
        key = hmac.digest(("TC3" + self.secret_key).encode(), day.encode(), "sha256")
        for part in (service, "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if not hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), said):
            raise RefusedByTencent("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")
        if request.headers.get("X-TC-Version") != self.version or not request.headers.get("X-TC-Region"):
            raise RefusedByTencent("NoSuchVersion", "The version or the region is not given or not known.")


class Tc3Service(ABC):
    """One key to one service, whose actions a subclass acts out. ``costly`` are those that faults are for, ``refused``
    where :attr:`Fault.REFUSE` was set."""

    service: ClassVar[str]
    version: ClassVar[str]
    costly: ClassVar[frozenset[str]]
    secret_id: str
    secret_key: str
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None
    faults: Faults

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.on_message)
        self._door = Tc3Door(self.secret_id, self.secret_key, self.service, self.version, self.now)

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/", self._serve)
        return app

    @abstractmethod
    def _act(self, action: str, asked: Mapping[str, Any], *, refused: bool) -> tuple[dict[str, Any], Received | None]:
        """What a signed request is answered, and the message it brought. Raises :class:`RefusedByTencent`."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        action = request.headers.get("X-TC-Action", "")
        fault: Fault | None = None
        if action in self.costly:
            fault, _, played = await begin(request, self.faults)
            if played is not None:
                return played
        received = None
        try:
            self._door.verify(request, raw)
            asked = orjson.loads(raw)
            if not isinstance(asked, dict):
                raise RefusedByTencent("InvalidParameter", "The body is no JSON object.")
            answer, received = self._act(action, asked, refused=fault is Fault.REFUSE)
        except RefusedByTencent as refused:
            answer = {"Error": {"Code": refused.code, "Message": refused.words}}
        if received is not None:
            await self.inbox.add(received)
        body = orjson.dumps({"Response": {**answer, "RequestId": str(uuid.uuid4())}})
        if fault is not None and fault is not Fault.REFUSE:
            return await lose_answer(request, fault, body)
        return web.Response(body=body, content_type="application/json")
