"""What the error codes of a WeCom app mean; they stand in the body of an answer whose HTTP status is 200.

Those of ``DOCUMENTED`` are in the vendor's documents; ``ASSUMED`` are known from hearsay and may be set anew in the
TOML (``codes``). Whatever is not named is transient: in doubt it is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channels.outcome import OutcomeKind

TOKEN_REFUSED = frozenset({40014, 42001})
"""The access token is invalid or has ended: one login, one repeat."""

TASK_USED = 42014
"""A card's id was used before, is empty or too long."""

DOCUMENTED: Mapping[int, OutcomeKind] = MappingProxyType(
    {
        0: OutcomeKind.ACCEPTED,
        -1: OutcomeKind.TRANSIENT,
        40008: OutcomeKind.MISCONFIGURED,
        40058: OutcomeKind.REFUSED_CONTENT,
        45002: OutcomeKind.REFUSED_CONTENT,
        45009: OutcomeKind.THROTTLED,
        81013: OutcomeKind.REFUSED_RECIPIENT,
    }
)

ASSUMED: Mapping[int, OutcomeKind] = MappingProxyType(
    {
        # Secret, corpid, agentid; the caller's address is not listed; the app is off; the right is missing.
        40001: OutcomeKind.MISCONFIGURED,
        40013: OutcomeKind.MISCONFIGURED,
        40056: OutcomeKind.MISCONFIGURED,
        48002: OutcomeKind.MISCONFIGURED,
        60020: OutcomeKind.MISCONFIGURED,
        301002: OutcomeKind.MISCONFIGURED,
        # A card's id; a card without what it opens.
        TASK_USED: OutcomeKind.REFUSED_CONTENT,
        42045: OutcomeKind.REFUSED_CONTENT,
        # Too many at once; nobody of that name.
        45033: OutcomeKind.THROTTLED,
        60111: OutcomeKind.REFUSED_RECIPIENT,
    }
)
