"""Promises of the reading, over all verbs at once: what is denied, asked, told by others or to come is not done, a
wrong code falls on nothing else, what is taken back is not meant, and no text keeps the hub long."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat import accidents, corrections, details, folding, grammar, lengths, orders, slips, talk, verbs
from bot.chat.folding import MOST_CHARS, MOST_SEEN
from bot.chat.preview import ReadAs, read_as
from escalation.vocabulary import Verb
from tests.chat.hub import START

WORDS = st.sampled_from(
    ["签收", "核查", "处置", "处理", "消警", "误报", "转派李四", "批准", "催办", "撤回", "签收了", "处理好"]
)
PLAIN = st.sampled_from(
    ["签收", "收到", "核查 设备故障", "已处置", "消警", "误报", "催办", "批准", "撤回", "转派李四", "不批准"]
)
ONE_THING = st.sampled_from(["签收", "已处置", "消警", "误报", "催办", "核查"])
NUMBERS = st.lists(st.integers(1, 10**5), min_size=2, max_size=4, unique=True)
BEFORE = st.sampled_from(["", "现场", "我", "我们", "值班室", "目前", "A0231 "])


def acted(said: str, *open_codes: str) -> ReadAs:
    return read_as(said, START, list(open_codes) or ["A0231"])


def done(read: ReadAs) -> set[str]:
    return {code for order in read.orders if order.act for code in order.codes}


@given(
    BEFORE,
    st.sampled_from(["没", "未", "不", "没有", "不要", "别", "不能", "无法", "还没", "尚未", "暂不", "先不", "不用"]),
    WORDS,
)
@settings(max_examples=400, deadline=None)
def test_what_is_denied_is_not_done(before: str, no: str, word: str) -> None:
    read = acted(f"{before}{no}{word}")
    assert not read.act or (word == "批准" and {order.verb for order in read.orders} == {Verb.REFUSE.value})


@given(
    BEFORE,
    WORDS,
    st.sampled_from(
        ["吗", "吗？", "？", "没有", "没有啊", "没啊", "了没", "了吗", "不", "呢", "呢？", "吧", "，对吗", "，是吗？"]
    ),
)
@settings(max_examples=400, deadline=None)
def test_what_is_asked_is_not_done(before: str, word: str, asking: str) -> None:
    assert not acted(f"{before}{word}{asking}").act


@given(
    st.sampled_from(["谁", "怎么", "如何", "能不能", "要不要", "是不是", "有没有", "可否", "什么时候", "为什么不"]),
    WORDS,
)
@settings(max_examples=200, deadline=None)
def test_a_question_word_before_it_asks(asking: str, word: str) -> None:
    assert not acted(f"{asking}{word}").act


@given(
    st.sampled_from(
        [
            "老王说",
            "厂家说已",
            "听说",
            "据说",
            "他们反映",
            "如果",
            "要是",
            "等会",
            "等恢复了再",
            "可能",
            "估计",
            "怀疑是",
            "昨天",
            "上次",
        ]
    ),
    st.sampled_from(["签收", "核查", "处置", "处理好了", "消警", "误报", "批准"]),
)
@settings(max_examples=200, deadline=None)
def test_what_others_say_or_what_may_be_is_not_done(talk: str, word: str) -> None:
    assert not acted(f"{talk}{word}").act


@given(
    PLAIN,
    NUMBERS,
    st.sampled_from("AW"),
    st.sampled_from(["{code} {said}", "{said}{code}", "{said}，{code}", "{code}：{said}"]),
)
@settings(max_examples=300, deadline=None)
def test_a_wrong_code_falls_on_nothing_else(said: str, numbers: list[int], letter: str, form: str) -> None:
    wrong, *others = (f"{letter}{number:04d}" for number in numbers)
    for open_codes in (others[:1], others):
        read = acted(form.format(code=wrong, said=said), *open_codes)
        assert done(read) == set()
        assert read.ask or not read.act
        assert read.unknown == [wrong]


@given(st.permutations(["签收", "已处置", "消警", "误报", "催办"]), NUMBERS)
@settings(max_examples=200, deadline=None)
def test_a_wrong_code_beside_a_right_one_takes_no_order_along(said: list[str], numbers: list[int]) -> None:
    wrong, right = (f"A{number:04d}" for number in numbers[:2])
    alone = acted(f"{said[1]}{right}", right).orders[0]
    for text in (f"{said[0]}{wrong}，{said[1]}{right}", f"{said[1]}{right}，{said[0]}{wrong}"):
        read = acted(text, right)
        assert [(order.verb, order.codes) for order in read.orders if order.act] == [(alone.verb, [right])]
        assert read.unknown == [wrong]


@given(PLAIN, st.lists(st.integers(1, 999), min_size=2, max_size=4, unique=True))
@settings(max_examples=200, deadline=None)
def test_figures_of_no_open_code_fall_on_nothing_either(said: str, numbers: list[int]) -> None:
    wrong, *others = numbers
    read = acted(f"{said} {wrong:04d}", *(f"A{number:04d}" for number in others))
    assert done(read) == set()


@given(ONE_THING, NUMBERS, st.sampled_from(["，不对，是", "，写错了，", "，更正，应为", " 打错了 "]))
@settings(max_examples=200, deadline=None)
def test_what_is_corrected_is_done_to_the_right_one_only(said: str, numbers: list[int], but: str) -> None:
    first, second = (f"A{number:04d}" for number in numbers[:2])
    assert done(acted(f"{said}{first}{but}{second}", first, second)) == {second}
    assert first not in done(acted(f"{said}{second}，不是{first}", first, second))
    assert done(acted(f"{said}，不是{first}", first)) == set()


@given(
    ONE_THING,
    NUMBERS,
    st.sampled_from(["还没恢复", "先等等", "什么情况？", "没问题吧", "明天再说", "继续观察", "正在看", "不动"]),
)
@settings(max_examples=200, deadline=None)
def test_what_is_only_spoken_of_is_left_alone(said: str, numbers: list[int], talk: str) -> None:
    first, second = (f"A{number:04d}" for number in numbers[:2])
    assert done(acted(f"{said}{first}，{second}{talk}", first, second)) == {first}
    assert done(acted(f"{second}{talk}，{said}{first}", first, second)) == {first}


@given(NUMBERS, st.permutations(["批准", "不批准"]))
def test_judgements_of_several_are_each_their_own(numbers: list[int], said: list[str]) -> None:
    first, second = (f"A{number:04d}" for number in numbers[:2])
    read = acted(f"{said[0]}{first}，{said[1]}{second}", first, second)
    meant = {"批准": Verb.APPROVE.value, "不批准": Verb.REFUSE.value}
    assert [(order.verb, order.codes) for order in read.orders] == [
        (meant[said[0]], [first]),
        (meant[said[1]], [second]),
    ]


@given(
    NUMBERS,
    ONE_THING,
    st.sampled_from(
        [
            "{said}{first}别{said}{second}",
            "{said}{first}不{said}{second}",
            "{said}{first}但{second}还在报",
            "{first}{said}{second}谁{said}",
            "{first}{said}{second}昨天{said}",
        ]
    ),
)
@settings(max_examples=200, deadline=None)
def test_codes_set_against_each_other_without_a_comma_are_never_all_done(
    numbers: list[int], said: str, form: str
) -> None:
    first, second = (f"A{number:04d}" for number in numbers[:2])
    assert done(acted(form.format(said=said, first=first, second=second), first, second)) <= {first}


@given(NUMBERS, ONE_THING, st.sampled_from(["或", "或者", "还是"]))
def test_one_code_or_another_is_neither(numbers: list[int], said: str, either: str) -> None:
    first, second = (f"A{number:04d}" for number in numbers[:2])
    assert done(acted(f"{said}{first}{either}{second}", first, second)) == set()


@given(
    st.sampled_from(["消警", "误报", "批准", "撤回"]),
    st.sampled_from(["着火了", "有人受伤", "氨气泄漏", "爆炸了", "救命", "人被夹住了"]),
    st.sampled_from(["{said}，{word}", "{word}，{said}", "{word}\n{said} A0231", "已处置，{said}，{word}"]),
)
@settings(deadline=None)
def test_beside_an_accident_nothing_is_closed(said: str, word: str, form: str) -> None:
    read = acted(form.format(said=said, word=word))
    assert read.emergency
    assert {Verb(order.verb) for order in read.orders if order.act} <= {Verb.DISPOSE}


@given(
    st.sampled_from(["物报", "消井", "和查", "处制", "言期2小时", "专派李四", "吹办", "撤会", "皮准"]),
    st.sampled_from(["", "我", "现场", "A0231 ", "申请"]),
)
def test_what_only_sounds_like_an_order_is_asked_back(slip: str, before: str) -> None:
    read = acted(f"{before}{slip}")
    assert read.ask
    assert not read.act
    assert read.missing == "word"


@given(
    st.permutations(["签收", "核查", "处置", "消警", "误报"]),
    st.sampled_from(["{0}/{1}/{2}", "{0}、{1}、{2}", "回1{0}，回2{1}", "1{0} 2{1} 3{2}", "请回复{0}或{1}"]),
)
@settings(deadline=None)
def test_a_menu_is_no_answer(said: list[str], form: str) -> None:
    assert not acted(form.format(*said)).act


def _patterns() -> list[str]:
    """Every pattern of the grammar."""
    rooms = (accidents, corrections, details, folding, grammar, lengths, orders, slips, talk, verbs)
    found = [each.pattern for room in rooms for each in vars(room).values() if isinstance(each, re.Pattern)]
    found += [part.pattern for word in verbs.TABLE for part in (word.said, word.before, word.after)]
    groups = (verbs.READING, verbs.LATER, verbs.CAUSES, slips.SLIPS)
    return sorted({*found, *(pattern.pattern for group in groups for _, pattern in group)})


def _pieces(pattern: str) -> set[str]:
    return set(re.findall("[\u4e00-\u9fff]{1,6}", pattern))


PATTERNS = _patterns()
SCRAPS = sorted({piece for pattern in PATTERNS for piece in _pieces(pattern)} | set("1aw0.,?，、 \n>-「」【】@"))
REPEATED = re.compile(r"\(\?:([^()]*(?:\([^()]*\)[^()]*)*)\)[*+](?!\+)")
"""A choice that may be repeated, and given back: each way of splitting a text may be tried."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails as soon as the block has taken so much of the processor, whatever else runs; a pattern that would take for
    ever is stopped in the middle."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError("still reading")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_no_repeated_choice_of_a_pattern_tries_every_way() -> None:
    tried = 0
    for pattern in PATTERNS:
        compiled = re.compile(pattern, re.IGNORECASE | re.MULTILINE)
        for choice in REPEATED.finditer(pattern):
            heads = {"", *_pieces(pattern[max(0, choice.start() - 60) : choice.start()])}
            for head, body in product(heads, _pieces(choice[1])):
                tried += 1
                with within(1):
                    compiled.search(head + body * 30 + "x")
    assert tried > 40


def test_no_piece_of_a_pattern_repeated_is_read_for_long() -> None:
    """A pattern that tries every way to split 看看看看 takes for ever. The end must still be read, else nothing fails
    and nothing is tried twice."""
    assert len(SCRAPS) > 1000
    for scrap in SCRAPS:
        for end in ("x", "着火x"):
            with within(1):
                read_as((scrap * 80)[:80] + end, START, ["A0231"])


@given(st.lists(st.sampled_from(SCRAPS), min_size=1, max_size=3), st.sampled_from(["x", "收到x", "？x", "」", "着火x"]))
@settings(max_examples=60, deadline=None)
def test_no_long_repetition_is_read_for_long(scraps: list[str], end: str) -> None:
    for most in (MOST_CHARS, MOST_SEEN):
        once = "".join(scraps)
        with within(2):
            read_as((once * most)[: most - len(end)] + end, START, ["A0231"])


def test_an_accident_is_heard_behind_what_is_too_long_to_be_an_answer() -> None:
    read = acted("今天天气很好，" * 300 + "车间着火了，误报")
    assert read.emergency
    assert not read.act


@pytest.mark.parametrize(
    "text",
    [
        "签收" * 50_000,
        "".join(f"签收A{number}，" for number in range(10_000)),
        "".join(f"签收A{number} 误报W{number} " for number in range(10_000)),
        " ".join(f"A{number:04d}" for number in range(10_000)) + " 消警",
        "「" * 50_000 + "签收" + "」" * 50_000,
        "> 签收\n" * 20_000,
        "【a】" * 30_000,
        "没有着火、" * 20_000,
        "a " + "1 " * 50_000,
        "A" + "零" * 100_000,
        "\u200b" * 100_000 + "签收",
        "\ufdfa" * 30_000,
    ],
    ids=[
        "words",
        "orders",
        "turns",
        "codes",
        "nested",
        "lines",
        "frames",
        "denials",
        "figures",
        "spoken",
        "unseen",
        "wide",
    ],
)
def test_a_hundred_kilobytes_are_read_in_bounded_time(text: str) -> None:
    with within(2):
        read = read_as(text, START, ["A0231"])
    assert len(read.codes) < 1000
    assert len(folding.folded(text)) <= MOST_SEEN
