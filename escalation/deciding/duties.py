"""Duties: opened from a plan, signed for, restarted on a rise, closed with a reason."""

from __future__ import annotations

from collections.abc import Iterable

from escalation.deciding.vacancy import tell_vacancies, vacant
from escalation.incident import Clock, ClockState, Duty, DutyPlan, Incident, IncidentState, StepAction
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, NoticeKind
from escalation.plan import start_clock
from escalation.reach import Fallback, Reached, acting
from escalation.roster import distinct, holder, standing
from escalation.telling import next_stage, tell
from escalation.vocabulary import ClockKind, Measure, Purpose, Role, Tier


def lead_tier(incident: Incident) -> Tier:
    """The acting tier of the incident: the highest tier the plan gives a duty."""
    return max((duty.tier for duty in incident.plan.duties), key=lambda tier: tier.rank, default=Tier.ENTERPRISE)


def duty_at(incident: Incident, unit: str) -> Duty | None:
    """The open duty of a unit."""
    return next((duty for duty in incident.duties if duty.open and duty.unit == unit), None)


def lit(incident: Incident, duty: Duty) -> bool:
    """True for a duty no rule gave: the ladder, or an empty post, lit this tower."""
    return all(plan.unit != duty.unit for plan in incident.plan.duties)


def open_duty(incident: Incident, plan: DutyPlan, ctx: Context) -> Duty:
    """Give a unit its duty with clocks counted from now; a duty it already has is returned as it is."""
    standing_duty = duty_at(incident, plan.unit)
    if standing_duty is not None:
        return standing_duty
    clocks = [start_clock(clock, ctx.now, ctx.calendar) for clock in plan.clocks]
    return _new_duty(incident, plan.tier, plan.unit, plan.roles, clocks, ctx)


def light(incident: Incident, tier: Tier, unit: str, roles: tuple[Role, ...], ctx: Context) -> Duty:
    """The next tower: the open duty of this unit, or a new one with the lead's sign clock and no ladder that climbs,
    since the duty below still does."""
    return duty_at(incident, unit) or _new_duty(incident, tier, unit, roles, _lit_clocks(incident, ctx), ctx)


def relight(incident: Incident, duty: Duty, ctx: Context) -> None:
    """News for a tower that the ladder lit: it must sign anew."""
    duty.signed = duty.verified = duty.disposed = duty.fed_back = None
    duty.named = ""
    duty.clocks = _lit_clocks(incident, ctx)


def _lit_clocks(incident: Incident, ctx: Context) -> list[Clock]:
    lead = lead_tier(incident)
    plans = (clock for duty in incident.plan.duties if duty.tier is lead for clock in duty.clocks)
    clocks = [start_clock(plan, ctx.now, ctx.calendar) for plan in plans if plan.kind is ClockKind.SIGN]
    for clock in clocks:
        clock.steps = [step for step in clock.steps if step.action is StepAction.REMIND]
    return clocks


def _new_duty(
    incident: Incident, tier: Tier, unit: str, roles: tuple[Role, ...], clocks: list[Clock], ctx: Context
) -> Duty:
    """Its number follows the unit's last one, which the journal keeps when it leaves the state here."""
    former = [duty for duty in incident.duties if duty.unit == unit]
    number = 1 + max((int(duty.id.rpartition("#")[2]) for duty in former), default=0)
    incident.duties = [duty for duty in incident.duties if duty.unit != unit]
    duty = Duty(id=f"{unit}#{number}", tier=tier, unit=unit, roles=roles, opened_at=ctx.now, clocks=clocks)
    incident.duties.append(duty)
    return duty


def restart(duty: Duty, plan: DutyPlan, ctx: Context) -> None:
    """A rise, or a raise after signing: the rule's posts must sign for the duty anew, on the new plan's clocks."""
    duty.signed = duty.verified = duty.disposed = None
    duty.named = ""
    duty.roles = plan.roles
    duty.clocks = [start_clock(clock, ctx.now, ctx.calendar) for clock in plan.clocks]


def resume(duty: Duty, plan: DutyPlan, ctx: Context) -> None:
    """The duty under another plan from its own original start: what was done stays done, what fired does not again."""
    before = {clock.kind: clock for clock in duty.clocks}
    duty.roles, duty.closed_at, duty.closed_reason = plan.roles, 0, ""
    duty.clocks = [start_clock(clock, duty.opened_at, ctx.calendar) for clock in plan.clocks]
    for clock in duty.clocks:
        former = before.get(clock.kind)
        if former is None:
            continue
        prolong(clock, former.extended, ctx, plan)
        if former.state is ClockState.MET:
            clock.state, clock.met_at = ClockState.MET, former.met_at
        clock.lapsed_at = former.lapsed_at if clock.due_at <= ctx.now else 0
        fired = [step for step in former.steps if step.fired_at and not step.looks]
        for step in clock.steps:
            same = next((each for each in fired if (each.action, each.tier) == (step.action, step.tier)), None)
            if same is not None:
                step.fired_at = same.fired_at
                fired.remove(same)
        looks = [step for step in former.steps if step.looks and not step.fired_at]
        clock.steps = sorted((*clock.steps, *looks), key=lambda step: step.at)


def prolong(clock: Clock, minutes: int, ctx: Context, plan: DutyPlan | None) -> int:
    """Move the limit, and every rung that has not fired, by so many minutes of the clock's own time; how many
    milliseconds that was. A limit that had passed may pass again."""
    working = any(each.kind is clock.kind and each.working for each in plan.clocks) if plan else False
    moved = ctx.calendar.add(clock.due_at, minutes, working) - clock.due_at
    shift(clock, moved, ctx)
    clock.extended += minutes
    return moved


def shift(clock: Clock, moved: int, ctx: Context) -> None:
    """Move the limit and the rungs that have not fired by so many milliseconds, forwards or back."""
    clock.due_at += moved
    for step in clock.steps:
        step.at += 0 if step.fired_at else moved
    if clock.due_at > ctx.now:
        clock.lapsed_at = 0


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
    """Who acts for this duty now: whom it was transferred to, and its roles by the roster, falling loudly to the leader
    on duty and the next tier."""
    reached = acting(ctx.directory, duty.tier, duty.unit, duty.roles, ctx.now, incident.plan.units, incident.point)
    return distinct((*named_person(duty, ctx), *loudly(reached, incident, duty, ctx, decision)))


def bearers(incident: Incident, duty: Duty, ctx: Context, decision: Decision) -> tuple[Addressee, ...]:
    """Who is reminded of this duty: whom it was transferred to alone, while they can be reached; else its roles."""
    return named_person(duty, ctx) or own_people(incident, duty, ctx, decision)


def named_person(duty: Duty, ctx: Context) -> tuple[Addressee, ...]:
    """Whom the duty was transferred to, as the directory knows them now."""
    return holder(ctx.directory, duty.named) if duty.named else ()


def loudly(reached: Reached, incident: Incident, duty: Duty, ctx: Context, decision: Decision) -> tuple[Addressee, ...]:
    """The people reached, with every fallback on the way written down, and which post it was that had nobody: on a
    ladder's upper rungs it is none of the duty's own unit."""
    for reason in reached.fallbacks:
        detail: dict[str, str | int | float | bool | None] = {"duty": duty.id, "tier": duty.tier}
        if reached.unit:
            detail |= {"vacant": reached.unit, "roles": ",".join(reached.roles)}
        decision.entries.append(Entry(at=ctx.now, reason=reason, incident=incident.code, detail=detail))
    return reached.addressees


def people_at(ctx: Context, unit: str, roles: Iterable[Role]) -> tuple[Addressee, ...]:
    """Everybody standing at posts of these roles at a unit now, once each."""
    return distinct(addressee for role in roles for addressee in standing(ctx.directory, unit, role, ctx.now))


def tell_duty(
    decision: Decision,
    incident: Incident,
    ctx: Context,
    duty: Duty,
    people: Iterable[Addressee],
    *,
    kind: NoticeKind,
    stage: str,
    clock: ClockKind,
    purpose: Purpose = Purpose.ACT,
    measure: Measure | None = None,
    due_at: int = 0,
    note: str = "",
) -> None:
    """Tell the people of a duty. Where its posts are empty and another unit of the line hears instead, that tower is
    lit: a duty of its own, since a signature counts for the signer's own unit only; after the close none is."""
    owes = incident.state is IncidentState.OPEN
    groups: dict[str, list[Addressee]] = {}
    for each in people:
        groups.setdefault(each.unit, []).append(each)
    for unit, group in groups.items():
        bearer, due = duty, due_at
        asked = purpose is Purpose.ACT and kind is not NoticeKind.PHONE_TASK
        if asked and owes and unit != duty.unit and unit in incident.plan.units.values():
            roles = tuple(dict.fromkeys(each.role for each in group))
            bearer = light(incident, group[0].tier, unit, roles, ctx)
            due = due_of(bearer, clock) or due_at
            if bearer.signed is not None and clock is ClockKind.SIGN and lit(incident, bearer):
                continue
        tell(
            decision,
            incident,
            ctx,
            group,
            kind=kind,
            purpose=purpose,
            stage=stage,
            duty=bearer,
            clock=clock,
            measure=measure,
            due_at=due,
            note=note,
        )


def tell_plan(
    decision: Decision,
    incident: Incident,
    ctx: Context,
    *,
    kind: NoticeKind,
    note: str = "",
    others: Iterable[Addressee] = (),
) -> None:
    """Tell everybody whom it concerns now, each once: whoever has a duty unsigned 须处置, informed 请关注, watchers
    抄送知悉, and the ``others`` who were told before 请关注."""
    stage = next_stage(incident, kind)
    told: set[str] = set()

    def fresh(addressees: Iterable[Addressee]) -> list[Addressee]:
        chosen = [each for each in addressees if each.who not in told]
        told.update(each.who for each in chosen)
        return chosen

    empty: list[str] = []
    for duty in sorted(incident.duties, key=lambda duty: lit(incident, duty)):
        if duty.open and duty.signed is None:
            written = len(decision.entries)
            acting_now = own_people(incident, duty, ctx, decision)
            if any(entry.reason == Fallback.NOBODY_AT_POST for entry in decision.entries[written:]):
                empty.append(vacant(duty.unit, duty.roles, acting_now, ctx))
            tell_duty(
                decision,
                incident,
                ctx,
                duty,
                fresh(acting_now),
                kind=kind,
                stage=stage,
                clock=ClockKind.SIGN,
                due_at=due_of(duty, ClockKind.SIGN),
                note=note,
            )
    for audiences, purpose in ((incident.plan.informed, Purpose.ATTEND), (incident.plan.watchers, Purpose.COPY)):
        for audience in audiences:
            people = fresh(people_at(ctx, audience.unit, audience.roles))
            tell(decision, incident, ctx, people, kind=kind, purpose=purpose, stage=stage, note=note)
    tell(decision, incident, ctx, fresh(others), kind=kind, purpose=Purpose.ATTEND, stage=stage, note=note)
    if kind in (NoticeKind.RAISED, NoticeKind.ROSE, NoticeKind.REOPENED):
        tell_vacancies(decision, incident, ctx, empty)
