"""Mailboxes: notices waiting for one address on one channel.

A mailbox gives order (one send about an incident at a time, an incident's rows as they were created), the vendor's
windows (the token is taken in the claim), a reserve for critical notices, digests, and isolation: nothing that happens
to one mailbox delays another. Critical notices go first and are never part of a digest; when many of them meet the last
token, one overflow message lists their codes and each stays due by itself. A critical notice does not wait for a normal
one of its own incident unless that one is being sent this moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from escalation.ledger.change import OutboxItem
from escalation.ledger.claims import Asked, Asking, answered
from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.keys import US, Mailbox, MailboxKeys, mailbox_keys, ready_key, shard_of
from escalation.ledger.scripts import register
from escalation.ledger.windows import Limits
from escalation.notice import OutboxRow
from escalation.vocabulary import Urgency

DAY = 86_400_000
TOLD_DAYS = 35
KNOWN_MAILBOXES = 20_000
"""How many mailboxes' key names are kept ready; more are made anew when they are met."""

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
    ``there`` says of each row whether it is in its mailbox (or was, and has been
    sent), so that the outbox may forget it. ``claims`` may be sent now."""

    held: list[bool]
    there: list[bool]
    claims: list[Claim]
    unsettled: list[Settlement]


class Figures(NamedTuple):
    """What waits in a mailbox. Times in milliseconds, None where nothing of the kind is there, 0 for no hold."""

    mailbox: Mailbox
    critical: int
    normal: int
    under_way: int
    held_until: int
    oldest_critical: int | None
    oldest_normal: int | None


class Mailboxes:
    """All mailboxes. The number of shards is the store's (:mod:`escalation.ledger.meta`)."""

    def __init__(self, store: Store, shards: int, owner: str = "") -> None:
        """``owner`` names the hub that claims, for its successor's :meth:`release`."""
        register(store, "mailbox_turn", "mailbox_tend", beginning="mailbox_parts")
        self._store = store
        self._shards = shards
        self._known: dict[Mailbox, MailboxKeys] = {}
        self._asking = Asking[Mailbox](owner)

    @property
    def unanswered(self) -> list[Mailbox]:
        """The mailboxes of which a claim's answer was lost, and which are worth a claim now."""
        return list(self._asking.unanswered)

    async def put(self, items: Sequence[OutboxItem], *, now: int) -> list[bool]:
        """Put claimed outbox rows into their mailboxes in one round trip. A row that was put before is not put again.

        One answer for each, as in :class:`Turn`. Raises the store's error if no part of it answered.
        """
        return (await self.turn(items=items, now=now)).there

    async def ready(self, *, now: int, limit: int = 256) -> list[Mailbox]:
        """The mailboxes with something that may go now, up to ``limit`` of each shard, longest ready first."""
        replies = await self._store.pipeline(
            [("ZRANGEBYSCORE", ready_key(shard), "-inf", now, "LIMIT", 0, limit) for shard in range(self._shards)]
        )
        return [Mailbox.read(name.decode()) for _, reply in answered(range(self._shards), replies) for name in reply]

    async def next_at(self) -> int | None:
        """The earliest time at which any mailbox is worth a claim, milliseconds; None when all are empty."""
        replies = await self._store.pipeline(
            [("ZRANGE", ready_key(shard), 0, 0, "WITHSCORES") for shard in range(self._shards)]
        )
        return min((int(float(reply[1])) for _, reply in answered(range(self._shards), replies) if reply), default=None)

    async def claim(self, wanted: Sequence[tuple[Mailbox, Limits]], *, now: int) -> list[Claim]:
        """What may be sent now from these mailboxes, in one round trip; at most one digest or overflow of each."""
        return (await self.turn(wanted=wanted, now=now)).claims

    async def turn(
        self,
        *,
        settlements: Sequence[Settlement] = (),
        items: Sequence[OutboxItem] = (),
        wanted: Sequence[tuple[Mailbox, Limits]] = (),
        now: int,
    ) -> Turn:
        """Say how claims ended, put claimed outbox rows into their mailboxes, and claim what may be sent: all in one
        round trip, in this order, so that what became free or came is claimed at once.

        A settlement counts only while the claim is the caller's. Where a part of the store does not answer, its rows
        are not there, what was claimed is claimed again by the next turn of its mailbox, and what is unsettled comes
        back when its lease ends, unless it is said again before. Raises the store's error if no part answered.
        """
        ends, rows = _settlements(settlements), _rows(items, now)
        asked = {mailbox: (limits, self._asking.of(mailbox, now=now, lease=limits.lease)) for mailbox, limits in wanted}
        boxes = list(dict.fromkeys((*ends, *rows, *asked)))
        if not boxes:
            return Turn([], [], [], [])
        calls = [
            self._call(mailbox, _turn(mailbox, ends.get(mailbox, ()), rows.get(mailbox, ()), asked.get(mailbox), now))
            for mailbox in boxes
        ]
        claimed = [(mailbox, asked[mailbox][1] if mailbox in asked else None) for mailbox in boxes]
        said = dict(answered(boxes, await self._asking.ask(self._store, claimed, calls)))
        marks = {mailbox: iter(reply[0]) for mailbox, reply in said.items()}
        return Turn(
            held=[next(marks.get(each.claim.mailbox, _NONE), 0) == 1 for each in settlements],
            there=[Mailbox(item.row.channel, item.row.address) in said for item in items],
            claims=[
                claim
                for mailbox, (_, one) in asked.items()
                if mailbox in said
                for claim in _claims(mailbox, one.token, one.until, said[mailbox][1])
            ],
            unsettled=[each for each in settlements if each.claim.mailbox not in said],
        )

    async def settle(self, settlements: Sequence[Settlement], *, now: int) -> list[bool]:
        """Say how claims ended, in one round trip; one answer for each, as in :class:`Turn`. An overflow is never sent
        again as such."""
        return (await self.turn(settlements=settlements, now=now)).held

    async def release(self, *, now: int, owner: str = "") -> int:
        """End every claim of ``owner``, or of everybody, for whoever knows that they are gone; how many there were.
        What was in flight counts as sent with an end that nobody knows. Raises the store's error."""
        names = await self._store.pipeline([("ZRANGE", ready_key(shard), 0, -1) for shard in range(self._shards)])
        boxes = [Mailbox.read(name.decode()) for _, there in answered(range(self._shards), names) for name in there]
        count = 0
        for reply in await self._store.run_scripts(
            [self._call(box, ["release", box.name, now, owner]) for box in boxes]
        ):
            if isinstance(reply, Exception):
                raise reply
            count += reply
        return count

    async def freeze(
        self, claim: Claim, content: bytes, *, now: int, left: Collection[str] = frozenset()
    ) -> bytes | None:
        """Keep what a digest says, before its send: the kept bytes (an earlier claimer's, if there was one) are what to
        send. None where the claim is no longer the caller's: then nothing may be sent.

        ``left`` are the notices of its rows that do not stand in ``content``, never all of them: they leave the digest
        and wait for a message with a token of its own.
        """
        args: list[Arg] = ["freeze", claim.mailbox.name, now, claim.member, claim.token, content]
        args += [place for place, row in enumerate(claim.rows, start=1) if row.notice in left]
        (reply,) = await self._store.run_scripts([self._call(claim.mailbox, args)])
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, bytes) else None

    async def more(self, claim: Claim, count: int, limits: Limits, *, now: int) -> bool:
        """Take ``count`` further tokens of the vendor's windows for a claim, for what leaves beside its message. False,
        with none taken, where the claim is no longer the caller's or messages that wait need them."""
        args: list[Arg] = ["more", claim.mailbox.name, now, claim.member, claim.token, count, limits.reserve]
        for window in limits.windows:
            args += (window.count, window.per_ms)
        (reply,) = await self._store.run_scripts([self._call(claim.mailbox, args)])
        if isinstance(reply, Exception):
            raise reply
        return bool(reply)

    async def hold(self, mailbox: Mailbox, until: int, *, now: int) -> None:
        """Nothing more leaves this mailbox before ``until`` (the vendor said so); a time that has passed lets it go."""
        (reply,) = await self._store.run_scripts([self._call(mailbox, ["hold", mailbox.name, now, until])])
        if isinstance(reply, Exception):
            raise reply

    async def hold_longer(self, until: Mapping[Mailbox, int], *, now: int) -> None:
        """Nothing more leaves these mailboxes before their times, nor before what they are held until already; in one
        round trip. Raises the store's error if no part answered."""
        calls = [self._call(mailbox, ["hold", mailbox.name, now, at, 1]) for mailbox, at in until.items()]
        list(answered(until, await self._store.run_scripts(calls)))

    async def notices(self, mailboxes: Sequence[Mailbox]) -> list[set[str]]:
        """For each mailbox the ids of all notices that stand in it. Raises the store's error if any part failed."""
        found: list[set[str]] = []
        for reply in await self._store.pipeline([("HVALS", self._place(mailbox).rows) for mailbox in mailboxes]):
            if isinstance(reply, Exception):
                raise reply
            found.append({_decode(row).notice for row in reply})
        return found

    async def waiting(self, *, now: int) -> list[Figures]:
        """The figures of every mailbox that is not empty, for metrics and the board."""
        replies = await self._store.pipeline([("ZRANGE", ready_key(shard), 0, -1) for shard in range(self._shards)])
        boxes = [Mailbox.read(name.decode()) for _, names in answered(range(self._shards), replies) for name in names]
        calls = [self._call(mailbox, ["figures", mailbox.name, now]) for mailbox in boxes]
        return [
            Figures(
                mailbox,
                critical,
                normal,
                under_way,
                int(held),
                int(oldest_critical) if oldest_critical else None,
                int(oldest_normal) if oldest_normal else None,
            )
            for mailbox, (critical, normal, under_way, held, oldest_critical, oldest_normal) in answered(
                boxes, await self._store.run_scripts(calls)
            )
        ]

    async def told(self, mailboxes: Sequence[Mailbox], *, since: int) -> list[list[str]]:
        """For each mailbox the codes put there from ``since`` on, newest first: what a bare answer may mean."""
        replies = await self._store.pipeline(
            [("ZREVRANGEBYSCORE", self._place(mailbox).told, "+inf", since) for mailbox in mailboxes]
        )
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return [[code.decode() for code in reply] for reply in replies]

    async def forget(self, told: Sequence[tuple[Mailbox, str]]) -> None:
        """These codes are over for these mailboxes; an answer without a code no longer means them."""
        for reply in await self._store.pipeline([("ZREM", self._place(box).told, code) for box, code in told]):
            if isinstance(reply, Exception):
                raise reply

    def _place(self, mailbox: Mailbox) -> MailboxKeys:
        found = self._known.get(mailbox)
        if found is None:
            if len(self._known) >= KNOWN_MAILBOXES:
                self._known.clear()
            found = self._known[mailbox] = mailbox_keys(mailbox, shard_of(mailbox, self._shards))
        return found

    def _call(self, mailbox: Mailbox, args: list[Arg]) -> Call:
        return ("mailbox_turn" if args[0] == "turn" else "mailbox_tend", self._place(mailbox), args)


def _rows(items: Sequence[OutboxItem], now: int) -> dict[Mailbox, list[Arg]]:
    """The script's arguments of new rows for each mailbox."""
    found: dict[Mailbox, list[Arg]] = {}
    for item in items:
        row = item.row
        mailbox = Mailbox(row.channel, row.address)
        args = found.get(mailbox)
        if args is None:
            args = found[mailbox] = [now - TOLD_DAYS * DAY]
        args += (
            f"{item.partition}{US}{item.member}",
            "c" if row.urgency is Urgency.CRITICAL else "n",
            row.incident,
            row.created_at,
            row.not_before,
            item.body,
        )
    return found


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


def _claims(mailbox: Mailbox, token: str, until: int, reply: list[Any]) -> list[Claim]:
    """What the script handed out."""
    claims: list[Claim] = []
    i = 0
    while i < len(reply):
        kind, member, tried, frozen, count = reply[i : i + 5]
        tries, lapses = tried.split()
        rows = [_decode(row) for row in reply[i + 5 : i + 5 + count]]
        claims.append(
            Claim(
                mailbox,
                ClaimKind(kind.decode()),
                member.decode(),
                token,
                until,
                int(tries),
                int(lapses),
                frozen or None,
                rows,
            )
        )
        i += 5 + count
    return claims
