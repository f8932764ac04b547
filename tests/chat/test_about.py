"""Answers whose vendor says which message they answer (an extension behind the number): a bare 1 needs no code."""

from __future__ import annotations

from tests.chat.county import SUN, ZHAO
from tests.chat.hub import Desk, signatures


async def test_of_several_open_the_one_that_is_answered_is_signed(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    assert (await desk.says(ZHAO, "1", about=first)).startswith(f"{first} 已记录签收")
    assert signatures(await desk.incident(second)) == []


async def test_a_word_to_an_old_message_acts_on_no_newer_one(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    await desk.says(ZHAO, "1", about=first)
    assert first in await desk.says(ZHAO, "1", about=first)
    assert set(signatures(await desk.incident(first))) == {"赵一"}
    assert signatures(await desk.incident(second)) == []


async def test_a_code_in_the_text_says_more_than_the_number_it_was_sent_to(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    assert (await desk.says(ZHAO, f"签收 {second}", about=first)).startswith(f"{second} 已记录签收")
    assert signatures(await desk.incident(first)) == []


async def test_what_is_not_the_senders_is_not_signed_and_nothing_else_instead(desk: Desk) -> None:
    theirs = await desk.alarm("T01")
    own = await desk.alarm("L01", enterprise="91000000DEM000002C")
    assert "不属于您的岗位" in await desk.says(SUN, "1", about=theirs)
    for code in (theirs, own):
        assert signatures(await desk.incident(code)) == []


async def test_digits_that_are_no_incidents_say_nothing(desk: Desk) -> None:
    own = await desk.alarm("L01", enterprise="91000000DEM000002C")
    assert (await desk.says(SUN, "1", about="A9999999")).startswith(f"{own} 已记录签收")


async def test_questions_are_about_it_and_the_list_is_about_everything(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    asked = await desk.says(ZHAO, "查询", about=first)
    assert (first in asked, second in asked) == (True, False)
    told = await desk.says(ZHAO, "待办", about=first)
    assert (first in told, second in told) == (True, True)
