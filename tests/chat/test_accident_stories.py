"""Accident words from anybody reach the county duty room, close nothing, and are answered with the numbers to call."""

from __future__ import annotations

from escalation.incident import IncidentState
from escalation.vocabulary import Tier, Urgency
from tests.chat.county import COUNTY_ROOM, STRANGER, TOWN_ROOM, ZHAO
from tests.chat.hub import EMERGENCY, Desk, signatures


async def _reported(desk: Desk) -> list[str]:
    return [row.text for row in await desk.rows(COUNTY_ROOM) if row.text.startswith("事故报告")]


async def test_a_stranger_with_accident_words(desk: Desk) -> None:
    answer = await desk.says(STRANGER, "示例木业车间着火了，快来人")
    await desk.work()
    assert EMERGENCY in answer
    assert "本回复不代替事故报告。" in answer
    assert "正在通知示例县应急局值班室" in answer
    rows = await desk.rows(COUNTY_ROOM)
    code = next(row.incident for row in rows if row.incident)
    assert f"编号{code}" in answer
    (verbatim,) = await _reported(desk)
    assert "示例木业车间着火了，快来人" in verbatim
    assert "138-0013-0099" in verbatim
    assert {row.urgency for row in rows} == {Urgency.CRITICAL}
    incident = await desk.incident(code)
    assert [duty.tier for duty in incident.duties] == [Tier.COUNTY]
    assert incident.due_at() is not None
    assert incident.reasons == ("示例木业车间着火了，快来人", "来自未登记号码 138-0013-0099")
    assert not incident.flags, "no enterprise is missing in the directory, and nobody has to mend it"


async def test_the_verb_beside_it_still_acts_and_the_accident_comes_first(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, "签收，车间着火了")
    accident, signed = answer.split("\n")
    assert "本回复不代替事故报告。" in accident
    assert signed.startswith(f"{code} 已记录签收：赵一")
    (verbatim,) = await _reported(desk)
    assert "示例木业有限公司 赵一 138-0013-0001" in verbatim


async def test_accident_words_close_nothing(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "1")
    for text in ("消警，火灾已扑灭，2人受伤", "误报，不过泄漏了一点"):
        answer = await desk.says(ZHAO, text)
        assert "本回复不代替事故报告。" in answer
        assert "未受理" in answer
    incident = await desk.incident(code)
    assert incident.requests == []
    assert incident.state is IncidentState.OPEN


async def test_each_message_of_one_sender_reaches_the_room_under_one_code(desk: Desk) -> None:
    await desk.says(STRANGER, "着火了")
    await desk.says(STRANGER, "又爆炸了，3人被困")
    first, second = await _reported(desk)
    assert "着火了" in first
    assert "又爆炸了，3人被困" in second
    await desk.work()
    assert len({row.incident for row in await desk.rows(COUNTY_ROOM) if row.incident}) == 1


async def test_the_county_ends_it_by_a_word_and_others_do_not(desk: Desk) -> None:
    await desk.says(STRANGER, "爆炸了，无人员伤亡")
    await desk.work()
    code = next(row.incident for row in await desk.rows(COUNTY_ROOM) if row.incident)
    assert "不属于您的岗位" in await desk.says(TOWN_ROOM, f"{code} 消警")
    assert signatures(await desk.incident(code)) == []
    assert "已记录核查" in await desk.says(COUNTY_ROOM, f"{code} 核查：爆炸属实，无人员伤亡，着火已扑灭")
    assert len(await _reported(desk)) == 1
    assert (await desk.says(COUNTY_ROOM, f"消警 {code}")) == f"{code} 已记录消警，事故报告关闭。"
    assert (await desk.incident(code)).state is IncidentState.CLOSED


async def test_no_accident_no_report(desk: Desk) -> None:
    await desk.says(STRANGER, "泄漏探头故障，没有着火")
    assert await _reported(desk) == []
