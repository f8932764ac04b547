"""What goes back to the source that asked: what people answered, and the close. It is never called 系统反馈."""

from __future__ import annotations

from escalation.deed import Deed
from escalation.incident import Incident, IncidentState
from escalation.inputs import Context, Decision
from escalation.notice import Addressee, Contact, Notice, NoticeKind, NoticeState
from escalation.telling import next_stage, tell
from escalation.vocabulary import Purpose, Role, Tier

CLOSED = "closed:"
"""How the note of a notice that tells upstream of the close begins; the named reason follows."""


def feed_back(decision: Decision, incident: Incident, deed: Deed, ctx: Context) -> None:
    """Tell the source what somebody did."""
    _tell(decision, incident, ctx, deed.verb.value, deed)


def feed_back_close(
    decision: Decision, incident: Incident, before: IncidentState, ctx: Context, deed: Deed | None = None
) -> None:
    """Tell the source that its incident is closed, if it was ``before`` this decision not; ``deed`` is the answer that
    closed it, None where upstream's own word did."""
    if incident.state is IncidentState.CLOSED and before is IncidentState.OPEN:
        _tell(decision, incident, ctx, f"{CLOSED}{incident.closed_reason}", deed)


def still_owed_upstream(incident: Incident) -> dict[str, Notice]:
    """What has not reached upstream yet, and must although its episode is over."""
    return {
        key: notice
        for key, notice in incident.notices.items()
        if notice.kind is NoticeKind.FEEDBACK and notice.state is NoticeState.QUEUED
    }


def _tell(decision: Decision, incident: Incident, ctx: Context, note: str, deed: Deed | None) -> None:
    """One notice for each channel of the source. Each is a reader of its own, so that what one took is not taken for
    what the other has."""
    channels = ctx.feedback.get(incident.source, ())
    if not channels:
        return
    upstream = [
        Addressee(
            unit=f"{incident.source}@{channel}",
            tier=Tier.CITY,
            role=Role.MAINTAINER,
            name=incident.source,
            contacts=(Contact(channel=channel),),
        )
        for channel in channels
    ]
    tell(
        decision,
        incident,
        ctx,
        upstream,
        kind=NoticeKind.FEEDBACK,
        purpose=Purpose.COPY,
        stage=next_stage(incident, NoticeKind.FEEDBACK),
        note=note,
        deed=deed,
    )
