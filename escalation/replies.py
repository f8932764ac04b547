"""What an answer may do, and who may give it.

Rights go by post and tier: a person answers for a unit on the enterprise's line of supervision where they hold a post.
A signature counts for the signer's own unit and duty only. What asks and is answered (消警, 误报, 延期), what hands on
(转派, 催办) and what takes back (撤回) have rules of their own in :mod:`escalation.deciding`.
"""

from __future__ import annotations

from collections.abc import Callable

from escalation.calendar import hhmm
from escalation.deciding.acts import choose, deed_by, owed, recorded, refused, told_of
from escalation.deciding.cards import is_stale
from escalation.deciding.closing import close_if_over
from escalation.deciding.duties import meet
from escalation.deciding.handing import transfer, urge
from escalation.deciding.official import give_text, owing
from escalation.deciding.phoning import NOT_REACHED, tick_off
from escalation.deciding.requesting import ask_from_beside, ask_to_close, extend, judge
from escalation.deciding.undoing import undo
from escalation.deciding.upstream import feed_back, feed_back_close
from escalation.deed import Deed
from escalation.directory import Directory
from escalation.incident import Duty, Incident, IncidentState
from escalation.inputs import Context, Decision, EvidenceGiven, Reply, Rights
from escalation.notice import NoticeKind
from escalation.roster import responsible_for_point, standing
from escalation.telling import TRIAL, next_stage, tell
from escalation.vocabulary import ClockKind, Purpose, Role, Tier, Verb

_CLOCK_OF = {Verb.VERIFY: ClockKind.VERIFY, Verb.DISPOSE: ClockKind.VERIFY, Verb.FED_BACK: ClockKind.FEEDBACK}


def rights(directory: Directory, incident: Incident, reply: Reply | EvidenceGiven) -> tuple[Rights, ...]:
    """From which posts the sender may answer for this incident, own enterprise first; empty when from none.

    Holding the post is enough: who is off shift and answers all the same has still seen it.
    """
    line = directory.line(incident.enterprise)
    only = reply.only_unit if isinstance(reply, Reply) else ""
    found: list[Rights] = []
    for tier, unit in sorted(line.items(), key=lambda pair: pair[0].rank):
        if only not in ("", unit):
            continue
        for role in Role:
            for post in directory.posts_at(unit, role):
                people = {*post.people, *(each for shift in post.roster for each in shift.people)}
                room = not reply.person and reply.unit == unit and reply.role is role
                if reply.person in people or room:
                    name = (
                        directory.people[reply.person].name if reply.person else directory.unit_name(unit) + role.word
                    )
                    found.append(Rights(unit=unit, tier=tier, role=role, person=reply.person, name=name))
    own = only in ("", incident.enterprise)
    if own and reply.person and not any(right.tier is Tier.ENTERPRISE for right in found):
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
        return refused(incident, reply, ctx, "no_right", f"{incident.code} 不属于您的岗位，未记录为签收。")
    before = incident.state
    closed = before is IncidentState.CLOSED
    if closed and reply.verb not in (Verb.UNDO, Verb.FED_BACK):
        return refused(incident, reply, ctx, "already_closed", f"{incident.code} 已于{hhmm(incident.closed_at)}关闭。")
    if reply.verb.acts and is_stale(reply, choose(incident, granted)[1]):
        typed = f"{reply.verb.word} {incident.code}"
        answer = f"{incident.code} 在这张卡片（或这次电话）之后又有新情况，未记录。请按新消息办理，或回复“{typed}”。"
        return refused(incident, reply, ctx, "stale_card", answer)
    if not reply.verb.acts:
        return refused(incident, reply, ctx, "asked", _standing_of(incident, choose(incident, granted)[1], ctx))
    decision = _HANDLERS.get(reply.verb, _act)(incident, reply, granted, ctx)
    if decision.entries[0].reason == f"reply_{reply.verb}":
        deed = incident.deeds[-1]
        if incident.state is IncidentState.CLOSED and not closed:
            incident.closed_by = deed.who
        give_text(decision, incident, ctx, deed)
        feed_back(decision, incident, deed, ctx)
        feed_back_close(decision, incident, before, ctx, deed)
    return decision


_HANDLERS: dict[Verb, Callable[[Incident, Reply, tuple[Rights, ...], Context], Decision]] = {
    Verb.TRANSFER: transfer,
    Verb.URGE: urge,
    Verb.EXTEND: extend,
    Verb.APPROVE: judge,
    Verb.REFUSE: judge,
    Verb.UNDO: undo,
}


def _act(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """What is done for the sender's own duty, and what anybody with a post may record."""
    if incident.state is IncidentState.CLOSED:
        return _fed_back_afterwards(incident, reply, granted, ctx)
    right, duty = choose(incident, granted)
    decision, deed = recorded(incident, deed_by(right, reply, ctx), ctx, duty)
    if reply.verb is Verb.PHONED:
        done = tick_off(decision, incident, deed, ctx, reply.notice)
        tasks = f"人工电话任务{f' {done} 项' if done > 1 else ''}已办结" if done else "没有待办的人工电话任务"
        missing = "" if reply.text else "请再回复通知了谁、结果如何。"
        decision.answer = (
            f"{incident.code} 已记录：电话已通知（{hhmm(ctx.now)}），{tasks}。电话通知不等于签收。{missing}"
        )
        if deed.cause in NOT_REACHED:
            decision.answer = (
                f"{incident.code} 已记录：{deed.cause}（{hhmm(ctx.now)}）。电话任务未完成，请再打或改打他人。"
            )
    elif duty is None and reply.verb in (Verb.CLEAR, Verb.FALSE_ALARM):
        decision.reason = "no_duty"
        ask_from_beside(decision, incident, deed, ctx)
    elif duty is None:
        decision.reason = "no_duty"
        decision.answer = f"{incident.code} 已记录您已知悉。您的层级对此项没有处置责任，其他层级的时限不受影响。"
    else:
        _for_duty(decision, incident, duty, deed, ctx)
    return decision


def _fed_back_afterwards(incident: Incident, reply: Reply, granted: tuple[Rights, ...], ctx: Context) -> Decision:
    """The close ends no duty towards the official system: what was fed back there later is recorded all the same."""
    owed_by = {duty.unit: duty for duty in owing(incident)}
    right = next((each for each in granted if each.unit in owed_by), None)
    if right is None:
        answer = f"{incident.code} 已于{hhmm(incident.closed_at)}关闭，您的单位没有待系统反馈的事项。"
        return refused(incident, reply, ctx, "already_closed", answer)
    duty = owed_by[right.unit]
    decision, deed = recorded(incident, deed_by(right, reply, ctx), ctx, duty)
    duty.fed_back = deed
    decision.answer = f"{incident.code} 已记录：{deed.name} {hhmm(ctx.now)}已在原系统反馈。"
    return decision


def _for_duty(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    first = duty.signed is None
    if deed.verb is Verb.SIGN and duty.signed is not None:
        decision.reason = "already_signed"
        decision.answer = f"{incident.code} 已由{duty.signed.name}于{hhmm(duty.signed.at)}签收。{owed(duty, ctx)}"
        return
    if first:
        duty.signed = deed
        meet(duty, ClockKind.SIGN, ctx, decision, incident)
    if deed.verb is Verb.VERIFY:
        duty.verified = duty.verified or deed
    elif deed.verb is Verb.DISPOSE:
        duty.disposed = deed
    elif deed.verb is Verb.FED_BACK:
        duty.fed_back = deed
    if deed.verb in _CLOCK_OF:
        meet(duty, _CLOCK_OF[deed.verb], ctx, decision, incident)
    if deed.verb in (Verb.CLEAR, Verb.FALSE_ALARM):
        ask_to_close(decision, incident, duty, deed, ctx)
    elif close_if_over(decision, incident, ctx):
        decision.answer = f"{incident.code} 已记录{deed.verb.word}。数值已恢复，本警情关闭。"
    else:
        decision.answer = f"{incident.code} 已记录{deed.verb.word}：{deed.name} {hhmm(ctx.now)}。{owed(duty, ctx)}"
    if first and incident.state is IncidentState.OPEN:
        _tell_colleagues(decision, incident, duty, deed, ctx)


_NEWS = (NoticeKind.RAISED, NoticeKind.ROSE, NoticeKind.REOPENED)
"""Kinds after which a duty has to be signed for anew."""


def _tell_colleagues(decision: Decision, incident: Incident, duty: Duty, deed: Deed, ctx: Context) -> None:
    """After one signed, the others of the same duty hear it quietly; nobody hears a second signature of the same news,
    whichever of their duties it is for. A rise is news: it has to be signed for anew, and they hear that too."""
    news = max((each.created_at for each in incident.notices.values() if each.kind in _NEWS), default=0)
    heard = {deed.person or deed.who}
    heard |= {
        each.who
        for notice in incident.notices.values()
        if notice.kind is NoticeKind.SIGNED
        and notice.created_at >= news
        and (notice.state.hopeful or notice.detail == TRIAL)
        for each in notice.everybody
    }
    tell(
        decision,
        incident,
        ctx,
        [each for each in told_of(incident, duty) if each.who not in heard],
        kind=NoticeKind.SIGNED,
        purpose=Purpose.COPY,
        stage=next_stage(incident, NoticeKind.SIGNED),
        duty=duty,
        note=f"{deed.name} {hhmm(ctx.now)}",
    )


def _standing_of(incident: Incident, duty: Duty | None, ctx: Context) -> str:
    """How it stands, for whoever asks; to ask is not to sign."""
    now = "上游仍在报警" if incident.active else "数值恢复，未确认安全"
    if duty is None:
        return f"{incident.code} {now}。"
    signed = f"已由{duty.signed.name}于{hhmm(duty.signed.at)}签收" if duty.signed else "尚未签收"
    return f"{incident.code} {now}，{signed}。{owed(duty, ctx)}"


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
