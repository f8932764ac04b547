"""What the rules in use ask of every line of supervision: somebody at each acting post, limits that only tighten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.settings.checks.draft import Draft
from bot.settings.checks.posts import reachable
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight
from escalation.directory import Directory, Enterprise
from escalation.incident import StepAction
from escalation.plan import make_plan
from escalation.profile import DutyRule, Profile, Rule, minutes
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Role, Severity, Tier


@dataclass(frozen=True)
class _Subject:
    """A kind with its level or severity."""

    kind: Kind
    level: Level | None = None
    severity: Severity | None = None

    @property
    def grave(self) -> bool:
        """True for orange, red and critical: there an empty post is an error."""
        return self.level in (Level.RED, Level.ORANGE) or (self.severity is not None and self.severity.rank == 3)

    @property
    def words(self) -> tuple[str, str]:
        which = self.level or self.severity
        assert which is not None
        return f"{which.word}{self.kind.word}", f"{self.kind} {which}"


_SUBJECTS = (
    *(_Subject(Kind.WARNING, level=level) for level in Level),
    *(_Subject(Kind.ALARM, severity=severity) for severity in Severity),
)


def acting_posts(draft: Draft) -> Iterator[Finding]:
    """Duties for which nobody can be reached: errors where it is orange, red or critical, else warnings."""
    directory, profile = draft.directory, draft.profile
    if directory is None or profile is None or draft.hub is None:
        return
    yield from _rules_missing(draft, profile)
    lines = _Lines(draft, directory, profile)
    for subject in sorted(_SUBJECTS, key=lambda one: not one.grave):
        for loc, enterprise in draft.enterprises:
            if enterprise.unit in directory.units:
                yield from lines.empty_posts(subject, loc, enterprise)
                yield from lines.missing_tiers(subject, enterprise)
    yield from _hub_posts(draft, directory)


class _Lines:
    """Every enterprise's line of supervision under the rules in use. A fault above many enterprises is told once."""

    def __init__(self, draft: Draft, directory: Directory, profile: Profile) -> None:
        self._draft = draft
        self._directory = directory
        self._profile = profile
        self._plans: dict[tuple[_Subject, str, Industry], list[tuple[str, tuple[Role, ...]]]] = {}
        self._told: set[tuple[str, object]] = set()

    def empty_posts(self, subject: _Subject, loc: Loc, enterprise: Enterprise) -> Iterator[Finding]:
        rule = self._rule(subject, enterprise)
        if rule is None:
            return
        for acting, roles in self._acting(subject, enterprise):
            unit = acting or enterprise.uscc
            if (unit, roles) in self._told or reachable(self._directory, unit, roles):
                continue
            self._told.add((unit, roles))
            grave = subject.grave and not (enterprise.trial and not acting)
            args = {
                "name": self._directory.unit_name(unit),
                "unit": unit,
                "rule": rule.name,
                "roles": ", ".join(roles),
                "role": roles[0] if roles else Role.DUTY_ROOM,
            }
            at = _unit_loc(self._draft, unit) if acting else loc
            yield Finding("empty_post", at, args, Weight.ERROR if grave else Weight.WARNING)

    def missing_tiers(self, subject: _Subject, enterprise: Enterprise) -> Iterator[Finding]:
        """A warning where a rule's tier does not exist on the line, so that its part falls to another."""
        rule = self._rule(subject, enterprise)
        line = self._directory.line(enterprise.uscc)
        for duty in rule.duties if rule is not None else ():
            if duty.tier in line or (enterprise.unit, duty.tier) in self._told:
                continue
            self._told.add((enterprise.unit, duty.tier))
            above = [tier for tier in line if tier.rank > duty.tier.rank]
            bearer = min(above, key=lambda tier: tier.rank) if above else max(line, key=lambda tier: tier.rank)
            args = {
                "name": self._directory.unit_name(enterprise.unit),
                "tier_zh": duty.tier.word,
                "tier_en": duty.tier,
                "rule": rule.name if rule is not None else "",
                "bearer_zh": bearer.word,
                "bearer_en": bearer,
            }
            yield Finding("no_tier", _unit_loc(self._draft, enterprise.unit), args, Weight.WARNING)

    def _rule(self, subject: _Subject, enterprise: Enterprise) -> Rule | None:
        return self._profile.rule_for(subject.kind, subject.level, subject.severity, enterprise.industry)

    def _acting(self, subject: _Subject, enterprise: Enterprise) -> list[tuple[str, tuple[Role, ...]]]:
        """The acting units with their roles, '' for the enterprise itself: the same for all of a unit and industry."""
        key = (subject, enterprise.unit, enterprise.industry)
        if key not in self._plans:
            plan = make_plan(
                self._directory,
                self._profile,
                enterprise.uscc,
                "",
                subject.kind,
                subject.level,
                subject.severity,
                enterprise.industry,
            )
            self._plans[key] = [("" if duty.unit == enterprise.uscc else duty.unit, duty.roles) for duty in plan.duties]
        return self._plans[key]


def _rules_missing(draft: Draft, profile: Profile) -> Iterator[Finding]:
    industries: set[Industry] = {enterprise.industry for _, enterprise in draft.enterprises}
    for industry in sorted(industries):
        for subject in _SUBJECTS:
            rule = profile.rule_for(subject.kind, subject.level, subject.severity, industry)
            if rule is None or not rule.duties:
                zh, en = subject.words
                args = {"profile": profile.name, "subject_zh": zh, "subject_en": en, "industry": industry}
                yield Finding("no_rule", ("profile",), args, Weight.ERROR if subject.grave else Weight.WARNING)


def _hub_posts(draft: Draft, directory: Directory) -> Iterator[Finding]:
    assert draft.hub is not None
    unit, maintainers = draft.hub.fallback_unit, draft.hub.maintainers
    roles = (Role.DUTY_ROOM, Role.LEADER_ON_DUTY, Role.OFFICER)
    if unit in directory.units and not reachable(directory, unit, roles):
        args = {"name": directory.unit_name(unit), "unit": unit}
        yield Finding("fallback_empty", ("hub", "fallback_unit"), args)
    known = maintainers in directory.units or maintainers in directory.enterprises
    if known and not reachable(directory, maintainers, (Role.MAINTAINER,)):
        args = {"name": directory.unit_name(maintainers), "unit": maintainers}
        yield Finding("maintainer_empty", ("hub", "maintainers"), args)


def _unit_loc(draft: Draft, unit: str) -> Loc:
    return next((loc for loc, one in draft.units if one.id == unit), ("units",))


def point_limits(draft: Draft) -> Iterator[Finding]:
    """A point's limits against the enterprise's clocks: an error where one is looser than every rule for an alarm of a
    measured value, a warning where it changes nothing in one of them, since the tighter of the two always holds."""
    profile = draft.profile
    if profile is None:
        return
    industries = {enterprise.uscc: enterprise.industry for _, enterprise in draft.enterprises}
    for loc, uscc, point in draft.points:
        if point.limits is None or uscc not in industries:
            continue
        for clock in (ClockKind.SIGN, ClockKind.VERIFY, ClockKind.CLEAR):
            given: int | None = getattr(point.limits, clock.value)
            if given is not None:
                yield from _limit((*loc, "limits", clock.value), clock, given, profile, industries[uscc])


def _limit(loc: Loc, clock: ClockKind, given: int, profile: Profile, industry: Industry) -> Iterator[Finding]:
    limits: dict[str, int] = {}
    for severity in Severity:
        rule = profile.rule_for(Kind.ALARM, None, severity, industry)
        if rule is None or severity.rank < 2:
            continue
        for duty in rule.duties:
            for one in duty.clocks:
                if duty.tier is Tier.ENTERPRISE and one.clock is clock and not one.working:
                    limits[rule.name] = minutes(one.limit)
    looser = {name: limit for name, limit in limits.items() if given > limit}
    args = {"clock_zh": clock.word, "clock_en": clock, "minutes": given}
    if looser and len(looser) == len(limits):
        name = max(looser, key=lambda one: looser[one])
        yield Finding("looser_limit", loc, {**args, "rule": name, "limit": looser[name]})
    else:
        for name, limit in looser.items():
            yield Finding("idle_limit", loc, {**args, "rule": name, "limit": limit}, Weight.WARNING)


def clocks(draft: Draft) -> Iterator[Finding]:
    """Rules that say two things of one limit, or propose nothing; and rules in use before their day."""
    for loc, profile in draft.rows("profiles", Profile):
        for number, rule in enumerate(profile.rules):
            for place, duty in enumerate(rule.duties):
                yield from _duty((*loc, "rules", number, "duties", place), duty)
    used = draft.profile
    if used is not None and used.effective and used.effective > draft.today.isoformat():
        at = next((at for at, name in draft.ids("profiles", "name") if name == used.name), ("profile",))
        args = {"profile": used.name, "date": used.effective}
        yield Finding("not_yet", (*at[:-1], "effective"), args, Weight.WARNING)


def _duty(loc: Loc, duty: DutyRule) -> Iterator[Finding]:
    seen: dict[ClockKind, Loc] = {}
    for number, clock in enumerate(duty.clocks):
        at = (*loc, "clocks", number)
        first = seen.setdefault(clock.clock, at)
        if first != at:
            args = {"clock_zh": clock.clock.word, "clock_en": clock.clock}
            yield Finding("clock_twice", (*at, "clock"), args, also=(*first, "clock"))
        for place, rung in enumerate(clock.ladder):
            proposes = rung.do is StepAction.PROPOSE
            if proposes and rung.measure is None:
                yield Finding("no_measure", (*at, "ladder", place))
            elif rung.measure is not None and not proposes:
                yield Finding("needless_measure", (*at, "ladder", place, "measure"), key=True)


def adoption(draft: Draft) -> Iterator[Finding]:
    """Sample rules that nobody has adopted by name: ``serve`` refuses them."""
    profile = draft.profile
    if profile is not None and profile.sample and draft.text("adopt_sample") != profile.name:
        yield Finding("not_adopted", ("profile",), {"profile": profile.name}, Weight.REFUSAL)
