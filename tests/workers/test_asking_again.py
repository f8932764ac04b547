"""Asked again just before each send: what happened meanwhile, in the journal by its name, and nothing is sent."""

from __future__ import annotations

from bot.demo.simulators.vendor import Fault
from escalation.event import EventType
from escalation.vocabulary import Level, Severity
from tests.workers.house import DUST, EVENING, MINUTE, OFFICER, OPERATOR, SECOND, House

EQUIPMENT = "13800130002"
PATROL_MAIL = "qing@example.cn"
FIRST_SHIFT, SECOND_SHIFT = "13800130031", "13800130032"
SHIFT_CHANGE = EVENING + 3_200_000


async def dropped(house: House, code: str) -> dict[str, str]:
    """Why what was dropped was dropped, by whom it was for."""
    return {entry.actor: str(entry.detail["detail"]) for entry in await house.journal(code, "receipt_dropped")}


async def test_signed_meanwhile_by_a_colleague(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=2)
    code = await house.alarm()
    house.push(SECOND)
    await house.says(OPERATOR, f"签收 {code}")
    await house.wait(MINUTE)
    assert not [text for text in house.texts(OFFICER) if "须处置" in text]
    assert await dropped(house, code) == {
        f"{DUST}/operator/bai": "signed_meanwhile",
        f"{DUST}/safety_officer/lin": "signed_meanwhile",
    }


async def fault_signed_and_over(house: House) -> str:
    """A device failed, was signed for and is over, all before the patrol's mail could leave."""
    house.vendors.mail.faults.put(Fault.STATUS_500)
    code = await house.alarm(Severity.FAULT)
    house.push(SECOND)
    await house.says(EQUIPMENT, f"签收 {code}")
    await house.alarm(Severity.FAULT, kind=EventType.ALARM_CLEARED, rest=False)
    assert (await house.incident(code)).closed_at == house.clock.now()
    assert house.at(PATROL_MAIL) == []
    return code


async def test_closed_meanwhile(house: House) -> None:
    code = await fault_signed_and_over(house)
    await house.wait(MINUTE)
    assert not [mail for mail in house.at(PATROL_MAIL) if "抄送知悉" in mail.text and "关闭" not in mail.text]
    assert "closed_meanwhile" in (await dropped(house, code)).values()


async def test_superseded_because_it_began_anew(house: House) -> None:
    """The old episode's notice is not sent beside the new one's."""
    code = await fault_signed_and_over(house)
    house.push(100)
    assert await house.alarm(Severity.FAULT, rest=False) == code
    await house.wait(MINUTE)
    assert len([mail for mail in house.at(PATROL_MAIL) if code in mail.text]) == 1
    details = [entry.detail["detail"] for entry in await house.journal(code, "receipt_dropped")]
    assert "superseded" in details


async def test_the_shift_changed_meanwhile_and_the_successor_is_told(house: House) -> None:
    house.push(SHIFT_CHANGE - SECOND - house.clock.now())
    house.vendors.sms.faults.put(Fault.STATUS_500, times=20)
    code = await house.warning(Level.ORANGE)
    house.vendors.sms.faults.clear()
    await house.wait(MINUTE)
    assert house.texts(FIRST_SHIFT) == []
    assert [code in text for text in house.texts(SECOND_SHIFT)] == [True]
    assert (await dropped(house, code))["qinghe/duty_room/qinghe-duty-a"] == "off_duty"


async def test_what_is_still_needed_leaves_though_the_shift_changed_elsewhere(house: House) -> None:
    """A post with fixed people knows no shift."""
    house.push(SHIFT_CHANGE - SECOND - house.clock.now())
    house.vendors.sms.faults.put(Fault.STATUS_500, times=2)
    code = await house.alarm()
    await house.wait(MINUTE)
    assert [code in text for text in house.texts(OPERATOR)] == [True]
    assert await dropped(house, code) == {}


def without_bai(text: str) -> str:
    """The administrator writes another in the place of one who has left the works."""
    assert 'id = "bai"' in text
    start = text.index('[[people]]\nid = "bai"')
    end = text.index("[[", start + 2)
    return (text[:start] + text[end:]).replace('"bai"', '"lin"')


async def test_who_was_taken_out_of_the_configuration_hears_no_more_and_another_does(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=20)
    code = await house.alarm()
    house.reload(without_bai)
    house.vendors.sms.faults.clear()
    await house.wait(MINUTE)
    assert house.texts(OPERATOR) == [], "they have left"
    assert [code in text for text in house.texts(EQUIPMENT)] == [True], "the second person stands alone now"
    assert (await dropped(house, code))[f"{DUST}/operator/bai"] == "off_duty"
