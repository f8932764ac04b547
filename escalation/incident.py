"""The state of one incident: the facts, the duties with their clocks, and every notice.

*Active* (upstream says so) and *signed* (a person says so) are two facts, and each duty keeps its own signature: an
enterprise's signature stops no clock of town, county or city. Labels for people are derived, never stored.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from escalation.deed import Deed
from escalation.event import Flag
from escalation.evidence import Evidence
from escalation.notice import Notice
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Measure, Mode, Role, Severity, Tier, Urgency, Verb


class StepAction(StrEnum):
    """What a ladder step does when its time comes."""

    REMIND = "remind"
    SECOND_PERSON = "second_person"
    SAFETY_HEAD = "safety_head"
    MAIN_PERSON = "main_person"
    LEADER_ON_DUTY = "leader_on_duty"
    NEXT_DUTY_ROOM = "next_duty_room"
    NEXT_LEADER = "next_leader"
    PHONE = "phone"
    PROPOSE = "propose"
    ANNOUNCE = "announce"

    @property
    def goes_up(self) -> bool:
        """True when the step leaves the duty's own tier, and so is announced before it happens."""
        return self in (StepAction.NEXT_DUTY_ROOM, StepAction.NEXT_LEADER)


class Step(msgspec.Struct, kw_only=True, array_like=True):
    """One rung: at ``at`` (milliseconds) the ``action`` happens once. ``tier`` is whom it reaches when it goes up;
    ``held`` counts how often it waited because its reminder had not left the hub. ``afterwards``: it belongs to the
    time after the close, when the official system still waits for its feedback. ``looks``: it places no call, it looks
    at what came of those that an earlier step placed."""

    at: int
    action: StepAction
    tier: Tier | None = None
    measure: Measure | None = None
    fired_at: int = 0
    held: int = 0
    afterwards: bool = False
    looks: bool = False


class ClockState(StrEnum):
    RUNNING = "running"
    MET = "met"
    CLOSED = "closed"


class Clock(msgspec.Struct, kw_only=True, array_like=True):
    """One time limit of a duty. ``lapsed_at`` is set once when the limit passed; a met clock may still be late.
    ``extended`` counts the minutes by which approvals have moved the limit."""

    kind: ClockKind
    started_at: int
    due_at: int
    steps: list[Step]
    state: ClockState = ClockState.RUNNING
    lapsed_at: int = 0
    met_at: int = 0
    extended: int = 0


class Duty(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One acting tier's part in the incident. Any post of the tier's unit may satisfy it.

    ``named`` is the addressee's key of whoever it was transferred to, '' where the rule's posts bear it. ``urges``
    counts how often a higher tier has urged it, the last time at ``urged_at``. ``fed_back`` is the word of whoever gave
    the result into the official system, which no answer here stands for.
    """

    id: str
    tier: Tier
    unit: str
    roles: tuple[Role, ...]
    opened_at: int
    clocks: list[Clock]
    signed: Deed | None = None
    verified: Deed | None = None
    disposed: Deed | None = None
    fed_back: Deed | None = None
    closed_at: int = 0
    closed_reason: str = ""
    named: str = ""
    urges: int = 0
    urged_at: int = 0

    @property
    def open(self) -> bool:
        return self.closed_at == 0


class Audience(msgspec.Struct, frozen=True, array_like=True):
    """Posts that hear without a duty: informed (请关注) or copied (抄送知悉)."""

    tier: Tier
    unit: str
    roles: tuple[Role, ...]


class ClockPlan(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A duty's clock as the profile gives it: limit and rungs in minutes from the start, natural or working.
    ``extend`` is by how many minutes approvals may move the limit in all."""

    kind: ClockKind
    minutes: int
    working: bool = False
    rungs: tuple[Rung, ...] = ()
    extend: int = 0


class Rung(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A ladder step before it has a time: ``after`` minutes from the clock's start."""

    after: int
    action: StepAction
    tier: Tier | None = None
    measure: Measure | None = None


class DutyPlan(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    tier: Tier
    unit: str
    roles: tuple[Role, ...]
    clocks: tuple[ClockPlan, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The profile's answer for one incident at one level: taken at its opening or change of level, and kept.

    ``rule`` and ``basis`` (依据文号) explain it to whoever asks why. ``announce`` minutes before a step goes up, the
    own tier hears of it. ``units`` gives the unit of each tier on this enterprise's line of supervision. ``undo`` and
    ``urge_gap`` are minutes: how long an act may be taken back, and how long after one urging the next may come.
    ``after_close`` are minutes of the feedback clock's own time after the close at which whoever still owes the
    official system its feedback is reminded.
    """

    profile: str
    rule: str
    basis: str
    duties: tuple[DutyPlan, ...]
    informed: tuple[Audience, ...] = ()
    watchers: tuple[Audience, ...] = ()
    units: dict[Tier, str] = {}
    announce: int = 10
    undo: int = 5
    urge_gap: int = 10
    trial: bool = False
    after_close: tuple[int, ...] = ()


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A 消警, 误报 or 延期 somebody asked for: a request, never a close or a longer limit by itself.

    Of an extension, ``duty`` and ``clock`` say which limit is to be moved by how many ``minutes``. ``answer`` is the
    approval or refusal, ``granted`` the minutes it gave, and ``moved`` by how many milliseconds that moved the limit.
    """

    verb: Verb
    deed: Deed
    duty: str = ""
    clock: ClockKind | None = None
    minutes: int = 0
    answer: Deed | None = None
    granted: int = 0
    moved: int = 0


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Incident(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One continuing alarm of a point, or one continuing warning of an enterprise.

    ``version`` rises by one with each commit. ``episode`` counts openings (1 first; a later raise reopens the same
    code). ``last_at`` is the newest source time that changed a fact; ``raised_at`` / ``cleared_at`` the newest source
    times of either. ``raises`` counts repeats folded in. ``stages`` counts notice stages, for deterministic ids.
    ``closed_by`` is whose answer closed it, '' where none did. ``cards`` are the notices that arrived as cards whose
    buttons can still be changed, each with what the vendor wants to be shown for it. ``evidence`` are the pictures that
    people sent of it.
    """

    code: str
    kind: Kind
    correlation: str
    partition: int
    enterprise: str
    enterprise_name: str
    short_name: str = ""
    industry: Industry | None = None
    mode: Mode = Mode.ACTUAL
    source: str = ""
    point: str = ""
    point_name: str = ""
    equipment: str = ""
    severity: Severity | None = None
    level: Level | None = None
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    reasons: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    version: int = 0
    episode: int = 1
    state: IncidentState = IncidentState.OPEN
    active: bool = True
    opened_at: int
    occurred_at: int
    last_at: int
    raised_at: int
    cleared_at: int = 0
    closed_at: int = 0
    closed_reason: str = ""
    closed_by: str = ""
    raises: int = 1
    stages: int = 0
    plan: Plan
    duties: list[Duty] = []
    notices: dict[str, Notice] = {}
    requests: list[Request] = []
    deeds: list[Deed] = []
    cards: dict[str, str] = {}
    evidence: list[Evidence] = []

    def due_at(self) -> int | None:
        """The next time something is owed here (ms), or None: the one row this incident has among the due."""
        if self.state is IncidentState.CLOSED:
            return min((step.at for _, _, step in self.afterwards()), default=None)
        times = [
            at
            for duty in self.duties
            if duty.open
            for clock in duty.clocks
            if clock.state is ClockState.RUNNING
            for at in (
                *(step.at for step in clock.steps if not step.fired_at),
                *(() if clock.lapsed_at else (clock.due_at,)),
            )
        ]
        return min(times, default=None)

    def afterwards(self) -> list[tuple[Duty, Clock, Step]]:
        """The reminders that are still to come after the close, of duties whose feedback nobody has given yet."""
        return [
            (duty, clock, step)
            for duty in self.duties
            if duty.fed_back is None
            for clock in duty.clocks
            if clock.state is ClockState.CLOSED
            for step in clock.steps
            if step.afterwards and not step.fired_at
        ]
