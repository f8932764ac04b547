"""What every answer has in common: the deed it leaves, its row in the journal, its refusal, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from escalation.calendar import local
from escalation.deciding.duties import due_of, duty_at, own_people
from escalation.deed import Deed
from escalation.incident import Duty, Incident
from escalation.inputs import Context, Decision, Entry, Reply, Rights
from escalation.notice import Addressee, Notice, NoticeKind
from escalation.roster import holder
from escalation.telling import TRIAL, next_stage, tell
from escalation.vocabulary import ClockKind, Purpose, Role, Tier

MOST_DEEDS = 16
"""Deeds and requests beyond this many leave the state, oldest first; the journal keeps them all."""
MOST_TEXT = 200
"""How many characters of an answer the state keeps; the journal keeps it whole."""
OFFICERS = (Role.OFFICER, Role.DUTY_ROOM, Role.LEADER_ON_DUTY)
"""The posts of an authority that decide on requests; who borrows a patrol post may urge and no more."""


def choose(incident: Incident, granted: tuple[Rights, ...]) -> tuple[Rights, Duty | None]:
    """The post a person answers from: the lowest with an unsigned duty, else with any duty, else the first."""
    pairs = [(right, duty_at(incident, right.unit)) for right in granted]
    for right, duty in pairs:
        if duty is not None and duty.signed is None:
            return right, duty
    return next(((right, duty) for right, duty in pairs if duty is not None), pairs[0])


def deed_by(right: Rights, reply: Reply, ctx: Context, *, text: str | None = None, before: str = "") -> Deed:
    """What the answer is recorded as; ``text`` in place of the sender's own words."""
    return Deed(
        verb=reply.verb,
        person=right.person,
        name=right.name,
        unit=right.unit,
        tier=right.tier,
        role=right.role,
        at=ctx.now,
        channel=reply.channel,
        text=reply.text if text is None else text,
        cause=reply.cause,
        before=before,
    )


def recorded(
    incident: Incident, deed: Deed, ctx: Context, duty: Duty | None, detail: Mapping[str, str | int] | None = None
) -> tuple[Decision, Deed]:
    """A decision with the deed in the state, shortened, and in the journal, whole."""
    decision = Decision(reason=f"reply_{deed.verb}", incident=incident)
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason=decision.reason,
            incident=incident.code,
            actor=deed.who,
            detail={
                "verb": deed.verb,
                "name": deed.name,
                "tier": deed.tier,
                "duty": duty.id if duty else "",
                "channel": deed.channel,
                "text": deed.text,
                "cause": deed.cause,
                **(detail or {}),
            },
        )
    )
    kept = msgspec.structs.replace(deed, text=deed.text[:MOST_TEXT], cause=deed.cause[:MOST_TEXT])
    incident.deeds = [*incident.deeds, kept][-MOST_DEEDS:]
    return decision, kept


def refused(incident: Incident, reply: Reply, ctx: Context, reason: str, answer: str) -> Decision:
    """Nothing but a row of the journal, and a plain sentence."""
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


def told_of(incident: Incident, duty: Duty) -> list[Addressee]:
    """Everybody who was asked to act for a duty, once each, but not whom a 人工电话 task alone reached."""
    found: dict[str, Addressee] = {}
    for notice in incident.notices.values():
        if _asked(notice, duty):
            for each in notice.everybody:
                found.setdefault(each.who, each)
    return list(found.values())


def _asked(notice: Notice, duty: Duty) -> bool:
    return (
        notice.duty == duty.id
        and notice.purpose is Purpose.ACT
        and notice.kind is not NoticeKind.PHONE_TASK
        and (notice.state.hopeful or notice.detail == TRIAL)
    )


def people_of(incident: Incident, duty: Duty, deed: Deed, ctx: Context, decision: Decision) -> list[Addressee]:
    """Whom an answer to a duty's request concerns: who asked, who bears the duty, and who was told of it."""
    asker = holder(ctx.directory, deed.who)
    return [*asker, *own_people(incident, duty, ctx, decision), *told_of(incident, duty)]


def hear(
    decision: Decision,
    incident: Incident,
    ctx: Context,
    people: Iterable[Addressee],
    note: str,
    *,
    by: Deed,
    duty: Duty | None = None,
    purpose: Purpose = Purpose.ATTEND,
) -> None:
    """Tell people in one sentence what somebody has just done, each once and never who did it."""
    found: dict[str, Addressee] = {}
    for each in people:
        found.setdefault(each.who, each)
    found.pop(by.person or by.who, None)
    if not found:
        return
    stage = next_stage(incident, NoticeKind.PROGRESS)
    clock = next_clock(duty) if duty and purpose is Purpose.ACT else None
    tell(
        decision,
        incident,
        ctx,
        found.values(),
        kind=NoticeKind.PROGRESS,
        purpose=purpose,
        stage=stage,
        duty=duty,
        clock=clock,
        due_at=due_of(duty, clock) if duty and clock else 0,
        note=note,
    )


def next_clock(duty: Duty) -> ClockKind:
    """What is owed first; the signature where nothing runs."""
    due = [(due_of(duty, kind), kind) for kind in ClockKind if due_of(duty, kind)]
    return min(due, default=(0, ClockKind.SIGN), key=lambda each: each[0])[1]


def owed(duty: Duty, ctx: Context) -> str:
    """What is still owed, and by when; nothing is promised away."""
    names = {ClockKind.VERIFY: "核查", ClockKind.CLEAR: "消警", ClockKind.FEEDBACK: "系统反馈"}
    parts = [f"{minute(due_of(duty, kind), ctx)}前{word}" for kind, word in names.items() if due_of(duty, kind)]
    return f"还须：{'，'.join(parts)}。" if parts else ""


def minute(at: int, ctx: Context) -> str:
    """The minute, with its date when that is not today."""
    when = local(at)
    return f"{when:%H:%M}" if when.date() == local(ctx.now).date() else f"{when:%m-%d %H:%M}"


def span(minutes: int) -> str:
    """A length of time as people say it: 90分钟, 2小时, 3天."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440}天"
    return f"{minutes // 60}小时" if minutes % 60 == 0 else f"{minutes}分钟"


def above(incident: Incident, tier: Tier) -> tuple[Tier, str] | None:
    """The next tier up on the incident's line of supervision, with its unit; None at its end."""
    higher = sorted((each for each in incident.plan.units if each.rank > tier.rank), key=lambda each: each.rank)
    return (higher[0], incident.plan.units[higher[0]]) if higher else None


def tiers(rights: Sequence[Rights]) -> list[Rights]:
    """Rights of an authority's posts, the lowest tier first: an enterprise supervises nobody."""
    return sorted((each for each in rights if each.tier is not Tier.ENTERPRISE), key=lambda each: each.tier.rank)
