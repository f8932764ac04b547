"""The table of consequences: one for each class of outcome, the same whatever the channel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workers.outcomes import BACK_OFF, GIVE_UP, PUNISHED, Consequence, consequence
from channels.outcome import Outcome, OutcomeKind
from escalation.inputs import SendResult

NOW = 1_795_000_000_000
FINAL = {
    OutcomeKind.ACCEPTED: SendResult.SUBMITTED,
    OutcomeKind.PARTIAL: SendResult.REFUSED_RECIPIENT,
    OutcomeKind.REFUSED_RECIPIENT: SendResult.REFUSED_RECIPIENT,
    OutcomeKind.REFUSED_CONTENT: SendResult.REFUSED_CONTENT,
    OutcomeKind.MISCONFIGURED: SendResult.MISCONFIGURED,
}


def after(
    kind: OutcomeKind, *, tries: int = 0, lost: int = 0, age: int = 0, retry_after: float | None = None
) -> Consequence:
    return consequence(Outcome(kind, retry_after=retry_after), tries=tries, lost=lost, since=NOW - age, now=NOW)


@pytest.mark.parametrize("kind", FINAL)
@pytest.mark.parametrize("tries", [0, 1, 9])
@pytest.mark.parametrize("age", [0, GIVE_UP])
def test_what_is_final_is_done_with_whatever_came_before(kind: OutcomeKind, tries: int, age: int) -> None:
    assert after(kind, tries=tries, lost=tries, age=age) == Consequence(FINAL[kind])


@pytest.mark.parametrize(("tries", "wait"), [*enumerate(BACK_OFF), (len(BACK_OFF), BACK_OFF[-1]), (99, BACK_OFF[-1])])
def test_transient_backs_off_further_each_time(tries: int, wait: int) -> None:
    assert after(OutcomeKind.TRANSIENT, tries=tries) == Consequence(SendResult.TRANSIENT, again_at=NOW + wait)


def test_transient_waits_as_long_as_the_vendor_asks_but_never_less_than_its_own_back_off() -> None:
    assert after(OutcomeKind.TRANSIENT, retry_after=11).again_at == NOW + 11_000
    assert after(OutcomeKind.TRANSIENT, tries=5, retry_after=1).again_at == NOW + BACK_OFF[5]


@pytest.mark.parametrize("kind", [OutcomeKind.TRANSIENT, OutcomeKind.THROTTLED])
def test_given_up_after_a_day(kind: OutcomeKind) -> None:
    assert after(kind, age=GIVE_UP - 1).again_at is not None
    assert after(kind, age=GIVE_UP) == Consequence(SendResult.UNDELIVERED)


def test_throttled_rests_the_mailbox_until_the_vendor_says() -> None:
    until = NOW + 7_000
    expected = Consequence(SendResult.THROTTLED, again_at=until, hold_until=until)
    assert after(OutcomeKind.THROTTLED, retry_after=7) == expected
    assert after(OutcomeKind.THROTTLED).hold_until == NOW + PUNISHED


def test_uncertain_is_repeated_once_however_often_nothing_was_accepted_before() -> None:
    assert after(OutcomeKind.UNCERTAIN) == Consequence(SendResult.UNCERTAIN, again_at=NOW + BACK_OFF[0])
    assert after(OutcomeKind.UNCERTAIN, tries=4).again_at == NOW + BACK_OFF[4]
    assert after(OutcomeKind.UNCERTAIN, tries=1, lost=1) == Consequence(SendResult.UNCERTAIN)
    assert after(OutcomeKind.UNCERTAIN, age=GIVE_UP, lost=1) == Consequence(SendResult.UNCERTAIN)


@given(
    kind=st.sampled_from(OutcomeKind),
    tries=st.integers(0, 200),
    lost=st.integers(0, 200),
    age=st.integers(-1000, 3 * GIVE_UP),
    retry_after=st.none() | st.floats(0, 3600),
)
def test_nothing_is_tried_again_in_the_past_and_no_rest_without_another_try(
    kind: OutcomeKind, tries: int, lost: int, age: int, retry_after: float | None
) -> None:
    """Whatever is not tried again has an end; whatever rests its mailbox is tried again when the rest is over."""
    found = after(kind, tries=tries, lost=lost, age=age, retry_after=retry_after)
    assert found.again_at is None or found.again_at >= NOW
    assert found.hold_until in (0, found.again_at)
    if found.again_at is None:
        assert found.result not in (SendResult.TRANSIENT, SendResult.THROTTLED)
