"""消警, 误报 and 延期: what is asked for, and what an approval or a refusal makes of it.

A request never closes and never moves a limit. Upstream's clear or the acting tier's word closes; a limit moves only
when an officer of a tier above approves, and never beyond what the profile allows.
"""

from __future__ import annotations

import msgspec

from escalation.calendar import MINUTE
from escalation.deciding.acts import (
    MOST_DEEDS,
    OFFICERS,
    above,
    choose,
    deed_by,
    hear,
    minute,
    owed,
    people_of,
    recorded,
    refused,
    span,
    tiers,
)
from escalation.deciding.closing import close
from escalation.deciding.duties import duty_at, lead_tier, loudly, meet, own_people, prolong, running
from escalation.deed import Deed
from escalation.incident import Clock, ClockPlan, Duty, DutyPlan, Incident, Request
from escalation.inputs import Context, Decision, Reply, Rights
from escalation.notice import NoticeKind
from escalation.reach import acting
from escalation.roster import holder
from escalation.telling import next_stage, tell
from escalation.vocabulary import ClockKind, Kind, Purpose, Verb

_CLOSES = {Verb.CLEAR: "accepted_clear", Verb.FALSE_ALARM: "accepted_false_alarm"}


def ask_to_close(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    """消警 or 误报: kept as a request; the acting tier's word closes, but never while the point is still active."""
    asked = (each for each in incident.requests if each.answer is None)
    known = any((each.verb, each.deed.unit) == (deed.verb, deed.unit) for each in asked)
    incident.requests = [*incident.requests, Request(verb=deed.verb, deed=deed)][-MOST_DEEDS:]
    accepted = duty.tier.rank >= lead_tier(incident).rank
    if accepted and not incident.active:
        close(decision, incident, ctx, _CLOSES[deed.verb])
        decision.answer = f"{incident.code} 已确认{deed.verb.word}，本警情关闭。"
        return
    if incident.active:
        decision.answer = (
            f"{incident.code} 已记录{deed.verb.word}申请。{_still(incident)}，本警情未关闭，时限继续计时。"
        )
    else:
        decision.answer = (
            f"{incident.code} 已记录{deed.verb.word}申请，等待{lead_tier(incident).word}确认，本警情未关闭。"
        )
    if not accepted and not known:
        _pass_on(decision, incident, deed, ctx)


def ask_from_beside(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> None:
    """消警 or 误报 of a tier without a duty of its own: the acting tier hears of it and decides; it closes nothing."""
    asked = (each for each in incident.requests if each.answer is None)
    known = any((each.verb, each.deed.unit) == (deed.verb, deed.unit) for each in asked)
    incident.requests = [*incident.requests, Request(verb=deed.verb, deed=deed)][-MOST_DEEDS:]
    told = True if known else _pass_on(decision, incident, deed, ctx)
    lead = lead_tier(incident).word
    passed = f"此前已转告{lead}" if known else (f"已转告{lead}" if told else f"但{lead}暂时无人可转告，请电话联系")
    decision.answer = (
        f"{incident.code} 已记录您的{deed.verb.word}申请，{passed}。您的层级对此项没有处置责任，由{lead}确认，"
        "本警情未关闭，时限继续计时。"
    )


def _pass_on(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> bool:
    """Tell the acting tier's people of a request; whether anybody is told."""
    lead = next((each for each in incident.duties if each.open and each.tier is lead_tier(incident)), None)
    people = own_people(incident, lead, ctx, decision) if lead else ()
    tell(
        decision,
        incident,
        ctx,
        people,
        kind=NoticeKind.REQUESTED,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.REQUESTED),
        duty=lead,
        note=f"{deed.name}申请{deed.verb.word}：{deed.text}" if deed.text else f"{deed.name}申请{deed.verb.word}",
    )
    return bool(people)


def _still(incident: Incident) -> str:
    return "上游仍在报警" if incident.kind is Kind.ALARM else "风险预警尚未解除"


def extend(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """申请延期: goes to the next tier up; the limit runs on until somebody there approves."""
    right, duty = choose(incident, granted)
    if duty is None:
        return refused(incident, reply, ctx, "no_duty", f"{incident.code} 您的单位对此项没有时限，无须延期。")
    clock = _asked_clock(incident, duty, reply)
    if clock is None:
        word = reply.clock.word if reply.clock else ""
        why = "签收时限不能延期" if reply.clock is ClockKind.SIGN else f"没有正在计时的{word}时限"
        return refused(incident, reply, ctx, "nothing_to_extend", f"{incident.code} {why}，未记录。")
    upper = above(incident, duty.tier)
    problem = _impossible(incident, duty, clock, reply, ctx)
    if upper is None and not problem:
        problem = ("no_tier_above", "没有上一级可以批准")
    if problem or upper is None:
        reason, why = problem or ("no_tier_above", "")
        return refused(incident, reply, ctx, reason, f"{incident.code} {why}，未记录。")
    minutes = _minutes(incident, duty, clock, reply, ctx)
    tier, unit = upper
    said = f"{clock.kind.word}时限延长{span(minutes)}，{reply.text}"
    detail = {"clock": clock.kind.value, "minutes": minutes, "due_at": clock.due_at}
    decision, deed = recorded(incident, deed_by(right, reply, ctx, text=said), ctx, duty, detail)
    if duty.signed is None:
        duty.signed = deed
        meet(duty, ClockKind.SIGN, ctx, decision, incident)
    request = Request(verb=Verb.EXTEND, deed=deed, duty=duty.id, clock=clock.kind, minutes=minutes)
    others = [
        each for each in incident.requests if each.answer or (each.duty, each.clock) != (request.duty, request.clock)
    ]
    incident.requests = [*others, request][-MOST_DEEDS:]
    reached = acting(ctx.directory, tier, unit, OFFICERS, ctx.now, incident.plan.units)
    tell(
        decision,
        incident,
        ctx,
        loudly(reached, incident, duty, ctx, decision),
        kind=NoticeKind.REQUESTED,
        purpose=Purpose.ATTEND,
        stage=next_stage(incident, NoticeKind.REQUESTED),
        note=f"{deed.name}申请延期：{said}",
    )
    decision.answer = (
        f"{incident.code} 已记录延期申请：{clock.kind.word}时限延长{span(minutes)}，"
        f"已报{ctx.directory.unit_name(unit)}。"
        f"批准前时限不变，{minute(clock.due_at, ctx)}前{clock.kind.word}。"
    )
    return decision


def _asked_clock(incident: Incident, duty: Duty, reply: Reply) -> Clock | None:
    """The limit that is meant: the one named, else the first due of those that may be moved, else the first due."""
    if reply.clock is not None:
        return None if reply.clock is ClockKind.SIGN else running(duty, reply.clock)
    clocks = [found for kind in ClockKind if kind is not ClockKind.SIGN and (found := running(duty, kind))]
    clocks.sort(key=lambda clock: (_left(incident, duty, clock) == 0, clock.due_at))
    return clocks[0] if clocks else None


def _impossible(incident: Incident, duty: Duty, clock: Clock, reply: Reply, ctx: Context) -> tuple[str, str] | None:
    """The named reason why this extension cannot even be asked for, and its sentence; None where it can."""
    code, left = incident.code, _left(incident, duty, clock)
    if not left and not clock.extended:
        return "extension_not_allowed", f"规则不允许延长{clock.kind.word}时限"
    if not left:
        return "extension_used_up", f"{clock.kind.word}时限已延长{span(clock.extended)}，按规则不能再延"
    if reply.until and reply.until <= clock.due_at:
        return "extension_not_later", f"{clock.kind.word}时限本来就到{minute(clock.due_at, ctx)}"
    if not reply.minutes and not reply.until:
        return "extension_how_long", f"请写明延长多久和原因，如“延期 {code} 2小时 等备件”"
    if not reply.text:
        return "extension_no_reason", f"请写明延期原因，如“延期 {code} {span(reply.minutes or 120)} 等备件”"
    if _minutes(incident, duty, clock, reply, ctx) > left:
        return "extension_beyond_rule", f"按规则{clock.kind.word}时限最多还可延长{span(left)}"
    return None


def _plan_of(incident: Incident, duty: Duty, kind: ClockKind) -> tuple[DutyPlan, ClockPlan] | None:
    plans = (plan for plan in incident.plan.duties if plan.unit == duty.unit)
    return next(((plan, clock) for plan in plans for clock in plan.clocks if clock.kind is kind), None)


def _left(incident: Incident, duty: Duty, clock: Clock) -> int:
    """By how many minutes the limit may still be moved."""
    found = _plan_of(incident, duty, clock.kind)
    return max(found[1].extend - clock.extended, 0) if found else 0


def _minutes(incident: Incident, duty: Duty, clock: Clock, reply: Reply, ctx: Context) -> int:
    """By how many minutes of the clock's own time the limit is to move; for a moment, the fewest that reach it."""
    if not reply.until:
        return reply.minutes
    found = _plan_of(incident, duty, clock.kind)
    if found is None or not found[1].working:
        return -(-(reply.until - clock.due_at) // MINUTE)
    low, high = 1, _left(incident, duty, clock) + 1
    while low < high:
        middle = (low + high) // 2
        if ctx.calendar.add(clock.due_at, middle, True) >= reply.until:
            high = middle
        else:
            low = middle + 1
    return low


def pending(incident: Incident, granted: tuple[Rights, ...]) -> list[tuple[Request, Rights]]:
    """The requests that wait for an answer these rights may give, oldest first, each with the post it is given from."""
    found: list[tuple[Request, Rights]] = []
    for request in incident.requests:
        right = next((each for each in tiers(granted) if _may_judge(incident, request, each)), None)
        if right is not None:
            found.append((request, right))
    return found


def _may_judge(incident: Incident, request: Request, right: Rights) -> bool:
    if request.answer is not None or right.role not in OFFICERS or right.unit == request.deed.unit:
        return False
    if request.verb is Verb.EXTEND:
        duty = _duty_of(incident, request)
        moving = request.clock is not None and running(duty, request.clock) is not None
        return duty is not None and moving and right.tier.rank > duty.tier.rank
    return right.tier.rank >= lead_tier(incident).rank


def _duty_of(incident: Incident, request: Request) -> Duty | None:
    return next((duty for duty in incident.duties if duty.open and duty.id == request.duty), None)


def judge(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """批准 or 不批准: the oldest request of the kind that is meant, by whoever may."""
    code = incident.code
    open_to_me = pending(incident, granted)
    chosen = [each for each in open_to_me if reply.of in (None, each[0].verb)]
    if not chosen:
        others = any(each.answer is None for each in incident.requests)
        why = "待批的申请不在您的权限内" if others and not open_to_me else "没有待批的申请"
        return refused(incident, reply, ctx, "nothing_to_judge", f"{code} {why}，未记录。")
    kinds = list(dict.fromkeys(request.verb.word for request, _ in chosen))
    if len(kinds) > 1:
        answer = (
            f"{code} 有{len(kinds)}项待批：{'、'.join(kinds)}。本次未记录，请回复“{reply.verb.word}{kinds[0]} {code}”。"
        )
        return refused(incident, reply, ctx, "which_request", answer)
    request, right = chosen[0]
    duty = _duty_of(incident, request)
    if request.verb is Verb.EXTEND and duty is not None:
        return _judge_extension(incident, request, duty, right, reply, ctx)
    return _judge_close(incident, request, right, reply, ctx)


def _judge_extension(
    incident: Incident, request: Request, duty: Duty, right: Rights, reply: Reply, ctx: Context
) -> Decision:
    clock = running(duty, request.clock or ClockKind.CLEAR)
    if clock is None:
        raise ValueError("only a running limit is open to approval")
    approved = reply.verb is Verb.APPROVE
    other = approved and (reply.minutes or reply.until)
    problem = _beyond(incident, duty, clock, reply, ctx) if other else None
    if problem:
        return refused(incident, reply, ctx, problem[0], f"{incident.code} {problem[1]}，未记录。")
    minutes = _minutes(incident, duty, clock, reply, ctx) if other else request.minutes
    minutes = min(minutes, _left(incident, duty, clock))
    found = _plan_of(incident, duty, clock.kind)
    detail = {"of": "extend", "clock": clock.kind.value, "minutes": minutes if approved else 0, "due_at": clock.due_at}
    decision, deed = recorded(incident, deed_by(right, reply, ctx), ctx, duty, detail)
    moved = prolong(clock, minutes, ctx, found[0] if found else None) if approved else 0
    _answered(incident, request, deed, minutes if approved else 0, moved)
    word = clock.kind.word
    due = minute(clock.due_at, ctx)
    said = f"批准延期{span(minutes)}，{word}时限改为{due}" if approved else f"不批准延期，{word}时限仍为{due}"
    why = f"：{reply.text}" if reply.text else ""
    note = f"{deed.name}{said}{why}"
    hear(decision, incident, ctx, people_of(incident, duty, request.deed, ctx, decision), note, by=deed, duty=duty)
    decision.answer = f"{incident.code} 已记录：{said}，已告知{request.deed.name}。"
    return decision


def _beyond(incident: Incident, duty: Duty, clock: Clock, reply: Reply, ctx: Context) -> tuple[str, str] | None:
    """Why an approval's own figure does not hold."""
    if reply.until and reply.until <= clock.due_at:
        return "extension_not_later", f"{clock.kind.word}时限本来就到{minute(clock.due_at, ctx)}"
    left = _left(incident, duty, clock)
    if _minutes(incident, duty, clock, reply, ctx) > left:
        return "extension_beyond_rule", f"按规则{clock.kind.word}时限最多还可延长{span(left)}"
    return None


def _judge_close(incident: Incident, request: Request, right: Rights, reply: Reply, ctx: Context) -> Decision:
    """The acting tier's word on a 消警 or 误报: it has then seen the incident itself, so its duty counts as signed."""
    duty = duty_at(incident, right.unit)
    decision, deed = recorded(incident, deed_by(right, reply, ctx), ctx, duty, {"of": request.verb.value})
    _answered(incident, request, deed, 0, 0)
    if duty is not None and duty.signed is None:
        duty.signed = deed
        meet(duty, ClockKind.SIGN, ctx, decision, incident)
    word = request.verb.word
    if reply.verb is Verb.APPROVE and not incident.active:
        close(decision, incident, ctx, _CLOSES[request.verb])
        decision.answer = f"{incident.code} 已批准{word}，本警情关闭。"
        return decision
    said = f"批准{word}，{_still(incident)}，警情保持" if reply.verb is Verb.APPROVE else f"不批准{word}，警情保持"
    why = f"：{reply.text}" if reply.text else ""
    theirs = duty_at(incident, request.deed.unit)
    people = (
        people_of(incident, theirs, request.deed, ctx, decision) if theirs else holder(ctx.directory, request.deed.who)
    )
    hear(decision, incident, ctx, people, f"{deed.name}{said}{why}", by=deed, duty=theirs)
    decision.answer = f"{incident.code} 已记录：{said}，已告知{request.deed.name}。{owed(duty, ctx) if duty else ''}"
    return decision


def _answered(incident: Incident, request: Request, deed: Deed, granted: int, moved: int) -> None:
    given = msgspec.structs.replace(request, answer=deed, granted=granted, moved=moved)
    incident.requests = [given if each is request else each for each in incident.requests]
