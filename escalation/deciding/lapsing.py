"""Time passed: the rungs whose minute has come, in order, each exactly once.

A rung that goes up opens a duty for the tier it reaches: the next tower is lit, and stays lit until somebody there
signs. Once they have, the lower duty's ladder climbs no further; its own tier is still reminded.
"""

from __future__ import annotations

from escalation.deciding.calling import look, phone
from escalation.deciding.duties import bearers, due_of, light, lit, loudly
from escalation.deciding.fallback import Why, pass_on
from escalation.deciding.needed import done_meanwhile
from escalation.deciding.official import remind_afterwards
from escalation.deciding.utterance import Utterance, utter
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState, Step, StepAction
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, Notice, NoticeKind, NoticeState
from escalation.reach import by_step
from escalation.vocabulary import ClockKind, Purpose, Role, Urgency

HOLD = 2 * 60_000
"""How long a rung waits for its reminder to leave the hub, each time (ms)."""
MOST_HOLDS = 10
"""A reminder that waits for longer than this many holds is waited for no more: in doubt, ring."""


def lapse(incident: Incident, ctx: Context) -> Decision:
    """Fire everything due at ``ctx.now``; nothing due is a decision too, with reason ``nothing_due``.

    After an outage much is due at once: every rung fires, in the order of its time, and of all that one person would
    hear of one duty at this moment they hear the strongest.
    """
    if incident.state is IncidentState.CLOSED:
        return remind_afterwards(incident, ctx)
    decision = Decision(reason="nothing_due", incident=incident)
    clocks = [
        (duty, clock)
        for duty in incident.duties
        if duty.open
        for clock in duty.clocks
        if clock.state is ClockState.RUNNING
    ]
    due = [
        (step, clock, duty)
        for duty, clock in clocks
        for step in clock.steps
        if not step.fired_at and step.at <= ctx.now
    ]
    said: list[Utterance] = []
    for step, clock, duty in sorted(due, key=lambda one: one[0].at):
        said.append(_prepare(incident, duty, clock, step, said, ctx))
    utter(decision, incident, said, ctx)
    for one in said:
        _pass_on_unheard(decision, incident, one, ctx)
    for duty, clock in clocks:
        if not clock.lapsed_at and clock.due_at <= ctx.now:
            _run_out(decision, incident, duty, clock, ctx)
    return decision


def _pass_on_unheard(decision: Decision, incident: Incident, one: Utterance, ctx: Context) -> None:
    """The step has come, and what asked for this before it still waits inside the hub, or lies unread: another way."""
    unheard = [
        (notice, why)
        for notice in incident.notices.values()
        if notice.duty == one.duty.id
        and notice.clock is one.clock.kind
        and notice.created_at < ctx.now
        and not notice.passed_on
        and done_meanwhile(incident, notice) is None
        and (why := _why_unheard(notice, ctx)) is not None
    ]
    for notice, why in unheard:
        notice.passed_on = str(why)
    for notice, why in unheard:
        if notice.id in incident.notices:
            pass_on(decision, incident, notice, why, ctx, clock=one.clock)


def _why_unheard(notice: Notice, ctx: Context) -> Why | None:
    if notice.purpose is not Purpose.ACT or notice.spoken:
        return None
    if notice.state is NoticeState.QUEUED:
        return Why.STILL_WAITING
    unread = notice.state.reached_vendor and not notice.read_at
    return Why.UNREAD if unread and ctx.channels.can(notice.contact.channel, "tells_reading") else None


def _run_out(decision: Decision, incident: Incident, duty: Duty, clock: Clock, ctx: Context) -> None:
    """The limit passed. None passes while its reminder waits inside the hub: then it moves along."""
    held = _reminder_waits(incident, duty, clock, ctx)
    detail: dict[str, str | int | float | bool | None] = {
        "duty": duty.id,
        "clock": clock.kind,
        "due_at": clock.due_at,
    }
    if held:
        clock.due_at = ctx.now + HOLD
    else:
        clock.lapsed_at = ctx.now
    decision.reason = "limit_held" if held else "lapsed"
    reason = "limit_held" if held else "clock_lapsed"
    decision.entries.append(Entry(at=ctx.now, reason=reason, incident=incident.code, detail=detail))


def _prepare(
    incident: Incident, duty: Duty, clock: Clock, step: Step, said: list[Utterance], ctx: Context
) -> Utterance:
    """Fire one rung: its state changes here; what it says is said when all rungs of the moment are known."""
    one = Utterance(duty=duty, clock=clock, reason=f"step_{step.action}", step=step)
    overtaken = any(
        later.at <= ctx.now and later.at > step.at and later.action.goes_up
        for later in clock.steps
        if later.fired_at == 0
    )
    reminded_now = incident.urgency is not Urgency.CRITICAL and any(
        other.clock is clock and other.kind is NoticeKind.REMIND and other.people for other in said
    )
    waits = (reminded_now and not incident.plan.trial) or _reminder_waits(incident, duty, clock, ctx)
    if step.action.goes_up and waits:
        one.reason, one.step_at = "reminder_held", step.at
        step.at, step.held = ctx.now + HOLD, step.held + 1
        return one
    step.fired_at = ctx.now
    if step.action is StepAction.ANNOUNCE:
        if overtaken:
            one.reason = "announcement_overtaken"
        else:
            _announce(one, incident, ctx)
    elif step.action is StepAction.PHONE:
        (look if step.looks else phone)(one, incident, said, ctx)
    elif step.action.goes_up:
        _go_up(one, incident, ctx)
    else:
        one.people = _reached(one, incident, ctx)
        one.kind = {StepAction.REMIND: NoticeKind.REMIND, StepAction.PROPOSE: NoticeKind.PROPOSAL}.get(
            step.action, NoticeKind.ESCALATED
        )
        one.purpose = Purpose.ATTEND if step.action is StepAction.PROPOSE else Purpose.ACT
    return one


def _reminder_waits(incident: Incident, duty: Duty, clock: Clock, ctx: Context) -> bool:
    """True when this duty's reminder still waits inside the hub, but never for ever; critical ones never wait, nor what
    reached its reader another way."""
    if incident.urgency is Urgency.CRITICAL:
        return False
    return any(
        notice.state is NoticeState.QUEUED
        and notice.kind is NoticeKind.REMIND
        and not notice.spoken
        and notice.duty == duty.id
        and notice.clock is clock.kind
        and not (notice.passed_on and _left_otherwise(incident, notice))
        and notice.created_at + MOST_HOLDS * HOLD > ctx.now
        for notice in incident.notices.values()
    )


def _left_otherwise(incident: Incident, notice: Notice) -> bool:
    same = (other for other in incident.notices.values() if other.stage == notice.stage)
    return any(other.state.reached_vendor and notice.to in other.everybody for other in same)


def _reached(one: Utterance, incident: Incident, ctx: Context) -> tuple[Addressee, ...]:
    if one.step.action is StepAction.REMIND and one.duty.named:
        return bearers(incident, one.duty, ctx, one.beside)
    reached = by_step(ctx.directory, one.duty, one.step, ctx.now, incident.plan.units, incident.point)
    return loudly(reached, incident, one.duty, ctx, one.beside)


def _announce(one: Utterance, incident: Incident, ctx: Context) -> None:
    """Fair escalation: the own tier hears before it goes up, who will be told and when."""
    step, clock = one.step, one.clock
    coming = next((each for each in clock.steps if not each.fired_at and each.action.goes_up), None)
    unit = incident.plan.units.get(step.tier, "") if step.tier else ""
    if coming is None or not unit or _taken_above(incident, one.duty, clock):
        return
    one.people = bearers(incident, one.duty, ctx, one.beside)
    one.kind, one.due_at, one.note = NoticeKind.ANNOUNCE, coming.at, ctx.directory.unit_name(unit)


def _taken_above(incident: Incident, duty: Duty, clock: Clock) -> bool:
    """True when a higher tier that was lit for this has signed. A tier with a duty of its own signs for that alone."""
    return clock.kind is ClockKind.SIGN and any(
        other.open and other.signed is not None and other.tier.rank > duty.tier.rank and lit(incident, other)
        for other in incident.duties
    )


def _go_up(one: Utterance, incident: Incident, ctx: Context) -> None:
    step = one.step
    if _taken_above(incident, one.duty, one.clock):
        one.reason = "taken_by_higher_tier"
        return
    unit = incident.plan.units.get(step.tier, "") if step.tier else ""
    if step.tier is None or not unit:
        one.reason = "no_tier_above"
        return
    one.people = _reached(one, incident, ctx)
    role = Role.DUTY_ROOM if step.action is StepAction.NEXT_DUTY_ROOM else Role.LEADER_ON_DUTY
    one.target = light(incident, step.tier, unit, (role,), ctx)
    one.due_at = due_of(one.target, ClockKind.SIGN)
    one.note = one.duty.id
