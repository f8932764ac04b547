"""What became of a send: recorded apart from signing, and a refusal is answered by the next way to reach the person."""

from __future__ import annotations

from escalation.deciding.duties import loudly, own_people, tell_duty
from escalation.deciding.needed import done_meanwhile
from escalation.incident import Duty, Incident
from escalation.inputs import Context, Decision, Entry, Receipt, SendResult
from escalation.notice import Addressee, DeadLetter, Notice, NoticeKind, NoticeState
from escalation.reach import Fallback, Reached, acting, maintainers
from escalation.roster import standing
from escalation.telling import next_stage, notice_id, offer, outbox_row, tell
from escalation.vocabulary import ClockKind, Purpose, Role, Tier, Urgency

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
_MAY_FAIL = (NoticeState.QUEUED, NoticeState.SUBMITTED, NoticeState.UNCERTAIN)
"""A refusal after it was delivered or read, or of what was given up already, changes nothing."""

MOST_UNCERTAIN = 2
"""A send whose answer was lost is repeated once; a second lost answer counts as sent."""
PATIENCE = 3
"""After this many tries that the vendor could not take, the person's next channel is used as well."""


def receive(incident: Incident, receipt: Receipt, ctx: Context) -> Decision:
    """Record one receipt. Of a notice the state no longer holds, only the journal hears; of a report that the vendor
    sends again, nobody."""
    decision = Decision(reason=str(receipt.result), incident=incident)
    notice = incident.notices.get(receipt.notice)
    if notice is not None and _known(receipt, notice):
        decision.reason = "known_already"
        return decision
    decision.entries.append(_entry(incident, receipt, ctx, notice))
    if notice is None:
        decision.reason = "notice_not_kept"
        return decision
    if receipt.result is SendResult.UNCERTAIN and receipt.tries < MOST_UNCERTAIN:
        notice.detail = receipt.detail
    elif receipt.result in _LEFT:
        _left(notice, receipt, _LEFT[receipt.result])
    elif receipt.result is SendResult.DROPPED and notice.state is NoticeState.QUEUED:
        notice.state, notice.detail = NoticeState.DROPPED, receipt.detail
        if receipt.detail == "off_duty":
            _tell_successor(decision, incident, notice, ctx)
    elif _wants_another_way(receipt, notice):
        _another_way(decision, incident, notice, ctx)
    elif receipt.result in _FAILED and notice.state in _MAY_FAIL:
        notice.state, notice.detail = NoticeState.FAILED, receipt.detail
        lost = _another_way(decision, incident, notice, ctx)
        if lost:
            _unreachable(decision, incident, notice, lost, ctx)
            letter = DeadLetter(
                row=outbox_row(incident, notice), at=ctx.now, result=receipt.result, why=receipt.detail, told=notice
            )
            decision.dead.append(letter)
    return decision


def _known(receipt: Receipt, notice: Notice) -> bool:
    """The same report of the vendor once more. One about another send of this notice, which may have been repeated, is
    news."""
    match receipt.result:
        case SendResult.DELIVERED:
            return notice.delivered_at != 0 and receipt.vendor_id in ("", notice.vendor_id)
        case SendResult.READ:
            return notice.read_at != 0 and receipt.vendor_id in ("", notice.vendor_id)
        case SendResult.UNDELIVERED:
            return notice.state in (NoticeState.FAILED, NoticeState.DEAD) and receipt.detail == notice.detail
        case _:
            return False


def _wants_another_way(receipt: Receipt, notice: Notice) -> bool:
    """A critical notice does not wait for a vendor's limit, and no notice for a vendor that is down."""
    if notice.state is not NoticeState.QUEUED:
        return False
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


def _another_way(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> list[Addressee]:
    """Tell everybody whom this send was for by their next contact; those who have none left are given back.

    What is done meanwhile is not offered again, and nobody counts as lost who hears of this stage by another send.
    """
    lost: list[Addressee] = []
    over = done_meanwhile(incident, notice) is not None
    for who in notice.everybody:
        if not over and _next_contact(decision, incident, notice, who, ctx):
            continue
        sends = (other for other in incident.notices.values() if other.stage == notice.stage and who in other.everybody)
        if not any(other.state.hopeful for other in sends):
            lost.append(who)
    return lost


def _next_contact(decision: Decision, incident: Incident, notice: Notice, who: Addressee, ctx: Context) -> bool:
    """The next way that is not known to be closed; one that is under way already counts."""
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
        )
        if offer(decision, incident, ctx, following):
            decision.reason = "next_channel"
        return True
    return False


def _unreachable(decision: Decision, incident: Incident, notice: Notice, lost: list[Addressee], ctx: Context) -> None:
    """Every way to these people failed: a visible dead letter, the maintainers hear, and whoever must act is replaced
    by the next who can: never an empty room."""
    notice.state = NoticeState.DEAD
    decision.reason = "dead_letter"
    for who in lost:
        decision.entries.append(
            Entry(
                at=ctx.now,
                reason="dead_letter",
                incident=incident.code,
                actor=who.key,
                notice=notice.id,
                detail={"channel": notice.contact.channel, "why": notice.detail},
            )
        )
    if notice.kind is NoticeKind.QUARANTINE:
        return
    over = done_meanwhile(incident, notice) is not None
    if notice.purpose is Purpose.ACT and not over and not _somebody_reached(incident, notice):
        _climb(decision, incident, notice, ctx)
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


def _somebody_reached(incident: Incident, notice: Notice) -> bool:
    return any(
        other.stage == notice.stage
        and other.duty == notice.duty
        and other.purpose is Purpose.ACT
        and other.state.hopeful
        for other in incident.notices.values()
    )


def _climb(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """Nobody of the duty can be reached: its leader on duty, else the next tier, hears at once."""
    duty = _duty(incident, notice)
    if duty is None:
        return
    dead = {
        each.who for other in incident.notices.values() if other.state is NoticeState.DEAD for each in other.everybody
    }
    line = incident.plan.units
    candidates: tuple[tuple[Tier, str, tuple[Role, ...]], ...] = (
        (duty.tier, duty.unit, (Role.LEADER_ON_DUTY, Role.MAIN_PERSON)),
        *(
            (above, unit, (Role.DUTY_ROOM, Role.LEADER_ON_DUTY))
            for above, unit in sorted(line.items(), key=lambda pair: pair[0].rank)
            if above.rank > duty.tier.rank
        ),
    )
    for tier, unit, roles in candidates:
        reached = acting(ctx.directory, tier, unit, roles, ctx.now, line)
        people = [each for each in reached.addressees if each.who not in dead]
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
        return
    loudly(Reached((), (Fallback.NOBODY_ANYWHERE,)), incident, duty, ctx, decision)


def _duty(incident: Incident, notice: Notice) -> Duty | None:
    return next((duty for duty in incident.duties if duty.id == notice.duty), None)


def _tell_successor(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """The shift changed while the notice waited: whoever stands at that post now hears instead, under a stage of its
    own, so that also who shares the address, or comes back on duty, really gets one."""
    duty = _duty(incident, notice)
    if duty is None or done_meanwhile(incident, notice) is not None:
        return
    heard = {
        each.who
        for other in incident.notices.values()
        if (other.kind, other.duty, other.clock) == (notice.kind, notice.duty, notice.clock)
        and other.created_at >= notice.created_at
        and other.state.hopeful
        for each in other.everybody
    }
    there = standing(ctx.directory, notice.to.unit, notice.to.role, ctx.now)
    people = [each for each in there if each.person and each.who not in heard]
    if not people and not _somebody_reached(incident, notice):
        people = [each for each in own_people(incident, duty, ctx, decision) if each.who not in heard]
    tell_duty(
        decision,
        incident,
        ctx,
        duty,
        people,
        kind=notice.kind,
        stage=next_stage(incident, notice.kind),
        clock=notice.clock or ClockKind.SIGN,
        due_at=notice.due_at,
        measure=notice.measure,
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
