"""Time passed: the rungs whose minute has come, in order, each exactly once.

A rung that goes up opens a duty for the tier it reaches: the next tower is lit, and stays lit until somebody there
signs. Once they have, the lower duty's ladder climbs no further; its own tier is still reminded.
"""

from __future__ import annotations

from escalation.deciding.duties import duty_at, lead_tier, loudly, own_people, people_at
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState, Step, StepAction
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, NoticeKind, NoticeState
from escalation.plan import start_clock
from escalation.reach import by_step
from escalation.telling import next_stage, tell
from escalation.vocabulary import ClockKind, Purpose, Role, Tier, Urgency

HOLD = 2 * 60_000
"""How long a rung waits for its reminder to leave the hub, each time (ms)."""
MOST_HOLDS = 10
"""After this many waits the rung fires all the same: in doubt, ring."""


def lapse(incident: Incident, ctx: Context) -> Decision:
    """Fire everything due at ``ctx.now``; nothing due is a decision too, with reason ``nothing_due``."""
    decision = Decision(reason="nothing_due", incident=incident)
    if incident.state is IncidentState.CLOSED:
        return decision
    for duty in list(incident.duties):
        for clock in duty.clocks if duty.open else ():
            _run(decision, incident, duty, clock, ctx)
    return decision


def _run(decision: Decision, incident: Incident, duty: Duty, clock: Clock, ctx: Context) -> None:
    if clock.state is not ClockState.RUNNING:
        return
    due = [step for step in clock.steps if not step.fired_at and step.at <= ctx.now]
    for step in due:
        overtaken = any(
            later.at <= ctx.now and later.at > step.at and later.action.goes_up
            for later in clock.steps
            if later.fired_at == 0
        )
        if step.action is StepAction.ANNOUNCE and overtaken:
            step.fired_at = ctx.now
            _note(decision, incident, duty, clock, ctx, "announcement_overtaken", step)
            continue
        if step.action.goes_up and _reminder_held(incident, duty, clock) and step.held < MOST_HOLDS:
            step.at, step.held = ctx.now + HOLD, step.held + 1
            _note(decision, incident, duty, clock, ctx, "reminder_held", step)
            continue
        step.fired_at = ctx.now
        _fire(decision, incident, duty, clock, step, ctx)
    if not clock.lapsed_at and clock.due_at <= ctx.now:
        clock.lapsed_at = ctx.now
        decision.reason = "lapsed"
        decision.entries.append(
            Entry(
                at=ctx.now,
                reason="clock_lapsed",
                incident=incident.code,
                detail={"duty": duty.id, "clock": clock.kind, "due_at": clock.due_at},
            )
        )


def _reminder_held(incident: Incident, duty: Duty, clock: Clock) -> bool:
    """True when this duty's reminder still waits inside the hub; critical ones never wait."""
    if incident.urgency is Urgency.CRITICAL:
        return False
    return any(
        notice.state is NoticeState.QUEUED
        and notice.kind is NoticeKind.REMIND
        and notice.duty == duty.id
        and notice.clock is clock.kind
        for notice in incident.notices.values()
    )


def _fire(decision: Decision, incident: Incident, duty: Duty, clock: Clock, step: Step, ctx: Context) -> None:
    decision.reason = f"step_{step.action}"
    _note(decision, incident, duty, clock, ctx, f"step_{step.action}", step)
    if step.action is StepAction.ANNOUNCE:
        _announce(decision, incident, duty, clock, step, ctx)
    elif step.action is StepAction.PHONE:
        _phone(decision, incident, duty, clock, step, ctx)
    elif step.action.goes_up:
        _go_up(decision, incident, duty, clock, step, ctx)
    else:
        people = _reached(decision, incident, duty, step, ctx)
        kind = {StepAction.REMIND: NoticeKind.REMIND, StepAction.PROPOSE: NoticeKind.PROPOSAL}.get(
            step.action, NoticeKind.ESCALATED
        )
        purpose = Purpose.ATTEND if step.action is StepAction.PROPOSE else Purpose.ACT
        _tell(decision, incident, duty, clock, step, ctx, people, kind, purpose=purpose)


def _reached(decision: Decision, incident: Incident, duty: Duty, step: Step, ctx: Context) -> tuple[Addressee, ...]:
    reached = by_step(ctx.directory, duty, step, ctx.now, incident.plan.units, incident.point)
    return loudly(reached, incident, duty, ctx, decision)


def _announce(decision: Decision, incident: Incident, duty: Duty, clock: Clock, step: Step, ctx: Context) -> None:
    """Fair escalation: the own tier hears before it goes up, who will be told and when."""
    coming = next((each for each in clock.steps if not each.fired_at and each.action.goes_up), None)
    unit = incident.plan.units.get(step.tier, "") if step.tier else ""
    if coming is None or not unit or _taken_above(incident, duty, clock):
        return
    _tell(
        decision,
        incident,
        duty,
        clock,
        step,
        ctx,
        own_people(incident, duty, ctx, decision),
        NoticeKind.ANNOUNCE,
        due_at=coming.at,
        note=ctx.directory.unit_name(unit),
    )


def _taken_above(incident: Incident, duty: Duty, clock: Clock) -> bool:
    """True when a higher tier that was lit for this has signed."""
    return clock.kind is ClockKind.SIGN and any(
        other.signed is not None and other.tier.rank > duty.tier.rank and other.open for other in incident.duties
    )


def _go_up(decision: Decision, incident: Incident, duty: Duty, clock: Clock, step: Step, ctx: Context) -> None:
    if _taken_above(incident, duty, clock):
        _note(decision, incident, duty, clock, ctx, "taken_by_higher_tier", step)
        return
    unit = incident.plan.units.get(step.tier, "") if step.tier else ""
    if step.tier is None or not unit:
        _note(decision, incident, duty, clock, ctx, "no_tier_above", step)
        return
    people = _reached(decision, incident, duty, step, ctx)
    role = Role.DUTY_ROOM if step.action is StepAction.NEXT_DUTY_ROOM else Role.LEADER_ON_DUTY
    higher = duty_at(incident, unit) or _light(incident, step.tier, unit, role, ctx)
    _tell(decision, incident, higher, clock, step, ctx, people, NoticeKind.ESCALATED, note=duty.id)


def _light(incident: Incident, tier: Tier, unit: str, role: Role, ctx: Context) -> Duty:
    """The next tower: a duty of its own with a sign clock as long as the plan gives its lead, and no ladder of its own,
    since the duty below still climbs."""
    lead = next((duty for duty in incident.plan.duties if duty.tier is lead_tier(incident)), None)
    plans = [each for each in (lead.clocks if lead else ()) if each.kind is ClockKind.SIGN]
    number = 1 + sum(1 for duty in incident.duties if duty.unit == unit)
    clocks = [start_clock(plan, ctx.now, ctx.calendar) for plan in plans]
    for started in clocks:
        started.steps = [each for each in started.steps if each.action is StepAction.REMIND]
    duty = Duty(id=f"{unit}#{number}", tier=tier, unit=unit, roles=(role,), opened_at=ctx.now, clocks=clocks)
    incident.duties.append(duty)
    return duty


def _phone(decision: Decision, incident: Incident, duty: Duty, clock: Clock, step: Step, ctx: Context) -> None:
    """A call where no channel can speak becomes a 人工电话 task of a duty room: the own one, else the next up."""
    tier: Tier | None = duty.tier
    people: tuple[Addressee, ...] = ()
    while tier is not None and not people:
        unit = incident.plan.units.get(tier, "")
        people = people_at(ctx, unit, (Role.DUTY_ROOM,)) if unit else ()
        tier = tier.above
    called = "、".join(each.name for each in own_people(incident, duty, ctx, decision) if each.person)
    _tell(decision, incident, duty, clock, step, ctx, people, NoticeKind.PHONE_TASK, note=called)


def _tell(
    decision: Decision,
    incident: Incident,
    duty: Duty,
    clock: Clock,
    step: Step,
    ctx: Context,
    people: tuple[Addressee, ...],
    kind: NoticeKind,
    *,
    purpose: Purpose = Purpose.ACT,
    due_at: int = 0,
    note: str = "",
) -> None:
    tell(
        decision,
        incident,
        ctx,
        people,
        kind=kind,
        purpose=purpose,
        stage=next_stage(incident, kind),
        duty=duty,
        clock=clock.kind,
        measure=step.measure,
        due_at=due_at or clock.due_at,
        note=note,
    )


def _note(
    decision: Decision, incident: Incident, duty: Duty, clock: Clock, ctx: Context, reason: str, step: Step
) -> None:
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason=reason,
            incident=incident.code,
            detail={"duty": duty.id, "clock": clock.kind, "action": step.action, "step_at": step.at},
        )
    )
