"""What an answer may do, and who may give it.

Rights go by post and tier: a person answers for a unit on the enterprise's line of supervision where they hold a post.
A signature counts for the signer's own unit and duty only. 消警 and 误报 are requests: upstream's clear or the acting
tier's acceptance closes, and while the point is still active the incident stays open and its clocks run.
"""

from __future__ import annotations

import msgspec

from escalation.calendar import hhmm, local
from escalation.deciding.closing import close, close_if_over
from escalation.deciding.duties import due_of, duty_at, lead_tier, meet, own_people
from escalation.directory import Directory
from escalation.incident import Deed, Duty, Incident, IncidentState, Request
from escalation.inputs import Context, Decision, Entry, Reply, Rights
from escalation.notice import Addressee, Contact, Notice, NoticeKind
from escalation.roster import responsible_for_point, standing
from escalation.telling import TRIAL, next_stage, tell
from escalation.vocabulary import ClockKind, Kind, Purpose, Role, Tier, Verb

_CLOCK_OF = {Verb.VERIFY: ClockKind.VERIFY, Verb.DISPOSE: ClockKind.VERIFY, Verb.FED_BACK: ClockKind.FEEDBACK}
_ASKS = (Verb.QUERY, Verb.HELP)

MOST_DEEDS = 16
"""Deeds and requests beyond this many leave the state, oldest first; the journal keeps them all."""
MOST_TEXT = 200
"""How many characters of an answer the state keeps; the journal keeps it whole."""


def rights(directory: Directory, incident: Incident, reply: Reply) -> tuple[Rights, ...]:
    """From which posts the sender may answer for this incident, own enterprise first; empty when from none.

    Holding the post is enough: who is off shift and answers all the same has still seen it.
    """
    line = directory.line(incident.enterprise)
    found: list[Rights] = []
    for tier, unit in sorted(line.items(), key=lambda pair: pair[0].rank):
        for role in Role:
            for post in directory.posts_at(unit, role):
                people = {*post.people, *(each for shift in post.roster for each in shift.people)}
                room = not reply.person and reply.unit == unit and reply.role is role
                if reply.person in people or room:
                    name = (
                        directory.people[reply.person].name if reply.person else directory.unit_name(unit) + role.word
                    )
                    found.append(Rights(unit=unit, tier=tier, role=role, person=reply.person, name=name))
    if reply.person and not any(right.tier is Tier.ENTERPRISE for right in found):
        found = [*_responsible(directory, incident, reply.person), *found]
    return tuple(found)


def _responsible(directory: Directory, incident: Incident, person: str) -> list[Rights]:
    hazard = directory.hazard_of(incident.enterprise, incident.point)
    people = {
        each.person for each in responsible_for_point(directory, incident.enterprise, incident.point, tuple(Role))
    }
    if hazard is not None:
        people |= {hazard.main_person, hazard.technical_person, hazard.operational_person}
    if person not in people:
        return []
    name = directory.people[person].name
    return [Rights(unit=incident.enterprise, tier=Tier.ENTERPRISE, role=Role.OPERATOR, person=person, name=name)]


def reply_to(incident: Incident, reply: Reply, ctx: Context) -> Decision:
    """What one answer does to one incident, with the plain sentence that goes back to the sender."""
    granted = rights(ctx.directory, incident, reply)
    if not granted:
        return _refused(incident, reply, ctx, "no_right", f"{incident.code} 不属于您的岗位，未记录为签收。")
    if incident.state is IncidentState.CLOSED:
        return _refused(incident, reply, ctx, "already_closed", f"{incident.code} 已于{hhmm(incident.closed_at)}关闭。")
    right, duty = _choose(incident, granted)
    if reply.verb in _ASKS:
        return _refused(incident, reply, ctx, "asked", _standing_of(incident, duty, ctx))
    deed = Deed(
        verb=reply.verb,
        person=right.person,
        name=right.name,
        unit=right.unit,
        tier=right.tier,
        role=right.role,
        at=ctx.now,
        channel=reply.channel,
        text=reply.text,
        cause=reply.cause,
    )
    decision = Decision(reason=f"reply_{reply.verb}", incident=incident)
    decision.entries.append(_entry(incident, deed, ctx, f"reply_{reply.verb}", duty))
    deed = msgspec.structs.replace(deed, text=deed.text[:MOST_TEXT], cause=deed.cause[:MOST_TEXT])
    incident.deeds = [*incident.deeds, deed][-MOST_DEEDS:]
    if reply.verb is Verb.PHONED:
        done = _phoned(decision, incident, deed, ctx)
        tasks = f"人工电话任务{f' {done} 项' if done > 1 else ''}已办结" if done else "没有待办的人工电话任务"
        decision.answer = f"{incident.code} 已记录：电话已通知（{hhmm(ctx.now)}），{tasks}。电话通知不等于签收。"
    elif duty is None and reply.verb in (Verb.CLEAR, Verb.FALSE_ALARM):
        decision.reason = "no_duty"
        _request_from_beside(decision, incident, deed, ctx)
    elif duty is None:
        decision.reason = "no_duty"
        decision.answer = f"{incident.code} 已记录您已知悉。您的层级对此项没有处置责任，其他层级的时限不受影响。"
    else:
        _act(decision, incident, duty, deed, ctx)
    _feed_back(decision, incident, deed, ctx)
    return decision


def _act(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    first = duty.signed is None
    if deed.verb is Verb.SIGN and duty.signed is not None:
        decision.reason = "already_signed"
        decision.answer = f"{incident.code} 已由{duty.signed.name}于{hhmm(duty.signed.at)}签收。{_owed(duty, ctx)}"
        return
    if first:
        duty.signed = deed
        meet(duty, ClockKind.SIGN, ctx, decision, incident)
    if deed.verb is Verb.VERIFY:
        duty.verified = duty.verified or deed
    elif deed.verb is Verb.DISPOSE:
        duty.disposed = deed
    if deed.verb in _CLOCK_OF:
        meet(duty, _CLOCK_OF[deed.verb], ctx, decision, incident)
    if deed.verb in (Verb.CLEAR, Verb.FALSE_ALARM):
        _request(decision, incident, duty, deed, ctx)
    elif close_if_over(decision, incident, ctx):
        decision.answer = f"{incident.code} 已记录{deed.verb.word}。数值已恢复，本警情关闭。"
    else:
        decision.answer = f"{incident.code} 已记录{deed.verb.word}：{deed.name} {hhmm(ctx.now)}。{_owed(duty, ctx)}"
    if first and incident.state is IncidentState.OPEN:
        _tell_colleagues(decision, incident, duty, deed, ctx)


def _request(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    """消警 or 误报: kept as a request; the acting tier's word closes, but never while the point is still active."""
    known = any((each.verb, each.deed.unit) == (deed.verb, deed.unit) for each in incident.requests)
    incident.requests = [*incident.requests, Request(verb=deed.verb, deed=deed)][-MOST_DEEDS:]
    accepted = duty.tier.rank >= lead_tier(incident).rank
    if accepted and not incident.active:
        close(decision, incident, ctx, "accepted_false_alarm" if deed.verb is Verb.FALSE_ALARM else "accepted_clear")
        decision.answer = f"{incident.code} 已确认{deed.verb.word}，本警情关闭。"
        return
    still = "上游仍在报警" if incident.kind is Kind.ALARM else "风险预警尚未解除"
    if incident.active:
        decision.answer = f"{incident.code} 已记录{deed.verb.word}申请。{still}，本警情未关闭，时限继续计时。"
    else:
        decision.answer = (
            f"{incident.code} 已记录{deed.verb.word}申请，等待{lead_tier(incident).word}确认，本警情未关闭。"
        )
    if not accepted and not known:
        _pass_on(decision, incident, deed, ctx)


def _request_from_beside(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> None:
    """消警 or 误报 of a tier without a duty of its own: the acting tier hears of it and decides; it closes nothing."""
    known = any((each.verb, each.deed.unit) == (deed.verb, deed.unit) for each in incident.requests)
    incident.requests = [*incident.requests, Request(verb=deed.verb, deed=deed)][-MOST_DEEDS:]
    told = True if known else _pass_on(decision, incident, deed, ctx)
    acting = lead_tier(incident).word
    passed = (
        f"此前已转告{acting}" if known else (f"已转告{acting}" if told else f"但{acting}暂时无人可转告，请电话联系")
    )
    decision.answer = (
        f"{incident.code} 已记录您的{deed.verb.word}申请，{passed}。您的层级对此项没有处置责任，由{acting}确认，"
        "本警情未关闭，时限继续计时。"
    )


def _phoned(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> int:
    """Tick off the 人工电话 tasks of the caller's tier and those below: their people were told, nobody signed. How many
    there were."""
    done = 0
    for notice in incident.notices.values():
        if notice.kind is not NoticeKind.PHONE_TASK or notice.done_at or notice.to.tier.rank > deed.tier.rank:
            continue
        notice.done_at, notice.done_by = ctx.now, deed.name
        done += 1
        decision.entries.append(
            Entry(
                at=ctx.now,
                reason="phone_task_done",
                incident=incident.code,
                actor=f"{deed.unit}/{deed.role}/{deed.person}",
                notice=notice.id,
                detail={"name": deed.name, "duty": notice.duty, "people": notice.note, "result": deed.text},
            )
        )
    return done


def _pass_on(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> bool:
    """Tell the acting tier's people of a request; whether anybody is told."""
    lead = next((each for each in incident.duties if each.open and each.tier is lead_tier(incident)), None)
    people = own_people(incident, lead, ctx, decision) if lead else ()
    stage = next_stage(incident, NoticeKind.REQUESTED)
    tell(
        decision,
        incident,
        ctx,
        people,
        kind=NoticeKind.REQUESTED,
        purpose=Purpose.ATTEND,
        stage=stage,
        duty=lead,
        note=f"{deed.name}申请{deed.verb.word}：{deed.text}" if deed.text else f"{deed.name}申请{deed.verb.word}",
    )
    return bool(people)


def _tell_colleagues(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    """After one signed, the others of the same duty hear it once, quietly."""
    others: dict[str, Addressee] = {}
    for notice in _of_duty(incident, duty):
        for each in notice.everybody:
            others.setdefault(each.who, each)
    others.pop(deed.person or f"{deed.unit}/{deed.role}/", None)
    stage = next_stage(incident, NoticeKind.SIGNED)
    note = f"{deed.name} {hhmm(ctx.now)}"
    tell(
        decision,
        incident,
        ctx,
        others.values(),
        kind=NoticeKind.SIGNED,
        purpose=Purpose.COPY,
        stage=stage,
        duty=duty,
        note=note,
    )


def _of_duty(incident: Incident, duty: Duty) -> list[Notice]:
    return [
        notice
        for notice in incident.notices.values()
        if notice.duty == duty.id
        and notice.purpose is Purpose.ACT
        and notice.kind is not NoticeKind.PHONE_TASK
        and (notice.state.hopeful or notice.detail == TRIAL)
    ]


def _feed_back(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> None:
    """What was answered goes back upstream by the source's outgoing webhook; it is never called 系统反馈."""
    channel = ctx.feedback.get(incident.source)
    if channel is None or deed.verb in (Verb.QUERY, Verb.HELP):
        return
    upstream = Addressee(
        unit=incident.source,
        tier=Tier.CITY,
        role=Role.MAINTAINER,
        name=incident.source,
        contacts=(Contact(channel=channel),),
    )
    stage = next_stage(incident, NoticeKind.FEEDBACK)
    note = deed.verb.value
    tell(decision, incident, ctx, (upstream,), kind=NoticeKind.FEEDBACK, purpose=Purpose.COPY, stage=stage, note=note)


def _choose(incident: Incident, granted: tuple[Rights, ...]) -> tuple[Rights, Duty | None]:
    """The post a person answers from: the lowest with an unsigned duty, else with any duty, else the first."""
    pairs = [(right, duty_at(incident, right.unit)) for right in granted]
    for right, duty in pairs:
        if duty is not None and duty.signed is None:
            return right, duty
    return next(((right, duty) for right, duty in pairs if duty is not None), pairs[0])


def _owed(duty: Duty, ctx: Context) -> str:
    """What is still owed, and by when; nothing is promised away."""
    names = {ClockKind.VERIFY: "核查", ClockKind.CLEAR: "消警", ClockKind.FEEDBACK: "系统反馈"}
    owed = [f"{_until(due_of(duty, kind), ctx)}前{word}" for kind, word in names.items() if due_of(duty, kind)]
    return f"还须：{'，'.join(owed)}。" if owed else ""


def _until(due_at: int, ctx: Context) -> str:
    """The minute, with its date when that is not today."""
    due = local(due_at)
    return f"{due:%H:%M}" if due.date() == local(ctx.now).date() else f"{due:%m-%d %H:%M}"


def _standing_of(incident: Incident, duty: Duty | None, ctx: Context) -> str:
    """How it stands, for whoever asks; to ask is not to sign."""
    now = "上游仍在报警" if incident.active else "数值恢复，未确认安全"
    if duty is None:
        return f"{incident.code} {now}。"
    signed = f"已由{duty.signed.name}于{hhmm(duty.signed.at)}签收" if duty.signed else "尚未签收"
    return f"{incident.code} {now}，{signed}。{_owed(duty, ctx)}"


def _refused(incident: Incident, reply: Reply, ctx: Context, reason: str, answer: str) -> Decision:
    decision = Decision(reason=reason, incident=incident, answer=answer)
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason=reason,
            incident=incident.code,
            actor=reply.person or f"{reply.unit}/{reply.role}",
            detail={"verb": reply.verb, "channel": reply.channel},
        )
    )
    return decision


def _entry(incident: Incident, deed: Deed, ctx: Context, reason: str, duty: Duty | None) -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        actor=f"{deed.unit}/{deed.role}/{deed.person}",
        detail={
            "verb": deed.verb,
            "name": deed.name,
            "tier": deed.tier,
            "duty": duty.id if duty else "",
            "channel": deed.channel,
            "text": deed.text,
            "cause": deed.cause,
        },
    )


def answers_as(directory: Directory, channel: str, address: str, at: int) -> tuple[str, str, Role | None] | None:
    """Who answers from this address: (person, unit, role). A duty room's own phone answers as the duty room."""
    for person in directory.people.values():
        if any(entry.channel == channel and entry.address.strip() == address.strip() for entry in person.contacts):
            return person.id, "", None
    for post in directory.posts:
        if any(entry.channel == channel and entry.address.strip() == address.strip() for entry in post.contacts):
            on_duty = [each for each in standing(directory, post.unit, post.role, at) if each.person]
            if len(on_duty) == 1:
                return on_duty[0].person, "", None
            return "", post.unit, post.role
    return None
