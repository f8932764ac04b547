"""Repeats and kills: one message is one signature, one report and one answer, wherever the hub was stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.store.client import Store
from escalation.ledger.door import Call
from escalation.ledger.inbox import Arrived
from tests.chat.county import COUNTY_ROOM, QIAN, ZHAO
from tests.chat.hub import Desk, signatures
from tests.ledger.doors import StoreDoor


class Killed(Exception):
    """The hub was killed at this await."""


class Doomed(StoreDoor):
    """Kills its hub at the script call number ``at``, before the effect or after it; counts the calls."""

    def __init__(self, store: Store, at: int, *, after: bool) -> None:
        super().__init__(store)
        self.at = at
        self.after = after
        self.calls = 0
        self.killed = False

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        self.calls += 1
        if self.calls != self.at:
            return await super().run_scripts(calls)
        self.killed = True
        if self.after:
            await super().run_scripts(calls)
        raise Killed


async def test_the_same_uplink_three_times_is_one_signature_and_one_answer(desk: Desk) -> None:
    code = await desk.alarm()
    uplink = desk.uplink(ZHAO, "1", "vendor-7")
    assert await desk.answering.take([uplink], desk.now) == [True]
    assert await desk.answering.take([uplink, uplink], desk.now) == [False, False]
    await desk.work()
    assert await desk.answering.take([uplink], desk.now) == [False]
    await desk.work()
    assert signatures(await desk.incident(code)) == ["赵一"]
    assert len(await desk.answers(ZHAO)) == 1


async def test_two_machines_that_answer_each_other_come_to_an_end(desk: Desk) -> None:
    for address in (ZHAO, "13900139999"):
        for time in range(5):
            assert await desk.says(address, f"主人暂离，{time}点{time}分回电")
            desk.later(1)
        assert len(await desk.answers(address)) == 1
        assert await desk.says(address, "这是另一句话")
        desk.later(10)
        assert await desk.says(address, "主人暂离，9点9分回电")
        assert len(await desk.answers(address)) == 3


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("text", "most"), [("1", 6), ("签收，车间着火了", 9), ("查询", 3)], ids=["sign", "accident", "query"]
)
async def test_killed_at_every_await_of_a_step(store: Store, text: str, most: int, *, after: bool) -> None:
    deaths = 0
    for at in range(1, 30):
        await store.execute("FLUSHALL")
        desk = Desk(StoreDoor(store))
        code = await desk.alarm()
        await desk.answering.take([desk.uplink(ZHAO, text, "one")], desk.now)
        door = Doomed(store, at, after=after)
        doomed = desk.again(door)
        try:
            await doomed.answering.step(doomed.now)
        except Killed:
            deaths += 1
        # What opens while the hub is down is not what the word meant.
        desk.later(1)
        late = await desk.alarm("T02")
        await desk.alarm("T01", cleared=True)
        desk.later(1)
        heir = desk.again()
        while await heir.answering.step(heir.now):
            pass
        await heir.fanout.sweep(heir.now)
        assert signatures(await heir.incident(late)) == []
        assert signatures(await heir.incident(code)) == (["赵一"] if "1" in text or "签收" in text else [])
        (answer,) = await heir.answers(ZHAO)
        assert "签收" in answer
        assert "未记录" not in answer
        if "着火" in text:
            told = [row.text for row in await heir.rows(COUNTY_ROOM) if row.text]
            assert len(told) == 1
        assert await heir.inbox.claim(range(heir.ledger.partitions), now=heir.now + 10**6, lease=1) == []
        if not door.killed:
            break
    assert deaths >= most


async def test_two_hubs_at_once_answer_once(desk: Desk) -> None:
    code = await desk.alarm()
    uplink = desk.uplink(ZHAO, "1", "same")
    other = desk.again()
    answers = await asyncio.gather(
        desk.answering.answer(uplink, desk.now), other.answering.answer(uplink, desk.now), desk.answering.step(desk.now)
    )
    assert answers[0] == answers[1]
    assert signatures(await desk.incident(code)) == ["赵一"]
    assert len(await desk.answers(ZHAO)) == 1


async def test_one_senders_trouble_does_not_stop_another(store: Store) -> None:
    desk = Desk(StoreDoor(store))
    code = await desk.alarm()
    await desk.inbox.put([Arrived("sms", "bad", ZHAO, b"no row at all")], now=desk.now)
    await desk.answering.take([desk.uplink(QIAN, "1")], desk.now)
    assert await desk.answering.step(desk.now) == 1
    assert signatures(await desk.incident(code)) == ["钱二"]
