"""``fenghuo explain``: if this happened then, who would be told, by which channel, when and why, to the ladder's end.

Pure: the decision itself is run on an imagined incident that nobody answers, one due moment after the other.
"""

from __future__ import annotations

import msgspec

from bot.incident_words import vacancy
from bot.intake.known import flagged
from bot.rehearsal.told import Told, reader_of, told
from escalation.calendar import local
from escalation.decide import decide, decide_event
from escalation.event import Event, EventType, Flag
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Lapse
from escalation.notice import NoticeState
from escalation.vocabulary import ClockKind, Kind, Level, Mode, Severity

MOST_STEPS = 500
"""A ladder longer than this is cut; none that ``check`` accepts is."""


class Clock(msgspec.Struct, kw_only=True):
    """One time limit: whose, of what, until when."""

    unit: str
    unit_name: str
    tier: str
    clock: str
    clock_word: str
    due: str


class Explanation(msgspec.Struct, kw_only=True):
    """The answer of ``explain``. ``told`` in order of time; ``remarks`` are fallbacks and rungs that reached nobody."""

    enterprise: str
    enterprise_name: str
    kind: str
    level: str
    severity: str
    at: str
    urgency: str
    trial: bool
    profile: str
    rule: str
    basis: str
    clocks: list[Clock]
    told: list[Told]
    remarks: list[str]


_FLAGS = {
    Flag.UNKNOWN_ENTERPRISE: "企业未登记，由兜底单位处置",
    Flag.UNKNOWN_POINT: "点位未登记，按企业岗位通知",
}
_REMARKS = {
    "nobody_at_post": "岗位无人",
    "group_of_others": "群内有其他单位的人，不发本企业的信息",
    "fell_to_leader": "转由带班领导接收",
    "fell_to_next_tier": "转由上一级接收",
    "nobody_anywhere": "各级均无人可通知，已转系统维护员",
    "no_contact": "没有可用的联系方式",
    "no_tier_above": "没有上一级可升级",
    "clock_lapsed": "时限到期",
}


def explain(
    context: Context,
    *,
    enterprise: str,
    point: str,
    kind: Kind,
    level: Level | None,
    severity: Severity | None,
    at: int,
    mode: Mode = Mode.ACTUAL,
) -> Explanation:
    """What would follow if this were raised at ``at`` (milliseconds) and nobody answered.

    ``context`` gives directory, rules, calendar and channels; its ``now`` is not looked at.
    """
    imagined = Event(
        source="explain",
        id="explain",
        type=EventType.WARNING_ISSUED if kind is Kind.WARNING else EventType.ALARM_RAISED,
        at=at,
        received_at=at,
        body_hash="",
        mode=mode,
        enterprise=enterprise,
        point=point,
        severity=severity,
        level=level,
    )
    event = flagged(imagined, context.directory)
    context = msgspec.structs.replace(context, now=at, feedback={})
    code = f"{kind.letter}0000"
    decision = decide_event(None, event, context, code=code, partition=0)
    incident = decision.incident
    if incident is None:
        raise ValueError("a raise always opens an incident")
    clocks = _clocks(incident, context)
    lines: dict[str, Told] = {}
    remarks = [_FLAGS[flag] for flag in event.flags if flag in _FLAGS]
    _collect(decision, incident, context, lines, remarks)
    for _ in range(MOST_STEPS):
        due = incident.due_at()
        if due is None:
            break
        context = msgspec.structs.replace(context, now=due)
        decision = decide(incident, Lapse(at=due), context)
        _collect(decision, incident, context, lines, remarks)
    remarks += _afterwards(incident)
    return Explanation(
        enterprise=enterprise,
        enterprise_name=incident.enterprise_name or enterprise,
        kind=kind.value,
        level=level.value if level else "",
        severity=severity.value if severity else "",
        at=local(at).isoformat(timespec="seconds"),
        urgency=incident.urgency.value,
        trial=incident.plan.trial,
        profile=incident.plan.profile,
        rule=incident.plan.rule,
        basis=incident.plan.basis,
        clocks=clocks,
        told=list(lines.values()),
        remarks=list(dict.fromkeys(remarks)),
    )


def _afterwards(incident: Incident) -> list[str]:
    """What is still asked for once it is closed."""
    owes = any(clock.kind is ClockKind.FEEDBACK for duty in incident.plan.duties for clock in duty.clocks)
    if not owes:
        return []
    times = "、".join(f"{at // 60}小时" if at % 60 == 0 else f"{at}分钟" for at in incident.plan.after_close)
    said = f"关闭后 {times}各提醒一次" if times else "关闭后不再提醒"
    return [f"关闭时仍未在原系统反馈的，{said}"]


def _collect(
    decision: Decision, incident: Incident, context: Context, lines: dict[str, Told], remarks: list[str]
) -> None:
    """The notices this decision made, as lines; each counts as sent at once, since nothing here holds it up."""
    why = decision.reason
    for entry in decision.entries:
        notice = incident.notices.get(entry.notice) if entry.reason.startswith("told") else None
        if notice is not None:
            lines[notice.id] = told(incident, notice, context.directory, context.now, why)
            if notice.state is NoticeState.QUEUED:
                notice.state = NoticeState.SUBMITTED
        elif entry.reason == "shares_a_send" and entry.notice in lines:
            lines[entry.notice].also.append(reader_of(entry, context.directory))
        elif entry.reason.startswith("step_"):
            why = entry.reason
        elif entry.reason in _REMARKS:
            duty = str(entry.detail.get("duty", "")).partition("#")[0]
            clock = str(entry.detail.get("clock", ""))
            where = vacancy(entry, context.directory) or (context.directory.unit_name(duty) if duty else entry.actor)
            remarks.append(f"{local(context.now):%m-%d %H:%M} {where} {_word(clock)}{_REMARKS[entry.reason]}")


def _word(clock: str) -> str:
    return {"sign": "签收", "verify": "核查", "clear": "消警", "feedback": "系统反馈"}.get(clock, "")


def _clocks(incident: Incident, context: Context) -> list[Clock]:
    return [
        Clock(
            unit=duty.unit,
            unit_name=context.directory.unit_name(duty.unit),
            tier=duty.tier.value,
            clock=clock.kind.value,
            clock_word=clock.kind.word,
            due=local(clock.due_at).isoformat(timespec="seconds"),
        )
        for duty in incident.duties
        for clock in duty.clocks
    ]
