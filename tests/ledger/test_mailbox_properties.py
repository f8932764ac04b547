"""Two workers at one mailbox, in any order of puts, claims, ends of leases, and settles, early or late."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.client import Store
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Claim, ClaimKind, Settlement
from escalation.ledger.windows import Limits, Window, next_token, tokens
from escalation.notice import OutboxRow
from escalation.vocabulary import Urgency
from tests.ledger.doors import Lossy, StoreDoor
from tests.ledger.things import NOW, item, row

BOX = Mailbox("wecom", "")
LIMITS = st.builds(
    Limits,
    windows=st.lists(st.builds(Window, st.integers(1, 4), st.integers(20, 200)), max_size=2).map(tuple),
    reserve=st.integers(0, 2),
    digest=st.sampled_from([0, 2, 3, 50]),
    at_once=st.integers(1, 4),
    lease=st.just(50),
)
PUT = st.tuples(
    st.just("put"),
    st.lists(st.tuples(st.sampled_from(["", "A1001", "A1002", "A1003"]), st.booleans()), min_size=1, max_size=4),
)
STEP = st.one_of(
    PUT,
    PUT,
    st.tuples(st.just("claim"), st.integers(0, 1)),
    st.tuples(st.just("claim"), st.integers(0, 1)),
    st.tuples(st.just("lost"), st.just(0)),
    st.tuples(st.just("done"), st.integers(0, 50)),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("pass"), st.integers(1, 80)),
    st.tuples(st.just("put again"), st.just(0)),
)


@dataclass
class World:
    """What happened, and what must hold of it."""

    workers: list[Mailboxes]
    lossy: Lossy
    limits: Limits
    now: int = NOW
    rows: list[OutboxRow] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    live: dict[str, Claim] = field(default_factory=dict)
    taken: list[int] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    digests: dict[str, list[OutboxRow]] = field(default_factory=dict)

    @property
    def boxes(self) -> Mailboxes:
        return self.workers[0]

    async def put(self, wanted: list[tuple[str, bool]]) -> None:
        rows = [
            row(f"r{len(self.rows) + n}", code, channel="wecom", address="", critical=critical, created=self.now)
            for n, (code, critical) in enumerate(wanted)
        ]
        self.rows += rows
        assert all(await self.boxes.put([item(one) for one in rows], now=self.now))

    async def put_again(self) -> None:
        assert all(await self.boxes.put([item(one) for one in self.rows], now=self.now))

    async def claim(self, worker: int) -> None:
        claims = await self.workers[worker].claim([(BOX, self.limits)], now=self.now)
        self.live = {member: claim for member, claim in self.live.items() if claim.until >= self.now}
        for claim in claims:
            self.check(claim)
            self.live[claim.member] = claim
            self.claims.append(claim)
            self.taken.append(self.now)
        assert len(self.live) <= self.limits.at_once
        told = [
            one.incident for claim in self.live.values() if claim.kind is not ClaimKind.OVERFLOW for one in claim.rows
        ]
        told = [code for code in told if code]
        assert len(told) == len(set(told)), "two sends about one incident at once"
        figures = await self.boxes.waiting(now=self.now)
        assert sum(one.under_way for one in figures) == len(self.live), "something is in nobody's hand"
        if not claims:
            next_at = await self.boxes.next_at()
            assert next_at is None or next_at > self.now, "a claim that gives nothing must not be called for at once"

    async def claim_behind_a_lost_answer(self) -> None:
        self.lossy.lose = True
        with pytest.raises(ConnectionError):
            await self.workers[2].claim([(BOX, self.limits)], now=self.now)
        self.lossy.lose = False
        await self.claim(2)

    def check(self, claim: Claim) -> None:
        critical = {one.urgency is Urgency.CRITICAL for one in claim.rows}
        normal = claim.kind is ClaimKind.DIGEST or critical == {False}
        for window in self.limits.windows:
            assert tokens(window, self.limits.reserve if normal else 0, self.taken, self.now) > 0
        match claim.kind:
            case ClaimKind.DIGEST:
                assert self.limits.windows
                assert critical == {False}
                assert 2 <= len(claim.rows) <= self.limits.digest
                assert self.digests.setdefault(claim.member, claim.rows) == claim.rows
            case ClaimKind.OVERFLOW:
                assert critical == {True}
                assert len(claim.rows) >= 2
            case ClaimKind.SINGLE:
                assert len(claim.rows) == 1
        if claim.kind is not ClaimKind.OVERFLOW:
            assert not {one.notice for one in claim.rows} & set(self.finished), "sent after it was done with"

    async def settle(self, which: int, again_at: int | None) -> None:
        if not self.claims:
            return
        claim = self.claims[which % len(self.claims)]
        (held,) = await self.boxes.settle([Settlement(claim, again_at)], now=self.now)
        # A claim that has run out is the caller's until somebody claims again.
        known = self.live.get(claim.member)
        assert held == (known is not None and known.token == claim.token)
        if held:
            del self.live[claim.member]
            if again_at is None and claim.kind is not ClaimKind.OVERFLOW:
                self.finished += [one.notice for one in claim.rows]

    async def rest(self) -> None:
        """Let everything go that is left, jumping to the times that the mailbox itself names."""
        for _ in range(20 * len(self.rows) + 20):
            next_at = await self.boxes.next_at()
            if next_at is None:
                return
            self.now = max(self.now, next_at)
            before = len(self.claims)
            await self.claim(0)
            for place in range(before, len(self.claims)):
                await self.settle(place, None)
        raise AssertionError("the mailbox does not come to rest")

    def order_held(self) -> None:
        lines: defaultdict[tuple[str, Urgency], list[str]] = defaultdict(list)
        for one in self.rows:
            if one.incident:
                lines[one.incident, one.urgency].append(one.notice)
        for line in lines.values():
            assert [notice for notice in self.finished if notice in line] == line


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(limits=LIMITS, steps=st.lists(STEP, max_size=25))
async def test_nothing_is_lost_repeated_out_of_order_or_beyond_the_windows(
    store_socket: Path, limits: Limits, steps: list[tuple[str, object]]
) -> None:
    async with Store.on_socket(store_socket) as store:
        await store.execute("FLUSHALL")
        door = StoreDoor(store)
        lossy = Lossy(store)
        world = World([Mailboxes(door, 1), Mailboxes(door, 1), Mailboxes(lossy, 1)], lossy, limits)
        for name, value in steps:
            match name, value:
                case "put", list():
                    await world.put(value)
                case "put again", _:
                    await world.put_again()
                case "claim", int():
                    await world.claim(value)
                case "lost", _:
                    await world.claim_behind_a_lost_answer()
                case "done", int():
                    await world.settle(value, None)
                case "again", int():
                    await world.settle(value, world.now + value)
                case "pass", int():
                    world.now += value
        await world.rest()
        await world.put_again()

        assert await world.boxes.next_at() is None
        assert sorted(world.finished) == sorted(one.notice for one in world.rows)
        world.order_held()
        for window in limits.windows:
            for at in world.taken:
                assert sum(1 for other in world.taken if at - window.per_ms < other <= at) <= window.count
            assert next_token(window, 0, world.taken, world.now) >= world.now
        # What belongs to rows goes with them; counters, what was last listed and asked, tokens and what was told stay.
        left = {key.rpartition(b":")[2] for key in await door.execute("KEYS", "fh:{m0}:box:*")}
        assert left <= {b"facts", b"window", b"told"}
        facts = await door.execute("HKEYS", b"fh:{m0}:box:wecom\x1f:facts")
        assert {fact for fact in facts if fact not in (b"seq", b"overflow", b"claim")} == set()
