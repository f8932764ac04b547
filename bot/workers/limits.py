"""A channel's abilities as the limits of its mailboxes, and what they leave room for."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from channels.channel import Abilities, Channel
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Claim, Mailboxes
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
SLOTS = 128
"""How many rows of a channel that is not configured are worked off at once; a channel's own abilities say how many of
its sends may be under way in this hub."""


def limits_of(abilities: Abilities | None, free: int) -> Limits:
    """A channel's abilities as a mailbox's limits, ``free`` of its sends under way at most; what belongs to no channel
    is claimed too, so that it is told."""
    if abilities is None:
        return Limits(at_once=free, lease=SLACK)
    return Limits(
        windows=tuple(Window(each.count, each.per * 1000) for each in abilities.windows),
        reserve=abilities.reserve,
        digest=DIGEST.get(abilities.form, 1) if abilities.digest else -1 if abilities.voice else 0,
        unpaced=UNPACED,
        at_once=max(1, min(abilities.at_once, free)),
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


def shares(
    likely: Iterable[Mailbox], channels: Mapping[str, Channel], busy: Counter[str], busy_at: Counter[Mailbox]
) -> tuple[list[tuple[Mailbox, Limits]], list[Mailbox]]:
    """What to claim from each mailbox, and the mailboxes left without a slot: a channel's free ones are shared among
    its mailboxes, so that none of them takes all while others wait.

    ``busy`` counts the sends under way of each channel, ``busy_at`` those of each mailbox.
    """
    boxes: defaultdict[str, list[Mailbox]] = defaultdict(list)
    for mailbox in likely:
        boxes[mailbox.channel].append(mailbox)
    wanted: list[tuple[Mailbox, Limits]] = []
    without: list[Mailbox] = []
    for name, group in boxes.items():
        channel = channels.get(name)
        abilities = channel.abilities if channel else None
        free = (abilities.at_once if abilities else SLOTS) - busy[name]
        for place, mailbox in enumerate(group):
            if free <= 0:
                without += group[place:]
                break
            share = max(1, free // (len(group) - place))
            free -= share
            wanted.append((mailbox, limits_of(abilities, busy_at[mailbox] + share)))
    return wanted, without
