"""The decision: state, input, roster, rules and time in; new state, effects and a named reason out.

Pure: no I/O, no clock, no randomness. The incident handed in is used up (it becomes the new state); whoever needs the
old one keeps its bytes. The same input decided again on the same state gives the same answer, ids included.
"""

from __future__ import annotations

from escalation.deciding.changing import change
from escalation.deciding.lapsing import lapse
from escalation.deciding.opening import open_incident
from escalation.deciding.receiving import receive
from escalation.event import Event
from escalation.incident import Clock, ClockState, Duty, Incident, IncidentState
from escalation.inputs import Context, Decision, Entry, Lapse, Receipt, Reply
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.replies import reply_to
from escalation.vocabulary import ClockKind, Purpose, Verdict

_CLOCKED = (NoticeKind.REMIND, NoticeKind.ANNOUNCE, NoticeKind.ESCALATED, NoticeKind.PHONE_TASK)
_AFTERWARDS = (NoticeKind.CLOSED, NoticeKind.FEEDBACK, NoticeKind.ANSWER, NoticeKind.QUARANTINE)


def needs_code(incident: Incident | None, event: Event) -> bool:
    """True when the event opens a new incident, so that the ledger takes a code before the decision."""
    return incident is None and event.type.raises


def decide_event(
    incident: Incident | None, event: Event, ctx: Context, *, code: str, partition: int, tombstone: int | None = None
) -> Decision:
    """An event, with the incident it correlates to (None: there is none yet).

    ``code`` is used only when :func:`needs_code`. ``tombstone`` is the source time of a clear before any raise.
    """
    if incident is not None:
        return change(incident, event, ctx)
    if event.type.raises:
        return open_incident(event, ctx, code=code, partition=partition, tombstone=tombstone)
    decision = Decision(reason="cleared_before_raise", verdict=Verdict.STALE, tombstone=max(event.at, tombstone or 0))
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason="cleared_before_raise",
            detail={"event": event.id, "source": event.source, "enterprise": event.enterprise, "point": event.point},
        )
    )
    return decision


def decide(incident: Incident, given: Reply | Lapse | Receipt, ctx: Context) -> Decision:
    """Everything else that may happen to an existing incident."""
    if isinstance(given, Reply):
        return reply_to(incident, given, ctx)
    return lapse(incident, ctx) if isinstance(given, Lapse) else receive(incident, given, ctx)


def still_needed(incident: Incident | None, notice_id: str, standing_now: frozenset[str] | None) -> str | None:
    """Asked just before a send: None when the notice must still go out, else the reason it need not.

    ``standing_now`` holds the keys of whoever stands at the notice's post now, None where the post has no roster.
    """
    if incident is None:
        return "incident_unknown"
    notice = incident.notices.get(notice_id)
    if notice is None:
        return "superseded"
    if notice.state is not NoticeState.QUEUED:
        return "already_sent" if notice.state.reached_vendor else "no_longer_queued"
    if incident.state is IncidentState.CLOSED and notice.kind not in _AFTERWARDS:
        return "closed_meanwhile"
    duty = next((each for each in incident.duties if each.id == notice.duty), None)
    if notice.purpose is Purpose.ACT and duty is not None:
        if not duty.open:
            return "duty_closed_meanwhile"
        if notice.kind in _CLOCKED and not _clock_runs(duty, notice):
            return "clock_met_meanwhile"
        if duty.signed is not None and notice.clock is ClockKind.SIGN and notice.created_at <= duty.signed.at:
            return "signed_meanwhile"
        if standing_now is not None and notice.to.key not in standing_now:
            return "off_duty"
    return None


def _clock_runs(duty: Duty, notice: Notice) -> bool:
    clocks: list[Clock] = [clock for clock in duty.clocks if clock.kind is notice.clock]
    return not clocks or any(clock.state is ClockState.RUNNING for clock in clocks)
