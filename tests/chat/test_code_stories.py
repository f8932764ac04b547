"""Which incident is meant, on a real store: figures without their letter, codes taken back, names, long originals."""

from __future__ import annotations

from tests.chat.county import COUNTY_ROOM, STRANGER, ZHAO
from tests.chat.hub import Desk, signatures


async def test_figures_without_their_letter_sign_the_only_open_one_of_that_number(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    assert (await desk.says(ZHAO, f"签收{first[1:]}")).startswith(f"{first} 已记录签收")
    assert signatures(await desk.incident(second)) == []


async def test_figures_of_no_open_one_sign_nothing(desk: Desk) -> None:
    code = await desk.alarm("T01")
    assert "0999" in await desk.says(ZHAO, "签收0999")
    assert signatures(await desk.incident(code)) == []


async def test_more_than_a_signature_needs_the_letter(desk: Desk) -> None:
    code = await desk.alarm("T01")
    assert code[1:] in await desk.says(ZHAO, f"误报 {code[1:]}")
    assert (await desk.incident(code)).deeds == []


async def test_a_wrong_code_beside_a_right_one_is_named_and_falls_on_nothing(desk: Desk) -> None:
    code = await desk.alarm("T01")
    answer = await desk.says(ZHAO, f"误报A0999，签收{code}")
    assert f"{code} 已记录签收" in answer
    assert "A0999" in answer
    assert [deed.verb for deed in (await desk.incident(code)).deeds] == ["sign"]


async def test_a_code_taken_back_in_the_same_breath_is_not_meant(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    answer = await desk.says(ZHAO, f"误报{first}，写错了，是{second}")
    assert answer.startswith(f"{second} ")
    assert (await desk.incident(first)).deeds == []
    assert [deed.verb for deed in (await desk.incident(second)).deeds] == ["false_alarm"]


async def test_what_is_only_spoken_of_beside_an_order_is_left_alone(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    await desk.says(ZHAO, f"消警{first}，{second}还没恢复")
    assert [deed.verb for deed in (await desk.incident(first)).deeds] == ["clear"]
    assert (await desk.incident(second)).deeds == []


async def test_the_senders_own_name_is_no_talk_of_another(desk: Desk) -> None:
    code = await desk.alarm("T01")
    await desk.says(ZHAO, "钱二已签收")
    assert signatures(await desk.incident(code)) == []
    assert (await desk.says(ZHAO, "示例木业赵一收到")).startswith(f"{code} 已记录签收")


async def test_an_answer_below_a_long_original_is_read(desk: Desk) -> None:
    code = await desk.alarm("T01")
    original = "\n".join(f"> {line}：请回复误报或者消警，勿直接转发给他人" for line in range(100))
    assert len(original) > 2000
    assert (await desk.says(ZHAO, f"{original}\n签收")).startswith(f"{code} 已记录签收")


async def test_an_accident_is_heard_at_the_end_of_a_long_message(desk: Desk) -> None:
    await desk.says(STRANGER, "今天天气很好，" * 300 + "车间着火了")
    reported = [row.text for row in await desk.rows(COUNTY_ROOM) if "事故报告" in row.text]
    assert reported
    assert all("车间着火了" in text for text in reported)
