"""The door of Alibaba Cloud's services: verifies each signature from the request's own bytes.

Source of the rules: the vendor's page on signature version 3.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from aiohttp import web

from bot.demo.simulators.vendor import Now

_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
_NEEDED = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")
_STALE = 15 * 60_000


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
