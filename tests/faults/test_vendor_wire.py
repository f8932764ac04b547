"""The wire between hub and gateway fails: a message is repeated once where its answer was lost, and never else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.faults.proxy import Fault, Proxy
from tests.serve.bulk import at_rest, read_ledger
from tests.serve.town import WORKER, Town

pytestmark = pytest.mark.timeout(120)
ARRIVES = {
    Fault.LOST_REQUEST: 1,
    Fault.LOST_REPLY: 2,
    Fault.CUT: 2,
    Fault.SLOW: 1,
    Fault.TRICKLE: 1,
    Fault.SILENCE: 2,
}
"""How often the phone has the message in the end: twice where the gateway took it and could not say so."""


@pytest.mark.parametrize("fault", Fault)
async def test_a_message_arrives_and_is_repeated_only_where_its_answer_was_lost(
    town: Town, sms_wire: Proxy, fault: Fault
) -> None:
    town.edit('kind = "sms_kannel"', 'kind = "sms_kannel"\ntimeout = 2.0')
    town.constants["bot.workers.outcomes.BACK_OFF"] = (200,)
    await town.start()
    sms_wire.put(fault, only=lambda data: WORKER.encode() in data)
    code = await town.raised("e1")
    await sms_wire.wait_for(fault)
    await town.told(code, address=WORKER)

    await town.until(_over(town, code), "it is never over")
    copies = [each for each in await town.received() if each["address"] == WORKER and code in each["text"]]
    assert len(copies) == ARRIVES[fault], copies
    assert len({each["text"] for each in copies}) == 1, "a repeat is the same message"


async def test_a_message_whose_answer_is_lost_twice_is_not_sent_a_third_time(town: Town, sms_wire: Proxy) -> None:
    town.edit('kind = "sms_kannel"', 'kind = "sms_kannel"\ntimeout = 2.0')
    town.constants["bot.workers.outcomes.BACK_OFF"] = (200,)
    await town.start()
    sms_wire.put(Fault.LOST_REPLY, 3, only=lambda data: WORKER.encode() in data)
    code = await town.raised("e1")
    await sms_wire.wait_for(Fault.LOST_REPLY, 2)

    await town.until(_over(town, code), "it is never over")
    copies = [each for each in await town.received() if each["address"] == WORKER and code in each["text"]]
    assert len(copies) == 2


def _over(town: Town, code: str) -> Callable[[], Awaitable[bool]]:
    """Whether nothing is sent or waits any more, and the worker's notice has a result."""

    async def over() -> bool:
        notices = (await read_ledger(town)).incidents[code].notices.values()
        mine = [each.state for each in notices if each.contact.address == WORKER]
        return all(state.reached_vendor for state in mine) and await at_rest(town)

    return over
