"""The open incidents at hand: complete, fresh, and loaded only where something changed."""

from __future__ import annotations

from escalation.incident import Incident
from escalation.ledger.change import Change, Committed
from escalation.ledger.commit import Ledger
from escalation.ledger.watching import AT_ONCE, Watching
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW, incident


async def commit(ledger: Ledger, each: Incident) -> None:
    (outcome,) = await ledger.commit(
        [
            Change(
                partition=each.partition,
                now=NOW,
                incident=each,
                expected_version=each.version,
                correlation=each.correlation,
            )
        ]
    )
    assert isinstance(outcome, Committed), outcome


async def test_it_holds_what_is_open_and_says_what_changed(door: StoreDoor) -> None:
    ledger = Ledger(door, 4)
    watching = Watching(door, ledger)
    assert await watching.look() == set()
    one, two = incident("A0005", 1), incident("A0006", 2)
    await commit(ledger, one)
    await commit(ledger, two)
    assert await watching.look() == {"A0005", "A0006"}
    assert watching.incidents == {"A0005": one, "A0006": two}
    assert await watching.look() == set()

    one.raises = 7
    await commit(ledger, one)
    before = watching.incidents["A0006"]
    assert await watching.look() == {"A0005"}
    assert watching.incidents["A0005"].raises == 7
    assert watching.incidents["A0006"] is before, "what did not change was not loaded again"

    closed = incident("A0006", 2, closed=True)
    closed.version = two.version
    await commit(ledger, closed)
    assert await watching.look() == {"A0006"}
    assert set(watching.incidents) == {"A0005"}


async def test_more_than_one_load_can_hold(door: StoreDoor) -> None:
    ledger = Ledger(door, 4)
    codes = [f"A{number:04d}" for number in range(1, AT_ONCE + 20)]
    for code in codes:
        await commit(ledger, incident(code, int(code[1:]) % 4))
    watching = Watching(door, ledger)
    assert await watching.look() == set(codes)
    assert set(watching.incidents) == set(codes)
