"""What the rungs of one moment say, and to whom: of all that one person would hear of one duty, the strongest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from escalation.deciding.duties import tell_duty
from escalation.deciding.vacancy import tell_vacancies, vacant
from escalation.incident import Clock, Duty, Incident, Step
from escalation.inputs import Context, Decision, Entry
from escalation.notice import Addressee, Notice, NoticeKind
from escalation.reach import Fallback
from escalation.telling import next_stage, offer
from escalation.vocabulary import ClockKind, Measure, Purpose

_STRENGTH = (NoticeKind.REMIND, NoticeKind.ANNOUNCE, NoticeKind.ESCALATED)
"""Weakest first; a phone task and a proposal ask for something of their own, and overtake only their like."""


@dataclass(slots=True)
class Utterance:
    """One rung that fired, with the named ``reason`` of its row in the journal; ``people`` empty where nobody hears.

    ``target`` is the duty the notice belongs to, where it is not the rung's own. ``spoken`` are voice calls, ready
    made. ``beside`` collects the fallbacks on the way to the people.
    """

    duty: Duty
    clock: Clock
    step: Step
    reason: str
    step_at: int = 0
    target: Duty | None = None
    people: Sequence[Addressee] = ()
    kind: NoticeKind = NoticeKind.ESCALATED
    purpose: Purpose = Purpose.ACT
    due_at: int = 0
    note: str = ""
    spoken: list[Notice] = field(default_factory=list)
    beside: Decision = field(default_factory=lambda: Decision(reason=""))

    @property
    def bearer(self) -> Duty:
        return self.target or self.duty

    @property
    def topic(self) -> tuple[str, NoticeKind]:
        """What overtakes each other: calls for one duty, phone tasks for it, proposals for it."""
        return self.bearer.id, NoticeKind.ESCALATED if self.kind in _STRENGTH else self.kind

    @property
    def strength(self) -> tuple[int, int]:
        """Among equals what must be done first is asked first; of measures the hardest is proposed."""
        if self.kind in _STRENGTH:
            return _STRENGTH.index(self.kind), -list(ClockKind).index(self.clock.kind)
        return 0, list(Measure).index(self.step.measure) if self.step.measure else 0


def utter(decision: Decision, incident: Incident, said: Sequence[Utterance], ctx: Context) -> None:
    """Write every rung down, in order, and make its notices; whom a stronger word reaches now hears only that."""
    strongest: dict[tuple[str, NoticeKind, str], Utterance] = {}
    for one in said:
        for each in one.people:
            key = (*one.topic, each.who)
            if key not in strongest or one.strength > strongest[key].strength:
                strongest[key] = one
    for one in said:
        decision.reason = one.reason
        decision.entries.append(_row(incident, one, one.reason, ctx))
        decision.entries += one.beside.entries
        people = [each for each in one.people if strongest[(*one.topic, each.who)] is one]
        if len(people) < len(one.people):
            decision.entries.append(_row(incident, one, "overtaken_by_stronger", ctx))
        for call in one.spoken:
            offer(decision, incident, ctx, call)
        if people:
            tell_duty(
                decision,
                incident,
                ctx,
                one.bearer,
                people,
                kind=one.kind,
                stage=next_stage(incident, one.kind),
                clock=one.clock.kind,
                purpose=one.purpose,
                measure=one.step.measure,
                due_at=one.due_at or one.clock.due_at,
                note=one.note,
            )
    tell_vacancies(decision, incident, ctx, [words for one in said for words in _empty(one, ctx)])


def _empty(one: Utterance, ctx: Context) -> list[str]:
    """The post that a rung wanted to light and found empty."""
    empty = any(entry.reason == Fallback.NOBODY_AT_POST for entry in one.beside.entries)
    if not empty or not one.step.action.goes_up or one.target is None:
        return []
    return [vacant(one.target.unit, one.target.roles, one.people, ctx)]


def _row(incident: Incident, one: Utterance, reason: str, ctx: Context) -> Entry:
    return Entry(
        at=ctx.now,
        reason=reason,
        incident=incident.code,
        detail={
            "duty": one.duty.id,
            "clock": one.clock.kind,
            "action": one.step.action,
            "step_at": one.step_at or one.step.at,
        },
    )
