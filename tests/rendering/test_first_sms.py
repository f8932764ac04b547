"""A first SMS fits one part with its signature, whatever the names, and still says everything its reader needs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering.renderer import Renderer
from bot.rendering.shorten import units
from channels.sms.text import find_link
from escalation.event import Flag
from escalation.incident import ClockState
from escalation.notice import NoticeKind
from escalation.vocabulary import ClockKind, Kind, Level, Mode, Purpose, Severity, Tier
from tests.rendering.cast import DIRECTORY, MINUTE, NOW, SMS, TOWN_ROOM, clock, duty, incident, notice

FIRST = (NoticeKind.RAISED, NoticeKind.ROSE, NoticeKind.REOPENED, NoticeKind.ESCALATED, NoticeKind.REMIND)
RENDERER = Renderer(lambda: DIRECTORY)

names = st.text(st.sampled_from("示例木业精密金属制品1A号-（）😀𠮷é"), min_size=1, max_size=120)
measured = st.none() | st.floats(-1e15, 1e15) | st.sampled_from([86.4, -0.00012345, 99999.5, -123456.7, 999999.9])
dues = st.sampled_from(
    [NOW - 3 * 1440 * MINUTE, NOW - 1, NOW + 4 * MINUTE, NOW + 1440 * MINUTE, NOW + 9 * 1440 * MINUTE]
)


@st.composite
def first_messages(draw: st.DrawFn) -> tuple[Any, Any]:
    kind = draw(st.sampled_from(FIRST))
    sort = draw(st.sampled_from(Kind))
    level = draw(st.none() | st.sampled_from(Level))
    severity = None if sort is Kind.WARNING else draw(st.none() | st.sampled_from(Severity))
    due = draw(dues)
    made = incident(
        code=draw(st.sampled_from(["A0231", "W123456"])),
        kind=sort,
        level=level,
        severity=severity,
        mode=draw(st.sampled_from(Mode)),
        enterprise_name=draw(names),
        short_name=draw(st.just("") | st.text(st.sampled_from("示例木业"), max_size=8)),
        point_name="" if sort is Kind.WARNING else draw(names),
        point="" if sort is Kind.WARNING else "P1",
        value=draw(measured),
        limit=draw(measured),
        unit=draw(st.sampled_from(["", "℃", "mg/m³", "立方米每小时", "%LEL"])),
        reasons=tuple(draw(st.lists(names, max_size=3))),
        duties=[duty(clock(draw(st.sampled_from(ClockKind)), due=due, state=ClockState.RUNNING))],
    )
    purpose = draw(st.sampled_from(Purpose))
    if kind is not NoticeKind.ESCALATED:
        return made, notice(kind, purpose)
    if draw(st.booleans()):
        made.duties.append(duty(clock(due=draw(dues)), id="d2", tier=Tier.TOWN, unit="qingshi"))
    return made, notice(kind, purpose, to=TOWN_ROOM, duty="d2", note="d1")


@settings(max_examples=400, deadline=None)
@given(first_messages(), st.sampled_from([60, 62, 70]))
def test_every_first_sms_fits_and_says_all(message: tuple[Any, Any], room: int) -> None:
    made, told = message
    out = RENDERER.render(made, told, replace(SMS, first_chars=room), NOW)

    assert not out.failed, out.error
    assert out.complete, out.text
    assert len(out.text.encode("utf-16-le")) // 2 <= room, out.text
    assert out.text.startswith(made.mode.mark)
    assert made.code in out.text
    assert told.purpose.word in out.text
    given_words = [word.word for word in (made.level, made.severity) if word]
    assert not given_words or any(word in out.text for word in given_words), out.text
    if made.level is None and made.severity is None:
        assert "级别不明" in out.text
    assert made.limit is None or "限" in out.text
    assert find_link(out.text) is None
    if told.purpose is Purpose.COPY:
        assert "无需回复" in out.text
    elif told.purpose is Purpose.ATTEND:
        assert "无需签收" in out.text
    else:
        assert any(ask in out.text for ask in ("回1签收", "回核查", "回消警", "系统反馈")), out.text
        assert any(when in out.text for when in ("前回", "前在", "前系统", "即")), out.text


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("kind", FIRST)
def test_ordinary_names_are_not_shortened(kind: NoticeKind, purpose: Purpose) -> None:
    out = RENDERER.render(incident(), notice(kind, purpose), replace(SMS, first_chars=64), NOW)

    assert "示例木业 1号除尘器灰斗温度 86.4" in out.text
    assert "限80℃" in out.text


def test_the_enterprise_is_shortened_before_the_point() -> None:
    long = incident(short_name="示例精密金属制品", point_name="2号干式除尘器灰斗内部上层左侧温度", mode=Mode.EXERCISE)

    text = RENDERER.render(long, notice(), SMS, NOW).text

    assert "2号干式除尘器灰斗内部上层左侧温度" in text
    assert "示例精密金属制品" not in text
    assert "须处置 示例" in text


def test_a_point_keeps_its_number_and_what_is_measured() -> None:
    long = incident(point_name="3号深井铸造机结晶器冷却水供水总管入口侧备用支路流量低位监测点温度", mode=Mode.EXERCISE)

    text = RENDERER.render(long, notice(), SMS, NOW).text

    assert " 3号深井" in text
    assert "…" in text
    assert "监测点温度 " in text


def test_reasons_fill_room_that_is_left_and_never_take_any() -> None:
    bare = incident(
        kind=Kind.WARNING, severity=None, level=Level.ORANGE, point="", point_name="", value=None, limit=None
    )
    text = RENDERER.render(bare, notice(), SMS, NOW).text
    told = incident(
        kind=Kind.WARNING,
        severity=None,
        level=Level.ORANGE,
        point="",
        point_name="",
        value=None,
        limit=None,
        reasons=("高高报未处置", "粉尘清扫连续三天未打卡且无说明"),
    )

    with_reasons = RENDERER.render(told, notice(), SMS, NOW).text

    assert "高高报未处置" in with_reasons
    assert units(with_reasons) <= 60
    assert with_reasons.startswith("橙色预警，须处置：示例木业，高高报未处置")
    assert with_reasons.endswith(text[-20:])


def test_the_deadline_is_said_as_people_say_it() -> None:
    def text(due: int) -> str:
        return RENDERER.render(incident(duties=[duty(clock(due=due))]), notice(), SMS, NOW).text

    assert "请02:17前回1签收" in text(NOW + 4 * MINUTE)
    assert "请明日02:13前回1签收" in text(NOW + 1440 * MINUTE)
    assert "请11-25 02:13前回1签收" in text(NOW + 3 * 1440 * MINUTE)
    assert "请即回1签收" in text(NOW)


def test_an_escalation_says_who_let_what_lapse_and_since_when() -> None:
    late = incident(point_name="灰斗温度", duties=[duty(clock(due=NOW - MINUTE, lapsed_at=NOW - MINUTE))])

    text = RENDERER.render(late, notice(NoticeKind.ESCALATED, to=TOWN_ROOM), replace(SMS, first_chars=70), NOW).text

    assert (
        text
        == "逾期升级：高高报，须处置：示例木业 灰斗温度 86.4℃，限80℃。示例木业02:12到期未签收。请即回1签收。编号A0231"
    )


def test_an_escalation_gives_the_reader_their_own_deadline() -> None:
    town = duty(clock(due=NOW + 15 * MINUTE), id="d2", tier=Tier.TOWN, unit="qingshi")
    late = incident(duties=[duty(clock(due=NOW - MINUTE, lapsed_at=NOW - MINUTE)), town])

    text = RENDERER.render(late, notice(NoticeKind.ESCALATED, to=TOWN_ROOM), SMS, NOW).text

    assert "企业02:12未签收" in text
    assert "02:28前回1签收" in text


def test_a_channel_without_answers_does_not_ask_for_one() -> None:
    text = RENDERER.render(incident(), notice(), replace(SMS, replies=False), NOW).text

    assert "回1" not in text
    assert re.search(r"请\d\d:\d\d前电话告知值班室", text), text
    room = RENDERER.render(incident(), notice(to=TOWN_ROOM), replace(SMS, replies=False), NOW).text
    assert re.search(r"请\d\d:\d\d前在值班室页面签收", room), room


def test_a_limit_too_small_sends_two_parts_rather_than_half_a_message() -> None:
    out = RENDERER.render(incident(), notice(), replace(SMS, first_chars=20), NOW)

    assert not out.complete
    assert "86.4℃，限80℃" in out.text
    assert "编号A0231" in out.text


def test_what_was_odd_is_said_rather_than_good_punctuation() -> None:
    odd = incident(flags=(Flag.CLOCK_SKEWED, Flag.UNKNOWN_POINT))

    text = RENDERER.render(odd, notice(), SMS, NOW).text

    assert text == "高高报须处置 示例木业 1号除尘器灰斗温度 86.4限80℃，上游时钟不准；点位未登记 02:17前回1签收 A0231"
    assert "上游时钟不准" not in RENDERER.render(odd, notice(), replace(SMS, first_chars=40), NOW).text
