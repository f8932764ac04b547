"""What each kind of notice says, and to whom: the rules of the messages, one story each."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from jinja2 import UndefinedError

from bot.rendering.renderer import Renderer
from channels.channel import Abilities
from escalation.event import Flag
from escalation.incident import Incident
from escalation.notice import Addressee, Contact, Notice, NoticeKind, NoticeState
from escalation.vocabulary import ClockKind, Measure, Mode, Purpose, Role, Tier, Verb
from tests.rendering.cast import (
    CHANNELS,
    DIRECTORY,
    GROUP,
    KINDS,
    MAIL,
    MINUTE,
    NOW,
    SMS,
    TOWN_ROOM,
    clock,
    deed,
    duty,
    incident,
    notice,
    scene,
    warning,
)

LINK = "https://hub.example/p/0123abc?k=1"
RENDERER = Renderer(lambda: DIRECTORY, lambda _incident, _notice: LINK)
PEOPLE = [SMS, GROUP, MAIL]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("kind", KINDS)
def test_every_message_begins_with_its_mode_and_carries_code_level_and_duty_word(kind: NoticeKind, mode: Mode) -> None:
    made, told = scene(kind)
    made = msgspec.structs.replace(made, mode=mode)
    for channel in PEOPLE:
        out = RENDERER.render(made, told, channel, NOW)

        assert not out.failed, out.error
        assert out.complete
        assert out.text.startswith(mode.mark)
        assert out.subject.startswith(mode.mark) or channel is not MAIL
        assert made.code in out.text
        if kind is not NoticeKind.ANSWER:
            assert told.purpose.word in out.text
            assert (made.level or made.severity or Flag.LATE).word in out.text
        assert "上报" not in out.text
        assert "官方时限" not in out.text.replace("非官方时限", "")
        assert "法定" not in out.text


def test_a_group_gets_neither_link_nor_number_but_hears_how_to_sign() -> None:
    for kind in KINDS:
        text = RENDERER.render(*scene(kind), GROUP, NOW).text
        assert "http" not in text
        assert "1380013" not in text
        assert "1390013" not in text

    told = RENDERER.render(*scene(NoticeKind.RAISED), GROUP, NOW).text
    own = Renderer(lambda: DIRECTORY, group_answer="请用 http://10.0.0.5:8080 值班室页面").render(
        *scene(NoticeKind.RAISED), GROUP, NOW
    )
    assert "本群不能签收" in told
    assert own.text.endswith("请用 http://10.0.0.5:8080 值班室页面")


def test_a_group_whose_robot_listens_hears_how_to_answer_there() -> None:
    hearing = replace(GROUP, hears=True)
    told = RENDERER.render(*scene(NoticeKind.RAISED), hearing, NOW).text
    assert "请在群里 @机器人 回复“签收 A0231”，算说话人本人的。" in told
    assert "本群不能签收" not in told
    listed = RENDERER.render_digest([scene(NoticeKind.RAISED)], hearing, NOW).rendered.text
    assert "请在群里 @机器人 回复“签收 编号”" in listed


def test_a_group_calls_the_person_who_must_act_by_their_number() -> None:
    assert RENDERER.render(incident(), notice(), GROUP, NOW).mentions == ("13800130001",)
    assert RENDERER.render(incident(), notice(purpose=Purpose.COPY), GROUP, NOW).mentions == ()
    assert RENDERER.render(incident(), notice(to=TOWN_ROOM), GROUP, NOW).mentions == ()


@pytest.mark.parametrize(
    ("channel", "purpose", "expected"),
    [
        (MAIL, Purpose.ACT, True),
        (MAIL, Purpose.ATTEND, False),
        (MAIL, Purpose.COPY, False),
        (replace(MAIL, personal=False), Purpose.ACT, False),
        (replace(MAIL, links=False), Purpose.ACT, False),
        (GROUP, Purpose.ACT, False),
        (replace(GROUP, links=True), Purpose.ACT, False),
        (replace(GROUP, links=True, personal=True), Purpose.ACT, True),
        (replace(SMS, links=True), Purpose.ACT, False),
    ],
)
def test_a_link_goes_only_where_one_person_who_must_act_reads_it(
    channel: Abilities, purpose: Purpose, expected: bool
) -> None:
    out = RENDERER.render(incident(), notice(purpose=purpose), channel, NOW)

    assert (LINK in out.text) is expected
    assert (f'href="{LINK}"' in out.html) is (expected and channel.form is MAIL.form)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https://x/\r\nBcc: y", 'https://x/"onclick=1', "https://x/)("]
)
def test_a_strange_link_is_left_out_and_told(link: str) -> None:
    out = Renderer(lambda: DIRECTORY, lambda _incident, _notice: link).render(incident(), notice(), MAIL, NOW)

    assert out.failed
    assert "link" in out.error
    assert "签收 A0231" in out.text or "值班室" in out.text
    assert "javascript" not in out.text + out.html
    assert "Bcc" not in out.text + out.html


def test_a_link_that_cannot_be_made_does_not_stop_the_message() -> None:
    def broken(_incident: Incident, _notice: Notice) -> str:
        raise RuntimeError("no key")

    out = Renderer(lambda: DIRECTORY, broken).render(incident(), notice(), MAIL, NOW)

    assert (out.failed, out.error) == (True, "link: RuntimeError('no key')")
    assert "1号除尘器灰斗温度" in out.text


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_a_failed_render_falls_back_to_level_duty_word_and_code(channel: Abilities) -> None:
    out = RENDERER.render(incident(value="no number", mode=Mode.TEST), notice(), channel, NOW)

    assert out.failed
    assert "TypeError" in out.error
    assert "【测试】高高报，须处置：编号A0231" in out.text


def test_a_broken_template_falls_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    mended = Renderer(lambda: DIRECTORY)

    def nothing(*_args: object) -> str:
        raise UndefinedError("no such fact")

    monkeypatch.setattr(mended._engine, "render", nothing)
    out = mended.render(incident(), notice(), SMS, NOW)

    assert out.failed
    assert "no such fact" in out.error
    assert out.text == "高高报，须处置：编号A0231，详情请问值班室。"


def test_mail_tells_the_whole_story_without_numbers() -> None:
    late = duty(clock(due=NOW - MINUTE, lapsed_at=NOW - MINUTE))
    first = notice(id="first", created_at=NOW - 3 * MINUTE, state=NoticeState.DELIVERED, delivered_at=NOW)
    made = incident(duties=[late], notices={"first": first}, deeds=[deed(Verb.VERIFY, text="现场无火")], raises=3)
    mail = Contact(channel="mail", address="a@example.com")
    told = notice(NoticeKind.ESCALATED, to=TOWN_ROOM, contact=mail, note="d1", duty="")

    out = RENDERER.render(made, told, MAIL, NOW)

    for text in (out.text, out.html):
        assert "逾期升级：示例木业（企业）02:12 到期未签收" in text
        assert "张安（示例木业安全员）已核查：现场无火" in text
        assert "示例木业安全员（已送达）" in text
        assert "示例木业签收逾期" in text
        assert "3 次" in text
        assert "您在“青石镇值班室”岗位" in text
        assert "示例规则，非官方时限 / 高高报 / 示例，无文号" in text
        assert "13800130001" not in text
    assert out.subject == "[高高报][A0231] 须处置：示例木业 1号除尘器灰斗温度"


def test_mails_of_one_incident_share_a_thread() -> None:
    mail = Contact(channel="mail", address="a@example.com")
    first = notice(id="first", contact=mail, created_at=NOW - MINUTE)
    later = notice(NoticeKind.REMIND, contact=mail)
    other = notice(NoticeKind.REMIND, contact=Contact(channel="mail", address="b@example.com"))
    made = incident(notices={"first": first, later.id: later})

    opened, followed, apart = (RENDERER.render(made, each, MAIL, NOW) for each in (first, later, other))

    assert opened.thread == followed.thread == apart.thread == "A0231"
    assert (opened.thread_first, followed.thread_first, apart.thread_first) == (True, False, True)


def test_the_number_of_a_phone_task_is_whole_only_where_one_person_reads() -> None:
    made, told = scene(NoticeKind.PHONE_TASK)

    assert "示例木业主要负责人赵负 13900130002" in RENDERER.render(made, told, SMS, NOW).text
    assert "示例木业主要负责人 赵负（139xxxx0002）" in RENDERER.render(made, told, GROUP, NOW).text
    assert "139xxxx0002" in RENDERER.render(made, told, replace(SMS, personal=False), NOW).text


@pytest.mark.parametrize("note", ["张安", "", "张安、赵负"])
def test_a_phone_task_names_whom_to_phone(note: str) -> None:
    made, told = incident(), notice(NoticeKind.PHONE_TASK, to=TOWN_ROOM, note=note)

    text = RENDERER.render(made, told, SMS, NOW).text

    assert "请致电示例木业安全员张安 13800130001" in text
    assert "电话已通知 A0231 结果" in text


def test_a_measure_is_proposed_to_officers_and_never_to_the_enterprise() -> None:
    made, told = scene(NoticeKind.PROPOSAL)
    enterprise = notice(NoticeKind.PROPOSAL, Purpose.ATTEND, measure=Measure.ENFORCEMENT)

    officer_text = RENDERER.render(made, told, GROUP, NOW).text
    assert "建议措施：现场督办。由监管人员决定，系统不代为作出。" in officer_text
    for channel in PEOPLE:
        assert "执法处罚" not in RENDERER.render(made, enterprise, channel, NOW).text


def test_a_rise_and_a_return_and_a_request_say_what_they_are() -> None:
    assert RENDERER.render(*scene(NoticeKind.ROSE), replace(SMS, first_chars=64), NOW).text.startswith(
        "升为高高报（原高报），须处置"
    )
    returned = RENDERER.render(*scene(NoticeKind.RETURNED), SMS, NOW).text
    assert "数值恢复，未确认安全" in returned
    assert "仍须回1签收" in returned
    asked = RENDERER.render(*scene(NoticeKind.REQUESTED), GROUP, NOW).text
    assert "请求消警：示例木业安全员 张安" in asked
    assert "确认之前警情不关闭" in asked


def test_a_lowered_level_says_what_becomes_of_the_readers_limit() -> None:
    county = Addressee(unit="shili-county", tier=Tier.COUNTY, role=Role.DUTY_ROOM)
    done = duty(closed_at=NOW, tier=Tier.COUNTY, unit="shili-county", id="d2")
    made = warning(duties=[done, duty(clock(due=NOW + 60 * MINUTE))])

    released = RENDERER.render(made, notice(NoticeKind.LOWERED, Purpose.ATTEND, to=county, duty=""), GROUP, NOW).text
    kept = RENDERER.render(made, notice(NoticeKind.LOWERED), GROUP, NOW).text
    watcher = RENDERER.render(made, notice(NoticeKind.LOWERED, Purpose.COPY, to=TOWN_ROOM, duty=""), GROUP, NOW).text

    assert "本单位时限已解除" in released
    assert "原时限不变" in kept
    assert "时限" not in watcher


def test_what_was_odd_about_an_event_is_said_in_words() -> None:
    odd = incident(flags=(Flag.CLOCK_SKEWED, Flag.UNKNOWN_POINT))

    for channel in (GROUP, MAIL):
        assert "上游时钟不准；点位未登记" in RENDERER.render(odd, notice(), channel, NOW).text


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ClockKind.SIGN, "回1签收"),
        (ClockKind.VERIFY, "回核查加结果"),
        (ClockKind.CLEAR, "回消警加原因"),
        (ClockKind.FEEDBACK, "前在原系统反馈"),
    ],
)
def test_a_reminder_asks_for_what_is_owed(kind: ClockKind, words: str) -> None:
    made = incident(point_name="灰斗温度", duties=[duty(clock(kind))])

    assert words in RENDERER.render(made, notice(NoticeKind.REMIND, clock=kind), SMS, NOW).text


def test_an_unknown_enterprise_is_named_by_its_code_or_as_unregistered() -> None:
    coded = incident(enterprise="91000000DEM0000027", enterprise_name="")
    nameless = incident(enterprise="", enterprise_name="\u200b")

    assert "未登记企业000027" in RENDERER.render(coded, notice(), SMS, NOW).text
    assert "91000000DEM0000027" in RENDERER.render(coded, notice(), GROUP, NOW).text
    assert "未登记企业" in RENDERER.render(nameless, notice(), SMS, NOW).text


@pytest.mark.parametrize("field", ["occurred_at", "due"])
def test_a_time_outside_the_calendar_still_gives_a_message(field: str) -> None:
    made = incident(occurred_at=10**18) if field == "occurred_at" else incident(duties=[duty(clock(due=10**18))])

    for channel in CHANNELS.values():
        assert "A0231" in RENDERER.render(made, notice(), channel, NOW).text


def test_a_person_who_cannot_be_reached_is_said_to_whoever_keeps_the_system() -> None:
    for channel in PEOPLE:
        text = RENDERER.render(*scene(NoticeKind.QUARANTINE), channel, NOW).text
        assert "张安无法送达" in text
        assert "警情照常办理" in text
