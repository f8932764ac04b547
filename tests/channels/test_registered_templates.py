"""Approved templates: what fits is said, what does not is shortened, and code and level never go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from channels.sms.account import preview
from channels.sms.aliyun_settings import Settings
from channels.sms.registered import SENTENCE as SENTENCE_TOPIC
from channels.sms.registered import TOPICS, Template, neutral
from escalation.notice import NoticeKind
from tests.channels.aliyun_account import NOTICE, PARTS, SENTENCE, TEMPLATES, table


def settings_of(*templates: dict[str, Any], **other: Any) -> Settings:
    given: dict[str, Any] = {"templates": list(templates)} if templates else {}
    return Settings.model_validate(table(**given, **other))


def both() -> tuple[Template, Template]:
    notice, sentence = settings_of().templates
    return notice, sentence


def test_topics_are_the_kinds_of_notices() -> None:
    assert set(TOPICS) == {kind.value for kind in NoticeKind if kind is not NoticeKind.CARD} | {SENTENCE_TOPIC}


@given(st.dictionaries(st.sampled_from(sorted(set(PARTS) - {"code", "level"})), st.text(max_size=90)))
def test_every_value_is_within_its_cap_and_code_and_level_are_whole(parts: dict[str, str]) -> None:
    notice, _ = both()
    values = notice.values("", {**PARTS, **parts}, "无")
    assert all(1 <= len(value) <= 35 for value in values.values())
    assert (values["code"], values["level"]) == ("A0231", "红色高高报")
    assert not set("【】①★※→…") & set("".join(values.values()))


@given(st.text(alphabet="红色高报警，。；井0 ", min_size=1, max_size=99))
def test_a_text_runs_through_the_variables_and_nothing_of_it_is_lost(text: str) -> None:
    _, sentence = both()
    values = sentence.values(text, {}, "无")
    assert all(1 <= len(value) <= 35 for value in values.values())
    said = "".join("" if value == "无" else value for value in values.values())
    left = neutral(text)
    assert [mark for mark in said if mark not in "，。；、：,;:! "] == [
        mark for mark in left if mark not in "，。；、：,;:! "
    ]


@given(st.text(alphabet="红色高报警，。；井0 ", min_size=100, max_size=300))
def test_what_is_too_long_keeps_its_beginning_and_its_end(text: str) -> None:
    _, sentence = both()
    values = sentence.values(f"红色高高报，{text}。编号A0231", {}, "无")
    said = "".join(values.values())
    assert all(1 <= len(value) <= 35 for value in values.values())
    assert said.startswith("红色高高报")
    assert said.endswith("编号A0231")


def test_signs_the_vendor_refuses_become_plain_ones() -> None:
    assert neutral("【演练】①井→★※🔥 97.2℃ 3m³/h…\n二") == "（演练）1井至 97.2℃ 3m3/h.. 二"


def test_the_preview_counts_signature_and_full_variables() -> None:
    settings = settings_of()
    found = {code: length for code, _, length in preview(settings)}
    fixed = len("【青河应急】（）： ，。，编号。")
    assert found == {NOTICE: fixed + 7 * 35, SENTENCE: len("【青河应急】预警系统消息：，，。") + 3 * 35}
    assert all(len(text) == length for _, text, length in preview(settings))


GOOD: dict[str, Any] = {
    "code": NOTICE,
    "text": "${level}：编号${code}。",
    "variables": [{"name": "level", "cap": 10}, {"name": "code", "cap": 8}],
}
FLOW: dict[str, Any] = {
    "code": SENTENCE,
    "text": "消息：${a}。",
    "variables": [{"name": "a", "part": "text"}],
    "topics": ["sentence"],
}


def test_a_small_configuration_is_enough() -> None:
    settings = settings_of(GOOD, FLOW)
    assert {topic: each.code for topic, each in settings.by_topic.items()} == {
        topic: SENTENCE if topic == "sentence" else NOTICE for topic in TOPICS
    }


@pytest.mark.parametrize(
    ("templates", "word"),
    [
        ([{**GOOD, "variables": GOOD["variables"][::-1]}, FLOW], "不一致"),
        ([{**GOOD, "text": "${level}${code}"}, FLOW], "不能相邻"),
        ([{**GOOD, "text": "【应急】${level}：${code}"}, FLOW], "【】"),
        ([{**GOOD, "text": "${level} www.example.com ${code}"}, FLOW], "网址"),
        ([{**GOOD, "variables": [{"name": "level", "cap": 3}, {"name": "code"}]}, FLOW], "至少要 8 字"),
        ([{**GOOD, "variables": [{"name": "level"}, {"name": "code", "part": "cod"}]}, FLOW], "part 可以写"),
        ([{**GOOD, "variables": [{"name": "level"}, {"name": "code", "part": "place"}]}, FLOW], "编号"),
        ([{**GOOD, "topics": ["raise"]}, FLOW], "raise"),
        ([{**GOOD, "topics": ["raised"]}, FLOW], "没有模板用于：rose"),
        ([GOOD, {**GOOD, "code": "SMS_3"}, FLOW], "只能有一个"),
        ([GOOD], "sentence"),
        ([{**FLOW, "topics": []}, FLOW], "只要一个"),
        ([GOOD, {**FLOW, "topics": ["sentence", "raised"]}], "只用于 sentence"),
        ([GOOD, {**FLOW, "variables": [{"name": "a", "part": "text", "cap": 20}]}], "至少 35 字"),
        ([{**GOOD, "text": "${level}：" + "长" * 480 + "${code}"}, FLOW], "500"),
        ([{**GOOD, "code": "100"}, FLOW], "code"),
        ([], "templates"),
    ],
)
def test_what_the_vendor_would_refuse_is_said_before_the_first_alarm(
    templates: list[dict[str, Any]], word: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(table(templates=templates))
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"callback_token": "short"}, "16"),
        ({"callback_addresses": []}, "callback_addresses"),
        ({"signature": "【应急】"}, "不带"),
        ({"extend_code": "abc"}, "extend_code"),
        ({"codes": {"isv.NEW": "gone"}}, "codes"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(**change)
    assert word in str(caught.value)


def test_a_template_shows_as_a_phone_would() -> None:
    notice, _ = both()
    assert notice.whole(notice.values("", PARTS, "无")).endswith("编号A0231。")
    assert TEMPLATES[NOTICE] == notice.text
