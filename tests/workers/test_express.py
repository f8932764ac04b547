"""What a new incident has to say goes on with its commit, and whatever breaks on the way, it is said once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.demo.simulators.vendor import Fault
from bot.intake.gate import ItemVerdict
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from escalation.event import EventType
from escalation.ledger.door import Call
from escalation.ledger.keys import Mailbox, partition_keys, shard_of
from escalation.vocabulary import Level, Severity
from tests.ledger.things import item, row
from tests.workers.house import (
    MINUTE,
    OFFICER,
    OPERATOR,
    PARTITIONS,
    SECOND,
    STEEL,
    House,
    codes_of,
    house_on,
    with_works,
    works,
)
from tests.workers.test_isolation import two_at_once

BOTH = (OPERATOR, OFFICER)


@pytest.fixture
async def express(house: House) -> House:
    """A hub whose loops do not run, but whose new incidents take the express."""
    house.engine.by_express = True
    return house


async def sent(house: House) -> list[int]:
    """How many messages the two of the alarm have, once no send is under way."""
    await house.engine.courier.sender.idle()
    return [len(house.at(each)) for each in BOTH]


async def outbox(house: House) -> int:
    """How many rows stand in the outboxes."""
    return sum([await house.door.execute("HLEN", partition_keys(each).outbox_rows) for each in range(PARTITIONS)])


async def batches(house: House, name: str) -> list[list[str]]:
    """The names of the scripts of every batch from now on in which one of that name is."""
    found: list[list[str]] = []
    run_scripts = house.door.run_scripts

    async def run(calls: list[Call]) -> list[object]:
        names = [name for name, _, _ in calls]
        if name in names:
            found.append(names)
        return await run_scripts(calls)

    house.door.run_scripts = run  # type: ignore[method-assign]
    return found


async def test_an_alarm_is_on_its_way_with_its_commit(express: House) -> None:
    seen = await batches(express, "commit")
    code = await express.alarm(rest=False)
    assert await sent(express) == [1, 1]
    assert seen == [["commit", "mailbox_turn", "mailbox_turn"]]
    assert await outbox(express) == 0
    await express.engine.rest()
    assert await sent(express) == [1, 1]
    assert len(await express.journal(code, "receipt_submitted")) == 2
    assert await express.engine.mailboxes.next_at() is None


async def test_what_was_recorded_is_let_go_by_the_way(express: House) -> None:
    await express.alarm(rest=False)
    assert await sent(express) == [1, 1]
    await express.engine.courier.record(express.clock.now())
    assert express.engine.courier.owes
    await express.alarm(rest=False, point="DC01-T02")
    assert express.engine.courier.under_way == 2, "the sends of the second alarm"
    assert await sent(express) == [2, 2]
    figures = await express.engine.mailboxes.waiting(now=express.clock.now())
    assert [each.under_way for each in figures] == [1, 1]
    await express.record()
    (share,) = express.engine.courier.reserve([item(row("n1", address=OPERATOR))], express.clock.now())
    assert share.limits.at_once == share.slots, "no claim is counted that is settled"


async def test_a_refused_commit_puts_nothing_into_a_mailbox(express: House) -> None:
    """Another hub opens the incident first: the guess that it is new is wrong, and what it would have said is not."""
    other = await express.another()
    event = express.event(EventType.ALARM_RAISED, point="DC01-T01", severity=Severity.HIGH)

    async def first() -> None:
        express.door.before.clear()
        await other.take([event])

    express.door.before["commit"] = first
    again = express.event(EventType.ALARM_RAISED, point="DC01-T01", severity=Severity.HIGH)
    (verdict,) = await express.engine.take([again])
    assert isinstance(verdict, ItemVerdict)
    assert await sent(express) == [0, 0], "the other hub holds what is to be said"
    await other.rest()
    await express.engine.rest()
    assert await sent(express) == [1, 1]
    assert await express.engine.mailboxes.next_at() is None
    assert all(verdict.code in text for each in BOTH for text in express.texts(each))


async def test_the_reply_is_lost_and_the_batch_sent_again(express: House) -> None:
    express.door.losing = ["commit"]
    code = await express.alarm(rest=False)
    assert express.door.failed == 1
    await express.engine.rest()
    assert await sent(express) == [1, 1]
    submitted = await express.journal(code, "receipt_submitted")
    assert [entry.detail["repeat"] for entry in submitted] == [False, False]


async def test_no_reply_at_all_and_nothing_is_kept_from_others(express: House) -> None:
    """The batch never reached the store: who posts hears it, and the slots that were kept are free."""
    for _ in range(40):
        express.door.failing = ["commit"]
        with pytest.raises(StoreUnavailableError):
            await express.alarm(rest=False)
    await express.alarm(rest=False)
    assert await sent(express) == [1, 1]


async def test_what_no_reply_told_of_is_claimed_by_the_next_turn(express: House) -> None:
    """Whatever else that turn has to do: it need not look where anything is ready."""
    await express.engine.courier.step(express.clock.now(), everywhere=True)
    run_scripts = express.door.run_scripts

    async def unheard(calls: list[Call]) -> list[object]:
        await run_scripts(calls)
        raise StoreUnavailableError("存储没有应答", "the store did not answer", sent=True)

    express.door.run_scripts = unheard  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailableError):
        await express.alarm(rest=False)
    express.door.run_scripts = run_scripts  # type: ignore[method-assign]
    express.engine.courier.expect([Mailbox("sms", "13800139999")])
    await express.engine.courier.step(express.clock.now())
    assert await sent(express) == [1, 1]


async def test_what_found_no_slot_is_claimed_by_the_next_turn(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, two_at_once, with_works(3)) as house:
        house.engine.by_express = True
        await house.engine.courier.step(house.clock.now(), everywhere=True)
        house.vendors.sms.faults.put(Fault.HANG, times=2)
        await house.alarm(rest=False)
        await house.vendors.sms.faults.wait_for(Fault.HANG, 2)
        behind = await house.alarm(rest=False, enterprise=STEEL, point="BF1-CO-03")
        house.vendors.sms.faults.clear()
        await house.engine.courier.sender.idle()
        house.engine.courier.expect([Mailbox("sms", "13800139999")])
        await house.engine.courier.step(house.clock.now())
        await house.engine.courier.sender.idle()
        assert any(behind in each.text for each in house.vendors.sms.received)


async def test_a_mailbox_that_does_not_answer_is_filled_the_slower_way(express: House) -> None:
    shard = shard_of(Mailbox("sms", OPERATOR), express.engine.meta.shards)
    express.door.away = ("mailbox_turn", f"m{shard}".encode())
    code = await express.alarm(rest=False)
    await express.engine.courier.sender.idle()
    assert express.at(OPERATOR) == []
    express.door.away = None
    await express.engine.rest()
    assert await sent(express) == [1, 1]
    submitted = await express.journal(code, "receipt_submitted")
    assert [entry.detail["repeat"] for entry in submitted] == [False, False]
    assert await outbox(express) == 0


async def test_the_hub_dies_with_the_reply_on_its_way(express: House) -> None:
    """What it had claimed is claimed again at its lease's end: said once, marked as a possible repeat."""
    done = asyncio.Event()
    run_scripts = express.door.run_scripts

    async def never(calls: list[Call]) -> list[object]:
        await run_scripts(calls)
        done.set()
        return await asyncio.Event().wait()  # type: ignore[return-value]

    express.door.run_scripts = never  # type: ignore[method-assign]
    taking = asyncio.create_task(express.alarm(rest=False))
    await done.wait()
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    express.door.run_scripts = run_scripts  # type: ignore[method-assign]
    await express.crash()
    await express.wait(14 * SECOND)
    assert express.vendors.sms.received == []
    await express.wait(MINUTE)
    assert await sent(express) == [1, 1]
    assert await outbox(express) == 0


async def test_a_channel_takes_no_more_at_once_than_it_says(store: Store, tmp_path: Path) -> None:
    """Neither from many commits in a row nor from turns beside them."""
    async with house_on(store, tmp_path, two_at_once, with_works(6)) as house:
        house.engine.by_express = True
        house.vendors.sms.faults.put(Fault.HANG, times=100)
        for each in works(6):
            await asyncio.gather(
                house.warning(Level.BLUE, enterprise=each, rest=False), house.engine.courier.step(house.clock.now())
            )
        await house.vendors.sms.faults.wait_for(Fault.HANG, 2)
        assert house.engine.courier.sender.running == 2
        house.vendors.sms.faults.clear()
        await house.engine.rest()
        await house.wait(MINUTE)
        assert len(codes_of(house.texts(OFFICER))) == len(set(codes_of(house.texts(OFFICER)))) == 6


async def test_a_send_that_cannot_begin_spoils_no_verdict(express: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event is on disk, its sender hears so, and the messages are tried again soon: no lease has to end first."""

    def bars(*_: object) -> None:
        raise RuntimeError("a fault in the hub")

    monkeypatch.setattr(express.engine.courier.breaker, "bars", bars)
    code = await express.alarm(rest=False)
    monkeypatch.undo()
    assert code
    await express.record()
    await express.wait(3 * SECOND)
    assert await sent(express) == [1, 1]


async def test_a_flood_goes_the_slower_way(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(20)) as house:
        house.engine.by_express = True
        seen = await batches(house, "commit")
        events = [house.event(EventType.WARNING_ISSUED, each, level=Level.BLUE) for each in works(20)]
        told = await house.take(events)
        assert {name for batch in seen for name in batch} == {"commit"}
        assert house.engine.courier.sender.running == 0
        await house.engine.rest()
        await house.wait(MINUTE)
        assert set(codes_of(house.texts(OFFICER))) == set(told)


async def test_a_channel_that_rests_is_not_asked(express: House) -> None:
    express.vendors.sms.faults.put(Fault.REFUSE, times=2, code=429)
    await express.alarm()
    refused = express.vendors.sms.faults.happened[Fault.REFUSE]
    assert refused == 2
    await express.alarm(rest=False, enterprise=STEEL, point="T1")
    await express.engine.courier.sender.idle()
    assert express.vendors.sms.received == []
    assert express.engine.courier.sender.running == 0
    await express.engine.rest()
    assert express.vendors.sms.received == [], "nobody else is tried meanwhile"
    await express.wait(2 * MINUTE)
    assert await sent(express) == [1, 1]


async def test_an_older_message_of_the_mailbox_goes_too(express: House) -> None:
    """A row that is in the mailbox and was never claimed is claimed with those that come."""
    express.engine.by_express = False
    first = await express.alarm(rest=False)
    items = express.engine.fanout.batch()
    assert all(await express.engine.mailboxes.put(items, now=express.clock.now()))
    express.engine.by_express = True
    express.push(SECOND)
    second = await express.alarm(rest=False, point="DC01-T02")
    assert await sent(express) == [2, 2]
    assert sorted(codes_of(express.texts(OPERATOR))) == sorted([first, second])
