"""Sends whose vendors are asked what became of them: each when it is due, never twice for one time."""

from __future__ import annotations

from escalation.ledger.asks import Ask, Asks
from tests.ledger.doors import StoreDoor


async def test_each_is_due_at_its_time_the_longest_due_first(door: StoreDoor) -> None:
    asks = Asks(door)
    await asks.later([("ding", Ask("v2", 20), 80), ("ding", Ask("v1", 10), 70), ("other", Ask("v1", 10), 70)])
    assert await asks.due("ding", 69, 8) == []
    assert await asks.due("ding", 80, 8) == [Ask("v1", 10), Ask("v2", 20)]
    assert await asks.due("ding", 80, 1) == [Ask("v1", 10)]


async def test_what_is_said_again_keeps_its_first_time(door: StoreDoor) -> None:
    asks = Asks(door)
    await asks.later([("ding", Ask("v1", 10), 70)])
    await Asks(door).later([("ding", Ask("v1", 10), 900)])
    assert await asks.due("ding", 70, 8) == [Ask("v1", 10)]


async def test_asked_is_asked_again_at_the_next_time_or_never(door: StoreDoor) -> None:
    asks = Asks(door)
    await asks.later([("ding", Ask("v\x1f1", 10), 70)])
    (ask,) = await asks.due("ding", 70, 8)
    assert ask.vendor_id == "v\x1f1"
    await asks.asked("ding", ask, 300)
    assert await asks.due("ding", 299, 8) == []
    (again,) = await asks.due("ding", 300, 8)
    assert again == Ask("v\x1f1", 10, 1)
    await asks.asked("ding", again, None)
    assert await asks.due("ding", 10**9, 8) == []
