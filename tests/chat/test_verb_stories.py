"""Every further verb on its whole way: an SMS comes in, the incident changes, those who need to know hear it."""

from __future__ import annotations

from escalation.incident import Clock, IncidentState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind
from tests.chat.county import COUNTY_ROOM, LI, QIAN, SUN, TOWN_OFFICER, TOWN_ROOM, ZHAO
from tests.chat.hub import Desk, signatures


async def limit(desk: Desk, code: str, kind: ClockKind = ClockKind.VERIFY) -> Clock:
    duty = (await desk.incident(code)).duties[0]
    return next(clock for clock in duty.clocks if clock.kind is kind)


async def told(desk: Desk, address: str, kind: NoticeKind) -> list[str]:
    """The codes of the notices of a kind that go to this phone, everything that waits for it taken away."""
    await desk.fanout.step(desk.now)
    found: list[str] = []
    while rows := await desk.taken(address):
        found += [row.incident for row in rows if row.kind is kind]
    return found


async def journal(desk: Desk, code: str) -> list[str]:
    return [deed.verb for deed in (await desk.incident(code)).deeds]


async def test_transfer_to_a_colleague_who_hears_it_and_may_sign(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, "我在外地，转派给李四")
    assert answer.startswith(f"{code} 已转派李四（设备管理员），已通知本人。转派不等于签收，02:05前签收。")
    assert await told(desk, LI, NoticeKind.TRANSFERRED) == [code]
    assert await told(desk, QIAN, NoticeKind.PROGRESS) == [code]
    assert signatures(await desk.incident(code)) == []
    assert "未签收，已转派李四" in await desk.says(QIAN, f"查询 {code}")
    assert (await desk.says(LI, "1")).startswith(f"{code} 已记录签收：李四")


async def test_transfer_to_somebody_unknown_is_asked_back(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, f"转派 {code} 王五")
    assert "本单位没有可转派的“王五”，未记录。可转派：赵一、钱二、李四" in answer
    assert "请写明转派给谁" in await desk.says(ZHAO, "转派")
    assert await journal(desk, code) == []


async def test_an_extension_is_asked_for_told_approved_and_heard(desk: Desk) -> None:
    code = await desk.alarm()
    before = (await limit(desk, code)).due_at
    answer = await desk.says(ZHAO, "申请延期半小时，等备件")
    assert "核查时限延长30分钟，已报石桥镇。批准前时限不变，02:30前核查。" in answer
    assert await told(desk, TOWN_OFFICER, NoticeKind.REQUESTED) == [code]
    assert (await limit(desk, code)).due_at == before
    assert "没有" in await desk.says(QIAN, "批准"), "a colleague approves nothing"
    answer = await desk.says(TOWN_OFFICER, "同意")
    assert answer == f"{code} 已记录：批准延期30分钟，核查时限改为03:00，已告知赵一。"
    assert (await limit(desk, code)).due_at == before + 30 * 60_000
    assert await told(desk, ZHAO, NoticeKind.PROGRESS) == [code]


async def test_an_extension_that_is_refused_with_a_reason(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, f"延期 {code} 1小时 等备件")
    answer = await desk.says(TOWN_OFFICER, f"不批准 {code} 先停机")
    assert "不批准延期，核查时限仍为02:30" in answer
    incident = await desk.incident(code)
    assert incident.deeds[-1].text == "先停机"
    assert (await limit(desk, code)).extended == 0


async def test_an_extension_beyond_the_rule_or_without_a_figure_is_not_recorded(desk: Desk) -> None:
    code = await desk.alarm()
    assert "最多还可延长1小时" in await desk.says(ZHAO, "延期2小时，等备件")
    assert "请写明延长多久和原因" in await desk.says(ZHAO, "延期")
    assert "请写明延期原因" in await desk.says(ZHAO, "延期30分钟")
    assert await journal(desk, code) == []


async def test_of_two_open_the_one_with_a_request_is_approved(desk: Desk) -> None:
    first = await desk.alarm("T01")
    second = await desk.alarm("T02")
    await desk.says(ZHAO, f"延期 {second} 20分钟 等人")
    assert (await desk.says(TOWN_OFFICER, "批准")).startswith(f"{second} 已记录：批准延期")
    assert "没有待批的警情" in await desk.says(TOWN_OFFICER, "批准")
    assert (await limit(desk, first)).extended == 0


async def test_a_clear_is_approved_by_an_officer_and_stays_open_while_active(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "申请消警")
    answer = await desk.says(TOWN_OFFICER, f"同意消警 {code}")
    assert "上游仍在报警，警情保持" in answer
    assert (await desk.incident(code)).state is IncidentState.OPEN


async def test_the_last_act_is_taken_back_without_naming_it(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    await desk.says(ZHAO, f"签收 {first}")
    await desk.says(ZHAO, f"误报 {second}")
    answer = await desk.says(ZHAO, "发错了")
    assert answer.startswith(f"{second} 已撤回您02:00的误报")
    assert (await desk.incident(second)).requests == []
    assert signatures(await desk.incident(first)) == ["赵一"]
    assert "已撤回误报" in await desk.says(ZHAO, "发错了"), "a message that came twice takes back one act"
    assert signatures(await desk.incident(first)) == ["赵一"]


async def test_what_the_word_names_must_be_the_last_act(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "签收")
    await desk.says(ZHAO, "核查 传感器故障")
    assert "最近一次操作是核查" in await desk.says(ZHAO, "撤回签收")
    assert await journal(desk, code) == ["sign", "verify"]
    assert f"{code} 已撤回您02:00的核查" in await desk.says(ZHAO, "撤回核查")


async def test_too_late_and_a_closure_by_others_stay(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.says(ZHAO, "1")
    desk.later(6)
    assert "超过5分钟" in await desk.says(ZHAO, "撤回")
    assert signatures(await desk.incident(code)) == ["赵一"]
    await desk.alarm(cleared=True)
    assert (await desk.incident(code)).state is IncidentState.CLOSED
    assert "未撤回" in await desk.says(ZHAO, f"撤回 {code}")
    assert (await desk.incident(code)).state is IncidentState.CLOSED


async def test_ones_own_closure_by_a_signature_is_taken_back(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.alarm(cleared=True)
    assert "本警情关闭" in await desk.says(ZHAO, "1")
    assert "警情恢复为未关闭" in await desk.says(ZHAO, "点错了")
    assert (await desk.incident(code)).state is IncidentState.OPEN


async def test_an_officer_urges_and_is_told_when_it_is_too_soon(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(TOWN_OFFICER, "催办")
    assert answer == f"{code} 已催办：示例木业有限公司（第1次，02:05前签收）。"
    assert await told(desk, ZHAO, NoticeKind.URGED) == [code]
    desk.later(2)
    assert "后可再催办" in await desk.says(TOWN_ROOM, f"催办 {code}")
    assert await told(desk, ZHAO, NoticeKind.URGED) == [], "nobody is urged twice in a moment"
    assert "催办由上级" in await desk.says(QIAN, f"催办 {code}")


async def test_todo_lists_what_is_owed_next_first(desk: Desk) -> None:
    assert await desk.says(ZHAO, "待办") == "您目前没有待办。"
    first = await desk.alarm("T01")
    desk.later(1)
    second = await desk.alarm("T02")
    await desk.says(ZHAO, f"签收 {first}")
    answer = await desk.says(ZHAO, "我还有什么没办")
    assert answer.startswith(f"您有2项待办：1. {second} 示例木业 2号除尘器灰斗温度 高高报，02:06前签收；2. {first}")
    await desk.says(ZHAO, f"延期 {first} 10分钟 等人")
    assert "待您批准延期" in await desk.says(TOWN_OFFICER, "待办")


async def test_why_names_post_rule_and_authority(desk: Desk) -> None:
    code = await desk.alarm()
    answer = await desk.says(ZHAO, "为什么发给我")
    assert answer.startswith(f"{code} 高高报：您在“示例木业操作负责人”岗位；按规则“紧急报警”，本警情由您所在单位处置。")
    assert answer.endswith("依据：测试（测试规则）。")
    assert "请您关注进展，由示例木业处置" in await desk.says(TOWN_ROOM, f"{code} 为什么通知我")
    assert "不属于您的岗位" in await desk.says(SUN, f"为什么 {code}")


async def test_help_differs_for_workers_and_officers(desk: Desk) -> None:
    assert "“延期 2小时 原因”须上级批准" in await desk.says(ZHAO, "帮助")
    assert "“催办 编号”提醒下级" in await desk.says(TOWN_OFFICER, "帮助")
    assert "“催办 编号”提醒下级" in await desk.says(COUNTY_ROOM, "怎么回复")


async def test_what_is_not_yet_possible_says_so_and_changes_nothing(desk: Desk) -> None:
    code = await desk.alarm()
    for said in ("报备 停产检修", "今天谁值班", "换班", "交班", "在岗", "清扫打卡", "发现隐患", "已报送", "巡查完成"):
        answer = await desk.says(ZHAO, said)
        assert "目前还不能通过回复办理，未作任何记录" in answer, said
    assert (await desk.incident(code)).deeds == []


async def test_a_slip_of_the_ear_is_asked_back_and_a_signature_is_taken(desk: Desk) -> None:
    code = await desk.alarm()
    assert await desk.says(ZHAO, f"物报{code}") == f"“物报”是不是“误报”？本次未记录。如果是，请回复“误报 {code}”。"
    assert (await desk.incident(code)).deeds == []
    assert (await desk.says(ZHAO, "签受")).startswith(f"{code} 已记录签收")


async def test_several_orders_each_to_its_own(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    answer = await desk.says(ZHAO, f"签收{first}，误报{second} 探头进水")
    assert [line.split(" ")[0] for line in answer.split("\n")] == [first, second]
    assert await journal(desk, first) == ["sign"]
    assert await journal(desk, second) == ["false_alarm"]


async def test_what_is_denied_of_one_is_done_to_the_other_only(desk: Desk) -> None:
    first, second = await desk.alarm("T01"), await desk.alarm("T02")
    await desk.says(ZHAO, f"{first}误报，{second}不是误报")
    assert await journal(desk, first) == ["false_alarm"]
    assert await journal(desk, second) == []


async def test_two_orders_survive_a_repeat(desk: Desk) -> None:
    code = await desk.alarm()
    uplink = desk.uplink(ZHAO, "处理完毕，申请消警", "twice")
    for _ in range(2):
        await desk.answering.take([uplink], desk.now)
        await desk.work()
    assert await journal(desk, code) == ["dispose", "clear"]
    assert len(await desk.answers(ZHAO)) == 1


async def test_an_accident_beside_an_approval_closes_nothing(desk: Desk) -> None:
    code = await desk.alarm()
    await desk.alarm(cleared=True)
    answer = await desk.says(ZHAO, f"消警 {code}，有人受伤")
    assert "“消警”未受理" in answer
    assert "119" in answer
    assert (await desk.incident(code)).state is IncidentState.OPEN
