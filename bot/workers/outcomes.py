"""What follows from the outcome of a send: a table as a pure function, one documented consequence for each class."""

from __future__ import annotations

from dataclasses import dataclass

from channels.outcome import Outcome, OutcomeKind
from escalation.inputs import SendResult

BACK_OFF = (2_000, 5_000, 10_000, 20_000, 40_000, 60_000)
"""Milliseconds before the next try, the last for ever after."""
GIVE_UP = 24 * 3_600_000
"""A notice that could not be handed over for this long is a dead letter."""
PUNISHED = 60_000
"""How long a mailbox rests when the vendor throttles without saying until when (ms)."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """``again_at``: when this row is tried again (None: done with it). ``hold_until``: the mailbox rests (0: not), and
    with ``whole_channel`` every mailbox of its channel."""

    result: SendResult
    again_at: int | None = None
    hold_until: int = 0
    whole_channel: bool = False


def consequence(outcome: Outcome, *, tries: int, lost: int, since: int, now: int) -> Consequence:
    """The consequence of an outcome after ``tries`` earlier sends, ``lost`` of them with an end that nobody knows, of
    what has been due ``since`` (ms). A refused text was already tried in its plainest form."""
    wait = BACK_OFF[min(tries, len(BACK_OFF) - 1)]
    if outcome.retry_after is not None:
        wait = max(wait, int(outcome.retry_after * 1000))
    old = now - since >= GIVE_UP
    match outcome.kind:
        case OutcomeKind.ACCEPTED:
            return Consequence(SendResult.SUBMITTED)
        case OutcomeKind.PARTIAL | OutcomeKind.REFUSED_RECIPIENT:
            return Consequence(SendResult.REFUSED_RECIPIENT)
        case OutcomeKind.THROTTLED if old:
            return Consequence(SendResult.UNDELIVERED)
        case OutcomeKind.THROTTLED:
            until = now + (int(outcome.retry_after * 1000) if outcome.retry_after else PUNISHED)
            return Consequence(
                SendResult.THROTTLED, again_at=until, hold_until=until, whole_channel=outcome.whole_channel
            )
        case OutcomeKind.TRANSIENT:
            return (
                Consequence(SendResult.UNDELIVERED) if old else Consequence(SendResult.TRANSIENT, again_at=now + wait)
            )
        case OutcomeKind.UNCERTAIN:
            return Consequence(SendResult.UNCERTAIN, again_at=now + wait if lost == 0 else None)
        case OutcomeKind.REFUSED_CONTENT:
            return Consequence(SendResult.REFUSED_CONTENT)
        case OutcomeKind.MISCONFIGURED:
            return Consequence(SendResult.MISCONFIGURED)
