"""Properties of the grammar: form never changes a reading, and no text raises or acts by accident."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chat.folding import folded
from bot.chat.grammar import Understood, understand
from bot.chat.verbs import TABLE
from escalation.ledger.keys import read_code
from escalation.vocabulary import Verb
from tests.chat.test_accident_words import DOES_NOT_RING, RINGS
from tests.chat.test_grammar import ACTING, NOT_ACTING, sayings

PLAIN_VERBS = st.sampled_from(
    [
        (Verb.SIGN, "签收"),
        (Verb.SIGN, "收到"),
        (Verb.SIGN, "1"),
        (Verb.SIGN, "OK"),
        (Verb.VERIFY, "核查"),
        (Verb.DISPOSE, "已处置"),
        (Verb.CLEAR, "消警"),
        (Verb.FALSE_ALARM, "误报"),
        (Verb.PHONED, "电话已通知"),
        (Verb.FED_BACK, "系统已反馈"),
    ]
)
CODES = st.builds(lambda letter, number: f"{letter}{number:04d}", st.sampled_from("AW"), st.integers(0, 10**9))
EVERYTHING = [
    *(said for table in ACTING.values() for said in sayings(table)),
    *sayings(NOT_ACTING),
    *sayings(RINGS),
    *sayings(DOES_NOT_RING),
]
SPACES = st.sampled_from(["", "", " ", "  ", "\t", "\u3000", "\u200b", "\u00a0"])


def _core(read: Understood) -> tuple[object, ...]:
    return read.verb, read.codes, read.cause, "".join(read.rest.split()), read.emergency, read.more


@given(PLAIN_VERBS, CODES, st.sampled_from([" ", "，", "　", ":", "。", " - ", ""]))
def test_the_order_of_code_and_verb_never_matters(verb: tuple[Verb, str], code: str, between: str) -> None:
    between = between or (" " if verb[1].isascii() else "")
    forwards, backwards = understand(f"{verb[1]}{between}{code}"), understand(f"{code}{between}{verb[1]}")
    assert _core(forwards) == _core(backwards)
    assert (forwards.verb, forwards.codes) == (verb[0], (code,))


@given(st.sampled_from(EVERYTHING), st.data())
def test_white_space_never_changes_a_reading(said: str, data: st.DataObject) -> None:
    spaced = data.draw(SPACES)
    for one, other in pairwise(said):
        apart = one.isascii() or other.isascii() or "@" in said
        spaced += one + ("" if apart else data.draw(SPACES))
    spaced += said[-1] + data.draw(SPACES)
    assert _core(understand(spaced)) == _core(understand(said))


@given(st.sampled_from(EVERYTHING))
def test_width_and_case_never_change_a_reading(said: str) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in said)
    for other in (wide, said.upper(), said.lower()):
        read, meant = understand(other), understand(said)
        assert (read.verb, read.codes, read.cause, read.emergency) == (
            meant.verb,
            meant.codes,
            meant.cause,
            meant.emergency,
        )


@given(st.sampled_from(sayings(ACTING[Verb.SIGN])), CODES)
def test_a_signature_with_a_code_is_a_signature_of_that_code(said: str, code: str) -> None:
    read = understand(f"{code} {said}")
    assert (read.verb, read.codes) == (Verb.SIGN, (code,))


@given(st.sampled_from(sayings(NOT_ACTING)), CODES)
def test_a_code_makes_no_talk_act(said: str, code: str) -> None:
    if not said[0].isdigit():
        assert understand(f"{code} {said}").verb in (None, Verb.QUERY, Verb.HELP)


@given(st.integers(2, 10**12))
def test_a_bare_number_is_no_verb(number: int) -> None:
    assert understand(str(number)).verb is None


@given(st.text(max_size=300))
@settings(max_examples=400)
def test_any_text_is_read_without_raising(text: str) -> None:
    read = understand(text)
    assert all(code == read_code(code) or read.verb is not None for code in read.codes)


@given(st.text(max_size=200))
@settings(max_examples=400)
def test_noise_acts_on_nothing(text: str) -> None:
    said = {char for word in TABLE for char in word.said.pattern if not char.isascii()} | set("1okOK")
    if not said & set(folded(text)):
        verb = understand(text).verb
        assert verb is None or verb.asks or verb.later


@given(st.text(max_size=40), st.sampled_from(["没", "未", "不是", "并没有"]), PLAIN_VERBS)
def test_a_negation_right_before_the_word_always_holds(noise: str, no: str, verb: tuple[Verb, str]) -> None:
    if verb[1] not in ("1", "OK"):
        bare = verb[1].removeprefix("已")
        assert understand(f"{no}{bare}").verb is None


@given(st.text(alphabet="签收到1核查误报没未不是吗？?，。A0231 \n【】「」>@", max_size=40))
@settings(max_examples=500)
def test_scraps_of_the_grammar_itself_never_raise(text: str) -> None:
    read = understand(text)
    if read.verb is not None:
        assert any(char in text for char in "签收到1核查误报?？")
