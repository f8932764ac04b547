"""How many sends may be under way in this hub: each channel has slots of its own, shared among its mailboxes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bot.workers.limits import limits_of
from channels.channel import Channel
from escalation.ledger.keys import Mailbox
from escalation.ledger.turning import Claim
from escalation.ledger.windows import Limits

UNKNOWN = 128
"""How many rows of a channel that is not configured are worked off at once."""


class Share(NamedTuple):
    """What a mailbox may claim: its ``limits``, and how many ``slots`` of its channel that may take."""

    mailbox: Mailbox
    limits: Limits
    slots: int


class Slots:
    """A slot is taken while a send runs. A claim lasts longer, until it is settled, and the store counts claims: so
    does this, for each mailbox."""

    def __init__(self, channels: Callable[[], Mapping[str, Channel]]) -> None:
        self._channels = channels
        self._taken: Counter[str] = Counter()
        self._claims: Counter[Mailbox] = Counter()

    def shares(
        self, mailboxes: Iterable[Mailbox], most: Mapping[Mailbox, int] | None = None
    ) -> tuple[list[Share], list[Mailbox]]:
        """What each mailbox may claim, and the mailboxes left without a slot: none of them takes all of its channel's
        while others wait. ``most`` is how many slots a mailbox can need."""
        groups: defaultdict[str, list[Mailbox]] = defaultdict(list)
        for mailbox in mailboxes:
            groups[mailbox.channel].append(mailbox)
        channels = self._channels()
        wanted: list[Share] = []
        without: list[Mailbox] = []
        for name, group in groups.items():
            channel = channels.get(name)
            abilities = channel.abilities if channel else None
            free = (abilities.at_once if abilities else UNKNOWN) - self._taken[name]
            for place, mailbox in enumerate(group):
                if free <= 0:
                    without += group[place:]
                    break
                slots = max(1, free // (len(group) - place))
                if most is not None:
                    slots = min(slots, most[mailbox])
                free -= slots
                wanted.append(Share(mailbox, limits_of(abilities, self._claims[mailbox] + slots), slots))
        return wanted, without

    def keep(self, shares: Iterable[Share]) -> None:
        """Nobody else is to have these slots, until :meth:`let_go`."""
        for mailbox, _, slots in shares:
            self._taken[mailbox.channel] += slots
            self._claims[mailbox] += slots

    def let_go(self, shares: Iterable[Share]) -> None:
        """These slots are kept no more."""
        for mailbox, _, slots in shares:
            self._taken[mailbox.channel] -= slots
            self._forget(mailbox, slots)

    def claimed(self, claims: Iterable[Claim]) -> None:
        """These are this hub's, until :meth:`settled`."""
        for claim in claims:
            self._claims[claim.mailbox] += 1

    def settled(self, claims: Iterable[Claim]) -> None:
        """These are this hub's no more."""
        for claim in claims:
            self._forget(claim.mailbox, 1)

    def begun(self, claim: Claim) -> None:
        """Its send runs, until :meth:`ended`."""
        self._taken[claim.mailbox.channel] += 1

    def ended(self, claim: Claim) -> None:
        """Its send runs no more."""
        self._taken[claim.mailbox.channel] -= 1

    def _forget(self, mailbox: Mailbox, count: int) -> None:
        self._claims[mailbox] -= count
        if self._claims[mailbox] <= 0:
            del self._claims[mailbox]
