"""What became of a send: recorded apart from signing, and a refusal is answered by the next way to reach the person."""

from __future__ import annotations

from escalation.deciding.calling import instead
from escalation.deciding.duties import own_people, tell_duty
from escalation.deciding.fallback import Why, another_way, call_next, duty_of, owed_at, pass_on, unreachable
from escalation.deciding.needed import done_meanwhile
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, Receipt, SendResult
from escalation.notice import DeadLetter, Notice, NoticeKind, NoticeState
from escalation.roster import standing
from escalation.telling import next_stage, outbox_row
from escalation.vocabulary import ClockKind, Purpose, Urgency

_LEFT = {
    SendResult.SUBMITTED: NoticeState.SUBMITTED,
    SendResult.UNCERTAIN: NoticeState.UNCERTAIN,
    SendResult.DELIVERED: NoticeState.DELIVERED,
    SendResult.READ: NoticeState.READ,
    SendResult.ANSWERED: NoticeState.DELIVERED,
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
_NOT_NOW = (SendResult.THROTTLED, SendResult.TRANSIENT, SendResult.BARRED)
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
    if notice.kind is NoticeKind.CARD:
        _card_changed(notice, receipt)
        return decision
    if receipt.result is SendResult.UNCERTAIN and receipt.tries < MOST_UNCERTAIN:
        notice.detail = receipt.detail
    elif receipt.result in _LEFT:
        _left(notice, receipt, _LEFT[receipt.result])
        if notice.spoken and receipt.result is SendResult.ANSWERED:
            instead(decision, incident, notice, receipt.result, ctx)
    elif receipt.result is SendResult.DROPPED and notice.state is NoticeState.QUEUED:
        notice.state, notice.detail = NoticeState.DROPPED, receipt.detail
        if receipt.detail == "off_duty":
            _tell_successor(decision, incident, notice, ctx)
    elif why := _why_another_way(receipt, notice, incident, ctx):
        _not_now(decision, incident, notice, why, ctx)
    elif receipt.result in _FAILED and notice.state in _MAY_FAIL:
        _failed(decision, incident, notice, receipt, ctx)
    return decision


def _not_now(decision: Decision, incident: Incident, notice: Notice, why: Why, ctx: Context) -> None:
    if notice.spoken:
        instead(decision, incident, notice, why, ctx)
    elif why is not Why.BEYOND_CLOCK:
        another_way(decision, incident, notice, why, ctx)
    elif not notice.passed_on:
        pass_on(decision, incident, notice, why, ctx)


def _failed(decision: Decision, incident: Incident, notice: Notice, receipt: Receipt, ctx: Context) -> None:
    notice.state, notice.detail = NoticeState.FAILED, receipt.detail
    if notice.spoken:
        instead(decision, incident, notice, receipt.result, ctx)
        return
    lost = another_way(decision, incident, notice, receipt.result, ctx)
    if lost:
        unreachable(decision, incident, notice, lost, receipt.result, ctx)
        letter = DeadLetter(
            row=outbox_row(incident, notice), at=ctx.now, result=receipt.result, why=receipt.detail, told=notice
        )
        decision.dead.append(letter)
    else:
        call_next(decision, incident, notice, receipt.result, ctx)


def _card_changed(notice: Notice, receipt: Receipt) -> None:
    """Nobody hears by a card's change, so one that fails is looked at no further: its duty goes on as it was."""
    if receipt.result is SendResult.DROPPED and notice.state is NoticeState.QUEUED:
        notice.state, notice.detail = NoticeState.DROPPED, receipt.detail
    elif receipt.result in _FAILED and notice.state in _MAY_FAIL:
        notice.state, notice.detail = NoticeState.FAILED, receipt.detail
    elif receipt.result in _LEFT and (receipt.result is not SendResult.UNCERTAIN or receipt.tries >= MOST_UNCERTAIN):
        _left(notice, receipt, _LEFT[receipt.result])


def _known(receipt: Receipt, notice: Notice) -> bool:
    """The same report of the vendor once more. One about another send of this notice, which may have been repeated, is
    news."""
    match receipt.result:
        case SendResult.DELIVERED | SendResult.ANSWERED:
            return notice.delivered_at != 0 and receipt.vendor_id in ("", notice.vendor_id)
        case SendResult.READ:
            return notice.read_at != 0 and receipt.vendor_id in ("", notice.vendor_id)
        case SendResult.UNDELIVERED:
            return notice.state in (NoticeState.FAILED, NoticeState.DEAD) and receipt.detail == notice.detail
        case _:
            return False


def _why_another_way(receipt: Receipt, notice: Notice, incident: Incident, ctx: Context) -> Why | None:
    """A critical notice does not wait for a vendor's limit; none waits for a vendor that is down, nor for a limit that
    ends after the duty's next step or limit."""
    if notice.state is not NoticeState.QUEUED or receipt.result not in _NOT_NOW:
        return None
    if receipt.result is SendResult.BARRED:
        return Why.CHANNEL_BROKEN
    duty = duty_of(incident, notice)
    if receipt.until and notice.purpose is Purpose.ACT and duty is not None and duty.open:
        owed = owed_at(duty, notice.clock)
        if owed is not None and receipt.until > max(owed, ctx.now):
            return Why.BEYOND_CLOCK
    if receipt.result is SendResult.THROTTLED:
        return Why.THROTTLED if notice.urgency is Urgency.CRITICAL else None
    return Why.VENDOR_DOWN if receipt.tries >= PATIENCE else None


def _left(notice: Notice, receipt: Receipt, state: NoticeState) -> None:
    """Facts only grow: a late ``submitted`` never hides that it was delivered."""
    if notice.state in _ORDER and _ORDER.index(state) > _ORDER.index(notice.state):
        notice.state = state
    notice.vendor_id = receipt.vendor_id or notice.vendor_id
    notice.deed = None  # It has left: nothing will be made of it again.
    if state in (NoticeState.SUBMITTED, NoticeState.UNCERTAIN):
        notice.submitted_at = notice.submitted_at or receipt.at
    elif state is NoticeState.DELIVERED:
        notice.delivered_at = notice.delivered_at or receipt.at
    elif state is NoticeState.READ:
        notice.read_at = notice.read_at or receipt.at


def _somebody_reached(incident: Incident, notice: Notice) -> bool:
    return any(
        other.stage == notice.stage
        and other.duty == notice.duty
        and other.purpose is Purpose.ACT
        and other.state.hopeful
        for other in incident.notices.values()
    )


def _tell_successor(decision: Decision, incident: Incident, notice: Notice, ctx: Context) -> None:
    """The shift changed while the notice waited: whoever stands at that post now hears instead, under a stage of its
    own, so that also who shares the address, or comes back on duty, really gets one."""
    duty = duty_of(incident, notice)
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
