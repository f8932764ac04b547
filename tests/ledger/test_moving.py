"""Rows that move from the outbox into their mailboxes behind the commit that makes them, in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from escalation.ledger.change import AlreadyTaken, Change, Committed, Conflict
from escalation.ledger.commit import Ledger, Opening
from escalation.ledger.door import Call
from escalation.ledger.keys import Mailbox, partition_keys
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import PlannedTurn, Settlement, Turn
from escalation.ledger.windows import Limits
from tests.ledger.doors import Lossy, StoreDoor
from tests.ledger.things import MINUTE, NOW, opening, row

N, SHARDS, LEASE = 4, 3, 30_000
PHONE, GROUP = Mailbox("sms", "13800130001"), Mailbox("wecom", "")
FREE = Limits(at_once=10, lease=MINUTE)


class Moving:
    """Goes along with a commit: its rows move, and as many as may be are claimed."""

    def __init__(self, boxes: Mailboxes) -> None:
        self._boxes = boxes
        self._planned: PlannedTurn | None = None
        self.turn: Turn | None = None

    def calls(self, opening: Sequence[Opening]) -> Sequence[Call]:
        items = [each.item for each in opening]
        wanted = [(PHONE, FREE), (GROUP, FREE)]
        self._planned = self._boxes.plan(items=items, wanted=wanted, now=NOW, moving=True)
        return self._planned.calls

    def told(self, replies: list[Any]) -> None:
        assert self._planned is not None
        self.turn = self._planned.read(replies)

    def lost(self) -> None:
        assert self._planned is not None
        self._planned.lost()


@pytest.fixture
def boxes(door: StoreDoor) -> Mailboxes:
    return Mailboxes(door, SHARDS)


@pytest.fixture
def ledger(door: StoreDoor) -> Ledger:
    return Ledger(door, N)


@pytest.fixture
def moving(boxes: Mailboxes) -> Moving:
    return Moving(boxes)


def two_rows(code: str, partition: int, name: str) -> Change:
    """A new incident that is told to a phone and to a group."""
    rows = [
        row(f"{name}-phone", code, partition=partition),
        row(f"{name}-group", code, partition=partition, channel="wecom", address=""),
    ]
    return opening(code, partition, name, outbox=rows, claimed_until=NOW + LEASE)


async def left(door: StoreDoor, partition: int) -> list[int]:
    """How many lines, places and rows an outbox has."""
    keys = partition_keys(partition)
    return [
        await door.execute("ZCARD", keys.outbox),
        await door.execute("ZCARD", keys.outbox_order),
        await door.execute("HLEN", keys.outbox_rows),
    ]


def notices(turn: Turn | None) -> list[str]:
    assert turn is not None
    return sorted(one.notice for claim in turn.claims for one in claim.rows)


async def test_all_rows_of_an_incident_move_and_nothing_is_left_behind(
    door: StoreDoor, ledger: Ledger, moving: Moving
) -> None:
    outcomes = await ledger.commit([two_rows("A0010", 2, "e1"), two_rows("A0011", 3, "e2")], moving)
    assert [type(each) for each in outcomes] == [Committed, Committed]
    assert moving.turn is not None
    assert moving.turn.there == [True] * 4
    assert notices(moving.turn) == ["e1-group", "e1-phone", "e2-group", "e2-phone"]
    assert await left(door, 2) == await left(door, 3) == [0, 0, 0]


async def test_rows_of_refused_changes_are_put_nowhere(
    door: StoreDoor, ledger: Ledger, boxes: Mailboxes, moving: Moving
) -> None:
    """A taken correlation, a taken input: what such a change would have said is in no outbox and no mailbox."""
    first, same = two_rows("A0010", 2, "e1"), two_rows("A0014", 2, "e2")
    await ledger.commit([first])
    assert first.incident is not None
    assert same.incident is not None
    same.incident.correlation = first.incident.correlation
    again = two_rows("A0018", 2, "e1")
    outcomes = await ledger.commit([same, again, two_rows("A0022", 2, "e3")], moving)
    assert [type(each) for each in outcomes] == [Conflict, AlreadyTaken, Committed]
    assert moving.turn is not None
    assert moving.turn.there == [False, False, False, False, True, True]
    assert notices(moving.turn) == ["e3-group", "e3-phone"]
    assert await left(door, 2) == [1, 2, 2], "the first incident's own"


async def test_the_same_batch_twice_moves_and_claims_once(door: StoreDoor, boxes: Mailboxes) -> None:
    """An answer was lost, and the client sends the batch again: the same claims, no second row."""

    class Twice(StoreDoor):
        async def run_scripts(self, calls: list[Call]) -> list[Any]:
            await super().run_scripts(calls)
            return await super().run_scripts(calls)

    moving = Moving(Mailboxes(twice := Twice(door.store), SHARDS))
    ledger = Ledger(twice, N)
    (outcome,) = await ledger.commit([two_rows("A0010", 2, "e1")], moving)
    assert isinstance(outcome, AlreadyTaken)
    assert moving.turn is not None
    assert moving.turn.there == [True, True]
    assert notices(moving.turn) == ["e1-group", "e1-phone"]
    settled = await boxes.settle([Settlement(claim) for claim in moving.turn.claims], now=NOW)
    assert settled == [True, True]
    assert await boxes.next_at() is None
    assert await left(door, 2) == [0, 0, 0]


async def test_a_row_for_later_moves_and_waits(door: StoreDoor, ledger: Ledger, boxes: Mailboxes) -> None:
    moving = Moving(boxes)
    late = [row("n1", "A0010", partition=2, not_before=NOW + MINUTE)]
    await ledger.commit([opening("A0010", 2, "e1", outbox=late, claimed_until=NOW + LEASE)], moving)
    assert moving.turn is not None
    assert (moving.turn.there, moving.turn.claims) == ([True], [])
    assert await left(door, 2) == [0, 0, 0]
    assert await boxes.next_at() == NOW + MINUTE


async def test_what_no_reply_told_of_is_claimed_again_at_once(door: StoreDoor) -> None:
    lossy = Lossy(door.store)
    boxes = Mailboxes(lossy, SHARDS)
    ledger, moving = Ledger(lossy, N), Moving(boxes)
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await ledger.commit([two_rows("A0010", 2, "e1")], moving)
    lossy.lose = False
    assert boxes.unanswered == [PHONE, GROUP]
    claims = await boxes.claim([(PHONE, FREE), (GROUP, FREE)], now=NOW + 1)
    assert sorted(one.notice for claim in claims for one in claim.rows) == ["e1-group", "e1-phone"]
    assert [claim.lapses for claim in claims] == [0, 0]


async def test_later_changes_do_not_move_their_rows(door: StoreDoor, ledger: Ledger, boxes: Mailboxes) -> None:
    """Others may hold rows of the same incident, which go first."""
    (first,) = await ledger.commit([two_rows("A0010", 2, "e1")])
    assert isinstance(first, Committed)
    moving = Moving(boxes)
    change = msgspec.structs.replace(two_rows("A0010", 2, "e2"), expected_version=1)
    (outcome,) = await ledger.commit([change], moving)
    assert isinstance(outcome, Committed)
    assert moving.turn is not None
    assert moving.turn.there == []
    assert await left(door, 2) == [1, 4, 4]
