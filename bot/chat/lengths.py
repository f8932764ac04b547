"""How long, or until when: 2小时, 半天, 三天, 到明天8点, 至11月23日18:00, 到下周一上午九点. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from escalation.calendar import local, moment

_DIGITS = {
    "半": 0.5,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_UNITS = {"分": 1, "m": 1, "小": 60, "钟": 60, "h": 60, "天": 1440, "日": 1440, "周": 10080, "星": 10080}
_LENGTH = re.compile(
    r"(?P<number>\d{1,4}(?:\.\d)?|半|十?[一二两三四五六七八九]|[二三四五六七八九]?十[一二三四五六七八九]?)个?(?P<half>半)?"
    r"(?P<unit>分钟|分|mins?|m|小时|钟头|hours?|h|天|日|星期|周)(?P<tail>半)?(?![a-z])"
)
_UNTIL = re.compile(
    r"延?(?:到|至)(?P<day>今天|今日|今晚|今早|明天|明日|明早|明晚|大?后天|后日|(?P<week>下+|本|这)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])|(?:(?P<month>\d{1,2})月)?(?P<of>\d{1,2})[日号])?"
    r"(?P<part>凌晨|清晨|早上|早|上午|中午|下午|傍晚|晚上|晚|半夜|夜里|夜间|深夜)?"
    r"(?:(?P<hour>\d{1,2}|[二两三四五六七八九]|十[一二]?|一)(?:[:点时](?P<minute>\d{1,2}|半|一刻|三刻)?分?))?"
)
_AFTERNOON = frozenset({"下午", "傍晚"})
_NIGHT = frozenset({"晚上", "晚", "半夜", "夜里", "夜间", "深夜"})
_DEAD_OF_NIGHT = 5
"""Until this hour 今晚2点 is past midnight, and belongs to the night before."""
MOST_MINUTES = 60 * 24 * 60
"""Sixty days; nobody is granted more by a message."""


class Length(NamedTuple):
    """``minutes`` or ``until`` (ms; 0 where not said), and the words that said so, to be left out of a reason."""

    minutes: int = 0
    until: int = 0
    said: str = ""


def length_in(text: str, now: int) -> Length:
    """What a packed, folded text in lower case says. A time of day without its day is the next one after ``now`` (ms);
    without ``now`` only lengths are read."""
    for match in _UNTIL.finditer(text) if now else ():
        until = _moment(match, now)
        if until:
            return Length(until=until, said=match[0])
    for match in _LENGTH.finditer(text):
        minutes = _minutes(match)
        if 0 < minutes <= MOST_MINUTES:
            return Length(minutes=minutes, said=match[0])
    return Length()


def _minutes(match: re.Match[str]) -> int:
    halves = 0.5 * (bool(match["half"]) + bool(match["tail"]))
    return round((_number(match["number"]) + halves) * _UNITS[match["unit"][0]])


def _number(said: str) -> float:
    if said[0].isdigit():
        return float(said)
    tens, ten, ones = said.partition("十")
    if not ten:
        return _DIGITS[said]
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)


def _moment(match: re.Match[str], now: int) -> int:
    """The moment a match speaks of, 0 where it names neither a day nor an hour, or one that does not exist."""
    here = local(now)
    if not match["day"] and not match["hour"]:
        return 0
    try:
        day = _day(match, here)
        if not match["hour"]:
            return moment(day + timedelta(days=1), time())
        hour, minute = _hour(match), _minute(match["minute"] or "0")
        at = moment(day + timedelta(days=hour // 24), time(hour % 24, minute))
    except ValueError:
        return 0
    if not match["day"] and at <= now:
        at += 24 * 60 * 60_000
    return at


def _day(match: re.Match[str], here: datetime) -> date:
    said = match["day"] or ""
    today = here.date()
    if match["weekday"]:
        return _weekday(today, match["week"] or "", "一二三四五六".find(match["weekday"]) % 7)
    if not match["of"]:
        return today + timedelta(days={"今": 0, "明": 1, "后": 2, "大": 3}.get(said[:1], 0))
    if match["month"]:
        day = date(here.year, int(match["month"]), int(match["of"]))
        return day if day >= today else day.replace(year=here.year + 1)
    day = today.replace(day=int(match["of"]))
    return day if day >= today else (today.replace(day=1) + timedelta(days=32)).replace(day=int(match["of"]))


def _weekday(today: date, week: str, weekday: int) -> date:
    """周五 is the next one; 本周五 that of this week, 下周五 of the next, 下下周五 of the one after."""
    monday = today - timedelta(days=today.weekday())
    day = monday + timedelta(days=weekday + 7 * week.count("下"))
    return day + timedelta(days=7) if not week and day < today else day


def _hour(match: re.Match[str]) -> int:
    """The hour counted from the day's beginning: 24 and more are of the next day, as 今晚12点 and 明晚2点 are."""
    hour, part = int(_number(match["hour"])), match["part"]
    if part in _NIGHT or (match["day"] or "")[-1:] == "晚":
        if hour < _DEAD_OF_NIGHT:
            return hour + 24 if match["day"] else hour
        return hour + 12 if hour <= 12 else hour
    if part == "凌晨" and hour == 12:
        return 0
    late = part in _AFTERNOON or (part == "中午" and hour < 11)
    return hour + 12 if late and hour < 12 else hour


def _minute(said: str) -> int:
    return {"半": 30, "一刻": 15, "三刻": 45}.get(said) or int(said)
