"""The worst case of every template is within the channel's limits; digests list every item they take."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.rendering.limits import warnings_for
from bot.rendering.plain import quarantine_text
from bot.rendering.rendered import fits
from bot.rendering.renderer import Renderer
from bot.rendering.shorten import octets, units
from channels.channel import Abilities
from escalation.incident import Incident
from escalation.notice import Notice, NoticeKind
from escalation.vocabulary import Level, Mode, Purpose, Severity, Urgency
from tests.rendering.cast import CHANNELS, DIRECTORY, GROUP, KINDS, MAIL, NOW, SMS, WEBHOOK, incident, notice, warning
from tests.rendering.test_hostile import poisoned

RENDERER = Renderer(lambda: DIRECTORY)
LONG = "示例𠮷🔥" * 100


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_worst_case_is_within_the_limits(kind: NoticeKind, channel: Abilities) -> None:
    made, told = poisoned(kind, LONG)

    out = RENDERER.render(msgspec.structs.replace(made, mode=Mode.EXERCISE), told, channel, NOW)

    assert not out.failed, out.error
    assert out.complete
    assert fits(out.text, channel)
    assert units(out.subject) <= 120


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(KINDS),
    st.integers(20, 400),
    st.sampled_from(["max_bytes", "max_chars"]),
    st.sampled_from([GROUP, MAIL, SMS]),
    st.sampled_from(["甲", LONG]),
)
def test_any_limit_is_kept(kind: NoticeKind, limit: int, unit: str, channel: Abilities, text: str) -> None:
    small = replace(channel, first_chars=None, max_chars=None, max_bytes=None)
    small = replace(small, max_chars=limit) if unit == "max_chars" else replace(small, max_bytes=limit)
    if channel is SMS:
        small = replace(small, max_chars=limit, max_bytes=None)
    made, told = poisoned(kind, text)

    out = RENDERER.render(made, told, small, NOW)

    assert not out.failed, out.error
    assert fits(out.text, small)
    assert out.text
    assert out.text.count("<font") == out.text.count("</font>")


def many(count: int) -> list[tuple[Incident, Notice]]:
    levels = list(Level)
    return [
        (
            warning(code=f"W{index:04}", level=levels[index % 4], short_name=f"示例{index}"),
            notice(NoticeKind.RAISED, Purpose.COPY, id=f"n{index}"),
        )
        for index in range(1, count + 1)
    ]


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
@pytest.mark.parametrize("count", [1, 2, 7, 40, 300])
def test_a_digest_lists_every_item_it_takes_and_leaves_the_rest(count: int, channel: Abilities) -> None:
    items = many(count)
    seen: list[str] = []
    left = items
    while left:
        made = RENDERER.render_digest(left, channel, NOW)
        assert made.taken
        assert fits(made.rendered.text, channel)
        for each, _ in made.taken:
            if channel is not WEBHOOK:
                assert made.rendered.text.count(each.code) == 1
            assert f"{each.code} {each.level.word if each.level else ''}" in made.rendered.text
        assert len(made.taken) + len(made.left) == len(left)
        seen += [each.code for each, _ in made.taken]
        left = list(made.left)

    assert sorted(seen) == sorted(each.code for each, _ in items)
    ranks = {each.code: each.level.rank for each, _ in items if each.level}
    assert [ranks[code] for code in seen] == sorted(ranks.values(), reverse=True)


def test_a_digest_is_the_same_when_it_is_made_again_in_another_order() -> None:
    items = many(9)

    assert RENDERER.render_digest(items, GROUP, NOW) == RENDERER.render_digest(items[::-1], GROUP, NOW)


def test_real_and_unreal_never_share_a_digest() -> None:
    drill = (incident(code="A0002", mode=Mode.EXERCISE), notice(id="b"))
    real = (incident(code="A0001", severity=Severity.HIGH, urgency=Urgency.NORMAL), notice(id="a"))

    first = RENDERER.render_digest([drill, real], SMS, NOW)
    second = RENDERER.render_digest(first.left, SMS, NOW)

    assert first.taken == (real,)
    assert "【" not in first.rendered.text
    assert "A0002" not in first.rendered.text
    assert second.rendered.text.startswith("【演练】")


def test_a_digest_says_how_to_sign_only_where_something_must_be_done() -> None:
    act, copy = (incident(), notice()), (warning(), notice(purpose=Purpose.COPY))

    assert "回1加编号签收" in RENDERER.render_digest([act, copy], SMS, NOW).rendered.text
    assert "签收" not in RENDERER.render_digest([copy], SMS, NOW).rendered.text
    assert "本群不能签收" in RENDERER.render_digest([act], GROUP, NOW).rendered.text


def test_a_digest_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RENDERER.render_digest([], SMS, NOW)


def test_a_digest_that_cannot_be_made_still_names_its_first_item() -> None:
    broken = (incident(value="no number"), notice())

    made = RENDERER.render_digest([broken, (warning(), notice(id="w"))], SMS, NOW)

    assert made.rendered.failed
    assert "TypeError" in made.rendered.error
    assert "A0231" in made.rendered.text
    assert [each.code for each, _ in made.left] == ["W0045"]


def test_a_digest_in_a_tiny_channel_takes_one_at_a_time() -> None:
    tiny = replace(SMS, max_chars=12, first_chars=12)

    made = RENDERER.render_digest(many(3), tiny, NOW)

    assert len(made.taken) == 1
    assert fits(made.rendered.text, tiny)
    assert made.taken[0][0].code in made.rendered.text


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_the_overflow_message_lists_the_codes_or_counts_them(channel: Abilities) -> None:
    few = RENDERER.render_overflow(["A0001", "A0002"], channel, Mode.EXERCISE)
    flood = RENDERER.render_overflow([f"A{n:04}" for n in range(5000)], channel, Mode.ACTUAL)

    assert few.complete
    assert "A0001、A0002" in few.text
    assert "【演练】" in few.text
    assert "A0000" in flood.text
    assert fits(flood.text, channel)
    if channel in (SMS, GROUP):
        assert not flood.complete
        assert "共5000起" in flood.text


def test_an_overflow_message_in_a_tiny_channel_still_says_something() -> None:
    tiny = replace(SMS, max_chars=10)

    assert RENDERER.render_overflow(["A0001"] * 99, tiny, Mode.ACTUAL).text == "紧急警情99起"


def test_a_long_answer_is_cut_and_says_so() -> None:
    out = RENDERER.plain("编号A0231\n" + "甲" * 5000, GROUP)

    assert not out.complete
    assert octets(out.text) <= 4096
    assert out.text.startswith("编号A0231\n")
    assert out.text.endswith("…")


def test_a_mode_mark_is_not_doubled() -> None:
    assert RENDERER.plain("【演练】已签收", SMS, Mode.EXERCISE).text == "【演练】已签收"


def test_check_warns_of_channels_too_small_and_of_no_others() -> None:
    assert warnings_for(CHANNELS.values()) == []

    short = warnings_for([replace(SMS, first_chars=30)])
    bare = warnings_for([replace(GROUP, max_bytes=150)], "en")

    assert any("“短信”" in each and "首条 30 字" in each and "remind" in each for each in short)
    assert any("150 bytes" in each and "only code and level" in each for each in bare)


def test_a_webhook_body_stays_small() -> None:
    made, told = poisoned(NoticeKind.FEEDBACK, LONG)

    text = RENDERER.render(made, told, WEBHOOK, NOW).text

    assert octets(text) <= 20_000
    assert orjson.loads(text)["data"]["code"] == "A0231"


def test_a_quarantine_notice_names_source_event_and_reason_as_literal_text() -> None:
    text = quarantine_text("gateway\n1", "e-1 http://evil.example.com", "缺少时间")

    assert RENDERER.plain(text, SMS).text == (
        "待核对事件，请关注：来源 gateway 1，事件 e-1 http：//evil．example．com。"
        "缺少时间。未按警情办理，请核对后重新发送。"
    )
