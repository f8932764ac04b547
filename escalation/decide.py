"""The decision: state, input, roster, rules and time in; new state, effects and a named reason out.

Pure: no I/O, no clock, no randomness. The incident handed in is used up (it becomes the new state); whoever needs the
old one keeps its bytes. The same input decided again on the same state gives the same answer, ids included.
"""

from __future__ import annotations

from escalation.deciding.cards import change_cards, keep_handle
from escalation.deciding.changing import change
from escalation.deciding.lapsing import lapse
from escalation.deciding.needed import still_needed
from escalation.deciding.opening import open_incident
from escalation.deciding.receiving import receive
from escalation.deciding.replaying import replay
from escalation.deciding.showing import give, keep
from escalation.deciding.upstream import feed_back_close
from escalation.event import Event
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, EvidenceGiven, EvidenceKept, Lapse, Receipt, Replay, Reply
from escalation.replies import reply_to, rights
from escalation.vocabulary import Verdict

__all__ = ["decide", "decide_event", "needs_code", "still_needed"]


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
        before = incident.state
        decision = change(incident, event, ctx)
        feed_back_close(decision, incident, before, ctx)
        change_cards(decision, incident, ctx)
        return decision
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


def decide(
    incident: Incident, given: Reply | Lapse | Receipt | Replay | EvidenceGiven | EvidenceKept, ctx: Context
) -> Decision:
    """Everything else that may happen to an existing incident."""
    if isinstance(given, Reply):
        keep_handle(incident, given.card, given.handle)
        decision = reply_to(incident, given, ctx)
    elif isinstance(given, Replay):
        decision = replay(incident, given, ctx)
    elif isinstance(given, EvidenceGiven):
        decision = give(incident, given, rights(ctx.directory, incident, given), ctx)
    elif isinstance(given, EvidenceKept):
        decision = keep(incident, given, ctx)
    elif isinstance(given, Lapse):
        decision = lapse(incident, ctx)
    else:
        decision = receive(incident, given, ctx)
        keep_handle(incident, given.notice, given.handle)
    change_cards(decision, incident, ctx)
    return decision
