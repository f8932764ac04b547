"""Is a notice still worth sending? Asked by the courier just before a send, and before another way is tried."""

from __future__ import annotations

from escalation.incident import ClockState, Duty, Incident, IncidentState
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import ClockKind, Purpose

_CLOCKED = (
    NoticeKind.REMIND,
    NoticeKind.ANNOUNCE,
    NoticeKind.ESCALATED,
    NoticeKind.PHONE_TASK,
    NoticeKind.URGED,
)
_AFTERWARDS = (
    NoticeKind.CLOSED,
    NoticeKind.PROGRESS,
    NoticeKind.FEEDBACK,
    NoticeKind.ANSWER,
    NoticeKind.QUARANTINE,
    NoticeKind.OFFICIAL,
    NoticeKind.CARD,
)


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
    done = done_meanwhile(incident, notice)
    if done is not None:
        return done
    named = any(duty.id == notice.duty and duty.named == notice.to.key for duty in incident.duties)
    alone = not notice.also and notice.purpose is Purpose.ACT and not named
    if alone and standing_now is not None and notice.to.key not in standing_now:
        return "off_duty"
    return None


def done_meanwhile(incident: Incident, notice: Notice) -> str | None:
    """What happened since the notice was made, so that nobody need hear it any more; None when they must.

    At the same millisecond nobody can say which came first: then it is sent.
    """
    if incident.state is IncidentState.CLOSED and notice.kind not in _AFTERWARDS:
        return "closed_meanwhile"
    if notice.done_at:
        return "phoned_meanwhile"
    duty = next((each for each in incident.duties if each.id == notice.duty), None)
    if notice.kind is NoticeKind.OFFICIAL:
        return _fed_back_since(incident, duty, notice)
    if notice.purpose is not Purpose.ACT or not notice.duty:
        return None
    if duty is None or not duty.open:
        return "duty_closed_meanwhile"
    if notice.kind in _CLOCKED and _met_since(duty, notice):
        return "clock_met_meanwhile"
    if duty.signed is not None and notice.clock is ClockKind.SIGN and notice.created_at < duty.signed.at:
        return "signed_meanwhile"
    return None


def _fed_back_since(incident: Incident, duty: Duty | None, notice: Notice) -> str | None:
    """The text for the official system is owed until somebody fed it back, after the close too; the newest will do."""
    if duty is None or (duty.fed_back is not None and duty.fed_back.at > notice.created_at):
        return "clock_met_meanwhile"
    newer = any(
        (other.kind, other.duty, other.contact) == (notice.kind, notice.duty, notice.contact)
        and other.created_at > notice.created_at
        for other in incident.notices.values()
    )
    return "superseded" if newer else None


def _met_since(duty: Duty, notice: Notice) -> bool:
    """True when what the clock asked for was done after the notice was made. A clock met before stands for another
    duty's: the tier below let its own lapse, and that is what this notice tells."""
    return any(
        clock.kind is notice.clock and clock.state is ClockState.MET and clock.met_at > notice.created_at
        for clock in duty.clocks
    )
