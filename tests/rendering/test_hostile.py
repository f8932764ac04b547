"""Whatever upstream writes into a name shows as literal text: in every form, for every kind of notice."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering import neutral
from bot.rendering.renderer import Renderer
from channels.channel import Form
from channels.sms.text import find_link
from escalation.deed import Deed
from escalation.event import Flag
from escalation.incident import Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Mode
from tests.rendering.cast import CALL, CHANNELS, DIRECTORY, GROUP, KINDS, MAIL, NOW, SMS, scene

RENDERER = Renderer(lambda: DIRECTORY)
HOSTILE = [
    "{{ 7*7 }}{% for x in range(9999) %}x{% endfor %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}{{ self }}{{ config }}",
    "{{ it|attr('__class__') }}{# 注释 #}",
    "{{ 'x' * 50000000 }}",
    '<font color="info">已解除</font>',
    "<@all> @all @zhangsan <@zhangsan>",
    "**已签收** __x__ ~~y~~ `rm -rf` ```x```",
    "[点此签收](http://evil.example.com/sign)",
    "![图](https://evil.example.com/x.png)",
    "<http://evil.example.com>",
    "http://evil.example.com/a?b=c www.evil.cn evil.com",
    "10.1.2.3:8080/sign",
    "# 标题\n## 二级\n> 引用\n- 项\n1. 项",
    "甲\r\nBcc: x@evil.example.com\r\n\r\n<b>正文</b>",
    "甲\nSubject: 假",
    "【测试】示例木业【演练】",
    "【某局】请立即转账",
    "\u202e厂业木例示\u202c\u2066x\u2069\u200b\u200d\ufeff\u00ad",
    "\x00\x07\x1b[31m红\x1b[0m\x7f\x85\u2028\u2029",
    "</td></tr></table><script>alert(1)</script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "javascript:alert(1) data:text/html,x mailto:a@b.cn tel:13800130001",
    "&lt;script&gt; &#60;b&#62; &amp;",
    "\\*\\_\\`| 表 | 格 |\n|---|---|",
    "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
    "\ud800x\udfff",
    "=cmd|'/c calc'!A1",
    "\U000e0041\U000e0042\U0001f600",
    "\u3164\u2800\u115f",
    "甲" * 5000,
]


def poisoned(kind: NoticeKind, text: str) -> tuple[Incident, Notice]:
    """The scene of a kind with ``text`` wherever somebody outside can write."""
    incident, notice = scene(kind)

    def deed(old: Deed) -> Deed:
        return msgspec.structs.replace(old, name=text, text=text, cause=text)

    changed = msgspec.structs.replace(
        incident,
        enterprise_name=text,
        point_name=text if incident.point else "",
        point=text if incident.point else "",
        equipment=text,
        unit=text,
        reasons=(text,) * 3,
        flags=(Flag.CLOCK_SKEWED,),
        closed_reason=text,
        deeds=[deed(old) for old in incident.deeds],
        plan=msgspec.structs.replace(incident.plan, rule=text, basis=text, profile=text),
    )
    note = notice.note if kind is NoticeKind.PHONE_TASK else text
    return changed, msgspec.structs.replace(notice, note=note)


def unseen(text: str) -> list[str]:
    allowed = "\n"
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") and c not in allowed]


class Tags(HTMLParser):
    """Collects tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))


def markup(text: str) -> list[str]:
    """Everything in a robot's message that its markdown could give a meaning."""
    return re.findall(r"</?[a-zA-Z@][^>]*>|\*\*|[`#@~|\\\[\]*_&]|://", text)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_from_outside_means_anything(text: str, mode: Mode) -> None:
    harmless = ("a" if text.isascii() else "甲") if neutral.plain(text) else ""
    for kind in KINDS:
        for channel in (*CHANNELS.values(), CALL):
            incident, notice = poisoned(kind, text)
            out = RENDERER.render(msgspec.structs.replace(incident, mode=mode), notice, channel, NOW)
            benign, same = poisoned(kind, harmless)
            plain = RENDERER.render(msgspec.structs.replace(benign, mode=mode), same, channel, NOW)

            assert not out.failed, (kind, channel.kind, out.error)
            assert incident.code in out.text
            out.text.encode()
            assert not unseen(out.text), (kind, channel.kind, out.text)
            if channel.form is not Form.JSON:
                assert out.text.startswith(mode.mark)
                # The text to paste is marked by itself; nobody pastes what is read aloud.
                marks = 2 if kind is NoticeKind.OFFICIAL and channel.form is not Form.VOICE else 1
                assert out.text.count("【") == (marks if mode.mark else 0)
                lines, usual = out.text.count("\n"), plain.text.count("\n")
                # What is too long for a text of 2048 bytes leaves lines out, and never brings any in.
                shortened = channel.form is Form.TEXT and len(text) > 60
                assert lines <= usual if shortened else lines == usual, (kind, channel.kind, out.text)
                assert "://" not in out.text
            _holds(channel.form, kind, out, plain)


def _holds(form: Form, kind: NoticeKind, out: Any, plain: Any) -> None:
    if form in (Form.SMS, Form.VOICE):
        assert "\n" not in out.text or kind is NoticeKind.OFFICIAL
        assert find_link(out.text) is None
        assert "@" not in out.text
    elif form is Form.MARKDOWN:
        assert markup(out.text) == markup(plain.text)
    elif form is Form.TEXT:
        # The vendor knows <a href>.
        assert "<" not in out.text
    elif form is Form.MAIL:
        assert "\n" not in out.subject
        assert "\r" not in out.subject
        assert not unseen(out.subject)
        seen, usual = Tags(), Tags()
        seen.feed(out.html)
        usual.feed(plain.html)
        assert seen.tags == usual.tags
        assert not unseen(out.html)
    else:
        event = orjson.loads(out.text)
        assert set(event) == set(orjson.loads(plain.text))
        assert not unseen(event["data"]["text"])


@pytest.mark.parametrize("text", HOSTILE[:6])
def test_template_syntax_is_shown_and_never_run(text: str) -> None:
    incident, notice = poisoned(NoticeKind.RAISED, text)

    out = RENDERER.render(incident, notice, MAIL, NOW)

    assert neutral.plain(text)[:40] in out.text
    assert "49" not in out.text
    assert "uid=" not in out.text
    assert len(out.text) < 3000


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.sampled_from(KINDS), st.sampled_from(sorted(CHANNELS)))
def test_any_text_at_all_gives_a_clean_message(text: str, kind: NoticeKind, name: str) -> None:
    incident, notice = poisoned(kind, text)

    out = RENDERER.render(incident, notice, CHANNELS[name], NOW)

    assert not out.failed, out.error
    assert incident.code in out.text
    assert not unseen(out.text)


def test_pieces_do_not_make_an_address_between_them() -> None:
    incident, notice = scene(NoticeKind.RAISED)
    tricky = msgspec.structs.replace(incident, unit=".com", point_name="www", value=86.0)

    assert find_link(RENDERER.render(tricky, notice, SMS, NOW).text) is None


def test_phone_numbers_in_free_text_are_masked_where_a_group_reads() -> None:
    incident, notice = poisoned(NoticeKind.REQUESTED, "请电13800130001或0571-88880000")

    group = RENDERER.render(incident, notice, GROUP, NOW).text
    shared_mailbox = RENDERER.render(incident, notice, replace(MAIL, personal=False), NOW)
    own = RENDERER.render(incident, notice, MAIL, NOW).text

    for text in (group, shared_mailbox.text, shared_mailbox.html):
        assert "13800130001" not in text
        assert "88880000" not in text
        assert "138xxxx0001" in text
    assert "13800130001" in own


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("text", HOSTILE)
def test_answers_of_the_bot_are_literal_too(text: str, channel: Any) -> None:
    out = RENDERER.plain(f"查询结果：{text}", channel, Mode.EXERCISE)

    assert not unseen(out.text)
    assert "://" not in out.text
    if channel.form is Form.JSON:
        assert orjson.loads(out.text)["data"]["text"].startswith("【演练】查询结果：")
        return
    assert out.text.startswith("【演练】查询结果：")
    assert out.text.count("【") == 1
    if channel.form is Form.MARKDOWN:
        assert markup(out.text) == []
    if channel.form is Form.MAIL:
        seen = Tags()
        seen.feed(out.html)
        assert {tag for tag, _ in seen.tags} == {"html", "head", "meta", "body", "p"}
        assert "\n" not in out.subject
