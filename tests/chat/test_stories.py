"""Stories of answering on a real store: a phone, a word, a signature, and one answer."""

from __future__ import annotations

from bot.chat.rows import Sender
from tests.chat.county import COUNTY_ROOM, QIAN, STRANGER, SUN, ZHAO
from tests.chat.hub import EMERGENCY, Desk, signatures


async def test_told_by_sms_and_1_signs(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, "1")
    assert answer.startswith(f"{code} 已记录签收：赵一 02:00")
    assert "还须：02:30前核查" in answer
    assert signatures(await desk.incident(code)) == ["赵一"]


async def test_two_open_and_a_bare_1_is_asked_which(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    answer = await desk.says(ZHAO, "收到")
    assert answer.startswith("您有2条未签收：")
    assert f"{first} 示例木业 1号除尘器灰斗温度 高高报" in answer
    assert f"{second} 示例木业 2号除尘器灰斗温度 高高报" in answer
    assert "请回复“签收 编号”" in answer
    for code in (first, second):
        assert signatures(await desk.incident(code)) == []


async def test_of_two_open_the_one_that_is_quoted_is_meant(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    quote = f"「烽火：高高报，须处置 编号 {first}\n误报请回“误报 {first}”」\n- - - - - - - - -\n收到"
    assert (await desk.says(ZHAO, quote)).startswith(f"{first} 已记录签收")
    assert signatures(await desk.incident(second)) == []
    mail = f"处置 已停机\n\n发件人: 预警中心\n主题: [{first}] 高高报"
    assert (await desk.says(ZHAO, mail)).startswith(f"{first} 已记录处置")
    assert (await desk.says(ZHAO, f"「烽火：{second} 高高报」\n怎么样了")).count(first) == 0


async def test_a_quote_of_several_asks_which_of_these(desk: Desk) -> None:
    codes = [await desk.alarm(point) for point in ("T01", "T02", "P01")]
    answer = await desk.says(ZHAO, f"「烽火：共2条：{codes[0]} 高高报；{codes[2]} 高高报」\n签收")
    assert answer.startswith("您有2条未签收：")
    assert [code in answer for code in codes] == [True, False, True]


async def test_a_quoted_incident_that_is_over_never_falls_back_on_another(desk: Desk) -> None:
    over = await desk.alarm("T01")
    await desk.says(ZHAO, "签收")
    await desk.alarm("T01", cleared=True)
    code = await desk.alarm("T02")
    assert "关闭" in await desk.says(ZHAO, f"「烽火：高高报 编号 {over}」\n误报")
    assert (await desk.incident(code)).deeds == []
    assert (await desk.says(ZHAO, "「烽火：高高报 编号 A0999」\n签收")).startswith(f"{code} 已记录签收")


async def test_of_two_the_one_still_unsigned_is_meant(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    await desk.says(ZHAO, f"签收 {first}")
    assert (await desk.says(ZHAO, "1")).startswith(f"{second} 已记录签收")
    assert "没有未签收的警情" in await desk.says(ZHAO, "1")


async def test_a_code_typed_small_with_spaces_and_without_its_zeros(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    typed = f" {second[0].lower()}  {int(second[1:])} 签 收 "
    assert (await desk.says(ZHAO, typed)).startswith(f"{second} 已记录签收")
    assert signatures(await desk.incident(first)) == []


async def test_several_codes_in_one_message(desk: Desk) -> None:
    codes = [await desk.alarm("T01"), await desk.alarm("T02")]
    answer = await desk.says(ZHAO, f"签收{codes[0]}、{codes[1]}")
    assert [line.split(" ")[0] for line in answer.split("\n")] == codes


async def test_another_persons_code_is_refused(desk: Desk) -> None:
    theirs = await desk.alarm("T01")
    own = await desk.alarm("L01", enterprise="91000000DEM000002C")
    answer = await desk.says(SUN, f"签收 {theirs}")
    assert "不属于您的岗位" in answer
    assert signatures(await desk.incident(theirs)) == signatures(await desk.incident(own)) == []


async def test_a_wrong_code_never_falls_back_on_the_only_open_item(desk: Desk) -> None:
    code = await desk.alarm()
    for wrong in ("签收 A9999", "签收 B0231", "A9O99签收", "签收 9999", "收到 W0001", "消警 A99999999999999999999"):
        answer = await desk.says(ZHAO, wrong)
        assert "没有编号为" in answer, wrong
        assert code in answer, wrong
    assert (await desk.incident(code)).deeds == []


async def test_an_alarm_that_came_after_the_word_is_not_meant_by_it(desk: Desk) -> None:
    early = desk.uplink(ZHAO, "1")
    code = await desk.alarm()
    await desk.answering.take([early], desk.now)
    await desk.work()
    assert signatures(await desk.incident(code)) == []
    assert "没有未关闭的警情" in (await desk.answers(ZHAO))[-1]


async def test_a_colleague_has_signed_already(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "1")
    assert "已由赵一于02:00签收" in await desk.says(QIAN, "1")
    signed = (await desk.incident(code)).duties[0].signed
    assert signed is not None
    assert signed.name == "赵一"


async def test_verify_with_a_cause_dispose_and_ask_for_clear(desk: Desk) -> None:
    code = await desk.alarm()
    assert "已记录核查" in await desk.says(ZHAO, f"{code}核查 传感器故障，已换新")
    assert "已记录处置" in await desk.says(ZHAO, "已处置：清理积灰")
    answer = await desk.says(ZHAO, "申请消警")
    assert "上游仍在报警" in answer
    incident = await desk.incident(code)
    assert [(deed.verb, deed.cause, deed.text) for deed in incident.deeds] == [
        ("verify", "传感器故障", "传感器故障，已换新"),
        ("dispose", "", "清理积灰"),
        ("clear", "", ""),
    ]
    assert incident.state == "open"


async def test_two_orders_in_one_message_are_both_carried_out(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, "处理完毕，申请消警")
    assert [line.split("：")[0].split("。")[0] for line in answer.split("\n")] == [
        f"{code} 已记录处置",
        f"{code} 已记录消警申请",
    ]
    assert [deed.verb for deed in (await desk.incident(code)).deeds] == ["dispose", "clear"]


async def test_query_tells_state_signature_and_what_is_owed(desk: Desk) -> None:
    assert await desk.says(ZHAO, "查询") == "您目前没有未关闭的警情。"
    code = await desk.alarm()
    assert "示例木业未签收，02:05前签收，02:30前核查" in await desk.says(ZHAO, "查询")
    await desk.says(ZHAO, "1")
    answer = await desk.says(ZHAO, code)
    assert "上游仍在报警" in answer
    assert "赵一 02:00签收" in answer
    await desk.alarm("T02")
    assert (await desk.says(ZHAO, "查询")).startswith("您有2条未关闭：")
    assert "不能查询" in await desk.says(SUN, f"查询 {code}")
    assert (await desk.incident(code)).deeds[1:] == []


async def test_a_closed_incident_says_so_itself(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "1")
    await desk.alarm(cleared=True)
    assert f"{code} 已于02:00关闭" in await desk.says(ZHAO, f"签收 {code}")
    assert "没有未关闭的警情" in await desk.says(ZHAO, "签收")


async def test_help_and_talk_act_on_nothing(desk: Desk) -> None:
    code = await desk.alarm()
    assert "回复“1”" in await desk.says(ZHAO, "?")
    assert "没有看懂" in await desk.says(ZHAO, "签收了吗？")
    assert "上游仍在报警" in await desk.says(ZHAO, f"{code}什么情况")
    assert "未作任何记录" in await desk.says(ZHAO, f"{code}不是误报，快来")
    assert "回复“核查 传感器故障”" in await desk.says(ZHAO, "应该是传感器故障")
    assert (await desk.incident(code)).deeds == []


async def test_a_machine_is_not_answered(desk: Desk) -> None:
    await desk.alarm()
    assert await desk.says(ZHAO, "自动回复：您好，收到后会尽快回复您。") == ""


async def test_a_stranger_is_told_politely_whom_to_ask(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(STRANGER, f"签收 {code}")
    assert "未登记" in answer
    assert "示例县应急局值班室" in answer
    assert (await desk.incident(code)).deeds == []


async def test_the_duty_room_answers_from_its_own_phone(desk: Desk) -> None:
    code = await desk.alarm("L01", enterprise="")
    assert (await desk.says(COUNTY_ROOM, "收到")).startswith(f"{code} 已记录签收：示例县应急局值班室")


async def test_a_page_gets_its_answer_at_once_and_nothing_is_sent(desk: Desk) -> None:
    code = await desk.alarm()
    uplink = desk.uplink("page", "签收", "p1")
    first = await desk.answering.answer(uplink, desk.now, sender=Sender("zhao"), reply_by_channel=False)
    desk.later(3)
    again = await desk.answering.answer(uplink, desk.now, sender=Sender("zhao"), reply_by_channel=False)
    assert first == again
    assert first.startswith(f"{code} 已记录签收：赵一 02:00")
    assert await desk.work() == 1
    assert await desk.answers("page") == []
    assert signatures(await desk.incident(code)) == ["赵一"]
    assert EMERGENCY not in first
