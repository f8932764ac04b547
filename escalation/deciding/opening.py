"""A new incident, or a closed one that starts again under the same code."""

from __future__ import annotations

from escalation.deciding.duties import meet, open_duty, tell_plan
from escalation.deciding.upstream import still_owed_upstream
from escalation.event import Event, Flag
from escalation.incident import Incident, IncidentState, Plan
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind
from escalation.plan import PlanBook, urgency_of
from escalation.reach import maintainers
from escalation.telling import next_stage, tell
from escalation.vocabulary import ClockKind, Industry, Purpose, Verdict

_DOUBTFUL = frozenset({Flag.UNKNOWN_ENTERPRISE, Flag.UNKNOWN_LEVEL, Flag.UNKNOWN_TYPE})
"""Guesses about what an event is, which the maintainers have to mend."""


def plan_for(event: Event | Incident, ctx: Context) -> Plan:
    """The profile's answer for what is known now of an event or an incident."""
    book = ctx.plans or PlanBook(ctx.directory, ctx.profile)
    return book.plan(
        event.enterprise,
        event.point,
        event.kind if isinstance(event, Incident) else event.type.kind,
        event.level,
        event.severity,
        event.industry or _industry(event.enterprise, ctx),
    )


def open_incident(event: Event, ctx: Context, *, code: str, partition: int, tombstone: int | None) -> Decision:
    """The first raise: a code, a plan, duties with clocks, and everybody the plan names is told.

    With a ``tombstone`` at or after the raise, upstream cleared it before telling of it: it is told all the same, as
    returned to normal, since nobody has confirmed that it is safe.
    """
    enterprise = ctx.directory.enterprises.get(event.enterprise)
    point = ctx.directory.point(event.enterprise, event.point)
    returned = tombstone is not None and tombstone >= event.at
    plan = plan_for(event, ctx)
    incident = Incident(
        code=code,
        kind=event.type.kind,
        correlation=event.correlation,
        partition=partition,
        enterprise=event.enterprise,
        enterprise_name=enterprise.name if enterprise else event.enterprise_name,
        short_name=enterprise.short if enterprise else "",
        industry=event.industry or _industry(event.enterprise, ctx),
        mode=event.mode,
        source=event.source,
        point=event.point,
        point_name=point.name if point else event.point_name,
        equipment=(point.equipment if point else "") or event.equipment,
        severity=event.severity,
        level=event.level,
        value=event.value,
        limit=event.limit,
        unit=event.unit or (point.unit if point else ""),
        reasons=event.reasons,
        flags=_flags(event.flags, Flag.CLEARED_BEFORE_RAISE if returned else None),
        urgency=urgency_of(event.level, event.severity),
        active=not returned,
        opened_at=ctx.now,
        occurred_at=event.at,
        last_at=event.at,
        raised_at=event.at,
        cleared_at=tombstone if returned and tombstone is not None else 0,
        plan=plan,
    )
    decision = Decision(reason="opened", incident=incident, verdict=Verdict.CREATED)
    decision.entries.append(_opened(event, incident, ctx, "opened"))
    for planned in plan.duties:
        duty = open_duty(incident, planned, ctx)
        if returned:
            meet(duty, ClockKind.CLEAR, ctx, decision, incident)
    tell_plan(decision, incident, ctx, kind=NoticeKind.RAISED)
    if _DOUBTFUL.intersection(event.flags):
        _tell_maintainers(decision, incident, ctx)
        decision.verdict = Verdict.QUARANTINED
    return decision


def reopen(incident: Incident, event: Event, ctx: Context) -> Decision:
    """A later raise of a closed incident: the same code, a new episode, told like a new one."""
    incident.state, incident.closed_at, incident.closed_reason = IncidentState.OPEN, 0, ""
    incident.closed_by = ""
    incident.episode += 1
    incident.active, incident.cleared_at, incident.source = True, 0, event.source
    incident.opened_at, incident.occurred_at = ctx.now, event.at
    incident.raised_at = incident.last_at = event.at
    incident.raises = 1
    incident.level, incident.severity = event.level, event.severity
    incident.value, incident.limit = event.value, event.limit
    incident.reasons, incident.flags = event.reasons, event.flags
    incident.urgency = urgency_of(event.level, event.severity)
    incident.plan = plan_for(event, ctx)
    incident.duties, incident.requests, incident.deeds = [], [], []
    incident.notices = still_owed_upstream(incident)
    decision = Decision(reason="reopened", incident=incident, verdict=Verdict.REOPENED)
    decision.entries.append(_opened(event, incident, ctx, "reopened"))
    for planned in incident.plan.duties:
        open_duty(incident, planned, ctx)
    tell_plan(decision, incident, ctx, kind=NoticeKind.REOPENED)
    return decision


def _opened(event: Event, incident: Incident, ctx: Context, reason: str) -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        detail={
            "event": event.id,
            "source": event.source,
            "type": event.type,
            "occurred_at": event.at,
            "enterprise": incident.enterprise,
            "point": incident.point,
            "severity": incident.severity,
            "level": incident.level,
            "value": incident.value,
            "mode": incident.mode,
            "flags": ",".join(incident.flags),
            "episode": incident.episode,
            "rule": incident.plan.rule,
            "basis": incident.plan.basis,
        },
    )


def _tell_maintainers(decision: Decision, incident: Incident, ctx: Context) -> None:
    tell(
        decision,
        incident,
        ctx,
        maintainers(ctx.directory, ctx.maintainers, ctx.now),
        kind=NoticeKind.QUARANTINE,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.QUARANTINE),
    )


def _flags(flags: tuple[Flag, ...], more: Flag | None) -> tuple[Flag, ...]:
    return (*flags, more) if more is not None and more not in flags else flags


def _industry(enterprise: str, ctx: Context) -> Industry | None:
    known = ctx.directory.enterprises.get(enterprise)
    return known.industry if known else None
