"""Standard Webhooks 1.0.0: signing what leaves and verifying what comes in; pure, the time is passed in.

The signature is HMAC-SHA256 over ``id.timestamp.body``, base64, written ``v1,<signature>``. A secret is ``whsec_`` and
base64. Several secrets give several signatures in one header, and any of several may verify, so that a secret can be
changed without losing a message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"

_PREFIX = "whsec_"
_VERSION = "v1"
# Enough for a rotation of any size; a longer header only makes the receiver work.
_MOST_SIGNATURES = 16
_LONGEST_ID = 512


class Verification(StrEnum):
    """What verifying found; only ``ok`` lets a message in."""

    OK = "ok"
    MISSING_HEADER = "missing_header"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    NO_MATCH = "no_match"

    @property
    def word(self) -> str:
        return {
            "ok": "签名有效",
            "missing_header": "缺少 webhook-id、webhook-timestamp 或 webhook-signature",
            "bad_timestamp": "webhook-timestamp 不是以秒计的整数",
            "too_old": "webhook-timestamp 过旧",
            "too_new": "webhook-timestamp 超前",
            "no_match": "没有一个签名与密钥相符",
        }[self.value]


def key(secret: str) -> bytes:
    """The bytes of a ``whsec_…`` secret (prefix and padding may be missing).

    Raises ValueError, without the secret in its text, when it is not base64 or shorter than 16 bytes. (The standard
    asks for 24 to 64 bytes when a secret is made; shorter ones exist and are accepted down to 128 bits.)
    """
    text = secret.removeprefix(_PREFIX).rstrip("=")
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("密钥不是 whsec_ 加 base64 的形式") from None
    if len(found) < 16:
        raise ValueError("密钥太短：至少 16 字节，建议 24 字节以上")
    return found


def sign(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one signature for each secret, in order, separated by spaces.

    ``timestamp`` is in seconds since the epoch. Raises ValueError for a secret that is none, for no secret at all, and
    for an id that is empty or holds a dot, which would make the signed text ambiguous.
    """
    return sign_with([key(secret) for secret in secrets], message_id, timestamp, body)


def sign_with(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """:func:`sign` for secrets that were decoded before, on the way that must be fast."""
    if not keys:
        raise ValueError("没有密钥，无法签名")
    if not message_id or "." in message_id:
        raise ValueError("webhook-id 不能为空，也不能含有点号")
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"{_VERSION},{_signature(each, signed)}" for each in keys)


def verify(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: int, tolerance: int = 300
) -> Verification:
    """Whether ``body`` as received was signed with one of ``secrets`` close to ``now``.

    ``headers`` by any spelling of their names; ``now`` and ``tolerance`` in seconds. Every secret is compared with
    every signature in constant time. A replay inside the tolerance verifies: the caller keeps the id. Raises ValueError
    only for a secret that is none.
    """
    keys = [key(secret) for secret in secrets]
    named = {name.lower(): value for name, value in headers.items()}
    message_id, stamp, given = named.get(ID, ""), named.get(TIMESTAMP, ""), named.get(SIGNATURE, "")
    if not (message_id and stamp and given):
        return Verification.MISSING_HEADER
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return Verification.BAD_TIMESTAMP
    if int(stamp) < now - tolerance:
        return Verification.TOO_OLD
    if int(stamp) > now + tolerance:
        return Verification.TOO_NEW
    if len(message_id) > _LONGEST_ID:
        return Verification.NO_MATCH
    # The stamp is signed as it was written, so that leading zeros cannot be slipped in.
    signed = f"{message_id}.{stamp}.".encode("utf-8", "surrogateescape") + body
    expected = [_signature(each, signed).encode() for each in keys]
    matched = False
    for item in given.split(" ")[:_MOST_SIGNATURES]:
        version, _, signature = item.partition(",")
        if version == _VERSION:
            for each in expected:
                matched |= hmac.compare_digest(each, signature.encode("utf-8", "surrogateescape"))
    return Verification.OK if matched else Verification.NO_MATCH


def _signature(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode("ascii")
