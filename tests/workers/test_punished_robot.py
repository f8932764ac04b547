"""A DingTalk robot that the vendor punishes is left alone until the punishment ends; its readers hear another way."""

from __future__ import annotations

from pathlib import Path

from bot.demo.county import DINGTALK
from bot.store.client import Store
from escalation.inputs import Entry
from escalation.vocabulary import Severity
from tests.workers.house import MINUTE, SECOND, STEEL, House, house_on

ROOM = "13800130026"
PUNISHED = 600 * SECOND


def with_phone(text: str) -> str:
    """The park's duty room has a phone behind its group."""
    was = 'contacts = [{ channel = "park-group" }]'
    assert was in text
    return text.replace(was, f'contacts = [{{ channel = "park-group" }}, {{ channel = "sms", address = "{ROOM}" }}]')


async def critical(house: House, point: str) -> str:
    code = await house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point=point)
    await house.wait(40 * MINUTE)
    return code


async def refusals(house: House, code: str) -> list[Entry]:
    return [row for row in await house.journal(code, "receipt_throttled") if row.detail["channel"] == DINGTALK]


async def test_a_punished_robot_rests_and_the_next_way_is_used_at_once(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_phone, every_vendor=True) as house:
        (robot,) = house.vendors.dingtalk.robots.values()
        await critical(house, "BF1-CO-03")
        assert any(each.address == DINGTALK for each in house.vendors.dingtalk.received), "the group is in use"
        heard = len(house.vendors.dingtalk.received)
        robot.punished_until = until = house.clock.now() + PUNISHED
        asked_first = house.clock.now()
        code = await house.alarm(Severity.HIGH_HIGH, enterprise=STEEL, point="BF1-CO-04", rest=False)
        while not (refused := await refusals(house, code)):
            await house.wait(MINUTE)
        at = refused[0].at
        assert at - asked_first < PUNISHED
        # At the very moment of the refusal, though the step after it is far off.
        (text,) = [each for each in house.at(ROOM) if code in each.text][:1]
        assert text.at == at
        assert "130101" in str(refused[0].detail["detail"])
        extended = robot.punished_until
        assert extended == at + PUNISHED
        assert until <= extended
        while house.clock.now() < extended - MINUTE:
            await house.wait(MINUTE)
        assert robot.punished_until == extended, "nobody asked it again meanwhile"
        assert len(house.vendors.dingtalk.received) == heard
        await house.wait(2 * MINUTE)
        assert any(code in each.text for each in house.vendors.dingtalk.received[heard:])
        assert robot.punished_until == extended
