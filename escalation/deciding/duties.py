"""Duties: opened from a plan, signed for, restarted on a rise, closed with a reason."""

from __future__ import annotations

from collections.abc import Iterable

from escalation.incident import Clock, ClockState, Duty, DutyPlan, Incident
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, Notice, NoticeKind
from escalation.plan import start_clock
from escalation.reach import Reached, acting
from escalation.roster import distinct, standing
from escalation.telling import tell
from escalation.vocabulary import ClockKind, Purpose, Role, Tier


def lead_tier(incident: Incident) -> Tier:
    """The acting tier of the incident: the highest tier the plan gives a duty."""
    return max((duty.tier for duty in incident.plan.duties), key=lambda tier: tier.rank, default=Tier.ENTERPRISE)


def duty_at(incident: Incident, unit: str) -> Duty | None:
    """The open duty of a unit."""
    return next((duty for duty in incident.duties if duty.open and duty.unit == unit), None)


def open_duty(incident: Incident, plan: DutyPlan, ctx: Context, started_at: int) -> Duty:
    """Give a unit its duty with clocks counted from ``started_at``; a duty it already has is returned as it is."""
    standing_duty = duty_at(incident, plan.unit)
    if standing_duty is not None:
        return standing_duty
    number = 1 + sum(1 for duty in incident.duties if duty.unit == plan.unit)
    duty = Duty(
        id=f"{plan.unit}#{number}",
        tier=plan.tier,
        unit=plan.unit,
        roles=plan.roles,
        opened_at=started_at,
        clocks=[start_clock(clock, started_at, ctx.calendar) for clock in plan.clocks],
    )
    incident.duties.append(duty)
    return duty


def restart(duty: Duty, plan: DutyPlan, ctx: Context) -> None:
    """A rise, or a raise after signing: the duty must be signed for anew, on the new plan's clocks."""
    duty.signed = duty.verified = duty.disposed = None
    duty.roles = plan.roles
    duty.clocks = [start_clock(clock, ctx.now, ctx.calendar) for clock in plan.clocks]


def close_duty(duty: Duty, ctx: Context, reason: str, decision: Decision, incident: Incident) -> None:
    """End a duty; its running clocks end with it."""
    if not duty.open:
        return
    duty.closed_at, duty.closed_reason = ctx.now, reason
    for clock in duty.clocks:
        if clock.state is ClockState.RUNNING:
            clock.state = ClockState.CLOSED
    decision.entries.append(
        Entry(at=ctx.now, reason="duty_closed", incident=incident.code, detail={"duty": duty.id, "why": reason})
    )


def running(duty: Duty | None, kind: ClockKind) -> Clock | None:
    """The duty's clock of this kind, while it runs."""
    if duty is None or not duty.open:
        return None
    return next((clock for clock in duty.clocks if clock.kind is kind and clock.state is ClockState.RUNNING), None)


def meet(duty: Duty, kind: ClockKind, ctx: Context, decision: Decision, incident: Incident) -> None:
    """What the clock asked for was done; on time or late is in the entry."""
    clock = running(duty, kind)
    if clock is None:
        return
    clock.state, clock.met_at = ClockState.MET, ctx.now
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason="clock_met",
            incident=incident.code,
            detail={"duty": duty.id, "clock": kind, "late_ms": max(0, ctx.now - clock.due_at)},
        )
    )


def due_of(duty: Duty, *kinds: ClockKind) -> int:
    """The first running limit among ``kinds`` (all kinds where none is named), or 0."""
    clocks = (
        clock.due_at
        for clock in duty.clocks
        if clock.state is ClockState.RUNNING and (not kinds or clock.kind in kinds)
    )
    return min(clocks, default=0)


def own_people(incident: Incident, duty: Duty, ctx: Context, decision: Decision) -> tuple[Addressee, ...]:
    """Who acts for this duty now: its roles by the roster, falling loudly to the leader on duty and the next tier."""
    reached = acting(ctx.directory, duty.tier, duty.unit, duty.roles, ctx.now, incident.plan.units, incident.point)
    return loudly(reached, incident, duty, ctx, decision)


def loudly(reached: Reached, incident: Incident, duty: Duty, ctx: Context, decision: Decision) -> tuple[Addressee, ...]:
    """The people reached, with every fallback on the way written down."""
    for reason in reached.fallbacks:
        decision.entries.append(
            Entry(at=ctx.now, reason=reason, incident=incident.code, detail={"duty": duty.id, "tier": duty.tier})
        )
    return reached.addressees


def people_at(ctx: Context, unit: str, roles: Iterable[Role]) -> tuple[Addressee, ...]:
    """Everybody standing at posts of these roles at a unit now, once each."""
    return distinct(addressee for role in roles for addressee in standing(ctx.directory, unit, role, ctx.now))


def tell_plan(
    decision: Decision, incident: Incident, ctx: Context, *, kind: NoticeKind, stage: str, note: str = ""
) -> list[Notice]:
    """Tell everybody the plan names now: acting tiers 须处置, informed 请关注, watchers 抄送知悉; each once."""
    made: list[Notice] = []
    told: set[str] = set()

    def fresh(addressees: Iterable[Addressee]) -> list[Addressee]:
        chosen = [each for each in addressees if (each.person or each.key) not in told]
        told.update(each.person or each.key for each in chosen)
        return chosen

    for planned in incident.plan.duties:
        duty = duty_at(incident, planned.unit)
        if duty is None:
            continue
        people = fresh(own_people(incident, duty, ctx, decision))
        made += tell(
            decision,
            incident,
            ctx,
            people,
            kind=kind,
            purpose=Purpose.ACT,
            stage=stage,
            duty=duty,
            clock=ClockKind.SIGN,
            due_at=due_of(duty, ClockKind.SIGN),
            note=note,
        )
    for audiences, purpose in ((incident.plan.informed, Purpose.ATTEND), (incident.plan.watchers, Purpose.COPY)):
        for audience in audiences:
            people = fresh(people_at(ctx, audience.unit, audience.roles))
            made += tell(decision, incident, ctx, people, kind=kind, purpose=purpose, stage=stage, note=note)
    return made
