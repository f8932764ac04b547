"""Forgetting: by the hub's clock, and never what is still on its way."""

from __future__ import annotations

import pytest

from escalation.ledger.change import Change, Lookup
from escalation.ledger.commit import Ledger
from escalation.ledger.inbox import Arrived, Inbox
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox
from escalation.ledger.prune import DAY, Pruner
from escalation.ledger.turning import Settlement
from escalation.ledger.windows import Limits
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW, opening, row, taken

N = 2
PHONE = Mailbox("sms", "13800130001")


@pytest.fixture
def ledger(door: StoreDoor) -> Ledger:
    return Ledger(door, N)


@pytest.fixture
def pruner(door: StoreDoor) -> Pruner:
    return Pruner(door, N, 2)


async def recorded(ledger: Ledger, name: str) -> bool:
    (loaded,) = await ledger.load([Lookup(partition=0, inputs=((taken(name).input_id, "body"),))])
    return loaded.recorded != [None]


async def test_inputs_are_remembered_for_35_days(ledger: Ledger, pruner: Pruner) -> None:
    for day in range(3):
        await ledger.commit([Change(partition=0, now=NOW + day * DAY, takes=[taken(f"day {day}")])])

    assert await pruner.step(NOW + 35 * DAY) == 0
    assert await pruner.step(NOW + 36 * DAY + 1) == 2

    assert [await recorded(ledger, f"day {day}") for day in range(3)] == [False, False, True]


async def test_a_step_forgets_no_more_than_it_may(ledger: Ledger, pruner: Pruner) -> None:
    await ledger.commit([Change(partition=0, now=NOW, takes=[taken(str(number)) for number in range(5)])])

    assert [await pruner.step(NOW + 90 * DAY, limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_replies_are_remembered_for_35_days(door: StoreDoor, pruner: Pruner) -> None:
    inbox = Inbox(door, N)
    reply = Arrived("sms", "m1", "13800130001", b"1")
    await inbox.put([reply], now=NOW)

    assert await pruner.step(NOW + 35 * DAY) == 0
    assert await inbox.put([reply], now=NOW + 35 * DAY) == [False]

    assert await pruner.step(NOW + 35 * DAY + 1) == 1


async def test_a_row_that_was_put_stays_known_until_the_outbox_forgets_it(
    ledger: Ledger, door: StoreDoor, pruner: Pruner
) -> None:
    outbox, boxes = Outbox(door, N), Mailboxes(door, 2)
    await ledger.commit([opening("A0010", 0, "1", outbox=[row("n1", "A0010")])])
    first = await outbox.claim([0], now=NOW, lease=1000)
    await boxes.put(first, now=NOW)
    (claim,) = await boxes.claim([(PHONE, Limits())], now=NOW)
    await boxes.settle([Settlement(claim)], now=NOW)

    # The hub died before it acknowledged, and is started again two days later.
    assert await pruner.step(NOW + 2 * DAY) == 0
    again = await outbox.claim([0], now=NOW + 2 * DAY, lease=1000)
    assert await boxes.put(again, now=NOW + 2 * DAY) == [True]
    assert await boxes.claim([(PHONE, Limits())], now=NOW + 2 * DAY) == []
    await outbox.acknowledge(again, now=NOW + 2 * DAY)

    assert await pruner.step(NOW + 2 * DAY) == 1
