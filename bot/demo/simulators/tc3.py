"""The door of Tencent Cloud's services: verifies each signature from the request's own bytes.

Source of the rules: the vendor's page on signature version 3.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from bot.demo.simulators.vendor import Now

_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/([a-z]+)/tc3_request, "
    r"SignedHeaders=content-type;host, Signature=([0-9a-f]{64})"
)
_STALE = 5 * 60


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
