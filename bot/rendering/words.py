"""How times, numbers, levels and states are said in messages."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from zoneinfo import ZoneInfo

from escalation.incident import Incident
from escalation.notice import NoticeState
from escalation.vocabulary import ClockKind, Level, Severity, Urgency, Verb

ZONE = ZoneInfo("Asia/Shanghai")

STATE_WORDS = {
    NoticeState.QUEUED: "待发送",
    NoticeState.SUBMITTED: "已提交",
    NoticeState.DELIVERED: "已送达",
    NoticeState.READ: "已读",
    NoticeState.UNCERTAIN: "是否送出不明",
    NoticeState.FAILED: "发送失败",
    NoticeState.DROPPED: "未发送",
    NoticeState.DEAD: "无法送达",
}

DONE_WORDS = {
    Verb.SIGN: "已签收",
    Verb.VERIFY: "已核查",
    Verb.DISPOSE: "已处置",
    Verb.CLEAR: "请求消警",
    Verb.FALSE_ALARM: "申报误报",
    Verb.TRANSFER: "已转派",
    Verb.EXTEND: "申请延期",
    Verb.APPROVE: "已批准",
    Verb.REFUSE: "未批准",
    Verb.UNDO: "已撤回",
    Verb.URGE: "已催办",
    Verb.PHONED: "已电话通知",
}

# The shortest SMS form of "how to answer", where even the ordinary one has no room.
SHORT_ASK_WORDS = {
    ClockKind.SIGN: "回1签收",
    ClockKind.VERIFY: "回核查",
    ClockKind.CLEAR: "回消警",
    ClockKind.FEEDBACK: "系统反馈",
}

# The SMS form of "how to answer" for each clock; the code always stands in the text beside it.
ASK_WORDS = {
    ClockKind.SIGN: "回1签收",
    ClockKind.VERIFY: "回核查加结果",
    ClockKind.CLEAR: "回消警加原因",
    ClockKind.FEEDBACK: "在原系统反馈",
}


def local(at: int) -> datetime:
    """``at`` (milliseconds since the epoch) as people here read it.

    Raises OverflowError, ValueError or OSError for a time outside the calendar.
    """
    return datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(ZONE)


def stamp(at: int) -> str:
    """RFC 3339 with the offset of Asia/Shanghai, to the second."""
    return local(at).isoformat(timespec="seconds")


def moment(at: int, now: int, *, brief: bool = False) -> str:
    """``at`` seen from ``now``: 02:17, 明日02:17, 昨日23:50, else 11-24 02:17; the year where it is another one.

    ``brief`` gives only the day where it is not today or tomorrow, and never the year.
    """
    # To the minute is what is shown, so that many messages of one minute share the answer.
    return _moment(at // 60_000, now // 60_000, brief)


@lru_cache(maxsize=1024)
def _moment(at: int, now: int, brief: bool) -> str:
    """:func:`moment` of whole minutes since the epoch."""
    when, today = local(at * 60_000), local(now * 60_000)
    days = (when.date() - today.date()).days
    if days in (0, 1) or (days == -1 and not brief):
        return f"{ {0: '', 1: '明日', -1: '昨日'}[days] }{when:%H:%M}"
    if brief:
        return "昨日" if days == -1 else when.strftime("%m-%d")
    return when.strftime("%m-%d %H:%M" if when.year == today.year else "%Y-%m-%d %H:%M")


def number(value: float, digits: int = 6) -> str:
    """A measured value as people write it: no exponent, no trailing zeros, 万 and 亿 for what is long."""
    if not isfinite(value):
        return "无效值"
    size = abs(value)
    if size >= 1e12:
        return f"{value:.2e}".replace("e+", "e")
    if size >= 1e8:
        return f"{_trimmed(value / 1e8, digits)}亿"
    if size >= (1e6 if digits >= 6 else 1e5 if digits > 3 else 1e4):
        return f"{_trimmed(value / 1e4, digits)}万"
    return _trimmed(value, digits)


def _trimmed(value: float, digits: int) -> str:
    text = f"{value:.{digits}g}"
    if "e" not in text:
        return text
    return f"{value:.0f}" if abs(value) >= 1 else f"{value:.1e}".replace("e-0", "e-")


def _rough(value: float) -> str:
    """At most six signs, for the shortest wording."""
    if abs(value) >= 1e12:
        return "超量程"
    return f"{value:.0e}".replace("e-0", "e-") if 0 < abs(value) < 0.01 else number(value, 3)


def reading(value: float | None, limit: float | None, unit: str) -> str:
    """Value and limit: ``86.4℃，限80℃``."""
    shown = "" if value is None else number(value)
    bound = "" if limit is None else number(limit)
    if value is not None and limit is not None and value != limit and shown == bound:
        shown, bound = number(value, 12), number(limit, 12)
    parts = (f"{shown}{unit}" if shown else "", f"限{bound}{unit}" if bound else "")
    return "，".join(part for part in parts if part)


def tight_reading(value: float | None, limit: float | None, unit: str, *, rough: bool = False) -> str:
    """Value and limit with four digits and the unit once: ``86.4限80℃``; ``rough`` with three and no unit."""
    said = _rough if rough else lambda number_: number(number_, 4)
    shown = "" if value is None else said(value)
    bound = "" if limit is None else f"限{said(limit)}"
    return f"{shown}{bound}{'' if rough or not (shown or bound) else unit}"


def what(level: Level | None, severity: Severity | None, *, warning: bool) -> str:
    """The level by word: 橙色预警, 高高报, 红色联锁动作; 级别不明 where upstream gave none."""
    if warning:
        return f"{level.word}预警" if level else "预警（级别不明）"
    words = (level.word if level else "") + (severity.word if severity else "")
    return words or "报警（级别不明）"


def colour(incident: Incident) -> str:
    """The robot's colour beside the word: it knows only warning (orange), comment (grey) and info (green)."""
    if incident.urgency is Urgency.CRITICAL or incident.level in (Level.RED, Level.ORANGE):
        return "warning"
    return "info" if incident.level is Level.BLUE else "comment"


# The named reasons of a close (escalation.deciding.closing.close and its callers).
_CLOSED = {
    "cleared_upstream": "上游已解除",
    "cancelled_upstream": "上游已撤销",
    "cleared_and_signed": "数值已恢复，责任层级已签收",
    "accepted_clear": "消警已获确认",
    "accepted_false_alarm": "已确认为误报",
}


def closed_reason(reason: str) -> str:
    """The named reason of a close in words; words given as such stay, an unknown name says nothing."""
    if reason in _CLOSED:
        return _CLOSED[reason]
    return "" if reason.isascii() else reason
