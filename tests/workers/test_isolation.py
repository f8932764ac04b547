"""Nobody waits for somebody else's vendor; claims end; two hubs share one store."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.demo.simulators.vendor import Fault
from bot.engine import Engine
from bot.intake.gate import ItemVerdict
from bot.store.client import Store
from bot.workers.limits import SLACK
from escalation.event import EventType
from escalation.vocabulary import Level, Severity
from tests.patience import LONG
from tests.workers.house import MINUTE, OFFICER, OPERATOR, SECOND, House, codes_of, house_on, with_works, works

LEASE = int(LONG * 1000) + SLACK
"""How long a claim of the house's short message gateway holds."""


def two_at_once(text: str) -> str:
    assert text.count("at_once = 16") == 1
    return text.replace("at_once = 16", "at_once = 2")


def very_patient(text: str) -> str:
    return text.replace(f"timeout = {LONG}", "timeout = 60")


@asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    """The hub's loops as ``serve`` runs them."""
    task = asyncio.create_task(engine.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_vendor_that_hangs_holds_nobody_else_up(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path) as house:
        house.vendors.wecom.faults.put(Fault.HANG, times=2)
        async with running(house.engine):
            first = await house.warning(rest=False)
            await house.vendors.wecom.faults.wait_for(Fault.HANG, 2)
            second = await house.alarm(rest=False)
            await house.vendors.sms.inbox.wait_for(5)
            assert {address: len(house.at(address)) for address in (OPERATOR, OFFICER)} == {OPERATOR: 1, OFFICER: 2}
            assert house.at("hedong-group") == []
            house.vendors.wecom.faults.clear()
        assert first != second


async def test_a_channel_takes_no_more_at_once_than_it_says(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, two_at_once, with_works(3)) as house:
        house.vendors.sms.faults.put(Fault.HANG, times=100)
        codes = [await house.warning(enterprise=each, rest=False) for each in works(3)]
        await house.engine.fanout.step(house.clock.now())
        for _ in range(3):
            await house.engine.courier.step(house.clock.now(), everywhere=True)
        assert house.engine.courier.under_way >= 2
        await house.vendors.sms.faults.wait_for(Fault.HANG, 2)
        await house.vendors.wecom.inbox.wait_for(6)
        assert house.vendors.sms.faults.happened[Fault.HANG] == 2
        house.vendors.sms.faults.clear()
        await house.engine.rest()
        await house.wait(MINUTE)
        assert all(any(code in text for text in house.texts(OFFICER)) for code in codes)


async def test_a_send_that_would_outlast_its_claim_is_not_started(house: House) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now())
    house.push(SLACK)
    await house.engine.courier.sender.idle()
    assert house.vendors.sms.received == []
    await house.engine.rest()
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]
    submitted = await house.journal(code, "receipt_submitted")
    assert [(entry.detail["tries"], entry.detail["repeat"]) for entry in submitted] == [(1, False)] * 2


async def test_a_channel_with_a_long_timeout_is_used_too(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, very_patient) as house:
        await house.warning()
        assert [len(house.at(each)) for each in ("hedong-group", OFFICER)] == [1, 1]


async def test_what_a_stopped_hub_had_in_flight_is_sent_once_more_when_its_claim_ends(
    store: Store, tmp_path: Path
) -> None:
    async with house_on(store, tmp_path) as house:
        house.vendors.sms.faults.put(Fault.HANG, times=2)
        await house.alarm(rest=False)
        await house.engine.fanout.step(house.clock.now())
        await house.engine.courier.step(house.clock.now())
        await house.vendors.sms.faults.wait_for(Fault.HANG, 2)
        await house.engine.courier.sender.stop(0.0)
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("send ")]
        assert house.engine.courier.under_way == 0
        house.engine = await house.another()
        await house.wait(30 * SECOND)
        assert house.vendors.sms.received == []
        await house.wait(LEASE)
        assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]


async def test_a_hub_that_is_stopped_leaves_nothing_that_waits_for_its_leases(house: House) -> None:
    """An alarm is taken in the very moment of the stop: it is told by this hub, or at once by the next."""
    async with running(house.engine):
        taking = asyncio.create_task(house.alarm(rest=False))
        await asyncio.sleep(0)
    await taking
    house.engine = await house.another()
    await house.wait(5 * SECOND)
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]


async def test_two_hubs_share_the_work_and_nothing_is_told_twice(store: Store, tmp_path: Path) -> None:
    """Each has two SMS under way at most: while three hang, both are at work."""
    async with house_on(store, tmp_path, two_at_once, with_works(40)) as house:
        house.vendors.sms.faults.put(Fault.HANG, times=3)
        hubs = (house.engine, await house.another())
        kind = EventType.WARNING_ISSUED
        events = [house.event(kind, each, level=Level.YELLOW) for each in works(40)]
        async with running(hubs[0]), running(hubs[1]):
            answers = await asyncio.gather(*(hubs[place % 2].take([event]) for place, event in enumerate(events)))
            codes = [item.code for (item,) in answers if isinstance(item, ItemVerdict)]
            await house.vendors.sms.faults.wait_for(Fault.HANG, 3)
            house.vendors.sms.faults.clear()
            await house.vendors.sms.inbox.wait_for(3 * len(events) - 3)
        house.engine = hubs[0]
        await house.wait(LEASE)
        told = Counter((each.address, code) for each in house.vendors.sms.received for code in codes_of([each.text]))
        phones = {each.address for each in house.vendors.sms.received}
        assert told == {(phone, code): 1 for phone in phones for code in codes}
        assert sorted(codes_of(house.texts("hedong-group"))) == sorted(codes)
        for code in codes:
            assert len({e.notice for e in await house.journal(code, "receipt_submitted")}) == 5
            assert len(await house.journal(code, "receipt_submitted")) == 5


async def test_critical_and_normal_of_one_person_leave_side_by_side(house: House) -> None:
    """A warning that waits for its vendor's back-off holds no alarm of the same person up."""
    house.vendors.sms.faults.put(Fault.STATUS_500, times=2)
    waiting = await house.warning(Level.BLUE)
    alarm = await house.alarm(Severity.HIGH_HIGH)
    assert [alarm in text for text in house.texts(OFFICER)] == [True]
    await house.wait(MINUTE)
    assert [waiting in text for text in house.texts(OFFICER)] == [False, True]
