"""The profile's answer for one incident: which unit owes what by when, and who is called if it does not.

A rule speaks of tiers; an enterprise has a line of units. Where a tier is missing in the line, the next tier up takes
its part, and the plan's ``rule`` says so. Rungs that leave the duty's own tier are announced before. A plan is never
empty: what no rule fits goes to the fallback unit's duty room, with the basis 规则缺失.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from escalation.calendar import Calendar
from escalation.directory import Directory
from escalation.incident import Audience, Clock, ClockPlan, DutyPlan, Plan, Rung, Step, StepAction
from escalation.profile import AudienceRule, ClockRule, DutyRule, Profile, RungRule, minutes
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Role, Severity, Tier, Urgency

NO_RULE = "规则缺失"
"""The basis of the default plan: the profile has nothing for this, and whoever reads the notice should know."""

AUTHORITY_ROLES = (Role.DUTY_ROOM, Role.OFFICER)
"""Who acts at an authority that takes an enterprise's duty: it has no operator and no safety officer."""

_DEFAULT_CLOCK = ClockRule.model_validate(
    {
        "clock": "sign",
        "limit": "15m",
        "ladder": [
            {"after": "10m", "do": "remind"},
            {"after": "15m", "do": "phone"},
            {"after": "15m", "do": "leader_on_duty"},
            {"after": "30m", "do": "next_duty_room"},
            {"after": "60m", "do": "next_leader"},
        ],
    }
)

_CRITICAL = frozenset({Severity.HIGH_HIGH, Severity.LOW_LOW, Severity.INTERLOCK})


def urgency_of(level: Level | None, severity: Severity | None) -> Urgency:
    """Critical: red, high-high, low-low, an interlock; and where neither is known, since in doubt it rings."""
    unknown = level is None and severity is None
    return Urgency.CRITICAL if unknown or level is Level.RED or severity in _CRITICAL else Urgency.NORMAL


def make_plan(
    directory: Directory,
    profile: Profile,
    enterprise: str,
    point: str,
    kind: Kind,
    level: Level | None,
    severity: Severity | None,
    industry: Industry | None,
) -> Plan:
    """The plan for an incident of this kind at this level (a warning) or severity (an alarm).

    ``enterprise`` may be unknown: then the fallback unit's line takes it. An unknown level or severity is treated as
    the highest. The point's own limits apply to the enterprise's clocks where they are tighter.
    """
    known = directory.enterprises.get(enterprise)
    notes = [] if (level if kind is Kind.WARNING else severity) else ["级别不明，从严处理"]
    rule = profile.rule_for(kind, level or Level.RED, severity or Severity.HIGH_HIGH, industry)
    trial = known.trial if known else False
    if rule is None or not rule.duties:
        return _default_plan(directory, profile, enterprise, trial)
    line = _line(directory, enterprise)
    limits = _limits(directory, enterprise, point)
    duties: dict[Tier, DutyPlan] = {}
    for duty in rule.duties:
        bearer = _bearer(line, duty.tier)
        if bearer is not duty.tier:
            notes.append(f"{duty.tier.word}缺位，由{bearer.word}承担")
        planned = _duty(duty, bearer, line, limits if bearer is Tier.ENTERPRISE else {}, profile.announce)
        duties[bearer] = _joined(duties[bearer], planned) if bearer in duties else planned
    return Plan(
        profile=profile.name,
        rule=f"{rule.name}（{'；'.join(notes)}）" if notes else rule.name,
        basis=profile.basis,
        duties=tuple(duties.values()),
        informed=_audiences(rule.informed, line, duties),
        watchers=_audiences(rule.watchers, line, duties),
        units=line,
        announce=profile.announce,
        undo=profile.undo,
        urge_gap=profile.urge_gap,
        trial=trial,
        after_close=tuple(sorted({minutes(each) for each in profile.after_close})),
    )


class PlanBook:
    """Plans by one directory and one profile; made anew when either is swapped.

    What a rule becomes depends on the tiers of a line, not on its units: that pattern is made once, and each plan is
    the pattern with its own units. Patterns are as many as the rules and limits of the configuration ask for.
    """

    def __init__(self, directory: Directory, profile: Profile) -> None:
        self._directory = directory
        self._profile = profile
        self._patterns: dict[tuple[object, ...], Plan] = {}

    def plan(
        self,
        enterprise: str,
        point: str,
        kind: Kind,
        level: Level | None,
        severity: Severity | None,
        industry: Industry | None,
    ) -> Plan:
        """The same as :func:`make_plan`."""
        directory = self._directory
        line = _line(directory, enterprise)
        limits = _limits(directory, enterprise, point)
        key = (kind, level, severity, industry, tuple(line), tuple(limits.items()))
        pattern = self._patterns.get(key)
        if pattern is None or pattern.basis is NO_RULE:
            pattern = make_plan(directory, self._profile, enterprise, point, kind, level, severity, industry)
            self._patterns[key] = pattern
            return pattern
        known = directory.enterprises.get(enterprise)
        return msgspec.structs.replace(
            pattern,
            duties=tuple(msgspec.structs.replace(each, unit=line[each.tier]) for each in pattern.duties),
            informed=tuple(Audience(each.tier, line[each.tier], each.roles) for each in pattern.informed),
            watchers=tuple(Audience(each.tier, line[each.tier], each.roles) for each in pattern.watchers),
            units=line,
            trial=known.trial if known else False,
        )


def start_clock(plan: ClockPlan, now: int, calendar: Calendar) -> Clock:
    """The clock running from ``now`` (milliseconds): its limit and steps at absolute times, in order."""
    steps = [
        Step(at=calendar.add(now, rung.after, plan.working), action=rung.action, tier=rung.tier, measure=rung.measure)
        for rung in plan.rungs
    ]
    return Clock(
        kind=plan.kind,
        started_at=now,
        due_at=calendar.add(now, plan.minutes, plan.working),
        steps=sorted(steps, key=lambda step: step.at),
    )


@cache
def sample_profile() -> Profile:
    """The packaged 示例规则: a sample without authority, refused by ``serve`` unless adopted by name."""
    text = files("escalation").joinpath("sample_profile.toml").read_text(encoding="utf-8")
    return Profile.model_validate(tomllib.loads(text))


def _line(directory: Directory, enterprise: str) -> dict[Tier, str]:
    fallback = directory.fallback_unit
    return directory.line(enterprise) or {directory.tier_of(fallback): fallback}


def _bearer(line: Mapping[Tier, str], tier: Tier) -> Tier:
    """The tier itself, else the next one up that exists, else the highest below."""
    above = [other for other in line if other.rank >= tier.rank]
    return min(above, key=lambda other: other.rank) if above else max(line, key=lambda other: other.rank)


def _limits(directory: Directory, enterprise: str, point: str) -> dict[ClockKind, int]:
    known = directory.point(enterprise, point)
    if known is None or known.limits is None:
        return {}
    given = {
        ClockKind.SIGN: known.limits.sign,
        ClockKind.VERIFY: known.limits.verify,
        ClockKind.CLEAR: known.limits.clear,
    }
    return {kind: limit for kind, limit in given.items() if limit is not None}


def _duty(
    rule: DutyRule, bearer: Tier, line: Mapping[Tier, str], limits: Mapping[ClockKind, int], announce: int
) -> DutyPlan:
    taken = rule.tier is Tier.ENTERPRISE and bearer is not Tier.ENTERPRISE
    return DutyPlan(
        tier=bearer,
        unit=line[bearer],
        roles=AUTHORITY_ROLES if taken else rule.roles,
        clocks=tuple(_clock(clock, bearer, line, limits.get(clock.clock), announce) for clock in rule.clocks),
    )


def _clock(rule: ClockRule, own: Tier, line: Mapping[Tier, str], tighter: int | None, announce: int) -> ClockPlan:
    """A tighter limit draws the whole ladder together in proportion, so that the reminder still comes before it."""
    full = minutes(rule.limit)
    limit = full if tighter is None else min(full, tighter)
    rungs: list[Rung] = []
    moved: set[tuple[StepAction, Tier | None]] = set()
    for step in sorted(rule.ladder, key=lambda step: minutes(step.after)):
        action, tier = _target(step, own, line)
        if (action, tier) != (step.do, step.tier or (own.above if step.do.goes_up else None)):
            moved.add((action, tier))
        # However tight the limit: what goes up leaves a minute in which it can be announced.
        after = max(minutes(step.after) * limit // full, 1 if action.goes_up else 0)
        rungs.append(Rung(after=after, action=action, tier=tier, measure=step.measure))
    return ClockPlan(
        kind=rule.clock,
        minutes=limit,
        working=rule.working,
        rungs=_announced(_without_echoes(rungs, moved), announce),
        extend=minutes(rule.extend) * limit // full if rule.extend else 0,
    )


def _target(step: RungRule, own: Tier, line: Mapping[Tier, str]) -> tuple[StepAction, Tier | None]:
    """What a rung does in this line: whom it reaches when it goes up, and what is left of it at the line's end."""
    authority = own is not Tier.ENTERPRISE
    if step.do is StepAction.PROPOSE:
        officers: dict[Tier, str] = {tier: unit for tier, unit in line.items() if tier is not Tier.ENTERPRISE}
        wanted = step.tier or (own if authority else Tier.TOWN)
        return step.do, _bearer(officers, wanted) if officers else own
    if step.do.goes_up:
        higher = {tier: unit for tier, unit in line.items() if tier.rank > own.rank}
        return (step.do, _bearer(higher, step.tier or own)) if higher else (StepAction.LEADER_ON_DUTY, None)
    if authority and step.do in (StepAction.SAFETY_HEAD, StepAction.MAIN_PERSON):
        return StepAction.LEADER_ON_DUTY, None
    return step.do, step.tier


def _without_echoes(rungs: list[Rung], moved: set[tuple[StepAction, Tier | None]]) -> list[Rung]:
    """Rungs that fell together because a tier is missing are one rung, the earliest."""
    kept: list[Rung] = []
    seen: set[tuple[StepAction, Tier | None]] = set()
    for rung in rungs:
        key = (rung.action, rung.tier)
        if rung.action is StepAction.PROPOSE or key not in moved or key not in seen:
            kept.append(rung)
        seen.add(key)
    return kept


def _announced(rungs: list[Rung], announce: int) -> tuple[Rung, ...]:
    """The ladder with a word before each rung that goes up: ``announce`` minutes before, or half way when it is near.

    An ``announce`` that the rule itself has since the last rung to the same tier counts. None are made for 0 minutes.
    """
    ladder = [_named(rung, rungs) for rung in rungs]
    for rung in [rung for rung in rungs if rung.action.goes_up and announce]:
        since = max((up.after for up in _upwards(rungs, rung.tier) if up.after < rung.after), default=0)
        words = (other for other in ladder if other.action is StepAction.ANNOUNCE and other.tier is rung.tier)
        if not any(since <= word.after < rung.after for word in words):
            after = rung.after - announce if rung.after >= 2 * announce else rung.after // 2
            ladder.append(Rung(after=after, action=StepAction.ANNOUNCE, tier=rung.tier))
    return tuple(sorted(ladder, key=lambda rung: rung.after))


def _named(rung: Rung, rungs: list[Rung]) -> Rung:
    """An ``announce`` of the rule without a tier speaks of the next rung that goes up."""
    if rung.action is not StepAction.ANNOUNCE or rung.tier is not None:
        return rung
    coming = next((up for up in rungs if up.action.goes_up and up.after > rung.after), None)
    return msgspec.structs.replace(rung, tier=coming.tier) if coming else rung


def _upwards(rungs: list[Rung], tier: Tier | None) -> list[Rung]:
    return [rung for rung in rungs if rung.action.goes_up and rung.tier is tier]


def _joined(one: DutyPlan, other: DutyPlan) -> DutyPlan:
    """Two duties that fell to one unit: all roles, and of each clock the tighter."""
    clocks = {clock.kind: clock for clock in one.clocks}
    for clock in other.clocks:
        have = clocks.get(clock.kind)
        if have is None or (clock.working, clock.minutes) < (have.working, have.minutes):
            clocks[clock.kind] = clock
    return DutyPlan(
        tier=one.tier,
        unit=one.unit,
        roles=tuple(dict.fromkeys((*one.roles, *other.roles))),
        clocks=tuple(clocks[kind] for kind in ClockKind if kind in clocks),
    )


def _audiences(
    rules: tuple[AudienceRule, ...], line: Mapping[Tier, str], duties: Mapping[Tier, DutyPlan]
) -> tuple[Audience, ...]:
    """Posts that hear without a duty. A tier that the line lacks has nobody to hear; who acts is not copied as well."""
    heard: list[Audience] = []
    for rule in rules:
        acting = duties[rule.tier].roles if rule.tier in duties else ()
        roles = tuple(role for role in rule.roles if role not in acting)
        if rule.tier in line and roles:
            heard.append(Audience(tier=rule.tier, unit=line[rule.tier], roles=roles))
    return tuple(heard)


def _default_plan(directory: Directory, profile: Profile, enterprise: str, trial: bool) -> Plan:
    """No rule fits: the fallback unit's duty room must look, and the enterprise hears of it."""
    unit = directory.fallback_unit
    tier = directory.tier_of(unit)
    known = directory.line(enterprise)
    line = {Tier.ENTERPRISE: enterprise} if Tier.ENTERPRISE in known else {}
    line |= directory.line("") or {tier: unit}
    everybody = AudienceRule(tier=Tier.ENTERPRISE, roles=(Role.OPERATOR, Role.SAFETY_OFFICER, Role.DUTY_ROOM))
    return Plan(
        profile=profile.name,
        rule=f"没有适用的规则，由{directory.unit_name(unit)}值班室处理",
        basis=NO_RULE,
        duties=(
            DutyPlan(
                tier=tier,
                unit=unit,
                roles=(Role.DUTY_ROOM,),
                clocks=(_clock(_DEFAULT_CLOCK, tier, line, None, profile.announce),),
            ),
        ),
        informed=_audiences((everybody,), line, {}),
        units=line,
        announce=profile.announce,
        undo=profile.undo,
        urge_gap=profile.urge_gap,
        trial=trial,
        after_close=tuple(sorted({minutes(each) for each in profile.after_close})),
    )
