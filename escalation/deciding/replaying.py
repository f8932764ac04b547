"""A dead letter is sent again because a person says so: a new notice to the same people, by their contacts of today."""

from __future__ import annotations

from escalation.deciding.needed import done_meanwhile
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, Replay
from escalation.roster import as_known_now
from escalation.telling import next_stage, tell


def replay(incident: Incident, given: Replay, ctx: Context) -> Decision:
    """Tell once more whoever the letter was for. ``answer`` says why not, where that is done meanwhile; then nothing
    changes and the letter stays.

    Raises ValueError for a letter that was never a notice of an incident.
    """
    letter = given.letter
    told = letter.told
    if told is None:
        raise ValueError(f"{letter.notice} is no notice of an incident")
    over = done_meanwhile(incident, told)
    if over is not None:
        return Decision(reason=over, incident=incident, answer=over)
    decision = Decision(reason="dead_replayed", incident=incident)
    decision.entries.append(
        Entry(
            at=ctx.now,
            reason="dead_replayed",
            incident=incident.code,
            actor=given.by,
            notice=letter.notice,
            detail={"why": given.why, "channel": letter.row.channel},
        )
    )
    tell(
        decision,
        incident,
        ctx,
        [as_known_now(ctx.directory, who) for who in told.everybody],
        kind=told.kind,
        purpose=told.purpose,
        stage=next_stage(incident, told.kind),
        duty=next((duty for duty in incident.duties if duty.id == told.duty), None),
        clock=told.clock,
        measure=told.measure,
        due_at=told.due_at,
        note=told.note,
        deed=told.deed,
    )
    return decision
