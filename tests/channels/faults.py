"""What every vendor over HTTP may do wrong in its transport, and what a send comes to by that."""

from __future__ import annotations

from bot.demo.simulators.vendor import Fault
from channels.outcome import OutcomeKind

HTTP_FAULTS = (
    (Fault.STATUS_429, OutcomeKind.THROTTLED, 0),
    (Fault.STATUS_500, OutcomeKind.TRANSIENT, 0),
    (Fault.STATUS_504, OutcomeKind.UNCERTAIN, 0),
    (Fault.REDIRECT, OutcomeKind.MISCONFIGURED, 0),
    (Fault.GARBAGE, OutcomeKind.UNCERTAIN, 0),
    (Fault.DROP_BEFORE, OutcomeKind.UNCERTAIN, 0),
    (Fault.HALF_BODY, OutcomeKind.UNCERTAIN, 1),
    (Fault.DROP_AFTER, OutcomeKind.UNCERTAIN, 1),
)
"""The fault, the outcome, and how many messages the vendor has taken then."""
REFUSED = (Fault.REFUSE, OutcomeKind.MISCONFIGURED, 0)
"""A cloud whose package of messages is used up."""
