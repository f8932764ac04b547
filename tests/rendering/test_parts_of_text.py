"""The small parts: short names, cuts at characters, times, numbers."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering import neutral, shorten, words
from escalation.deciding import closing
from tests.rendering.cast import MINUTE, NOW, at


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("示例木业有限公司", "示例木业"),
        ("示例省示例市示例精密金属制品制造有限责任公司", "示例精密金属制品制造"),
        ("浙江示例木业股份有限公司", "示例木业"),
        ("杭州市余杭区示例铝业有限公司青石分公司", "示例铝业青石分公司"),
        ("北京示例化工（集团）有限公司", "示例化工"),
        ("示例钢铁集团有限公司", "示例钢铁"),
        ("内蒙古自治区示例铝业集团有限责任公司", "示例铝业"),
        ("华联超市有限公司", "华联超市"),
        ("上海示例公司", "上海示例"),
        ("重庆市钢铁有限公司", "重庆市钢铁"),
        ("公司", "公司"),
        ("厂", "厂"),
        ("", ""),
    ],
)
def test_an_enterprise_keeps_its_distinctive_part(name: str, short: str) -> None:
    assert shorten.enterprise(name) == short


@given(st.text(max_size=60))
def test_a_short_name_is_never_longer_and_never_lost(name: str) -> None:
    short = shorten.enterprise(name)

    assert len(short) <= len(name)
    assert bool(short) == bool(name)


@given(st.text(max_size=80), st.integers(0, 80), st.sampled_from([shorten.units, shorten.octets]))
def test_a_cut_keeps_the_limit_and_whole_characters(text: str, limit: int, measure: object) -> None:
    assert callable(measure)
    text = neutral.visible(text)
    cut = shorten.within(text, limit, measure)

    assert measure(cut) <= limit
    assert cut == text or measure(text) > limit
    assert text.startswith(cut.removesuffix(shorten.ELLIPSIS))


@given(st.text(max_size=80), st.integers(1, 80))
def test_a_middle_cut_keeps_both_ends(text: str, limit: int) -> None:
    text = neutral.visible(text)
    cut = shorten.middle(text, limit)

    assert shorten.units(cut) <= limit
    if cut != text and limit >= 3:
        head, _, tail = cut.partition(shorten.ELLIPSIS)
        assert text.startswith(head)
        assert text.endswith(cut[len(head) + 1 :])
        assert not (tail and unicodedata.combining(tail[0]))


def test_lengths_are_counted_as_carriers_and_robots_count() -> None:
    assert shorten.units("示a𠮷😀") == 6
    assert shorten.octets("示a𠮷") == 8


def test_a_combining_mark_does_not_stay_without_its_letter() -> None:
    assert shorten.within("abe\u0301d", 4) == "ab…"
    assert shorten.middle("一二三四五六", 5) == "一二…五六"
    assert shorten.middle("1号除尘器灰斗温度", 7) == "1号除…斗温度"


@pytest.mark.parametrize(
    ("when", "long", "brief"),
    [
        ("2026-11-22 00:00", "00:00", "00:00"),
        ("2026-11-22 23:59", "23:59", "23:59"),
        ("2026-11-23 02:17", "明日02:17", "明日02:17"),
        ("2026-11-21 23:50", "昨日23:50", "昨日"),
        ("2026-11-24 02:17", "11-24 02:17", "11-24"),
        ("2027-01-03 08:00", "2027-01-03 08:00", "01-03"),
    ],
)
def test_times_are_said_in_beijing_as_seen_from_now(when: str, long: str, brief: str) -> None:
    assert words.moment(at(when), NOW) == long
    assert words.moment(at(when), NOW, brief=True) == brief


def test_a_time_with_its_offset() -> None:
    assert words.stamp(NOW + MINUTE) == "2026-11-22T02:14:00+08:00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (86.4, "86.4"),
        (80.0, "80"),
        (-0.0, "-0"),
        (0.05, "0.05"),
        (0.00005, "5.0e-5"),
        (1234.5678, "1234.57"),
        (999999.9, "1000000"),
        (1234567.0, "123.457万"),
        (250000000.0, "2.5亿"),
        (3e15, "3.00e15"),
        (float("nan"), "无效值"),
        (float("-inf"), "无效值"),
    ],
)
def test_numbers_are_plain(value: float, shown: str) -> None:
    assert words.number(value) == shown


def test_value_and_limit_that_differ_are_never_shown_as_equal() -> None:
    assert words.reading(80.0000004, 80.0, "℃") == "80.0000004℃，限80℃"
    assert words.reading(86.4, 80.0, "℃") == "86.4℃，限80℃"
    assert words.reading(86.4, None, "℃") == "86.4℃"
    assert words.reading(None, 80.0, "℃") == "限80℃"
    assert words.reading(None, None, "℃") == ""


def test_the_reasons_of_a_close_have_words() -> None:
    assert words.closed_reason("cleared_and_signed") == "数值已恢复，责任层级已签收"
    assert words.closed_reason("some_new_reason") == ""
    assert words.closed_reason("企业已停产") == "企业已停产"
    assert "cleared_and_signed" in (closing.close_if_over.__code__.co_consts or ())


@given(st.text())
def test_neutral_text_is_one_visible_line_and_stays_so(text: str) -> None:
    for clean in (neutral.visible, neutral.plain, neutral.sms, neutral.markdown):
        once = clean(text)
        assert once == clean(once)
        assert once == " ".join(once.split())
        assert "【" not in once
        assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cn", "Zl", "Zp") for c in once)


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("示例木业有限公司", "1号除尘器灰斗温度", "CO浓度（ppm）", "P-101A 出口压力 ≥1.5MPa", "50%LEL"):
        assert neutral.plain(name) == name
        assert neutral.sms(name) == name


def test_marks_of_other_scripts_are_bounded() -> None:
    assert neutral.visible("e" + "\u0301" * 9 + "x") == unicodedata.normalize("NFC", "e\u0301\u0301\u0301") + "x"
