"""Natural and working time, in the one local zone: what "24 working hours from Friday noon" means.

Times are milliseconds since the epoch. Working days come from the published 调休 table (``chinesecalendar``), and an
administrator's overrides win over it. The table ends with a year, because the State Council publishes the next one
about November: beyond it Monday to Friday count as working days, and :meth:`Calendar.covers` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import chinese_calendar

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000
HOURS: tuple[tuple[time, time], ...] = ((time(8, 30), time(12, 0)), (time(14, 0), time(17, 30)))
"""The usual office hours, seven a day; a setting, since no rule fixes them for everybody."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(ms: int) -> datetime:
    """The moment as an aware datetime in Asia/Shanghai."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(ZONE)


def moment(day: date, clock: time) -> int:
    """Milliseconds of a local date and wall-clock time."""
    return (datetime.combine(day, clock, ZONE) - _EPOCH) // timedelta(milliseconds=1)


def hhmm(ms: int) -> str:
    """The local minute, as messages show it: ``02:05``."""
    return f"{local(ms):%H:%M}"


class Calendar:
    """Working days and hours. Immutable; a reload makes another one."""

    def __init__(
        self,
        overrides: Mapping[date, bool] | None = None,
        hours: tuple[tuple[time, time], ...] = HOURS,
    ) -> None:
        """``overrides`` says of single dates whether they are working days. ``hours`` are the day's working spans.

        Raises :class:`ValueError` when the spans are none, empty, out of order or overlapping.
        """
        edges = [edge for span in hours for edge in span]
        if not hours or any(late <= early for early, late in pairwise(edges)):
            shown = ", ".join(f"{begin:%H:%M}-{end:%H:%M}" for begin, end in hours) or "none"
            raise ValueError(
                f"working hours must be spans in order that do not touch or overlap, such as 08:30-12:00, "
                f"14:00-17:30; these are {shown}"
            )
        self.overrides = dict(overrides or {})
        self.hours = hours

    def covers(self, day: date) -> bool:
        """True when a published table or an override speaks of this date; else Monday to Friday is only a guess."""
        return day in self.overrides or _published(day) is not None

    def is_working_day(self, day: date) -> bool:
        """Whether people are at work: by override, by the published table, else from Monday to Friday."""
        if day in self.overrides:
            return self.overrides[day]
        published = _published(day)
        return day.weekday() < 5 if published is None else published

    def add(self, start_ms: int, minutes: int, working: bool) -> int:
        """The moment ``minutes`` after the start, in natural or in working time.

        Working time that is used up exactly at the end of a span ends there, not at the next span's begin, so that
        adding in two goes is the same as adding at once. No minutes: the start itself. Raises :class:`ValueError` for
        less than none.
        """
        if minutes < 0:
            raise ValueError(f"time limits only count forwards: {minutes} minutes is less than none")
        left = minutes * MINUTE
        if not working or left == 0:
            return start_ms + left
        for begin, end in self._spans(local(start_ms).date()):
            begin = max(begin, start_ms)
            if begin + left <= end:
                return begin + left
            left -= max(end - begin, 0)
        raise ValueError(f"no working time is left in the calendar {minutes} minutes after {local(start_ms):%F %H:%M}")

    def _spans(self, day: date) -> Iterator[tuple[int, int]]:
        while day < date.max:
            if self.is_working_day(day):
                for begin, end in self.hours:
                    yield moment(day, begin), moment(day, end)
            day += timedelta(days=1)


@lru_cache(maxsize=4096)
def _published(day: date) -> bool | None:
    """What the published table says of a date; None where it has no data for the year."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # its way of saying that the year is outside its data
        return None
