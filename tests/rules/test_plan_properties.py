"""What holds for any profile, any line of units and any point's limits."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from escalation.calendar import Calendar
from escalation.directory import Directory, Enterprise, Limits, Point, Unit
from escalation.incident import Plan, StepAction
from escalation.plan import make_plan, start_clock
from escalation.profile import Profile, minutes
from escalation.vocabulary import ClockKind, Industry, Kind, Measure, Role, Severity, Tier
from tests.rules.county import FACTORY, at

CALENDAR = Calendar()
DURATIONS = st.one_of(
    st.integers(1, 200).map("{}m".format), st.integers(1, 96).map("{}h".format), st.integers(1, 4).map("{}d".format)
)
TIERS = st.sampled_from([tier.value for tier in Tier])
ROLES = st.lists(st.sampled_from([role.value for role in Role]), max_size=3)
AUTHORITIES = (Tier.TOWN, Tier.COUNTY, Tier.CITY, Tier.PROVINCE)


@st.composite
def rungs(draw: st.DrawFn) -> dict[str, Any]:
    rung: dict[str, Any] = {"after": draw(DURATIONS), "do": draw(st.sampled_from(list(StepAction))).value}
    if rung["do"] == "propose":
        rung["measure"] = draw(st.sampled_from(list(Measure))).value
    if rung["do"] in ("next_duty_room", "next_leader", "propose") and draw(st.booleans()):
        rung["tier"] = draw(TIERS)
    return rung


CLOCKS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "clock": st.sampled_from([kind.value for kind in ClockKind]),
        "limit": DURATIONS,
        "working": st.booleans(),
        "ladder": st.lists(rungs(), max_size=6),
    }
)
DUTIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"tier": TIERS, "roles": ROLES, "clocks": st.lists(CLOCKS, max_size=3, unique_by=lambda clock: clock["clock"])}
)
AUDIENCES = st.lists(st.fixed_dictionaries({"tier": TIERS, "roles": ROLES}), max_size=3)
PROFILES = st.builds(
    lambda announce, duties, informed, watchers: Profile.model_validate(
        {
            "name": "规则",
            "basis": "某发〔2026〕1号",
            "announce": announce,
            "rules": [
                {
                    "name": "甲",
                    "kind": "alarm",
                    "severities": ["high"],
                    "duties": duties,
                    "informed": informed,
                    "watchers": watchers,
                }
            ],
        }
    ),
    st.integers(1, 120),
    st.lists(DUTIES, max_size=3, unique_by=lambda duty: duty["tier"]),
    AUDIENCES,
    AUDIENCES,
)
LIMITS = st.builds(
    Limits,
    sign=st.none() | st.integers(1, 300),
    verify=st.none() | st.integers(1, 3000),
    clear=st.none() | st.integers(1, 9000),
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """An enterprise, known or not, under any choice of tiers, each under the next."""
    tiers = draw(st.lists(st.sampled_from(AUTHORITIES), min_size=1, unique=True).map(sorted_up))
    units = [
        Unit(id=tier.value, name=tier.word, tier=tier, parent=above.value if above else None)
        for tier, above in zip(tiers, [*tiers[1:], None], strict=True)
    ]
    factory = Enterprise(
        uscc=FACTORY,
        name="示例木业",
        industry=Industry.DUST,
        unit=tiers[0].value,
        points=(Point(code="T01", name="温度", limits=draw(LIMITS)),),
    )
    fallback = draw(st.sampled_from(tiers)).value
    known = draw(st.booleans())
    return Directory(units=units, enterprises=[factory] if known else [], posts=(), people=(), fallback_unit=fallback)


def sorted_up(tiers: list[Tier]) -> list[Tier]:
    return sorted(tiers, key=lambda tier: tier.rank)


def made(directory: Directory, profile: Profile, severity: Severity | None = Severity.HIGH) -> Plan:
    return make_plan(directory, profile, FACTORY, "T01", Kind.ALARM, None, severity, Industry.DUST)


@given(directories(), PROFILES, st.sampled_from([None, *Severity]))
def test_somebody_always_has_a_duty_and_every_unit_is_of_the_line(
    directory: Directory, profile: Profile, severity: Severity | None
) -> None:
    plan = made(directory, profile, severity)
    assert plan.duties
    assert len({duty.unit for duty in plan.duties}) == len(plan.duties)
    heard = [(duty.tier, duty.unit) for duty in plan.duties]
    heard += [(audience.tier, audience.unit) for audience in (*plan.informed, *plan.watchers)]
    assert all(plan.units[tier] == unit for tier, unit in heard)
    upwards = [rung.tier for duty in plan.duties for clock in duty.clocks for rung in clock.rungs if rung.tier]
    assert set(upwards) <= set(plan.units)


@given(directories(), PROFILES)
def test_no_limit_and_no_rung_is_looser_than_the_rule(directory: Directory, profile: Profile) -> None:
    plan = made(directory, profile)
    asked = {clock.clock: 0 for duty in profile.rules[0].duties for clock in duty.clocks}
    last = dict(asked)
    for duty in profile.rules[0].duties:
        for clock in duty.clocks:
            asked[clock.clock] = max(asked[clock.clock], minutes(clock.limit))
            last[clock.clock] = max([last[clock.clock], *(minutes(rung.after) for rung in clock.ladder)])
    if plan.basis == profile.basis:
        for planned in plan.duties:
            for clock_plan in planned.clocks:
                assert clock_plan.minutes <= asked[clock_plan.kind]
                assert all(rung.after <= last[clock_plan.kind] for rung in clock_plan.rungs)
        _point_limits_hold(directory, plan)


def _point_limits_hold(directory: Directory, plan: Plan) -> None:
    point = directory.point(FACTORY, "T01")
    given_limits = point.limits if point else None
    for planned in plan.duties:
        for clock in planned.clocks:
            tighter = getattr(given_limits, clock.kind.value, None) if planned.tier is Tier.ENTERPRISE else None
            assert tighter is None or clock.minutes <= tighter


@given(CLOCKS, st.integers(1, 9000))
def test_a_tighter_limit_draws_the_whole_ladder_together(clock: dict[str, Any], tighter: int) -> None:
    rule = {"name": "甲", "kind": "alarm", "severities": ["high"]}
    duty = {"tier": "enterprise", "roles": ["operator"], "clocks": [clock | {"clock": "sign"}]}
    profile = Profile.model_validate(
        {"name": "规则", "basis": "文号", "announce": 0, "rules": [rule | {"duties": [duty]}]}
    )
    loose, tight = (
        made(under_a_county(limits), profile).duties[0].clocks[0] for limits in (None, Limits(sign=tighter))
    )
    assert tight.minutes == min(loose.minutes, tighter)
    before_and_after = (sorted(clock.rungs, key=lambda rung: (rung.action, rung.after)) for clock in (loose, tight))
    for before, after in zip(*before_and_after, strict=True):
        assert before.action is after.action
        assert after.after <= before.after
        # Under a limit of one minute, what goes up still leaves that minute to announce it.
        squeezed = after.action.goes_up and after.after == tight.minutes == 1
        before_still = (after.after < tight.minutes) >= (before.after < loose.minutes)
        assert squeezed or before_still, "what came before the limit still does"
        assert (after.after >= tight.minutes) >= (before.after >= loose.minutes), "what came after it still does"


def under_a_county(limits: Limits | None) -> Directory:
    points = (Point(code="T01", name="温度", limits=limits),)
    factory = Enterprise(uscc=FACTORY, name="示例木业", industry=Industry.DUST, unit="county", points=points)
    unit = Unit(id="county", name="示例县", tier=Tier.COUNTY)
    return Directory(units=[unit], enterprises=[factory], posts=(), people=(), fallback_unit="county")


@given(directories(), PROFILES)
def test_whatever_goes_up_leaves_its_tier_and_is_announced_before(directory: Directory, profile: Profile) -> None:
    for duty in made(directory, profile).duties:
        for clock in duty.clocks:
            for rung in [rung for rung in clock.rungs if rung.action.goes_up]:
                assert rung.tier is not None
                assert rung.tier.rank > duty.tier.rank
                words = [
                    word.after
                    for word in clock.rungs
                    if word.action is StepAction.ANNOUNCE and word.tier is rung.tier and word.after < rung.after
                ]
                assert words


@given(directories(), PROFILES, st.integers(at("2026-01-01 00:00"), at("2026-12-31 00:00")))
def test_steps_come_in_order_and_none_before_its_clock(directory: Directory, profile: Profile, now: int) -> None:
    for duty in made(directory, profile).duties:
        for clock_plan in duty.clocks:
            assert [rung.after for rung in clock_plan.rungs] == sorted(rung.after for rung in clock_plan.rungs)
            clock = start_clock(clock_plan, now, CALENDAR)
            times = [step.at for step in clock.steps]
            assert times == sorted(times)
            assert all(at_ms >= now for at_ms in times)
            assert clock.due_at > now
            assert [step.action for step in clock.steps] == [rung.action for rung in clock_plan.rungs]
