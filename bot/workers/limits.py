"""A channel's abilities as the limits of its mailboxes."""

from __future__ import annotations

import logging

from channels.channel import Abilities
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Claim
from escalation.ledger.windows import Limits, Window

log = logging.getLogger(__name__)

SLACK = 15_000
"""By how much a claim outlasts the longest send of its channel, in milliseconds: for so long the hub may stand still,
or the store be away, before a send that has not begun is given up."""
DIGEST = {"sms": 4, "wecom": 40, "text": 24, "mail": 40, "webhook": 1}
"""How many notices share one digest at most, by form; what does not fit into the vendor's size waits for the next."""
UNPACED = 4
"""How many messages reach an address in a minute before a flood is taken for one: who gets more than ten alarms in ten
minutes cannot mind each of them (EEMUA 191, ISA-18.2)."""


def limits_of(abilities: Abilities | None, at_once: int) -> Limits:
    """A channel's abilities as a mailbox's limits, with at most ``at_once`` claims of it, and no more than the channel
    sends at once: what has ended and is not settled is a claim still, so that sending waits for recording. What belongs
    to no channel is claimed too, so that it is told."""
    if abilities is None:
        return Limits(at_once=at_once, lease=SLACK)
    return Limits(
        windows=tuple(Window(each.count, each.per * 1000) for each in abilities.windows),
        reserve=abilities.reserve,
        digest=DIGEST.get(abilities.form, 1) if abilities.digest else -1 if abilities.voice else 0,
        unpaced=UNPACED,
        at_once=max(1, min(abilities.at_once, at_once)),
        lease=int(abilities.timeout * 1000) + SLACK,
    )


def in_time(abilities: Abilities, claim: Claim, now: int) -> bool:
    """Whether a send that starts now ends before the claim does."""
    return now + int(abilities.timeout * 1000) < claim.until


async def may_mention(mailboxes: Mailboxes, claim: Claim, abilities: Abilities, now: int) -> bool:
    """A call by name that the vendor counts as a message of its own is left out where messages need the window."""
    if not abilities.mention_cost:
        return True
    try:
        return await mailboxes.more(claim, abilities.mention_cost, limits_of(abilities, 1), now=now)
    except Exception:
        log.exception("no token for a call by name of %s", claim.member)
        return False
