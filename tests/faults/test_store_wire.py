"""The wire between hub and store fails: what was accepted is told once, what was not is sent again by its sender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.faults.proxy import Fault, Proxy
from tests.serve.bulk import read_ledger
from tests.serve.town import WORKER, Town, alarm, codes_in

pytestmark = pytest.mark.timeout(120)
EVENTS = 24
TIMES = {Fault.SILENCE: 2, Fault.SLOW: 3, Fault.TRICKLE: 3}
"""How often a fault happens; each silence costs the patience of a client."""


DOINGS = {"commits": b'"opened"', "mailboxes": b"\r\nturn\r\n"}
"""What the exchanges that are hit are about: an event's commit, and what leaves a mailbox or is let go of there."""


@pytest.mark.parametrize("doing", ["commits", pytest.param("mailboxes", marks=pytest.mark.soak)])
@pytest.mark.parametrize("fault", Fault)
async def test_what_was_accepted_is_told_once_whatever_the_wire_does(
    town: Town, store_wire: Proxy, fault: Fault, doing: str
) -> None:
    town.constants["bot.store.external.ANSWER_SECONDS"] = 2.0
    await town.start()
    times = TIMES.get(fault, 12)
    store_wire.put(fault, times, only=lambda data: DOINGS[doing] in data)
    codes: list[str] = []
    refused: Counter[int] = Counter()
    for number in range(EVENTS):
        await town.until(_taken(town, alarm(f"e{number}", point=f"P{number}"), codes, refused), "nothing is taken")
    await store_wire.wait_for(fault, times)
    for code in codes:
        await town.told(code, address=WORKER, seconds=70)

    assert len(set(codes)) == EVENTS
    assert set(refused) <= {503}, "refused plainly, or taken"
    sends = Counter((each["address"], each["subject"], each["text"]) for each in await town.received())
    assert [send for send, count in sends.items() if count > 1] == [], "no vendor lost an answer, no hub was stopped"
    ledger = await read_ledger(town)
    assert {code: ledger.reasons[code, "opened"] for code in codes} == dict.fromkeys(codes, 1)
    assert {ledger.incidents[code].raises for code in codes} == {1}
    for code in codes:
        assert ledger.reasons[code, "told"] == len(ledger.incidents[code].notices), "each notice has one row"
    assert codes_in(await town.received()) == set(codes)
    assert (await town.ask("/verify"))["ok"]


def _taken(
    town: Town, event: dict[str, object], codes: list[str], refused: Counter[int]
) -> Callable[[], Awaitable[bool]]:
    async def taken() -> bool:
        answer = await town.post(event)
        if answer.status != 202:
            refused[answer.status] += 1
            return False
        codes.append(answer.item["code"])
        return True

    return taken
