"""撤回: one's own last act, within a few minutes. Never what others did, and never a closure by others."""

from __future__ import annotations

import msgspec

from escalation.calendar import MINUTE, hhmm
from escalation.deciding.acts import deed_by, hear, recorded, refused, told_of
from escalation.deciding.duties import running, shift
from escalation.deciding.phoning import open_again
from escalation.deed import Deed
from escalation.incident import ClockState, Duty, Incident, IncidentState, Request
from escalation.inputs import Context, Decision, Entry, Reply, Rights
from escalation.notice import Addressee, NoticeKind
from escalation.roster import holder
from escalation.vocabulary import ClockKind, Purpose, Verb

_ANSWERS = (Verb.APPROVE, Verb.REFUSE)
_ASKS = (Verb.CLEAR, Verb.FALSE_ALARM, Verb.EXTEND)
_CLOCK_OF = {Verb.VERIFY: ClockKind.VERIFY, Verb.DISPOSE: ClockKind.VERIFY, Verb.FED_BACK: ClockKind.FEEDBACK}


def last_act(incident: Incident, person: str, unit: str, role: str) -> Deed | None:
    """The newest deed of a person, or of a duty room as such; an undoing counts as one."""
    mine = (
        deed
        for deed in reversed(incident.deeds)
        if (deed.person == person if person else (deed.person, deed.unit, deed.role) == ("", unit, role))
    )
    return next(mine, None)


def undo(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """Take back the sender's last act here; everybody who heard of it hears that too."""
    last = last_act(incident, reply.person, reply.unit, reply.role or "")
    problem = _impossible(incident, last, ctx) or _another(last, reply)
    if last is None or problem:
        reason, why = problem or ("nothing_to_undo", "")
        return refused(incident, reply, ctx, reason, f"{incident.code} {why}，未撤回。")
    right = next((each for each in granted if (each.unit, each.role) == (last.unit, last.role)), granted[0])
    duty = next((each for each in incident.duties if each.unit == last.unit), None)
    heard = _heard(incident, last)
    detail = {"undone": last.verb.value, "undone_at": last.at}
    decision, deed = recorded(incident, deed_by(right, reply, ctx, text=last.verb.word), ctx, duty, detail)
    incident.deeds = [each for each in incident.deeds if each != last]
    reopened = incident.state is IncidentState.CLOSED and _closed_it(incident, last)
    if reopened:
        _reopen(decision, incident, ctx)
    unsigned = duty is not None and duty.open and duty.signed == last
    if duty is not None:
        _take_from_duty(incident, duty, last, ctx)
    _take_from_requests(incident, last, ctx)
    if last.verb is Verb.PHONED:
        open_again(incident, last)
    state = "，警情恢复为未关闭" if reopened else "，请重新签收" if unsigned else ""
    note = f"{last.name}撤回{last.verb.word}{state}"
    if unsigned and duty is not None:
        mates = {each.who for each in told_of(incident, duty)}
        hear(decision, incident, ctx, told_of(incident, duty), note, by=deed, duty=duty, purpose=Purpose.ACT)
        heard = [each for each in heard if each.who not in mates]
    hear(decision, incident, ctx, heard, note, by=deed, duty=duty)
    decision.answer = f"{incident.code} 已撤回您{hhmm(last.at)}的{last.verb.word}{state}，相关人员已告知。"
    return decision


def _impossible(incident: Incident, last: Deed | None, ctx: Context) -> tuple[str, str] | None:
    minutes = incident.plan.undo
    if last is None:
        return "nothing_to_undo", "您没有可撤回的操作"
    if last.verb is Verb.UNDO:
        return "undone_already", f"您{hhmm(last.at)}已撤回{last.text}"
    if ctx.now - last.at > minutes * MINUTE:
        return (
            "undo_too_late",
            f"您{hhmm(last.at)}的{last.verb.word}已超过{minutes}分钟，不能撤回，如需更正请报上级值班室",
        )
    afterwards = last.verb is Verb.FED_BACK and last.at > incident.closed_at
    if incident.state is IncidentState.CLOSED and not afterwards and not _closed_it(incident, last):
        return "closed_by_others", f"已于{hhmm(incident.closed_at)}关闭，不是您关闭的"
    if last.verb is Verb.URGE:
        return "cannot_be_undone", "催办已经发出，不能收回"
    answered = next((each for each in incident.requests if each.deed == last and each.answer), None)
    if answered is not None and answered.answer is not None:
        return "answered_already", f"{answered.answer.name}已答复您的{last.verb.word}申请"
    return None


def _closed_it(incident: Incident, last: Deed) -> bool:
    return (incident.closed_by, incident.closed_at) == (last.who, last.at)


def _another(last: Deed | None, reply: Reply) -> tuple[str, str] | None:
    """撤回签收, where the last act is another: nobody should believe that the signature is gone."""
    if last is None or reply.of in (None, last.verb):
        return None
    return "not_the_last_act", f"您最近一次操作是{last.verb.word}，只能撤回最近一次"


def _heard(incident: Incident, last: Deed) -> list[Addressee]:
    """Who was told of the act at the moment it was done."""
    aside = (NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.QUARANTINE, NoticeKind.CARD)
    return [
        each
        for notice in incident.notices.values()
        if notice.created_at == last.at and notice.kind not in aside
        for each in notice.everybody
    ]


def _reopen(decision: Decision, incident: Incident, ctx: Context) -> None:
    """The closure that the act made is taken back with it: duties and clocks run on from where they were."""
    for duty in incident.duties:
        if duty.closed_at == incident.closed_at:
            duty.closed_at, duty.closed_reason = 0, ""
            for clock in duty.clocks:
                clock.state = ClockState.RUNNING if clock.state is ClockState.CLOSED else clock.state
                clock.steps = [step for step in clock.steps if not step.afterwards]
    incident.state, incident.closed_at, incident.closed_reason = IncidentState.OPEN, 0, ""
    incident.closed_by = ""
    incident.episode += 1
    decision.entries.append(
        Entry(
            at=ctx.now, reason="reopened", incident=incident.code, detail={"why": "undone", "episode": incident.episode}
        )
    )


def _take_from_duty(incident: Incident, duty: Duty, last: Deed, ctx: Context) -> None:
    kinds = {_CLOCK_OF[last.verb]} if last.verb in _CLOCK_OF else set()
    if duty.signed == last:
        duty.signed = None
        kinds.add(ClockKind.SIGN)
    earlier = [each for each in incident.deeds if each.unit == duty.unit and each.at >= duty.opened_at]
    if duty.verified == last:
        duty.verified = _newest(earlier, Verb.VERIFY)
    if duty.disposed == last:
        duty.disposed = _newest(earlier, Verb.DISPOSE)
    if duty.fed_back == last:
        duty.fed_back = _newest(earlier, Verb.FED_BACK)
    if last.verb is Verb.TRANSFER:
        duty.named = last.before if last.before and holder(ctx.directory, last.before) else ""
    for clock in duty.clocks:
        if clock.kind in kinds and clock.state is ClockState.MET and clock.met_at == last.at:
            clock.state, clock.met_at = ClockState.RUNNING if duty.open else ClockState.CLOSED, 0


def _newest(deeds: list[Deed], verb: Verb) -> Deed | None:
    return next((deed for deed in reversed(deeds) if deed.verb is verb), None)


def _take_from_requests(incident: Incident, last: Deed, ctx: Context) -> None:
    if last.verb in _ASKS:
        incident.requests = [each for each in incident.requests if each.deed != last]
    if last.verb in _ANSWERS:
        incident.requests = [
            _unanswered(incident, each, ctx) if each.answer == last else each for each in incident.requests
        ]


def _unanswered(incident: Incident, request: Request, ctx: Context) -> Request:
    """A limit that the approval moved goes back; rungs that fired meanwhile have fired."""
    duty = next((each for each in incident.duties if each.id == request.duty), None)
    clock = running(duty, request.clock) if request.clock else None
    if clock is not None and request.moved:
        shift(clock, -request.moved, ctx)
        clock.extended -= request.granted
    return msgspec.structs.replace(request, answer=None, granted=0, moved=0)
