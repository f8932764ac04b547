"""A fail-over of one server of a cluster took the mailboxes back, and the incidents not: nobody is forgotten."""

from __future__ import annotations

import pytest

from escalation.event import EventType
from escalation.incident import IncidentState
from tests.workers.house import OFFICER, OPERATOR, SECOND, House


async def _forget(house: House, pattern: str) -> None:
    keys = await house.door.execute("KEYS", pattern)
    assert keys, pattern
    await house.door.execute("DEL", *keys)


async def test_what_stands_in_no_mailbox_any_more_is_put_there_again(house: House) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await _forget(house, "fh:{m*}:*")
    await house.wait(30 * SECOND)
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [0, 0], "and nothing else would have told them"

    now = house.clock.now()
    lost = await house.engine.refill.step(now)
    assert lost >= 2
    other = await house.another()
    assert await other.refill.step(now) == 0
    await house.engine.rest()
    assert [[code in text for text in house.texts(each)] for each in (OPERATOR, OFFICER)] == [[True], [True]]
    assert await house.engine.refill.step(house.clock.now()) == 0


@pytest.mark.parametrize("moved", [False, True])
async def test_what_is_on_its_way_is_left_alone(house: House, moved: bool) -> None:
    await house.alarm(rest=False)
    if moved:
        await house.engine.fanout.step(house.clock.now())
    assert await house.engine.refill.step(house.clock.now()) == 0
    await house.engine.rest()
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]


async def test_the_last_words_of_an_incident_that_is_closed_are_owed_too(house: House) -> None:
    code = await house.alarm()
    await house.says(OPERATOR, f"签收 {code}")
    await house.engine.rest()
    await house.alarm(kind=EventType.ALARM_CLEARED, rest=False)
    assert (await house.incident(code)).state is IncidentState.CLOSED
    await house.engine.fanout.step(house.clock.now())
    await _forget(house, "fh:{m*}:*")
    assert await house.engine.refill.step(house.clock.now()) > 0
