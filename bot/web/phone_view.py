"""What the phone page says: plain strings out of one incident, seen by one person at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.rendering import people, words
from bot.rendering.neutral import visible
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.incident import ClockState, Duty, Incident, IncidentState
from escalation.inputs import Rights
from escalation.vocabulary import Kind, Level, Severity

SHAPES = {"red": "◆", "orange": "▲", "yellow": "■", "blue": "●", "grey": "○"}
_MOST_DEEDS = 8


def colour(level: Level | None, severity: Severity | None) -> str:
    """The chip's colour by name: a level's own, else by what the severity means; grey for a device's trouble."""
    if level is not None:
        return level.value
    if severity is None:
        return "orange"
    return {3: "red", 2: "orange"}.get(severity.rank, "grey")


def own_duty(incident: Incident, granted: Sequence[Rights]) -> Duty | None:
    """The duty the reader may satisfy: an unsigned open one first, as an answer chooses it."""
    units = [right.unit for right in granted]
    duties = [duty for unit in units for duty in incident.duties if duty.unit == unit and duty.open]
    return next((duty for duty in duties if duty.signed is None), duties[0] if duties else None)


def incident_view(incident: Incident, granted: Sequence[Rights], directory: Directory, now: int) -> dict[str, Any]:
    """The facts of the page ``phone.html``; times are words seen from ``now`` (milliseconds)."""
    full, _ = people.enterprise(directory, incident)
    duty = own_duty(incident, granted)
    shade = colour(incident.level, incident.severity)
    closed = incident.state is IncidentState.CLOSED
    reader = granted[0] if granted else None
    return {
        "mark": incident.mode.mark,
        "code": incident.code,
        "kind": incident.kind.word,
        "what": words.what(incident.level, incident.severity, warning=incident.kind is Kind.WARNING),
        "colour": shade,
        "shape": SHAPES[shade],
        "enterprise": visible(full),
        "point": people.place(incident),
        "equipment": visible(incident.equipment),
        "value_label": "数值" if incident.active else "报警数值",
        "reading": visible(words.reading(incident.value, incident.limit, incident.unit)),
        "reasons": "；".join(visible(reason) for reason in incident.reasons[:5]),
        "flags": "；".join(flag.word for flag in incident.flags),
        "occurred": words.moment(incident.occurred_at, now),
        "state": _state(incident),
        "closed": closed,
        "closed_at": words.moment(incident.closed_at, now) if closed else "",
        "outcome": words.closed_reason(incident.closed_reason) if closed else "",
        "reader": _reader(directory, reader),
        "owed": [] if closed or duty is None else _owed(duty, now),
        "unit": people.unit(directory, duty.unit) if duty else "",
        "signatures": [_signature(directory, each, now) for each in incident.duties if each.open or each.signed],
        "deeds": [_deed(directory, deed, now) for deed in incident.deeds[-_MOST_DEEDS:]],
        "may_act": bool(granted) and not closed,
        "has_duty": duty is not None,
        "may_sign": duty is not None and duty.signed is None,
    }


def _state(incident: Incident) -> str:
    if incident.state is IncidentState.CLOSED:
        return "已关闭"
    if incident.kind is Kind.WARNING:
        return "风险预警未解除"
    return "上游仍在报警" if incident.active else "数值恢复，未确认安全"


def _reader(directory: Directory, right: Rights | None) -> str:
    return "" if right is None else f"{right.name}（{people.post(directory, right.unit, right.role)}）"


def _owed(duty: Duty, now: int) -> list[dict[str, Any]]:
    running = sorted(
        (clock for clock in duty.clocks if clock.state is ClockState.RUNNING), key=lambda each: each.due_at
    )
    return [
        {
            "what": clock.kind.word,
            "due": words.moment(clock.due_at, now),
            "overdue": clock.due_at <= now,
            "minutes": abs(clock.due_at - now) // 60_000,
        }
        for clock in running
    ]


def _signature(directory: Directory, duty: Duty, now: int) -> dict[str, Any]:
    unit = people.unit(directory, duty.unit)
    if duty.signed is None:
        return {"unit": unit, "signed": False, "text": "尚未签收"}
    who = f"{visible(duty.signed.name)} {words.moment(duty.signed.at, now)}"
    return {"unit": unit, "signed": True, "text": f"{who} 签收"}


def _deed(directory: Directory, deed: Deed, now: int) -> dict[str, str]:
    said = "：".join(part for part in (visible(deed.cause), visible(deed.text[:200])) if part)
    done = words.DONE_WORDS.get(deed.verb, deed.verb.word)
    post = people.post(directory, deed.unit, deed.role)
    return {
        "at": words.moment(deed.at, now),
        "who": f"{visible(deed.name)}（{post}）",
        "done": done,
        "said": said,
    }
