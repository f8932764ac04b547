"""An event about an incident that exists: folded in, news, a rise, a return to normal, or too late to count."""

from __future__ import annotations

from escalation.deciding.closing import close, close_if_over
from escalation.deciding.duties import close_duty, duty_at, meet, open_duty, own_people, restart, tell_plan
from escalation.deciding.opening import plan_for, reopen
from escalation.event import Event, EventType
from escalation.incident import Incident, IncidentState
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind
from escalation.plan import urgency_of
from escalation.telling import next_stage, tell, told_people
from escalation.vocabulary import ClockKind, Kind, Purpose, Verdict

_ENDS_AT_ONCE = (
    EventType.WARNING_CLEARED,
    EventType.WARNING_CANCELLED,
    EventType.DATA_RESTORED,
    EventType.VIDEO_RESTORED,
)


def change(incident: Incident, event: Event, ctx: Context) -> Decision:
    """What an event does to an existing incident. Order is the source's: an older word never undoes a newer one."""
    if not event.type.raises:
        return _cleared(incident, event, ctx)
    if incident.state is IncidentState.CLOSED:
        if event.at <= incident.cleared_at or event.at < incident.last_at:
            return _ignored(incident, event, ctx, "raised_before_its_clear", Verdict.STALE)
        return reopen(incident, event, ctx)
    if incident.kind is Kind.WARNING and event.at < incident.last_at:
        return _ignored(incident, event, ctx, "level_older_than_known", Verdict.STALE)
    if not incident.active and event.at <= incident.cleared_at:
        return _folded(incident, event, ctx, "raised_before_its_clear")
    if _rank(event) > _rank(incident):
        return _rose(incident, event, ctx)
    if incident.kind is Kind.WARNING and _rank(event) < _rank(incident):
        return _lowered(incident, event, ctx)
    again = event.type is not EventType.ALARM_REPEATED
    if again and any(duty.open and duty.signed for duty in incident.duties):
        return _raised_again(incident, event, ctx)
    if not incident.active:
        return _raised_again(incident, event, ctx)
    return _folded(incident, event, ctx, "folded")


def _rank(subject: Event | Incident) -> int:
    if subject.level is not None:
        return subject.level.rank
    return subject.severity.rank if subject.severity is not None else 0


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
    incident.value = event.value if event.value is not None else incident.value
    incident.limit = event.limit if event.limit is not None else incident.limit
    incident.reasons = event.reasons or incident.reasons
    incident.flags = tuple(dict.fromkeys((*incident.flags, *event.flags)))


def _rose(incident: Incident, event: Event, ctx: Context) -> Decision:
    """A level up or high → high_high: a new plan, its duties on their new ladders, and everybody hears it."""
    before = incident.level or incident.severity
    incident.level, incident.severity = event.level, event.severity
    incident.urgency = urgency_of(event.level, event.severity)
    incident.active = True
    incident.raises += 1
    incident.raised_at = max(incident.raised_at, event.at)
    _take_facts(incident, event)
    decision = Decision(reason="rose", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "rose", before=str(before)))
    incident.plan = plan_for(incident, ctx)
    planned = {duty.unit: duty for duty in incident.plan.duties}
    for duty in incident.duties:
        if duty.open and duty.unit in planned:
            restart(duty, planned[duty.unit], ctx)
        elif duty.open:
            close_duty(duty, ctx, "led_by_another_tier", decision, incident)
    for plan in incident.plan.duties:
        open_duty(incident, plan, ctx, ctx.now)
    tell_plan(
        decision, incident, ctx, kind=NoticeKind.ROSE, stage=next_stage(incident, NoticeKind.ROSE), note=str(before)
    )
    return decision


def _lowered(incident: Incident, event: Event, ctx: Context) -> Decision:
    """A level down: the higher duty ends, the lower keeps its original start, and all who were told hear it."""
    before = incident.level
    people = told_people(incident)
    incident.level = event.level
    incident.urgency = urgency_of(event.level, event.severity)
    _take_facts(incident, event)
    decision = Decision(reason="lowered", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "lowered", before=str(before)))
    incident.plan = plan_for(incident, ctx)
    planned = {duty.unit: duty for duty in incident.plan.duties}
    for duty in incident.duties:
        if duty.open and duty.unit not in planned:
            close_duty(duty, ctx, "level_lowered", decision, incident)
    stage = next_stage(incident, NoticeKind.LOWERED)
    for plan in incident.plan.duties:
        if duty_at(incident, plan.unit) is not None:
            continue
        former = next((duty for duty in reversed(incident.duties) if duty.unit == plan.unit), None)
        duty = open_duty(incident, plan, ctx, former.opened_at if former else ctx.now)
        if former is not None and former.signed is not None:
            duty.signed = former.signed
            meet(duty, ClockKind.SIGN, ctx, decision, incident)
        else:
            tell(
                decision,
                incident,
                ctx,
                own_people(incident, duty, ctx, decision),
                kind=NoticeKind.LOWERED,
                purpose=Purpose.ACT,
                stage=stage,
                duty=duty,
                clock=ClockKind.SIGN,
                due_at=next((each.due_at for each in duty.clocks if each.kind is ClockKind.SIGN), 0),
                note=str(before),
            )
    tell(
        decision, incident, ctx, people, kind=NoticeKind.LOWERED, purpose=Purpose.ATTEND, stage=stage, note=str(before)
    )
    return decision


def _raised_again(incident: Incident, event: Event, ctx: Context) -> Decision:
    """Raised again after a return to normal or after a signature: news, to be signed for anew."""
    incident.active, incident.raises = True, incident.raises + 1
    incident.raised_at = max(incident.raised_at, event.at)
    incident.cleared_at = 0
    _take_facts(incident, event)
    decision = Decision(reason="raised_again", incident=incident, verdict=Verdict.UPDATED)
    decision.entries.append(_entry(incident, event, ctx, "raised_again"))
    planned = {duty.unit: duty for duty in incident.plan.duties}
    for duty in incident.duties:
        if duty.open and duty.signed and duty.unit in planned:
            restart(duty, planned[duty.unit], ctx)
    tell_plan(decision, incident, ctx, kind=NoticeKind.REOPENED, stage=next_stage(incident, NoticeKind.REOPENED))
    return decision


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
    incident.value = event.value if event.value is not None else incident.value
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
