"""What the error codes of a WeCom intelligent robot mean; they stand in the acknowledgement of each frame.

Those of ``DOCUMENTED`` are in the vendor's documents; ``ASSUMED`` are known from hearsay and may be set anew in the
TOML (``codes``). What is not named is ``refused_content``: tried once more in its plainest form, and then the next
channel, because nobody knows whether waiting would help.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from channels.outcome import OutcomeKind

FREQUENCY = 45009
"""Too often; on a subscription after connections in quick succession."""
TASK_USED = 42014
"""A card's id was used before."""
TURN_OVER = frozenset({846605, 846608})
"""The frame to be answered is not known (any more), or its answer's time is over: what was to be said is sent as a
message of its own."""

DOCUMENTED: Mapping[int, OutcomeKind] = MappingProxyType(
    {
        0: OutcomeKind.ACCEPTED,
        40008: OutcomeKind.REFUSED_CONTENT,
        FREQUENCY: OutcomeKind.THROTTLED,
    }
)

ASSUMED: Mapping[int, OutcomeKind] = MappingProxyType(
    {
        -1: OutcomeKind.TRANSIENT,
        6000: OutcomeKind.TRANSIENT,
        45033: OutcomeKind.THROTTLED,
        # Nobody of that name, or somebody who has never spoken to the robot.
        40003: OutcomeKind.REFUSED_RECIPIENT,
        60111: OutcomeKind.REFUSED_RECIPIENT,
        81013: OutcomeKind.REFUSED_RECIPIENT,
        93006: OutcomeKind.REFUSED_RECIPIENT,
        # The robot is off, or its secret was changed while it was connected.
        40001: OutcomeKind.MISCONFIGURED,
        301002: OutcomeKind.MISCONFIGURED,
    }
)
