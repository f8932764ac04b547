"""One incident's story at the level of decide: events, answers, receipts and the clock, and what is heard of them.

Every step goes through JSON and back, is decided twice and must come out the same to the byte, and is held against
:mod:`tests.decisions.invariants`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from escalation.calendar import Calendar
from escalation.decide import decide, decide_event
from escalation.directory import Directory
from escalation.event import Event, EventType, Flag
from escalation.incident import Duty, Incident
from escalation.inputs import Context, Decision, EvidenceGiven, EvidenceKept, Lapse, Receipt, Replay, Reply, SendResult
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.plan import PlanBook, sample_profile
from escalation.profile import Profile
from escalation.vocabulary import ClockKind, Level, Mode, Role, Severity, Verb
from tests.decisions import invariants
from tests.rules.county import FACTORY, at, county

MINUTE = 60_000
NIGHT = at("2026-11-21 02:00")
CALENDAR = Calendar()


class Channels:
    """Channel facts: who tells of a reading."""

    def __init__(self, tells_reading: tuple[str, ...] = ()) -> None:
        self._able = {"tells_reading": tells_reading}

    def can(self, channel: str, ability: str) -> bool:
        return channel in self._able.get(ability, ())


class Story:
    """The incident ``incident`` at the moment ``now``; ``decision`` is the last one and ``fresh`` its new notices."""

    def __init__(
        self,
        *,
        directory: Directory | None = None,
        profile: Profile | None = None,
        now: int = NIGHT,
        tells_reading: tuple[str, ...] = (),
        feedback: Mapping[str, tuple[str, ...]] | None = None,
        enterprise: str = FACTORY,
    ) -> None:
        self.directory = directory or county()
        self.profile = profile or sample_profile()
        self.plans = PlanBook(self.directory, self.profile)
        self.now = now
        self.channels = Channels(tells_reading)
        self.feedback = feedback or {}
        self.enterprise = enterprise
        self.state: Incident | None = None
        self.decision = Decision(reason="")
        self.fresh: list[Notice] = []
        self.tombstone: int | None = None
        self._events = 0

    @property
    def ctx(self) -> Context:
        return Context(
            now=self.now,
            directory=self.directory,
            profile=self.profile,
            channels=self.channels,
            calendar=CALENDAR,
            feedback=self.feedback,
            maintainers="county",
            plans=self.plans,
        )

    @property
    def incident(self) -> Incident:
        assert self.state is not None
        return self.state

    def event(
        self,
        kind: EventType,
        *,
        level: Level | None = None,
        severity: Severity | None = None,
        at: int | None = None,
        point: str = "T01",
        mode: Mode = Mode.ACTUAL,
        flags: tuple[Flag, ...] = (),
        source: str = "gateway",
        value: float | None = None,
    ) -> Decision:
        """An event now, at source time ``at`` (now, if not given)."""
        self._events += 1
        warning = kind.value.startswith("warning.")
        event = Event(
            source=source,
            id=f"e{self._events}",
            type=kind,
            at=self.now if at is None else at,
            received_at=self.now,
            body_hash=str(self._events),
            mode=mode,
            enterprise=self.enterprise,
            point="" if warning else point,
            level=level,
            severity=severity,
            flags=flags,
            value=value,
        )
        tombstone = self.tombstone

        def run(incident: Incident | None) -> Decision:
            code = "W0001" if warning else "A0001"
            return decide_event(incident, event, self.ctx, code=code, partition=3, tombstone=tombstone)

        decision = self._take(run)
        self.tombstone = decision.tombstone if decision.tombstone is not None else tombstone
        return decision

    def alarm(
        self, severity: Severity | None = Severity.HIGH, *, at: int | None = None, point: str = "T01"
    ) -> Decision:
        return self.event(EventType.ALARM_RAISED, severity=severity, at=at, point=point)

    def cleared(self, *, at: int | None = None) -> Decision:
        return self.event(EventType.ALARM_CLEARED, at=at)

    def warning(self, level: Level | None, *, at: int | None = None) -> Decision:
        return self.event(EventType.WARNING_ISSUED, level=level, at=at)

    def downgraded(self, level: Level | None, *, at: int | None = None) -> Decision:
        return self.event(EventType.WARNING_DOWNGRADED, level=level, at=at)

    def says(
        self,
        verb: Verb,
        person: str = "",
        *,
        unit: str = "",
        role: Role | None = None,
        text: str = "",
        cause: str = "",
        to: str = "",
        minutes: int = 0,
        until: int = 0,
        clock: ClockKind | None = None,
        of: Verb | None = None,
        card: Notice | None = None,
        handle: str = "",
    ) -> Decision:
        reply = Reply(
            id="r",
            verb=verb,
            person=person,
            unit=unit,
            role=role,
            channel="sms",
            at=self.now,
            text=text,
            cause=cause,
            to=to,
            minutes=minutes,
            until=until,
            clock=clock,
            of=of,
            card=card.id if card else "",
            card_at=card.created_at if card else 0,
            handle=handle,
        )
        return self.given(reply)

    def signs(self, person: str) -> Decision:
        return self.says(Verb.SIGN, person)

    def lapse(self) -> Decision:
        decision = self.given(Lapse(at=self.now))
        invariants.after_lapse(self.incident, self.now)
        return decision

    def presses(self, verb: Verb, person: str, card: Notice, handle: str = "pressed") -> Decision:
        """A button of the card that a notice arrived as."""
        return self.says(verb, person, card=card, handle=handle)

    def receipt(
        self, notice: Notice | str, result: SendResult, *, tries: int = 1, detail: str = "", handle: str = ""
    ) -> Decision:
        identity = notice if isinstance(notice, str) else notice.id
        receipt = Receipt(notice=identity, result=result, at=self.now, tries=tries, detail=detail, handle=handle)
        return self.given(receipt)

    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    def wait_until(self, minute: int, *, sending: bool = True) -> list[Notice]:
        """Let time pass up to so many minutes after the opening, every due moment by itself; all notices made."""
        end = self.incident.opened_at + minute * MINUTE
        made: list[Notice] = []
        while (due := self.incident.due_at()) is not None and due <= end:
            self.now = max(due, self.now)
            if sending:
                self.send_all()
            self.lapse()
            made += self.fresh
        self.now = end
        if sending:
            self.send_all()
        return made

    def send_all(self) -> None:
        """Everything that waits reaches its vendor."""
        for notice in self.incident.notices.values():
            if notice.state is NoticeState.QUEUED:
                notice.state, notice.submitted_at = NoticeState.SUBMITTED, self.now

    def send_all_but(self, waiting: Notice) -> None:
        self.send_all()
        self.incident.notices[waiting.id].state = NoticeState.QUEUED

    def duty(self, unit: str) -> Duty:
        return next(duty for duty in reversed(self.incident.duties) if duty.unit == unit)

    def heard(self, kind: NoticeKind | None = None) -> dict[str, str]:
        """Who hears by the last decision, and as what: name → 须处置 and so on."""
        return {
            who.name: notice.purpose.word
            for notice in self.fresh
            if kind is None or notice.kind is kind
            for who in notice.everybody
        }

    def notice(self, name: str, kind: NoticeKind | None = None) -> Notice:
        """The newest notice to somebody of this name."""
        return next(
            notice
            for notice in reversed(self.incident.notices.values())
            if notice.to.name == name and kind in (None, notice.kind)
        )

    def reasons(self) -> list[str]:
        return [entry.reason for entry in self.decision.entries]

    def given(self, given: Reply | Lapse | Receipt | Replay | EvidenceGiven | EvidenceKept) -> Decision:
        """Anything that is no event."""

        def run(incident: Incident | None) -> Decision:
            assert incident is not None
            return decide(incident, given, self.ctx)

        return self._take(run)

    def _take(self, run: Callable[[Incident | None], Decision]) -> Decision:
        stored = msgspec.json.encode(self.state)
        before, copy, other = (msgspec.json.decode(stored, type=Incident | None) for _ in range(3))
        decision, again = run(copy), run(other)
        assert msgspec.json.encode(decision) == msgspec.json.encode(again), "the same input decided again"
        invariants.check(before, decision, self.now)
        known = before.notices if before is not None and decision.incident is not None else {}
        after = decision.incident
        self.decision = decision
        self.fresh = [notice for key, notice in (after.notices if after else {}).items() if key not in known]
        if after is not None:
            self.state = msgspec.json.decode(msgspec.json.encode(after), type=Incident)
            assert msgspec.json.encode(self.state) == msgspec.json.encode(after), "through JSON and back"
        return decision
