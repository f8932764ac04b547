"""When a flood of alarms begins, how it is counted, and when it is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.web.duty.flood import KEPT, SPAN, Flood, Openings, flood

START = 1_795_000_000_000
MINUTE = 60_000


def at(now: int, *openings: int) -> Flood | None:
    """What goes on ``now`` minutes after the start; openings in minutes too."""
    times = [START + each * MINUTE for each in openings]
    return flood(times, START + now * MINUTE, begins=10, ends=5)


def test_ten_in_ten_minutes_are_none_and_eleven_are() -> None:
    assert at(5, *[0] * 10) is None
    assert at(5, *[0] * 11) == Flood(START, 11, 11)
    assert at(30, *range(0, 30, 2)) is None, "one every two minutes, for ever"


def test_it_goes_on_until_fewer_than_five_are_within_ten_minutes() -> None:
    ebbing = [*[0] * 11, 5, 6, 7, 8, 9]
    assert at(9, *ebbing) == Flood(START, 16, 16)
    assert at(10, *ebbing) == Flood(START, 16, 5), "between the two rates it is what it was"
    assert at(15, *ebbing) is None
    again = [*ebbing, *[20] * 11]
    found = at(20, *again)
    assert found == Flood(START + 20 * MINUTE, 11, 11), "the next one is counted from its own beginning"


def test_what_is_to_come_does_not_count() -> None:
    assert at(0, *[1] * 20) is None


times = st.lists(st.integers(0, 90), max_size=60)


@given(openings=times, now=st.integers(0, 120))
def test_its_figures_are_those_of_what_opened(openings: list[int], now: int) -> None:
    found = at(now, *openings)
    lately = sum(now - SPAN // MINUTE < each <= now for each in openings)
    if lately > 10:
        assert found is not None
    if lately < 5:
        assert found is None
    if found is not None:
        assert found.lately == lately
        assert found.many >= max(found.lately, 11)
        assert found.since in {START + each * MINUTE for each in openings}


def test_what_closed_meanwhile_still_counts_and_what_is_old_is_forgotten() -> None:
    openings = Openings()
    for number in range(11):
        openings.note(f"A{number:04}", 1, START)
        openings.note(f"A{number:04}", 1, START)
    openings.note("A0000", 2, START + MINUTE)
    assert len(openings.times(START + MINUTE)) == 12, "an opening counts once, a new episode is another"
    assert openings.times(START + KEPT) == [START + MINUTE]
    assert openings.times(START + KEPT + MINUTE) == []
