"""What the official system's form asks for, and who is given it to paste: the hub itself feeds nothing back there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from escalation.deciding.duties import bearers, due_of
from escalation.deed import Deed
from escalation.incident import ClockState, Duty, Incident, IncidentState, Step, StepAction
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind
from escalation.roster import holder
from escalation.telling import next_stage, tell
from escalation.vocabulary import ClockKind, Purpose, Verb

REPORTS = (Verb.VERIFY, Verb.DISPOSE, Verb.CLEAR, Verb.FALSE_ALARM)
"""Answers that may complete or change what is to be fed back."""


class Results(NamedTuple):
    """Cause and measure, each with the deed that says it: who and when."""

    cause: str
    verified: Deed
    measure: str
    disposed: Deed


def results(incident: Incident, duty: Duty) -> Results | None:
    """What a duty can feed back: the newest word of its own tier, else of the nearest other; None while cause or
    measure is missing. A 误报 names its cause by itself; words of a 消警 stand for a measure that nobody told."""
    cause = next((found for each in _verifying(incident, duty) if (found := _cause(each))), None)
    measure = next((found for each in _disposing(incident, duty) if (found := _measure(each))), None)
    if cause is None or measure is None:
        return None
    return Results(*cause, *measure)


def owing(incident: Incident) -> list[Duty]:
    """The duties whose feedback into the official system is still owed, closed ones too."""
    states = (ClockState.RUNNING, ClockState.CLOSED)
    return [
        duty
        for duty in incident.duties
        if duty.fed_back is None
        and duty.closed_reason in ("", incident.closed_reason)
        and any(clock.kind is ClockKind.FEEDBACK and clock.state in states for clock in duty.clocks)
    ]


def remind_later(incident: Incident, ctx: Context) -> None:
    """At the close: the reminders of whoever still owes the feedback, each at its time by the clock's own calendar."""
    for duty in owing(incident):
        plan = next((each for each in incident.plan.duties if each.unit == duty.unit), None)
        for clock in (each for each in duty.clocks if each.kind is ClockKind.FEEDBACK):
            working = any(each.kind is clock.kind and each.working for each in plan.clocks) if plan else False
            clock.steps += [
                Step(at=ctx.calendar.add(ctx.now, minutes, working), action=StepAction.REMIND, afterwards=True)
                for minutes in incident.plan.after_close
            ]


def remind_afterwards(incident: Incident, ctx: Context) -> Decision:
    """Time passed since the close: whoever still owes the feedback hears it again, with the text where there is one.
    What fell due while the hub was away is said once."""
    decision = Decision(reason="nothing_due", incident=incident)
    due = [each for each in incident.afterwards() if each[2].at <= ctx.now]
    for duty, clock, step in due:
        step.fired_at = ctx.now
        detail: dict[str, str | int | float | bool | None] = {
            "duty": duty.id,
            "clock": clock.kind,
            "action": step.action,
            "step_at": step.at,
        }
        decision.reason = "still_not_fed_back"
        entry = Entry(at=ctx.now, reason=decision.reason, incident=incident.code, detail=detail)
        decision.entries.append(entry)
    _tell(decision, incident, ctx, list({duty.id: duty for duty, _, _ in due}.values()))
    return decision


def give_text(decision: Decision, incident: Incident, ctx: Context, deed: Deed | None = None) -> None:
    """Give the text to whoever must feed back, as soon as it can be made: after an answer that changed it, to all who
    owe; after a signature, to the signer's own duty; at the close (no ``deed``), to all who still owe."""
    duties = owing(incident)
    if deed is not None and deed.verb is Verb.SIGN:
        duties = [duty for duty in duties if duty.unit == deed.unit and duty.signed is not None]
    elif deed is not None and deed.verb not in REPORTS:
        return
    ready = [duty for duty in duties if results(incident, duty) is not None]
    if deed is None or incident.state is not IncidentState.CLOSED:
        _tell(decision, incident, ctx, ready)


def _tell(decision: Decision, incident: Incident, ctx: Context, duties: list[Duty]) -> None:
    if not duties:
        return
    stage = next_stage(incident, NoticeKind.OFFICIAL)
    for duty in duties:
        signer = holder(ctx.directory, duty.signed.who) if duty.signed else ()
        tell(
            decision,
            incident,
            ctx,
            signer or bearers(incident, duty, ctx, decision),
            kind=NoticeKind.OFFICIAL,
            purpose=Purpose.ACT,
            stage=stage,
            duty=duty,
            clock=ClockKind.FEEDBACK,
            due_at=due_of(duty, ClockKind.FEEDBACK),
        )


def _nearest(incident: Incident, duty: Duty) -> list[Duty]:
    others = (each for each in incident.duties if each is not duty)
    return [duty, *sorted(others, key=lambda each: abs(each.tier.rank - duty.tier.rank))]


def _asked(incident: Incident) -> Iterator[Deed]:
    return (request.deed for request in reversed(incident.requests) if request.verb in (Verb.CLEAR, Verb.FALSE_ALARM))


def _verifying(incident: Incident, duty: Duty) -> Iterable[Deed | None]:
    nearest = _nearest(incident, duty)
    yield from (each.verified for each in nearest)
    yield from (each.disposed for each in nearest if each.disposed and each.disposed.cause)
    yield from (each for each in _asked(incident) if each.verb is Verb.FALSE_ALARM)


def _disposing(incident: Incident, duty: Duty) -> Iterable[Deed | None]:
    yield from (each.disposed for each in _nearest(incident, duty))
    yield from _asked(incident)


def _cause(deed: Deed | None) -> tuple[str, Deed] | None:
    if deed is None:
        return None
    said = deed.cause or deed.text
    if deed.verb is Verb.FALSE_ALARM:
        said = f"误报，{deed.cause}" if deed.cause else "误报"
    elif deed.cause and deed.text and deed.cause not in deed.text and deed.verb is Verb.VERIFY:
        said = f"{deed.cause}，{deed.text}"
    elif deed.text and deed.verb is Verb.VERIFY:
        said = deed.text
    return (said, deed) if said else None


def _measure(deed: Deed | None) -> tuple[str, Deed] | None:
    return (deed.text, deed) if deed is not None and deed.text else None
