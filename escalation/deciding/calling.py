"""Telephone calls by a channel: a step that calls places them, and a person calls (人工电话) where they told nobody.

A call goes out at that step alone, when nobody has signed. The key pressed in it comes as an answer. That it was
answered signs nothing; and unless it is known soon that its person heard it, a duty room has to call as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from escalation.deciding.duties import bearers, loudly, people_at, tell_duty
from escalation.deciding.fallback import Why, duty_of
from escalation.deciding.needed import done_meanwhile
from escalation.deciding.phoning import open_tasks
from escalation.deciding.utterance import Utterance
from escalation.incident import Duty, Incident, Step, StepAction
from escalation.inputs import Context, Decision, Entry, SendResult
from escalation.notice import Addressee, Contact, Notice, NoticeKind, NoticeState
from escalation.reach import acting
from escalation.telling import TRIAL, next_stage, notice_id, offer
from escalation.vocabulary import ClockKind, Purpose, Role

CALL_PATIENCE = 3 * 60_000
"""How long after a step that calls it is looked at what came of its calls (ms): ringing, playing, and a report that
comes at the second try."""
NO_REPORT = "no_report"
"""Why a person calls as well, where nothing was heard of the call."""

_OF_THE_PHONE = (SendResult.UNDELIVERED, SendResult.ANSWERED)
"""Ends that another provider would not change: the telephone itself rang, or cannot."""


def phone(one: Utterance, incident: Incident, said: Sequence[Utterance], ctx: Context) -> None:
    """Call whom a channel can telephone; for all others it is a 人工电话 task of a duty room."""
    called = bearers(incident, one.duty, ctx, one.beside)
    silent = [each for each in called if not each.calls]
    stage = next_stage(incident, NoticeKind.REMIND) if len(silent) < len(called) else ""
    for each in called:
        if each.calls:
            one.spoken.append(_call(one, incident, each, each.calls[0], stage, ctx))
    if stage:
        look_at = Step(at=ctx.now + CALL_PATIENCE, action=StepAction.PHONE, looks=True)
        one.clock.steps = sorted((*one.clock.steps, look_at), key=lambda step: step.at)
    if called and not silent:
        return
    _by_hand(one, incident, said, [each for each in silent if each.person], ctx)


def look(one: Utterance, incident: Incident, said: Sequence[Utterance], ctx: Context) -> None:
    """The calls of an earlier step of this clock have had their time: whoever is not known to have heard one is called
    by a person."""
    one.reason = "calls_looked_at"
    unheard = [
        notice
        for notice in incident.notices.values()
        if notice.spoken
        and (notice.duty, notice.clock) == (one.duty.id, one.clock.kind)
        and notice.created_at < ctx.now
        and not notice.passed_on
        and notice.state not in (NoticeState.DELIVERED, NoticeState.FAILED)
        and notice.detail != TRIAL
        and done_meanwhile(incident, notice) is None
    ]
    for notice in unheard:
        notice.passed_on = NO_REPORT
    if unheard:
        _by_hand(one, incident, said, [who for notice in unheard for who in notice.everybody], ctx)


def instead(decision: Decision, incident: Incident, notice: Notice, why: SendResult | Why, ctx: Context) -> None:
    """A call told nobody, or cannot be placed now: by the next provider or to the next telephone of this person, else
    a person calls. Once for each call, and not where it is needed no more."""
    duty = duty_of(incident, notice)
    if notice.passed_on or duty is None or done_meanwhile(incident, notice) is not None:
        return
    notice.passed_on = str(why)
    following = _next(incident, notice, why, ctx)
    if following is not None:
        _hop(decision, incident, notice, "next_call", ctx, {"why": str(why), "to": following.contact.channel})
        offer(decision, incident, ctx, following)
        decision.reason = "next_call"
        return
    asked = {name for task in open_tasks(incident) if _asks_since(task, notice) for name in task.note.split("、")}
    people = [who for who in notice.everybody if who.name not in asked]
    if not people:
        return
    _hop(decision, incident, notice, "call_by_hand", ctx, {"why": str(why), "people": _names(people)})
    decision.reason = "call_by_hand"
    waiting = [task for task in open_tasks(incident) if _asks_since(task, notice) and task.state is NoticeState.QUEUED]
    if waiting:
        # It has not left yet: one message for all whose calls ended at this moment.
        for task in waiting:
            task.note = "、".join(filter(None, (task.note, _names(people))))
        return
    tell_duty(
        decision,
        incident,
        ctx,
        duty,
        _room(incident, duty, ctx, decision),
        kind=NoticeKind.PHONE_TASK,
        stage=next_stage(incident, NoticeKind.PHONE_TASK),
        clock=notice.clock or ClockKind.SIGN,
        due_at=notice.due_at,
        note=_names(people),
    )


def _by_hand(
    one: Utterance, incident: Incident, said: Sequence[Utterance], people: Sequence[Addressee], ctx: Context
) -> None:
    """A duty room is to call; together with whom it is to call for another step of this moment."""
    other = next((each for each in said if each.kind is NoticeKind.PHONE_TASK and each.duty is one.duty), None)
    if other is not None:
        other.note = "、".join(dict.fromkeys(filter(None, (*other.note.split("、"), *(each.name for each in people)))))
        return
    one.people, one.kind = _room(incident, one.duty, ctx, one.beside), NoticeKind.PHONE_TASK
    one.note = _names(people)


def _asks_since(task: Notice, call: Notice) -> bool:
    return (task.duty, task.clock) == (call.duty, call.clock) and task.created_at >= call.created_at


def _next(incident: Incident, notice: Notice, why: SendResult | Why, ctx: Context) -> Notice | None:
    calls = notice.to.calls
    for place, contact in enumerate(calls[calls.index(notice.contact) + 1 :], start=calls.index(notice.contact) + 1):
        identity = notice_id(incident, notice.stage, contact)
        same = contact.address == notice.contact.address
        if identity in incident.notices or (same and why in _OF_THE_PHONE):
            continue
        return Notice(
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
            attempt=place,
            due_at=notice.due_at,
            also=notice.also,
        )
    return None


def _room(incident: Incident, duty: Duty, ctx: Context, beside: Decision) -> Sequence[Addressee]:
    """Who calls by hand: the duty's own duty room, else the next up, else whoever hears for an empty post."""
    line = sorted(incident.plan.units, key=lambda tier: tier.rank)
    rooms = (
        people_at(ctx, incident.plan.units[tier], (Role.DUTY_ROOM,)) for tier in line if tier.rank >= duty.tier.rank
    )
    people = next((room for room in rooms if room), ())
    if people:
        return people
    reached = acting(ctx.directory, duty.tier, duty.unit, (Role.DUTY_ROOM,), ctx.now, incident.plan.units)
    return loudly(reached, incident, duty, ctx, beside)


def _names(people: Sequence[Addressee]) -> str:
    return "、".join(dict.fromkeys(each.name for each in people))


def _hop(
    decision: Decision, incident: Incident, notice: Notice, reason: str, ctx: Context, detail: dict[str, str]
) -> None:
    entry = Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        actor=notice.to.key,
        notice=notice.id,
        detail={"from": notice.contact.channel, **detail},
    )
    decision.entries.append(entry)


def _call(one: Utterance, incident: Incident, who: Addressee, contact: Contact, stage: str, ctx: Context) -> Notice:
    return Notice(
        id=notice_id(incident, stage, contact),
        kind=NoticeKind.REMIND,
        purpose=Purpose.ACT,
        stage=stage,
        to=who,
        contact=contact,
        created_at=ctx.now,
        urgency=incident.urgency,
        duty=one.duty.id,
        clock=one.clock.kind,
        due_at=one.clock.due_at,
    )
