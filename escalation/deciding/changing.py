"""An event about an incident that exists: folded in, news, a rise, a return to normal, or too late to count."""

from __future__ import annotations

import msgspec

from escalation.deciding.closing import close, close_if_over
from escalation.deciding.duties import (
    close_duty,
    lead_tier,
    lit,
    meet,
    open_duty,
    relight,
    restart,
    resume,
    running,
    tell_plan,
)
from escalation.deciding.opening import plan_for, reopen
from escalation.event import Event, EventType, Flag
from escalation.incident import Duty, DutyPlan, Incident, IncidentState
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind
from escalation.plan import start_clock, urgency_of
from escalation.telling import next_stage, tell, told_people
from escalation.vocabulary import ClockKind, Kind, Level, Purpose, Severity, Verdict

_ENDS_AT_ONCE = (
    EventType.WARNING_CLEARED,
    EventType.WARNING_CANCELLED,
    EventType.DATA_RESTORED,
    EventType.VIDEO_RESTORED,
)


_NO_NEWS = (EventType.ALARM_REPEATED, EventType.WARNING_DOWNGRADED)
"""What repeats a level that is known, or lowers it, is no raise after a signature."""


def change(incident: Incident, event: Event, ctx: Context) -> Decision:
    """What an event does to an existing incident. Order is the source's: an older word never undoes a newer one; of two
    at the same millisecond the later to come is the newer."""
    if not event.type.raises:
        return _cleared(incident, event, ctx)
    if event.type is EventType.ALARM_REPEATED and Flag.UNKNOWN_LEVEL in event.flags:
        # A repeat that names no severity repeats the one that is known.
        event = msgspec.structs.replace(event, severity=incident.severity)
    late = not incident.active and event.at < incident.cleared_at
    if incident.state is IncidentState.CLOSED:
        if late:
            return _ignored(incident, event, ctx, "raised_before_its_clear", Verdict.STALE)
        return reopen(incident, event, ctx)
    if incident.kind is Kind.WARNING and event.at < incident.last_at:
        return _ignored(incident, event, ctx, "level_older_than_known", Verdict.STALE)
    if _rank(event) > _rank(incident):
        return _rose(incident, event, ctx, active=not late)
    if late:
        return _folded(incident, event, ctx, "raised_before_its_clear")
    lower = _rank(event) < _rank(incident)
    if incident.kind is Kind.WARNING and lower:
        return _lowered(incident, event, ctx)
    signed = any(duty.open and duty.signed for duty in incident.duties)
    again = signed and not lower and event.type not in _NO_NEWS
    if not incident.active or again or _other_severity(incident, event):
        return _raised_again(incident, event, ctx)
    return _folded(incident, event, ctx, "folded")


def _other_severity(incident: Incident, event: Event) -> bool:
    """An interlock after a high-high is no rise, and news all the same."""
    known = event.severity is not None and incident.severity is not None and event.at >= incident.last_at
    return known and event.severity is not incident.severity and _rank(event) == _rank(incident)


def _rank(subject: Event | Incident) -> int:
    """A level or severity that is not known counts as the highest, as the plan takes it."""
    kind = subject.kind if isinstance(subject, Incident) else subject.type.kind
    return (subject.level or Level.RED).rank if kind is Kind.WARNING else (subject.severity or Severity.HIGH_HIGH).rank


def _folded(incident: Incident, event: Event, ctx: Context, reason: str) -> Decision:
    """One more of the same: counted, the newest value kept, nobody rung again."""
    incident.raises += 1
    _take_facts(incident, event)
    decision = Decision(reason=reason, incident=incident, verdict=Verdict.MERGED)
    decision.entries.append(_entry(incident, event, ctx, reason))
    return decision


def _ignored(incident: Incident, event: Event, ctx: Context, reason: str, verdict: Verdict) -> Decision:
    """Recorded and nothing else: the incident keeps its state, the journal says why."""
    decision = Decision(reason=reason, incident=incident, verdict=verdict)
    decision.entries.append(_entry(incident, event, ctx, reason))
    return decision


def _take_facts(incident: Incident, event: Event) -> None:
    if event.at < incident.last_at:
        return
    incident.last_at = event.at
    incident.raised_at = max(incident.raised_at, event.at)
    _take_reading(incident, event)
    incident.limit = event.limit if event.limit is not None else incident.limit
    incident.reasons = event.reasons or incident.reasons
    incident.flags = tuple(dict.fromkeys((*incident.flags, *event.flags)))


def _take_reading(incident: Incident, event: Event) -> None:
    """The newest reading. Where words stand for it there is none: the one before is not passed off as it."""
    words = Flag.UNKNOWN_READING in event.flags
    if event.value is not None or words:
        incident.value = event.value
    if event.value is not None and not words:
        incident.flags = tuple(flag for flag in incident.flags if flag is not Flag.UNKNOWN_READING)


def _rose(incident: Incident, event: Event, ctx: Context, *, active: bool) -> Decision:
    """A level up or high → high_high: a new plan, its duties on their new ladders, and everybody hears it.

    A late one, from before the newest clear, is told as well but makes nothing active.
    """
    before = _word(incident)
    people = told_people(incident)
    incident.level, incident.severity = event.level, event.severity
    incident.urgency = urgency_of(event.level, event.severity)
    incident.active, incident.cleared_at = active, 0 if active else incident.cleared_at
    incident.raises += 1
    incident.requests = []
    _take_facts(incident, event)
    decision = Decision(reason="rose", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "rose", before=before))
    incident.plan = plan_for(incident, ctx)
    planned = {duty.unit: duty for duty in incident.plan.duties}
    for duty in incident.duties:
        if duty.open and duty.unit in planned:
            restart(duty, planned[duty.unit], ctx)
        elif duty.open and duty.tier.rank > lead_tier(incident).rank:
            relight(incident, duty, ctx)
        else:
            close_duty(duty, ctx, "led_by_another_tier", decision, incident)
    for plan in incident.plan.duties:
        duty = open_duty(incident, plan, ctx)
        if not active:
            meet(duty, ClockKind.CLEAR, ctx, decision, incident)
    tell_plan(decision, incident, ctx, kind=NoticeKind.ROSE, note=before, others=people)
    return decision


def _lowered(incident: Incident, event: Event, ctx: Context) -> Decision:
    """A level down: the higher duty ends, the lower keeps its original start, and all who were told hear it."""
    before = _word(incident)
    people = told_people(incident)
    led = {duty.unit for duty in incident.plan.duties}
    incident.level = event.level
    incident.urgency = urgency_of(event.level, event.severity)
    incident.active, incident.cleared_at = True, 0
    _take_facts(incident, event)
    decision = Decision(reason="lowered", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "lowered", before=before))
    incident.plan = plan_for(incident, ctx)
    for duty in incident.duties:
        if lit(incident, duty):
            close_duty(duty, ctx, "level_lowered", decision, incident)
    for plan in incident.plan.duties:
        former = next((duty for duty in reversed(incident.duties) if duty.unit == plan.unit), None)
        if former is None:
            open_duty(incident, plan, ctx)
        elif not former.open or former.unit not in led:
            resume(former, plan, ctx)
    tell_plan(decision, incident, ctx, kind=NoticeKind.LOWERED, note=before, others=people)
    return decision


def _raised_again(incident: Incident, event: Event, ctx: Context) -> Decision:
    """Raised again after a return to normal or after a signature: news, and whoever signed must sign anew.

    Who has not signed keeps their clocks, or an alarm that comes and goes would never climb; a ladder that is used up
    starts afresh.
    """
    people = told_people(incident)
    incident.active, incident.raises = True, incident.raises + 1
    incident.cleared_at = 0
    incident.requests = []
    if _other_severity(incident, event):
        incident.severity = event.severity
    _take_facts(incident, event)
    decision = Decision(reason="raised_again", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "raised_again"))
    planned = {duty.unit: duty for duty in incident.plan.duties}
    for duty in incident.duties:
        if duty.open and duty.unit not in planned:
            relight(incident, duty, ctx)
        elif duty.open and (duty.signed is not None or _used_up(duty)):
            restart(duty, planned[duty.unit], ctx)
        elif duty.open:
            _clear_anew(duty, planned[duty.unit], ctx)
    tell_plan(decision, incident, ctx, kind=NoticeKind.REOPENED, others=people)
    return decision


def _used_up(duty: Duty) -> bool:
    clock = running(duty, ClockKind.SIGN)
    return clock is not None and all(step.fired_at for step in clock.steps)


def _clear_anew(duty: Duty, plan: DutyPlan, ctx: Context) -> None:
    """The return to normal had met the clear clock; what is wrong again must be cleared again."""
    fresh = next((each for each in plan.clocks if each.kind is ClockKind.CLEAR), None)
    if fresh is None or running(duty, ClockKind.CLEAR) is not None:
        return
    others = [clock for clock in duty.clocks if clock.kind is not ClockKind.CLEAR]
    duty.clocks = [*others, start_clock(fresh, ctx.now, ctx.calendar)]


def _word(incident: Incident) -> str:
    known = incident.level or incident.severity
    return known.value if known is not None else ""


def _cleared(incident: Incident, event: Event, ctx: Context) -> Decision:
    """Upstream says it is over. Unless the acting tier has signed, an alarm stays open as 数值恢复，未确认安全."""
    if incident.state is IncidentState.CLOSED:
        incident.cleared_at = max(incident.cleared_at, event.at)
        return _ignored(incident, event, ctx, "already_closed", Verdict.MERGED)
    if event.at < incident.raised_at:
        return _ignored(incident, event, ctx, "cleared_before_newest_raise", Verdict.STALE)
    was_active = incident.active
    incident.active, incident.cleared_at = False, max(incident.cleared_at, event.at)
    incident.last_at = max(incident.last_at, event.at)
    _take_reading(incident, event)
    decision = Decision(reason="returned", incident=incident, verdict=Verdict.CLEARED)
    decision.entries.append(_entry(incident, event, ctx, "returned"))
    for duty in incident.duties:
        if duty.open:
            meet(duty, ClockKind.CLEAR, ctx, decision, incident)
    if event.type in _ENDS_AT_ONCE:
        reason = "cancelled_upstream" if event.type is EventType.WARNING_CANCELLED else "cleared_upstream"
        close(decision, incident, ctx, reason)
    elif not close_if_over(decision, incident, ctx) and was_active:
        tell(
            decision,
            incident,
            ctx,
            told_people(incident),
            kind=NoticeKind.RETURNED,
            purpose=Purpose.ATTEND,
            stage=next_stage(incident, NoticeKind.RETURNED),
        )
    return decision


def _entry(incident: Incident, event: Event, ctx: Context, reason: str, before: str = "") -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        detail={
            "event": event.id,
            "source": event.source,
            "type": event.type,
            "occurred_at": event.at,
            "severity": event.severity,
            "level": event.level,
            "value": event.value,
            "flags": ",".join(event.flags),
            "before": before,
            "raises": incident.raises,
        },
    )
