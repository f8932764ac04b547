"""Another way to be heard: the next channel of a person, then the next person, then the next tier.

Every hop is a row of the journal with its reason, and none passes over a tier without saying so. A notice is passed on
once, each of a person's contacts is used once for one moment of the incident, and the line ends: so it is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from escalation import roster
from escalation.deciding.duties import loudly, people_at, tell_duty
from escalation.deciding.needed import done_meanwhile
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState
from escalation.inputs import Context, Decision, Entry, SendResult
from escalation.notice import Addressee, Notice, NoticeKind, NoticeState
from escalation.reach import LEADERS, Fallback, Reached, at_posts, maintainers, open_to
from escalation.telling import next_stage, notice_id, offer, tell
from escalation.vocabulary import ClockKind, Purpose, Role


class Why(StrEnum):
    """Why a reader is looked for another way, where it is not the vendor's refusal (:class:`SendResult`) itself.

    ``throttled``: critical waits for no limit. ``vendor_down``: several tries came to nothing. ``channel_broken``:
    so did all tries of its channel lately. ``beyond_clock``: it
    cannot leave before the duty's next step or limit. ``still_waiting``: that step has come, and it has not left.
    ``unread``: that step has come, and a channel that would tell of a reading has told of none.
    """

    THROTTLED = "throttled"
    VENDOR_DOWN = "vendor_down"
    CHANNEL_BROKEN = "channel_broken"
    BEYOND_CLOCK = "beyond_clock"
    STILL_WAITING = "still_waiting"
    UNREAD = "unread"


def owed_at(duty: Duty, kind: ClockKind | None) -> int | None:
    """When the next step or limit of the duty's running clocks is due (of this kind alone, where one is named); None
    when none is left."""
    times = [
        at
        for clock in duty.clocks
        if clock.state is ClockState.RUNNING and kind in (None, clock.kind)
        for at in (
            *(step.at for step in clock.steps if not step.fired_at),
            *(() if clock.lapsed_at else [clock.due_at]),
        )
    ]
    return min(times, default=None)


def duty_of(incident: Incident, notice: Notice) -> Duty | None:
    """The duty a notice belongs to, while the state holds it."""
    return next((duty for duty in incident.duties if duty.id == notice.duty), None)


def another_way(
    decision: Decision, incident: Incident, notice: Notice, why: SendResult | Why, ctx: Context
) -> list[Addressee]:
    """Tell everybody whom this send was for by their next contact; those who have none left are given back.

    What is done meanwhile is not offered again, and nobody counts as lost who hears of this stage by another send.
    """
    lost: list[Addressee] = []
    over = done_meanwhile(incident, notice) is not None
    for who in notice.everybody:
        if not over and _next_contact(decision, incident, notice, who, why, ctx):
            continue
        sends = (other for other in incident.notices.values() if other.stage == notice.stage and who in other.everybody)
        if not any(other.state.hopeful for other in sends):
            lost.append(who)
    return lost


def _next_contact(
    decision: Decision, incident: Incident, notice: Notice, who: Addressee, why: SendResult | Why, ctx: Context
) -> bool:
    """The next way that is not known to be closed; one that is under way already counts, and so does what is newer."""
    if notice.state is NoticeState.QUEUED and notice.id not in incident.notices:
        return True
    here = who.contacts.index(notice.contact) if notice.contact in who.contacts else -1
    for attempt, contact in enumerate(who.contacts[here + 1 :], start=here + 1):
        identity = notice_id(incident, notice.stage, contact)
        taken = incident.notices.get(identity)
        if taken is not None and not taken.state.hopeful:
            continue
        following = Notice(
            id=identity,
            kind=notice.kind,
            purpose=notice.purpose,
            stage=notice.stage,
            to=who,
            contact=contact,
            created_at=ctx.now,
            urgency=notice.urgency,
            duty=notice.duty,
            clock=notice.clock,
            measure=notice.measure,
            attempt=attempt,
            due_at=notice.due_at,
            note=notice.note,
            deed=notice.deed,
        )
        known = taken is not None and who.who in {each.who for each in taken.everybody}
        if not known:
            detail = {"why": str(why), "from": notice.contact.channel, "to": contact.channel, "instead_of": notice.id}
            decision.entries.append(_hop(incident, "next_channel", ctx, notice=identity, actor=who.key, detail=detail))
        if offer(decision, incident, ctx, following):
            decision.reason = "next_channel"
        return True
    return False


def unreachable(
    decision: Decision, incident: Incident, notice: Notice, lost: list[Addressee], result: SendResult, ctx: Context
) -> None:
    """Every way to these people failed: a visible dead letter, the maintainers hear, and whoever must act is replaced
    by the next who can: never an empty room."""
    why = notice.detail
    notice.state = NoticeState.DEAD
    decision.reason = "dead_letter"
    for who in lost:
        decision.entries.append(
            _hop(
                incident,
                "dead_letter",
                ctx,
                notice=notice.id,
                actor=who.key,
                detail={"channel": notice.contact.channel, "why": why},
            )
        )
    if notice.kind is NoticeKind.QUARANTINE:
        return
    call_next(decision, incident, notice, result, ctx)
    tell(
        decision,
        incident,
        ctx,
        maintainers(ctx.directory, ctx.maintainers, ctx.now),
        kind=NoticeKind.QUARANTINE,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.QUARANTINE),
        note=f"{'、'.join(who.name for who in lost)}无法送达（{notice.contact.channel}）",
    )


def pass_on(
    decision: Decision, incident: Incident, notice: Notice, why: Why, ctx: Context, *, clock: Clock | None = None
) -> None:
    """A notice that will not be heard in time, though it is not lost: its reader's next contact, else the next person,
    else the next tier; once for each notice.

    With ``clock``, whose step has come, the next tier is left to the clock's own rungs, which are announced to the
    tier below before they happen, for as long as there are any.
    """
    notice.passed_on = str(why)
    another_way(decision, incident, notice, why, ctx)
    call_next(decision, incident, notice, why, ctx, clock=clock)


def call_next(
    decision: Decision,
    incident: Incident,
    notice: Notice,
    why: SendResult | Why,
    ctx: Context,
    *,
    clock: Clock | None = None,
) -> None:
    """Where nobody who was asked to act will hear in time, the next person is asked, else the next tier. Not after the
    close: what is still owed then is a feedback, and nobody else owes it."""
    if incident.state is IncidentState.CLOSED:
        return
    waits = notice.kind is NoticeKind.PHONE_TASK and isinstance(why, Why)
    calls = notice.purpose is Purpose.ACT and not waits
    if calls and done_meanwhile(incident, notice) is None and not _somebody_may_hear(incident, notice):
        _go_on(decision, incident, notice, why, ctx, clock)


def _may_hear(notice: Notice) -> bool:
    """True while nothing says that it will not be heard in time; what was passed on and then left after all counts."""
    if notice.passed_on == Why.UNREAD:
        return notice.state is NoticeState.READ
    return notice.state.reached_vendor or (notice.state is NoticeState.QUEUED and not notice.passed_on)


def _somebody_may_hear(incident: Incident, notice: Notice) -> bool:
    """Whether anybody who is asked for this duty at this stage, or was asked at this very moment, may still hear."""
    return any(
        other.duty == notice.duty
        and other.purpose is Purpose.ACT
        and _may_hear(other)
        and (
            other.stage == notice.stage or (other.kind is NoticeKind.ESCALATED and other.created_at > notice.created_at)
        )
        for other in incident.notices.values()
    )


def _given_up(incident: Incident) -> set[str]:
    """Whom nothing has reached that was sent, and nothing under way may reach."""
    dead, tried, hopeful = set[str](), set[str](), set[str]()
    for notice in incident.notices.values():
        if notice.kind is NoticeKind.CARD:
            continue
        people = {who.who for who in notice.everybody}
        if notice.state is NoticeState.DEAD:
            dead |= people
        elif _may_hear(notice):
            hopeful |= people
        elif notice.passed_on or notice.state is NoticeState.FAILED:
            tried |= people
    return dead | (tried - hopeful)


def _go_on(
    decision: Decision,
    incident: Incident,
    notice: Notice,
    why: SendResult | Why,
    ctx: Context,
    clock: Clock | None,
) -> None:
    """Nobody of the duty hears: the next person of its unit, else the next tier, hears at once."""
    duty = duty_of(incident, notice)
    if duty is None:
        return
    gone = _given_up(incident) | {
        who.who
        for other in incident.notices.values()
        if other.stage == notice.stage and other.duty == notice.duty
        for who in other.everybody
    }
    for people in _own_line(duty, ctx):
        fresh = [each for each in open_to(ctx.directory, people, incident.plan.units) if each.who not in gone]
        if fresh:
            _call(decision, incident, notice, duty, fresh, "next_person", why, ctx)
            return
    rung = next((step.at for step in clock.steps if not step.fired_at and step.action.goes_up), 0) if clock else 0
    if rung:
        detail: dict[str, str | int] = {"duty": duty.id, "why": str(why), "step_at": rung}
        decision.entries.append(_hop(incident, "next_tier_by_its_step", ctx, notice=notice.id, detail=detail))
        return
    for tier, unit in sorted(incident.plan.units.items(), key=lambda pair: pair[0].rank):
        if tier.rank <= duty.tier.rank:
            continue
        there = at_posts(ctx.directory, unit, (Role.DUTY_ROOM, Role.LEADER_ON_DUTY), ctx.now)
        people = open_to(ctx.directory, there, incident.plan.units)
        fresh = [each for each in people if each.who not in gone]
        if fresh:
            _call(decision, incident, notice, duty, fresh, "unreachable_goes_up", why, ctx)
            return
        empty = Fallback.NOBODY_AT_POST if not people else "all_unreachable"
        detail = {"duty": duty.id, "tier": tier, "unit": unit, "why": str(empty)}
        decision.entries.append(_hop(incident, "tier_passed_over", ctx, notice=notice.id, detail=detail))
    loudly(Reached((), (Fallback.NOBODY_ANYWHERE,)), incident, duty, ctx, decision)


def _own_line(duty: Duty, ctx: Context) -> list[tuple[Addressee, ...]]:
    """Whom a unit has besides those told first, one after the other: the second persons of its posts, then its
    leaders."""
    seconds = roster.distinct(
        who for role in duty.roles for who in roster.second(ctx.directory, duty.unit, role, ctx.now)
    )
    return [seconds, *(people_at(ctx, duty.unit, (role,)) for role in LEADERS[duty.tier])]


def _call(
    decision: Decision,
    incident: Incident,
    notice: Notice,
    duty: Duty,
    people: list[Addressee],
    reason: str,
    why: SendResult | Why,
    ctx: Context,
) -> None:
    detail = {"duty": duty.id, "why": str(why), "tier": people[0].tier, "unit": people[0].unit}
    decision.entries.append(_hop(incident, reason, ctx, notice=notice.id, detail=detail))
    decision.reason = reason if decision.reason != "dead_letter" else decision.reason
    tell_duty(
        decision,
        incident,
        ctx,
        duty,
        people,
        kind=NoticeKind.ESCALATED,
        stage=next_stage(incident, NoticeKind.ESCALATED),
        clock=notice.clock or ClockKind.SIGN,
        due_at=notice.due_at,
        note=duty.id,
    )


def _hop(
    incident: Incident,
    reason: str,
    ctx: Context,
    *,
    notice: str,
    detail: Mapping[str, str | int],
    actor: str = "",
) -> Entry:
    return Entry(at=ctx.now, reason=reason, incident=incident.code, actor=actor, notice=notice, detail={**detail})
