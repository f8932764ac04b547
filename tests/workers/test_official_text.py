"""From an answer by SMS to the text that is pasted into the official system, and to the word that it was."""

from __future__ import annotations

from escalation.event import EventType
from escalation.incident import Clock, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind
from tests.workers.house import HOUR, MINUTE, OFFICER, House


async def bearer(house: House, code: str) -> str:
    """The phone of whoever got the text."""
    incident = await house.incident(code)
    given = [each for each in incident.notices.values() if each.kind is NoticeKind.OFFICIAL]
    phones = {each.contact.address for each in given if each.contact.channel == "sms"}
    assert phones, [(each.contact, each.detail) for each in given]
    return min(phones)


async def test_the_text_the_reminder_and_the_end(house: House) -> None:
    code = await house.warning()
    house.push(MINUTE)
    await house.says(OFFICER, f"核查 {code} 工艺波动")
    await house.says(OFFICER, f"处置 {code} 已降负荷，恢复正常")
    await house.engine.rest()

    phone = await bearer(house, code)
    (text,) = [each for each in house.texts(phone) if "照原样粘贴" in each]
    pasted = text.split("\n\n", 1)[1].splitlines()
    assert [line.partition("：")[0] for line in pasted] == ["企业", "警情", "核查", "处置", "现状"]
    assert "工艺波动" in pasted[2]
    assert "已降负荷，恢复正常" in pasted[3]
    assert "系统已反馈" not in "".join(pasted), "nothing for the hub goes into the official system"

    assert "\n".join(pasted) in await house.says(phone, f"查询 {code}")

    before = len(house.texts(phone))
    await house.wait(21 * HOUR)
    reminded = [each for each in house.texts(phone)[before:] if "照原样粘贴" in each]
    assert any("\n".join(pasted[:4]) in each for each in reminded), house.texts(phone)[before:]

    said = await house.says(phone, f"系统已反馈 {code}")
    assert "系统反馈" in said or "系统已反馈" in said
    assert "照原样粘贴" not in await house.says(phone, f"查询 {code}")
    before = len(house.texts(phone))
    await house.wait(20 * HOUR)
    assert not [each for each in house.texts(phone)[before:] if "照原样粘贴" in each]
    duties = (await house.incident(code)).duties
    assert [each.fed_back is not None for each in duties if _feeds_back(each.clocks)] == [True]


async def test_after_the_close_it_is_reminded_of_twice_with_the_text_through_a_restart(house: House) -> None:
    code = await house.warning()
    house.push(MINUTE)
    await house.says(OFFICER, f"核查 {code} 工艺波动")
    await house.says(OFFICER, f"处置 {code} 已降负荷，恢复正常")
    await house.engine.rest()
    phone = await bearer(house, code)
    await house.take([house.event(EventType.WARNING_CLEARED)])
    await house.engine.rest()
    assert (await house.incident(code)).state is IncidentState.CLOSED
    before = len(house.texts(phone))
    assert "关闭，仍须在原系统反馈" in house.texts(phone)[-1]

    await house.wait(23 * HOUR)
    await house.crash()
    assert len(house.texts(phone)) == before
    await house.wait(2 * HOUR)
    (reminded,) = house.texts(phone)[before:]
    assert f"{code}：" in reminded
    assert "仍须在原系统反馈" in reminded
    assert "已降负荷，恢复正常" in reminded
    await house.wait(30 * 24 * HOUR)
    assert len(house.texts(phone)) == before + 2, "no endless nag"
    assert len(await house.journal(code, "still_not_fed_back")) == 2


def _feeds_back(clocks: list[Clock]) -> bool:
    return any(clock.kind is ClockKind.FEEDBACK for clock in clocks)
