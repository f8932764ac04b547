"""What an answer that names what it answers means, and one that proves nothing."""

from __future__ import annotations

from dataclasses import replace

from escalation.vocabulary import Verb
from tests.chat.county import COUNTY_ROOM, LI, STRANGER, ZHAO
from tests.chat.hub import Desk, signatures


async def says(desk: Desk, sender: str, text: str, *, about: str = "", unproven: bool = False) -> str:
    uplink = replace(desk.uplink(sender, text), about=about, unproven=unproven)
    before = len(await desk.answers(sender))
    await desk.answering.take([uplink], desk.now)
    await desk.answering.step(desk.now)
    desk.now += 1000
    return "".join((await desk.answers(sender))[before:])


async def test_a_bare_word_means_what_it_answers(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    assert f"{first} 已记录签收" in await says(desk, ZHAO, "1", about=first)
    assert signatures(await desk.incident(first)) == ["赵一"]
    assert signatures(await desk.incident(second)) == []
    # A code in the words is what is meant, whatever is answered.
    assert f"{second} 已记录签收" in await says(desk, ZHAO, f"签收 {second}", about=first)
    assert f"{first} 已记录处置" in await says(desk, ZHAO, "处置 已停机", about=first)
    assert "撤回" in await says(desk, ZHAO, "撤回", about=first)
    assert [deed.verb for deed in (await desk.incident(second)).deeds] == [Verb.SIGN]


async def test_what_asks_for_everything_does_not_mean_one(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    told = await says(desk, ZHAO, "待办", about=first)
    assert first in told
    assert second in told
    assert second in await says(desk, ZHAO, "为什么", about=second)
    # What is no code cannot be meant.
    assert "请回复" in await says(desk, ZHAO, "签收", about="nonsense")


async def test_an_answer_about_what_others_answer_for_is_refused(desk: Desk) -> None:
    code = await desk.alarm("T01")
    assert "不属于您的岗位" in await says(desk, "13800130003", "1", about=code)
    assert signatures(await desk.incident(code)) == []


async def test_what_proves_nothing_does_nothing_and_is_told_once_a_day(desk: Desk) -> None:
    code = await desk.alarm("T01")
    said = await says(desk, ZHAO, f"签收 {code}", unproven=True)
    assert "无法确认是您本人，未作任何记录" in said
    assert await says(desk, ZHAO, f"消警 {code}", unproven=True) == ""
    assert (await desk.incident(code)).deeds == []
    assert "无法确认" in await says(desk, LI, "1", unproven=True)
    desk.later(24 * 60)
    assert "无法确认" in await says(desk, ZHAO, "1", unproven=True)
    # A stranger's mail is not answered: whose address it is nobody knows.
    assert await says(desk, STRANGER, "1", unproven=True) == ""


async def test_accident_words_are_heard_from_anybody_and_said_to_be_unproven(desk: Desk) -> None:
    for sender in (ZHAO, STRANGER):
        answer = await says(desk, sender, "二号库着火了，有人被困", unproven=True)
        assert "本回复不代替事故报告" in answer
    told = [row.text for row in await desk.rows(COUNTY_ROOM) if "事故报告" in row.text]
    assert len(told) == 2
    assert all("发件人未核实" in text for text in told)
