"""A vendor that throttles the whole account: every address of the channel rests, for every hub."""

from __future__ import annotations

from bot.demo.simulators.vendor import Fault
from tests.workers.house import MINUTE, OFFICER, OPERATOR, SECOND, STEEL, House


async def test_the_whole_channel_rests_through_a_restart(house: House) -> None:
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=429)
    code = await house.alarm()
    assert len(await house.journal(code, "receipt_throttled")) == 2
    asked = house.vendors.sms.faults.happened[Fault.REFUSE]
    other = await house.alarm(enterprise=STEEL, point="T1")
    await house.crash()
    await house.wait(29 * SECOND)
    assert house.vendors.sms.received == [], "nobody else is tried meanwhile"
    assert house.vendors.sms.faults.happened[Fault.REFUSE] == asked
    assert not await house.journal(other, "receipt_throttled")
    await house.wait(MINUTE)
    told = {each.address for each in house.vendors.sms.received}
    assert {OPERATOR, OFFICER} < told, "and somebody of the other enterprise"
    assert await house.journal(other, "receipt_submitted")


async def test_another_hub_at_work_hears_of_the_rest(house: House) -> None:
    other = await house.another()
    await other.rest()
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=429)
    await house.alarm()
    house.push(SECOND)
    house.engine = other
    await house.alarm(enterprise=STEEL, point="T1")
    assert house.vendors.sms.received == []
