"""Tencent Cloud's request signature TC3-HMAC-SHA256, over content type, host and body.

Source of the rules: the vendor's page on signature version 3; its library signs the same two headers.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

_ALGORITHM = "TC3-HMAC-SHA256"
CONTENT_TYPE = "application/json"


def signature(*, service: str, host: str, body: bytes, key: str, at: int, content_type: str = CONTENT_TYPE) -> str:
    """The signature of a POST to ``/`` at the time ``at`` (s): the key derived for day and service, over the digest."""
    signed = f"content-type:{content_type}\nhost:{host}\n"
    canonical = f"POST\n/\n\n{signed}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    scope = _scope(service, at)
    to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    derived = f"TC3{key}".encode()
    for part in scope.split("/"):
        derived = hmac.digest(derived, part.encode(), hashlib.sha256)
    return hmac.digest(derived, to_sign.encode(), hashlib.sha256).hex()


def signed_headers(
    *, action: str, version: str, region: str, service: str, host: str, body: bytes, key_id: str, key: str, at: int
) -> dict[str, str]:
    """The headers of a POST of ``body`` to ``/``, ``Authorization`` among them; ``at`` is the time in ms."""
    seconds = at // 1000
    right = signature(service=service, host=host, body=body, key=key, at=seconds)
    credential = f"{key_id}/{_scope(service, seconds)}"
    return {
        "Content-Type": CONTENT_TYPE,
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": str(seconds),
        "X-TC-Version": version,
        **({"X-TC-Region": region} if region else {}),
        "Authorization": f"{_ALGORITHM} Credential={credential}, SignedHeaders=content-type;host, Signature={right}",
    }


def _scope(service: str, at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}/{service}/tc3_request"
