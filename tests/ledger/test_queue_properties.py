"""Two workers at the outbox, in any order of commits, claims, ends of leases and acknowledgements, early or late."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.store.client import Store
from escalation.ledger.change import Change, Committed, OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.outbox import Outbox
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW, incident, row

CODES = ("A0010", "A0014", "A0011")
N, LEASE = 2, 50
STEP = st.one_of(
    st.tuples(st.just("commit"), st.integers(0, 2), st.integers(1, 3), st.booleans()),
    st.tuples(st.just("claim"), st.integers(1, 3), st.just(0), st.booleans()),
    st.tuples(st.just("acknowledge"), st.integers(0, 20), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("pass"), st.integers(1, 80), st.just(0), st.booleans()),
)


class World:
    """What was committed, who holds what, and what the outbox let go."""

    def __init__(self, door: StoreDoor) -> None:
        self.ledger = Ledger(door, N)
        self.outbox = Outbox(door, N)
        self.now = NOW
        self.versions: defaultdict[str, int] = defaultdict(int)
        self.committed: defaultdict[str, list[str]] = defaultdict(list)
        self.hands: list[list[OutboxItem]] = []
        self.holder: dict[str, tuple[str, int]] = {}
        self.through: defaultdict[str, list[str]] = defaultdict(list)

    async def commit(self, code: str, count: int, claimed: bool) -> None:
        version, partition = self.versions[code], int(code[1:]) % N
        rows = [row(f"{code}/{version}/{count - n}", code, partition=partition) for n in range(count)]
        (outcome,) = await self.ledger.commit(
            [
                Change(
                    partition=partition,
                    now=self.now,
                    incident=incident(code, partition),
                    expected_version=version,
                    outbox=rows,
                    claimed_until=self.now + LEASE if claimed else 0,
                )
            ]
        )
        assert isinstance(outcome, Committed)
        self.versions[code] += 1
        self.committed[code] += [one.notice for one in rows]
        self.held(outcome.claimed)

    async def claim(self, limit: int) -> int:
        items = await self.outbox.claim(range(N), now=self.now, lease=LEASE, limit=limit)
        for code in {item.row.incident for item in items}:
            # A line comes whole: what is not through yet, in the order of the commits.
            rows = [item.row.notice for item in items if item.row.incident == code]
            assert rows == self.committed[code][len(self.through[code]) :]
        self.held(items)
        return len(items)

    def held(self, items: list[OutboxItem]) -> None:
        for code in {item.row.incident for item in items}:
            _, until = self.holder.get(code, ("", 0))
            assert until < self.now, "two hands hold one incident"
            token = next(item.token for item in items if item.row.incident == code)
            self.holder[code] = (token, self.now + LEASE)
        if items:
            self.hands.append(items)

    async def acknowledge(self, hand: int, count: int) -> None:
        """A worker reports the first rows of what it holds, or held once."""
        if not self.hands:
            return
        items = self.hands[hand % len(self.hands)][:count]
        settled = await self.outbox.acknowledge(items, now=self.now)
        for item, held in zip(items, settled.held, strict=True):
            code = item.row.incident
            assert held == (self.holder.get(code, ("", 0))[0] == item.token), "the fence let somebody through"
            if held:
                self.through[code].append(item.row.notice)
        for code in {item.row.incident for item, held in zip(items, settled.held, strict=True) if held}:
            del self.holder[code]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=25))
async def test_every_row_leaves_the_outbox_once_and_in_order(
    store_socket: Path, steps: list[tuple[str, int, int, bool]]
) -> None:
    async with Store.on_socket(store_socket) as store:
        await store.execute("FLUSHALL")
        door = StoreDoor(store)
        world = World(door)
        for name, first, second, flag in steps:
            match name:
                case "commit":
                    await world.commit(CODES[first], second, flag)
                case "claim":
                    await world.claim(first)
                case "acknowledge":
                    await world.acknowledge(first, second)
                case "pass":
                    world.now += first
        world.now += LEASE + 1
        while await world.claim(10):
            await world.acknowledge(len(world.hands) - 1, 1000)

        assert world.through == world.committed
        assert not [key for key in await door.execute("KEYS", "*") if b"outbox" in key]
