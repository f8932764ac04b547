"""What became of a send: recorded apart from signing, and a refusal is answered by the next way to reach the person."""

from __future__ import annotations

from escalation.deciding.duties import own_people
from escalation.incident import Duty, Incident, IncidentState
from escalation.inputs import Context, Decision, Entry, Receipt, SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.reach import acting, maintainers
from escalation.telling import next_stage, notice_id, queue, tell
from escalation.vocabulary import Purpose, Role, Tier, Urgency

_LEFT = {
    SendResult.SUBMITTED: NoticeState.SUBMITTED,
    SendResult.UNCERTAIN: NoticeState.UNCERTAIN,
    SendResult.DELIVERED: NoticeState.DELIVERED,
    SendResult.READ: NoticeState.READ,
}
_ORDER = [
    NoticeState.QUEUED,
    NoticeState.UNCERTAIN,
    NoticeState.SUBMITTED,
    NoticeState.DELIVERED,
    NoticeState.READ,
]
_FAILED = (
    SendResult.REFUSED_RECIPIENT,
    SendResult.REFUSED_CONTENT,
    SendResult.MISCONFIGURED,
    SendResult.UNDELIVERED,
)

MOST_UNCERTAIN = 2
"""A send whose answer was lost is repeated once; a second lost answer counts as sent."""
PATIENCE = 3
"""After this many tries that the vendor could not take, the person's next channel is used as well."""


def receive(incident: Incident, receipt: Receipt, ctx: Context) -> Decision:
    """Record one receipt. Of a notice the state no longer holds, only the journal hears."""
    decision = Decision(reason=str(receipt.result), incident=incident)
    notice = incident.notices.get(receipt.notice)
    decision.entries.append(_entry(incident, receipt, ctx, notice))
    if notice is None:
        decision.reason = "notice_not_kept"
        return decision
    if receipt.result is SendResult.UNCERTAIN and receipt.tries < MOST_UNCERTAIN:
        notice.detail = receipt.detail
    elif receipt.result in _LEFT:
        _left(notice, receipt, _LEFT[receipt.result])
    elif receipt.result is SendResult.DROPPED:
        notice.state, notice.detail = NoticeState.DROPPED, receipt.detail
        if receipt.detail == "off_duty":
            _tell_successor(decision, incident, notice, ctx)
    elif _wants_another_way(receipt, notice):
        _next_contact(decision, incident, notice, ctx)
    elif receipt.result in _FAILED:
        notice.state, notice.detail = NoticeState.FAILED, receipt.detail
        if not _next_contact(decision, incident, notice, ctx):
            _unreachable(decision, incident, notice, ctx)
    return decision


def _wants_another_way(receipt: Receipt, notice: Notice) -> bool:
    """A critical notice does not wait for a vendor's limit, and no notice for a vendor that is down."""
    throttled = receipt.result is SendResult.THROTTLED and notice.urgency is Urgency.CRITICAL
    return throttled or (receipt.result is SendResult.TRANSIENT and receipt.tries >= PATIENCE)


def _left(notice: Notice, receipt: Receipt, state: NoticeState) -> None:
    """Facts only grow: a late ``submitted`` never hides that it was delivered."""
    if notice.state in _ORDER and _ORDER.index(state) > _ORDER.index(notice.state):
        notice.state = state
    notice.vendor_id = receipt.vendor_id or notice.vendor_id
    if state in (NoticeState.SUBMITTED, NoticeState.UNCERTAIN):
        notice.submitted_at = notice.submitted_at or receipt.at
    elif state is NoticeState.DELIVERED:
        notice.delivered_at = notice.delivered_at or receipt.at
    elif state is NoticeState.READ:
        notice.read_at = notice.read_at or receipt.at


def _next_contact(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> bool:
    """Tell the same person another way; False when every way they have was used."""
    for attempt, contact in enumerate(notice.to.contacts):
        identity = notice_id(incident, notice.stage, contact)
        if attempt <= notice.attempt or identity in incident.notices:
            continue
        following = Notice(
            id=identity,
            kind=notice.kind,
            purpose=notice.purpose,
            stage=notice.stage,
            to=notice.to,
            contact=contact,
            created_at=ctx.now,
            urgency=notice.urgency,
            duty=notice.duty,
            clock=notice.clock,
            measure=notice.measure,
            attempt=attempt,
            due_at=notice.due_at,
            note=notice.note,
        )
        decision.reason = "next_channel"
        queue(decision, incident, ctx, following)
        return True
    return any(
        other.to.key == notice.to.key
        and other.stage == notice.stage
        and (other.state is NoticeState.QUEUED or other.state.reached_vendor)
        for other in incident.notices.values()
    )


def _unreachable(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """Every way to this person failed: a visible dead letter, the maintainers hear, and whoever must act is replaced by
    the next who can: never an empty room."""
    notice.state = NoticeState.DEAD
    decision.reason = "dead_letter"
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason="dead_letter",
            incident=incident.code,
            actor=notice.to.key,
            notice=notice.id,
            detail={"channel": notice.contact.channel, "why": notice.detail},
        )
    )
    if incident.state is IncidentState.CLOSED or notice.kind is NoticeKind.QUARANTINE:
        return
    if notice.purpose is Purpose.ACT and not _somebody_reached(incident, notice):
        _climb(decision, incident, notice, ctx)
    tell(
        decision,
        incident,
        ctx,
        maintainers(ctx.directory, ctx.maintainers, ctx.now),
        kind=NoticeKind.QUARANTINE,
        purpose=Purpose.ATTEND,
        stage=f"{notice.stage}-dead",
        note=f"{notice.to.name}无法送达（{notice.contact.channel}）",
    )


def _somebody_reached(incident: Incident, notice: Notice) -> bool:
    return any(
        other.stage == notice.stage
        and other.duty == notice.duty
        and other.purpose is Purpose.ACT
        and (other.state is NoticeState.QUEUED or other.state.reached_vendor)
        for other in incident.notices.values()
    )


def _climb(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """Nobody of the duty can be reached: its leader on duty, else the next tier, hears at once."""
    duty = _duty(incident, notice)
    unit, tier = (duty.unit, duty.tier) if duty else (notice.to.unit, notice.to.tier)
    dead = {each.to.key for each in incident.notices.values() if each.state is NoticeState.DEAD}
    candidates: tuple[tuple[Tier, str, tuple[Role, ...]], ...] = (
        (tier, unit, (Role.LEADER_ON_DUTY, Role.MAIN_PERSON)),
        *(
            (above, higher, (Role.DUTY_ROOM, Role.LEADER_ON_DUTY))
            for above, higher in incident.plan.units.items()
            if above.rank > tier.rank
        ),
    )
    for at_tier, at_unit, roles in candidates:
        reached = acting(ctx.directory, at_tier, at_unit, roles, ctx.now, incident.plan.units)
        people = tuple(each for each in reached.addressees if each.key not in dead)
        if not people:
            continue
        decision.entries.append(
            Entry(
                at=ctx.now,
                reason="unreachable_goes_up",
                incident=incident.code,
                notice=notice.id,
                detail={"tier": people[0].tier, "unit": people[0].unit},
            )
        )
        tell(
            decision,
            incident,
            ctx,
            people,
            kind=NoticeKind.ESCALATED,
            purpose=Purpose.ACT,
            stage=next_stage(incident, NoticeKind.ESCALATED),
            duty=duty,
            clock=notice.clock,
            due_at=notice.due_at,
            note=notice.duty,
        )
        return


def _duty(incident: Incident, notice: Notice) -> Duty | None:
    return next((duty for duty in incident.duties if duty.id == notice.duty), None)


def _tell_successor(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """The shift changed while the notice waited: whoever stands there now hears instead."""
    duty = _duty(incident, notice)
    if duty is None or not duty.open or incident.state is IncidentState.CLOSED:
        return
    tell(
        decision,
        incident,
        ctx,
        own_people(incident, duty, ctx, decision),
        kind=notice.kind,
        purpose=notice.purpose,
        stage=notice.stage,
        duty=duty,
        clock=notice.clock,
        due_at=notice.due_at,
        note=notice.note,
    )


def _entry(incident: Incident, receipt: Receipt, ctx: Context, notice: Notice | None) -> Entry:
    return Entry(
        at=ctx.now,
        reason=f"receipt_{receipt.result}",
        incident=incident.code,
        actor=notice.to.key if notice else "",
        notice=receipt.notice,
        detail={
            "channel": notice.contact.channel if notice else "",
            "vendor_id": receipt.vendor_id,
            "detail": receipt.detail,
            "tries": receipt.tries,
            "repeat": receipt.repeat,
        },
    )
