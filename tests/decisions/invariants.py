"""What holds of every decision, whatever was given."""

from __future__ import annotations

from collections import Counter

import msgspec

from escalation.incident import ClockState, Duty, Incident, IncidentState
from escalation.inputs import Decision
from escalation.notice import NoticeState
from escalation.vocabulary import ClockKind

MOST_BYTES = 64 * 1024
MOVES = {
    (None, IncidentState.OPEN): "opened",
    (IncidentState.OPEN, IncidentState.CLOSED): "incident_closed",
    (IncidentState.CLOSED, IncidentState.OPEN): "reopened",
}


def check(before: Incident | None, decision: Decision, now: int) -> None:
    """Hold one decision against the rules; ``before`` is the incident as it was."""
    assert decision.reason
    assert decision.entries or decision.reason in ("nothing_due", "known_already")
    for entry in decision.entries:
        assert entry.reason
        assert entry.at == now
    after = decision.incident
    if after is None:
        assert before is None
        assert not decision.outbox
        return
    _moves(before, after, decision)
    _notices(before, after, decision)
    _outbox(before, after, decision)
    _clocks(after, now)
    size = len(msgspec.json.encode(after))
    assert size < MOST_BYTES, f"{size} bytes"


def _moves(before: Incident | None, after: Incident, decision: Decision) -> None:
    move = (before.state if before else None, after.state)
    named = [entry.reason for entry in decision.entries if entry.reason in MOVES.values()]
    if move[0] is move[1]:
        assert named == []
    else:
        assert named == [MOVES[move]], f"{move} as {named}"
    if before is not None:
        assert after.code == before.code
        assert after.mode is before.mode
        assert after.episode == before.episode + (move == (IncidentState.CLOSED, IncidentState.OPEN))
    if after.state is IncidentState.CLOSED:
        assert not after.active, "never closed while upstream says that it is active"
        assert all(not duty.open for duty in after.duties)
        owed = [duty for duty in after.duties if duty.fed_back is None]
        assert after.due_at() is None or owed, "after the close nothing runs but reminders of the feedback"


def _notices(before: Incident | None, after: Incident, decision: Decision) -> None:
    for identity, notice in after.notices.items():
        assert identity == notice.id
        earlier = before.notices.get(identity) if before else None
        if earlier is None:
            continue
        if earlier.state is not NoticeState.QUEUED:
            assert notice.state is not NoticeState.QUEUED, "no notice goes back into the queue"
        if earlier.state.reached_vendor and not notice.state.reached_vendor:
            assert earlier.state in (NoticeState.SUBMITTED, NoticeState.UNCERTAIN), "delivered stays delivered"
    if before is not None and before.episode == after.episode:
        gone = set(before.notices) - set(after.notices)
        written = {entry.notice for entry in decision.entries if entry.reason.startswith(("superseded", "receipt_"))}
        unsaid = {key for key in gone if before.notices[key].state is NoticeState.QUEUED} - written
        assert not unsaid, "a waiting notice leaves only with a word in the journal"
    people = Counter((notice.stage, notice.contact) for notice in after.notices.values())
    assert max(people.values(), default=1) == 1, "one send for an address at one stage"


def _outbox(before: Incident | None, after: Incident, decision: Decision) -> None:
    rows = Counter(row.notice for row in decision.outbox)
    assert all(count == 1 for count in rows.values())
    assert [row.notice for row in decision.outbox] == [
        entry.notice for entry in decision.entries if entry.reason in ("told", "card_change")
    ]
    assert not set(rows) & set(before.notices if before else {}), "ids are never used again"
    queued = {
        key
        for key, notice in after.notices.items()
        if notice.state is NoticeState.QUEUED and key not in (before.notices if before else {})
    }
    superseded = {entry.notice for entry in decision.entries if entry.reason == "superseded"}
    assert queued == set(rows) - superseded
    for row in decision.outbox:
        assert (row.incident, row.partition) == (after.code, after.partition)
        kept = after.notices.get(row.notice)
        if kept is not None:
            assert (row.channel, row.address) == (kept.contact.channel, kept.contact.address)
            assert row.urgency is kept.urgency
    if after.plan.trial:
        assert not decision.outbox, "nothing is sent on trial"


def _clocks(after: Incident, now: int) -> None:
    for duty in after.duties:
        kinds = [clock.kind for clock in duty.clocks]
        assert len(kinds) == len(set(kinds))
        for clock in duty.clocks:
            if not duty.open:
                assert clock.state is not ClockState.RUNNING
        if duty.open and duty.signed is None and after.active:
            assert _climbs(duty) or _used_up(duty), f"{duty.id} is unsigned and rests"
        if duty.open and duty.signed is not None:
            assert not any(clock.kind is ClockKind.SIGN and clock.state is ClockState.RUNNING for clock in duty.clocks)
    assert len({duty.id for duty in after.duties}) == len(after.duties)
    assert len({duty.unit for duty in after.duties if duty.open}) == sum(duty.open for duty in after.duties)


def _climbs(duty: Duty) -> bool:
    running = [clock for clock in duty.clocks if clock.state is ClockState.RUNNING]
    return any(not clock.lapsed_at or any(not step.fired_at for step in clock.steps) for clock in running)


def _used_up(duty: Duty) -> bool:
    """Every rung of every running clock fired, and the lapse is written."""
    running = [clock for clock in duty.clocks if clock.state is ClockState.RUNNING]
    return bool(running) and all(clock.lapsed_at and all(step.fired_at for step in clock.steps) for clock in running)


def after_lapse(after: Incident, now: int) -> None:
    """Whatever was due is done, or waits for a time to come."""
    due = after.due_at()
    assert due is None or due > now, "due in the past after a lapse"
