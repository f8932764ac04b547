"""Working time: stories of holidays and nights, and the properties every limit relies on."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.calendar import HOURS, MINUTE, Calendar, hhmm, local, moment
from tests.rules.county import at

PLAIN = Calendar()
STARTS = st.integers(at("2025-12-01 00:00"), at("2027-02-01 00:00"))
LIMITS = st.integers(0, 3000)
CALENDARS = st.builds(
    Calendar,
    st.dictionaries(st.dates(date(2025, 12, 1), date(2027, 3, 1)), st.booleans(), max_size=12),
    st.sampled_from([HOURS, ((time(9), time(17)),), ((time(0), time(0, 1)), (time(23), time(23, 59)))]),
)


def worked(calendar: Calendar, start: int, end: int) -> int:
    """Working milliseconds between two moments, counted span by span, independently of ``add``."""
    total = 0
    for ordinal in range(local(start).toordinal(), local(end).toordinal() + 1):
        day = date.fromordinal(ordinal)
        if calendar.is_working_day(day):
            for begin, finish in calendar.hours:
                total += max(0, min(end, moment(day, finish)) - max(start, moment(day, begin)))
    return total


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-20 11:00", 60, "2026-11-20 12:00"),  # used up at noon: it ends at noon
        ("2026-11-20 11:00", 61, "2026-11-20 14:01"),  # the noon break does not count
        ("2026-11-20 17:00", 60, "2026-11-23 09:00"),  # Friday evening goes on on Monday
        ("2026-11-21 02:00", 30, "2026-11-23 09:00"),  # Saturday night
        ("2026-09-30 17:00", 60, "2026-10-08 09:00"),  # 国庆: seven days off
        ("2026-10-10 09:00", 60, "2026-10-10 10:00"),  # the Saturday worked in exchange
        ("2026-02-14 09:00", 60, "2026-02-14 10:00"),  # a Saturday worked for 春节
    ],
)
def test_working_minutes_skip_nights_weekends_and_holidays(start: str, minutes: int, end: str) -> None:
    assert local(PLAIN.add(at(start), minutes, working=True)) == local(at(end))


def test_natural_minutes_count_through_everything() -> None:
    assert PLAIN.add(at("2026-09-30 23:30"), 60, working=False) == at("2026-10-01 00:30")


def test_an_override_wins_over_the_published_table() -> None:
    calendar = Calendar({date(2026, 10, 1): True, date(2026, 9, 30): False})
    assert calendar.add(at("2026-09-30 09:00"), 60, working=True) == at("2026-10-01 09:30")


def test_beyond_the_published_years_weekdays_count_and_the_calendar_says_so() -> None:
    monday, saturday = date(2041, 4, 1), date(2041, 4, 6)
    assert PLAIN.covers(date(2026, 10, 1))
    assert not PLAIN.covers(monday)
    assert PLAIN.is_working_day(monday)
    assert not PLAIN.is_working_day(saturday)
    assert Calendar({saturday: True}).covers(saturday)


@pytest.mark.parametrize(
    "hours",
    [
        (),
        ((time(9), time(9)),),
        ((time(14), time(17)), (time(8), time(12))),
        ((time(8), time(12)), (time(12), time(17))),
    ],
)
def test_hours_that_make_no_sense_are_refused_with_what_they_are(hours: tuple[tuple[time, time], ...]) -> None:
    shown = f"{hours[0][0]:%H:%M}-{hours[0][1]:%H:%M}" if hours else "none"
    with pytest.raises(ValueError, match=shown):
        Calendar(hours=hours)


def test_limits_do_not_count_backwards() -> None:
    with pytest.raises(ValueError, match="-1 minutes"):
        PLAIN.add(0, -1, working=False)


def test_a_calendar_without_any_working_day_left_says_so() -> None:
    last = date(9999, 12, 20)
    never = Calendar({date(9999, 12, day): False for day in range(20, 32)})
    with pytest.raises(ValueError, match="no working time is left"):
        never.add(moment(last, time(9)), 1, working=True)


def test_minutes_are_shown_in_local_time() -> None:
    assert hhmm(at("2026-11-21 02:05") + 59_999) == "02:05"


@given(CALENDARS, STARTS, LIMITS)
def test_what_is_added_is_what_is_worked(calendar: Calendar, start: int, minutes: int) -> None:
    end = calendar.add(start, minutes, working=True)
    assert worked(calendar, start, end) == minutes * MINUTE
    assert minutes == 0 or worked(calendar, end - 1, end) == 1, "it ends while people work, not before the next span"


@given(CALENDARS, STARTS, LIMITS, LIMITS, st.booleans())
def test_adding_twice_is_adding_at_once(calendar: Calendar, start: int, one: int, two: int, working: bool) -> None:
    assert calendar.add(calendar.add(start, one, working), two, working) == calendar.add(start, one + two, working)


@given(CALENDARS, STARTS, st.integers(0, 10**9), LIMITS, st.booleans())
def test_who_starts_later_is_never_due_earlier(
    calendar: Calendar, start: int, later: int, minutes: int, working: bool
) -> None:
    assert calendar.add(start, minutes, working) <= calendar.add(start + later, minutes, working)


@given(CALENDARS, STARTS, LIMITS, st.integers(1, 500), st.booleans())
def test_a_longer_limit_is_due_later(calendar: Calendar, start: int, minutes: int, more: int, working: bool) -> None:
    assert calendar.add(start, minutes, working) < calendar.add(start, minutes + more, working)
