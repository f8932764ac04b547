"""Files on their way to other hubs: whole or not at all, within a limit, and nothing left when they are done with."""

from __future__ import annotations

from random import Random

import pytest

from escalation.ledger.copies import AWAY, PIECE, Copies, Copy
from tests.ledger.doors import Died, Mortal, StoreDoor

NOW = 1_795_000_000_000
BODY = Random(44).randbytes(2 * PIECE + 17)


def copy(name: str = "a", body: bytes = BODY, at: int = NOW) -> Copy:
    return Copy(path=f"evidence/202611/{name}.jpg", sha256=name, size=len(body), at=at)


async def paths(copies: Copies) -> list[str]:
    return [each.copy.path for each in await copies.all()]


async def test_what_one_offers_another_takes_byte_by_byte(door: StoreDoor) -> None:
    one, other = Copies(door, "one"), Copies(door, "other")
    await one.offer(copy(), BODY)
    (offered,) = await other.all()
    assert (offered.copy, offered.had) == (copy(), frozenset({"one"}))
    assert await other.take(offered.copy) == BODY
    await other.have(offered.copy)
    assert (await one.all())[0].had == {"one", "other"}
    await one.drop(copy())
    assert await door.execute("KEYS", "fh:{copies}:*") == []


async def test_offered_again_after_half_of_it_it_is_whole(door: StoreDoor) -> None:
    one, other = Copies(Mortal(door.store, left=4), "one"), Copies(door, "other")
    with pytest.raises(Died):
        await one.offer(copy(), BODY)
    (offered,) = await other.all()
    assert 0 < len(await other.take(offered.copy)) < len(BODY), "a reader sees that it is not all"
    await Copies(door, "one").offer(copy(), BODY)
    assert await other.take(offered.copy) == BODY


async def test_the_oldest_gives_way(door: StoreDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalation.ledger.copies.MOST", 100)
    one = Copies(door, "one")
    for number, size in enumerate((40, 40, 30, 90)):
        body = bytes(size)
        await one.offer(copy(str(number), body, NOW + number), body)
        lying = [each.copy.size for each in await one.all()]
        assert lying == [[40], [40, 40], [40, 30], [90]][number]
    assert len(await door.execute("KEYS", "fh:{copies}:bytes:*")) == 1


async def test_nothing_is_written_for_what_was_dropped_meanwhile(door: StoreDoor) -> None:
    one, other = Copies(door, "one"), Copies(door, "other")
    await one.offer(copy(), BODY)
    await one.drop(copy())
    await other.have(copy())
    assert await door.execute("KEYS", "fh:{copies}:*") == []


async def test_a_hub_that_is_not_heard_of_for_a_week_is_not_waited_for(door: StoreDoor) -> None:
    one, other = Copies(door, "one"), Copies(door, "other")
    await other.hubs(NOW)
    assert await one.hubs(NOW + AWAY) == {"one", "other"}
    assert await one.hubs(NOW + AWAY + 1) == {"one"}
    assert await door.execute("HLEN", "fh:{copies}:hubs") == 1
