"""A turn of mailboxes as calls to the store: how claims ended, which rows come, what may be claimed, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from escalation.ledger.change import OutboxItem
from escalation.ledger.claims import Asked, Asking, answered
from escalation.ledger.door import Arg, Call
from escalation.ledger.keys import US, Mailbox, MailboxKeys, partition_keys
from escalation.ledger.windows import Limits
from escalation.notice import OutboxRow
from escalation.vocabulary import Urgency

DAY = 86_400_000
TOLD_DAYS = 35

_NONE: Iterator[int] = iter(())
_decode = msgspec.json.Decoder(OutboxRow).decode


class ClaimKind(StrEnum):
    """One notice; many normal ones in one message; or a list of critical codes, which are all still due."""

    SINGLE = "single"
    DIGEST = "digest"
    OVERFLOW = "overflow"


class Claim(NamedTuple):
    """One send in the claimer's hand until ``until`` (milliseconds); ``token`` proves it.

    ``tries`` counts earlier sends, ``lapses`` those of them whose end nobody knows, so that this one may be a
    repeat. A digest claimed again has the same ``rows`` and, once they were frozen, the same bytes.
    """

    mailbox: Mailbox
    kind: ClaimKind
    member: str
    token: str
    until: int
    tries: int
    lapses: int
    frozen: bytes | None
    rows: list[OutboxRow]


class Settlement(NamedTuple):
    """What becomes of a claim: done with, or to be claimed again at a time. ``tried``: it may have been sent;
    ``lost``: the vendor's answer was lost, so that the next send may be a repeat, as after a lapse."""

    claim: Claim
    again_at: int | None = None
    tried: bool = True
    lost: bool = False


class Turn(NamedTuple):
    """What one round trip did. ``held`` says of each settlement whether the claim was still the caller's: if not, the
    row stays with whoever holds it; ``unsettled`` are those whose part of the store did not answer, still to be said.
    ``there`` says of each row whether it is in its mailbox (or was, and has been sent), so that the outbox may forget
    it. ``claims`` may be sent now."""

    held: list[bool]
    there: list[bool]
    claims: list[Claim]
    unsettled: list[Settlement]


class PlannedTurn:
    """The ``calls`` of a turn, and what their replies mean."""

    def __init__(
        self,
        asking: Asking[Mailbox],
        place: Callable[[Mailbox], MailboxKeys],
        settlements: Sequence[Settlement],
        items: Sequence[OutboxItem],
        wanted: Sequence[tuple[Mailbox, Limits]],
        now: int,
        *,
        moving: bool,
    ) -> None:
        """See :meth:`escalation.ledger.mailbox.Mailboxes.plan`."""
        self._asking = asking
        self._settlements = settlements
        self._items = items
        self._asked = {box: (limits, asking.of(box, now=now, lease=limits.lease)) for box, limits in wanted}
        ends = _settlements(settlements)
        rows = {box: _Rows(now) for box in dict.fromkeys(mailbox_of(item) for item in items)}
        for item in items:
            rows[mailbox_of(item)].add(item, moving=moving)
        self._boxes = list(dict.fromkeys((*ends, *rows, *self._asked)))
        self.calls: list[Call] = []
        for box in self._boxes:
            came = rows.get(box)
            keys, args = (came.outboxes, came.args) if came is not None else ([], [])
            self.calls.append(
                ("mailbox_turn", (*place(box), *keys), _turn(box, ends.get(box, ()), args, self._asked.get(box), now))
            )

    def lost(self) -> None:
        """No reply came: what was claimed is claimed again by the next turn of its mailbox."""
        self._asking.lost((box, one) for box, (_, one) in self._asked.items())

    def read(self, replies: list[Any]) -> Turn:
        """What became of it. Raises the store's error if no part of it answered."""
        failed = {box for box, reply in zip(self._boxes, replies, strict=True) if isinstance(reply, Exception)}
        self._asking.lost((box, one) for box, (_, one) in self._asked.items() if box in failed)
        said = dict(answered(self._boxes, replies))
        held = {box: iter(reply[0]) for box, reply in said.items()}
        absent = {box: set(reply[2]) for box, reply in said.items()}
        there: list[bool] = []
        places = dict.fromkeys(said, 0)
        for item in self._items:
            box = mailbox_of(item)
            if box in places:
                places[box] += 1
            there.append(box in places and places[box] not in absent[box])
        return Turn(
            held=[next(held.get(each.claim.mailbox, _NONE), 0) == 1 for each in self._settlements],
            there=there,
            claims=[
                claim
                for box, (_, one) in self._asked.items()
                if box in said
                for claim in _claims(box, one, said[box][1])
            ],
            unsettled=[each for each in self._settlements if each.claim.mailbox not in said],
        )


class _Rows:
    """The script's arguments of new rows for one mailbox, and the keys of the outboxes that it is to look into."""

    def __init__(self, now: int) -> None:
        self.args: list[Arg] = [now - TOLD_DAYS * DAY]
        self.outboxes: list[bytes] = []

    def add(self, item: OutboxItem, *, moving: bool) -> None:
        row = item.row
        self.args += (
            f"{item.partition}{US}{item.member}",
            "c" if row.urgency is Urgency.CRITICAL else "n",
            row.incident,
            row.created_at,
            row.not_before,
            item.body,
            self._number_of(item.partition) if moving else "",
        )

    def _number_of(self, partition: int) -> int:
        """Of the outbox's first key among those of the script, from 1."""
        keys = partition_keys(partition)
        if keys.outbox not in self.outboxes:
            self.outboxes += (keys.outbox, keys.outbox_order, keys.outbox_rows)
        return len(MailboxKeys._fields) + 1 + self.outboxes.index(keys.outbox)


def mailbox_of(item: OutboxItem) -> Mailbox:
    """Where a row goes."""
    return Mailbox(item.row.channel, item.row.address)


def _settlements(settlements: Sequence[Settlement]) -> dict[Mailbox, list[Arg]]:
    """The script's arguments of ended claims for each mailbox."""
    found: dict[Mailbox, list[Arg]] = {}
    for claim, again_at, tried, lost in settlements:
        sent = "2" if tried and lost else "1" if tried else "0"
        args = found.setdefault(claim.mailbox, [])
        args += (claim.member, claim.token, "" if again_at is None else again_at, sent)
    return found


def _turn(
    mailbox: Mailbox, ends: Sequence[Arg], rows: Sequence[Arg], asked: tuple[Limits, Asked] | None, now: int
) -> list[Arg]:
    """All arguments of one mailbox's turn."""
    args: list[Arg] = ["turn", mailbox.name, now, len(ends), len(rows), *ends, *rows]
    if asked is not None:
        limits, one = asked
        args += (one.token, limits.at_once, limits.reserve, limits.digest, one.id, limits.unpaced)
        for window in limits.windows:
            args += (window.count, window.per_ms)
    return args


def _claims(mailbox: Mailbox, asked: Asked, reply: list[Any]) -> Iterator[Claim]:
    """What the script handed out."""
    i = 0
    while i < len(reply):
        kind, member, tried, frozen, count = reply[i : i + 5]
        tries, lapses = tried.split()
        rows = [_decode(row) for row in reply[i + 5 : i + 5 + count]]
        yield Claim(
            mailbox,
            ClaimKind(kind.decode()),
            member.decode(),
            asked.token,
            asked.until,
            int(tries),
            int(lapses),
            frozen or None,
            rows,
        )
        i += 5 + count
