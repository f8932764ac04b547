"""Reading incidents page by page: nobody twice, nobody left out, whatever opens, closes and opens again meanwhile."""

from __future__ import annotations

import random

import pytest

from escalation.incident import Incident
from escalation.ledger.change import Change, Committed
from escalation.ledger.commit import Ledger
from escalation.ledger.listing import Listing, Place
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW, incident

N = 4


async def commit(ledger: Ledger, state: Incident, *, version: int = 0) -> None:
    change = Change(
        partition=state.partition, now=NOW, incident=state, expected_version=version, correlation=state.correlation
    )
    (outcome,) = await ledger.commit([change])
    assert isinstance(outcome, Committed)


async def opened(ledger: Ledger, partition: int, at: int) -> Incident:
    (code,) = await ledger.take_codes([(partition, "A")])
    state = incident(code, partition)
    state.opened_at = at
    await commit(ledger, state)
    return state


async def read(listing: Listing, count: int, after: Place | None = None, *, open_only: bool = False) -> list[Place]:
    found: list[Place] = []
    async for place in listing.newest(open_only=open_only, after=after):
        found.append(place)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_pages_hold_each_incident_once_whatever_changes_between_them(door: StoreDoor, seed: int) -> None:
    chance = random.Random(seed)
    ledger, listing = Ledger(door, N), Listing(door, N, page=chance.choice((1, 16, 64)))
    # Few moments for many incidents: a storm opens hundreds within one millisecond.
    states = [await opened(ledger, chance.randrange(N), NOW + chance.randrange(4)) for _ in range(60)]
    was = {state.code for state in states}
    seen: list[str] = []
    after: Place | None = None
    while page := await read(listing, chance.randrange(1, 12), after):
        assert page == sorted(page, reverse=True)
        seen += [place.code for place in page]
        after = page[-1]
        await opened(ledger, chance.randrange(N), NOW + 10)
        other = chance.choice(states)
        other.closed_at = NOW
        await commit(ledger, other, version=other.version)
    assert len(seen) == len(set(seen))
    assert set(seen) == was


async def test_of_open_ones_those_that_closed_before_their_page_are_left_out(door: StoreDoor) -> None:
    ledger, listing = Ledger(door, N), Listing(door, N)
    codes = [(await opened(ledger, number % N, NOW + number)).code for number in range(12)]
    first = await read(listing, 3, open_only=True)
    assert [place.code for place in first] == codes[:-4:-1]
    for number in (8, 3):
        state = incident(codes[number], number % N, closed=True)
        await commit(ledger, state, version=1)
    rest = await read(listing, 99, first[-1], open_only=True)
    assert [place.code for place in rest] == [codes[n] for n in (7, 6, 5, 4, 2, 1, 0)]
    assert len(await read(listing, 99)) == 12


async def test_since_bounds_the_walk(door: StoreDoor) -> None:
    ledger, listing = Ledger(door, N), Listing(door, N)
    codes = [(await opened(ledger, number % N, NOW + number)).code for number in range(8)]
    found = [place async for place in listing.newest(open_only=False, since=NOW + 5)]
    assert [place.code for place in found] == codes[:4:-1]
