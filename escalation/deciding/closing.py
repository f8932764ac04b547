"""When an incident is over: upstream says so and somebody who may has signed; never by silence or one word of chat."""

from __future__ import annotations

from escalation.deciding.duties import close_duty, lead_tier
from escalation.deciding.official import give_text, remind_later
from escalation.incident import Incident, IncidentState
from escalation.inputs import Context, Decision, Entry
from escalation.notice import NoticeKind
from escalation.telling import next_stage, tell, told_people
from escalation.vocabulary import Purpose


def confirmed_by_people(incident: Incident) -> bool:
    """True when the acting tier, or one above it, has signed; the signature of a lower tier does not speak for it."""
    lead = lead_tier(incident).rank
    return any(duty.open and duty.signed is not None and duty.tier.rank >= lead for duty in incident.duties)


def close(decision: Decision, incident: Incident, ctx: Context, reason: str) -> None:
    """Close the incident, end its duties, and tell everybody who was told of it."""
    people = told_people(incident)
    incident.state = IncidentState.CLOSED
    incident.closed_at, incident.closed_reason = ctx.now, reason
    for duty in incident.duties:
        close_duty(duty, ctx, reason, decision, incident)
    decision.entries.append(Entry(at=ctx.now, reason="incident_closed", incident=incident.code, detail={"why": reason}))
    stage = next_stage(incident, NoticeKind.CLOSED)
    tell(decision, incident, ctx, people, kind=NoticeKind.CLOSED, purpose=Purpose.COPY, stage=stage, note=reason)
    give_text(decision, incident, ctx)
    remind_later(incident, ctx)


def close_if_over(decision: Decision, incident: Incident, ctx: Context) -> bool:
    """Close an incident that upstream says is over and that the acting tier has signed for."""
    if incident.state is IncidentState.CLOSED or incident.active or not confirmed_by_people(incident):
        return False
    close(decision, incident, ctx, "cleared_and_signed")
    return True
