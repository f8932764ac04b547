"""Mailboxes: notices waiting for one address on one channel.

A mailbox gives order (one send about an incident at a time, an incident's rows as they were created), the vendor's
windows (the token is taken in the claim), a reserve for critical notices, digests, and isolation: nothing that happens
to one mailbox delays another. Critical notices go first and are never part of a digest; when many of them meet the last
token, one overflow message lists their codes and each stays due by itself. A critical notice does not wait for a normal
one of its own incident unless that one is being sent this moment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from escalation.ledger.change import OutboxItem
from escalation.ledger.claims import Asking, answered
from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.keys import Mailbox, MailboxKeys, mailbox_keys, ready_key, shard_of
from escalation.ledger.scripts import register
from escalation.ledger.turning import Claim, PlannedTurn, Settlement, Turn
from escalation.ledger.windows import Limits
from escalation.notice import OutboxRow

KNOWN_MAILBOXES = 20_000
"""How many mailboxes' key names are kept ready; more are made anew when they are met."""

_decode = msgspec.json.Decoder(OutboxRow).decode


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
        planned = self.plan(settlements=settlements, items=items, wanted=wanted, now=now)
        if not planned.calls:
            return Turn([], [], [], [])
        try:
            replies = await self._store.run_scripts(planned.calls)
        except BaseException:
            planned.lost()
            raise
        return planned.read(replies)

    def plan(
        self,
        *,
        settlements: Sequence[Settlement] = (),
        items: Sequence[OutboxItem] = (),
        wanted: Sequence[tuple[Mailbox, Limits]] = (),
        now: int,
        moving: bool = False,
    ) -> PlannedTurn:
        """The same as calls, for whoever sends them to the store with others; :meth:`PlannedTurn.read` or
        :meth:`PlannedTurn.lost` must follow.

        ``moving``: the rows come from their outboxes with this, and a row that is not in its outbox is not put (the
        commit that should have made it goes before this in the same batch, and may have been refused). Only where one
        server has it all (:attr:`escalation.ledger.door.Store.whole`).
        """
        return PlannedTurn(self._asking, self._place, settlements, items, wanted, now, moving=moving)

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
        return ("mailbox_tend", self._place(mailbox), args)
