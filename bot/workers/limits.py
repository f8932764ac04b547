"""A channel's abilities as the limits of its mailboxes."""

from __future__ import annotations

from channels.channel import Abilities
from escalation.ledger.mailbox import Claim
from escalation.ledger.windows import Limits, Window

LEASE = 60_000
"""How long a claim holds at least, in milliseconds; a slow channel's holds three times as long as its send may take."""
DIGEST = {"sms": 4, "wecom": 20, "text": 12, "mail": 40, "webhook": 1}
"""How many notices share one digest, by form: what surely fits into one message of the vendor's size."""


def limits_of(abilities: Abilities | None, free: int) -> Limits:
    """A channel's abilities as a mailbox's limits, ``free`` of its sends under way at most; what belongs to no channel
    is claimed too, so that it is told."""
    if abilities is None:
        return Limits(at_once=free, lease=LEASE)
    return Limits(
        windows=tuple(Window(each.count, each.per * 1000) for each in abilities.windows),
        reserve=abilities.reserve,
        digest=DIGEST.get(abilities.form, 1) if abilities.digest else 0,
        at_once=max(1, min(abilities.at_once, free)),
        lease=max(LEASE, int(abilities.timeout * 3000)),
    )


def in_time(abilities: Abilities, claim: Claim, now: int) -> bool:
    """Whether a send that starts now ends before the claim does."""
    return now + int(abilities.timeout * 1000) < claim.until
