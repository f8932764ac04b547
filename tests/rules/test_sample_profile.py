"""The packaged 示例规则 keeps its promises, and the page that explains it says what it does."""

from __future__ import annotations

from itertools import product

import pytest

from escalation.incident import ClockPlan, DutyPlan, Plan, StepAction
from escalation.plan import make_plan, sample_profile
from escalation.profile import minutes
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Measure, Role, Severity, Tier
from tests.rules.county import FACTORY, county
from tests.rules.profile_table import PAGE, page_with, tables

CASES: list[tuple[Kind, Level | None, Severity | None]] = [
    *((Kind.WARNING, level, None) for level in Level),
    *((Kind.ALARM, None, severity) for severity in Severity),
]


def plan(kind: Kind, level: Level | None, severity: Severity | None, industry: Industry = Industry.STEEL) -> Plan:
    return make_plan(county(), sample_profile(), FACTORY, "", kind, level, severity, industry)


PLANS = [plan(*case) for case in CASES]
DUTIES = [duty for made in PLANS for duty in made.duties]
CLOCKS = [(duty.tier, each) for duty in DUTIES for each in duty.clocks]


def clock(duty: DutyPlan, kind: ClockKind) -> ClockPlan | None:
    return next((clock for clock in duty.clocks if clock.kind is kind), None)


def test_it_is_a_sample_and_says_so_everywhere() -> None:
    profile = sample_profile()
    assert profile.sample
    assert (profile.name, profile.basis) == ("示例规则", "示例规则，非官方时限")
    assert {made.basis for made in PLANS} == {profile.basis}


@pytest.mark.parametrize(("case", "industry"), list(product(CASES, Industry)))
def test_every_kind_of_incident_of_every_industry_has_its_rule(
    case: tuple[Kind, Level | None, Severity | None], industry: Industry
) -> None:
    made = plan(*case, industry)
    assert made.basis == sample_profile().basis
    assert "（" not in made.rule, "in a whole line no tier is missing"


@pytest.mark.parametrize(
    ("level", "leads", "assists", "watches"),
    [
        (Level.BLUE, Tier.ENTERPRISE, set(), {Tier.TOWN, Tier.COUNTY}),
        (Level.YELLOW, Tier.TOWN, set(), {Tier.COUNTY}),
        (Level.ORANGE, Tier.COUNTY, {Tier.TOWN}, {Tier.CITY}),
        (Level.RED, Tier.CITY, {Tier.TOWN, Tier.COUNTY}, {Tier.PROVINCE}),
    ],
)
def test_each_colour_has_its_acting_tier(level: Level, leads: Tier, assists: set[Tier], watches: set[Tier]) -> None:
    made = plan(Kind.WARNING, level, None)
    assert {duty.tier for duty in made.duties} == {leads, Tier.ENTERPRISE}
    assert {heard.tier for heard in made.informed} == assists
    assert {heard.tier for heard in made.watchers} == watches


def test_every_duty_must_be_signed_and_is_reminded_before_the_limit() -> None:
    for duty in DUTIES:
        assert clock(duty, ClockKind.SIGN) is not None
        for each in duty.clocks:
            reminders = [rung.after for rung in each.rungs if rung.action is StepAction.REMIND]
            assert reminders
            assert 0 < reminders[0] < each.minutes
            assert reminders[0] == min(rung.after for rung in each.rungs), "a ladder begins with its reminder"


def test_every_ladder_climbs_out_of_its_tier_announced() -> None:
    for tier, each in CLOCKS:
        ups = [rung for rung in each.rungs if rung.action.goes_up]
        assert ups, (tier, each.kind)
        assert [up.after for up in ups] == sorted(up.after for up in ups)
        assert min(up.after for up in ups) >= each.minutes, "nobody is passed over while there is still time"
        ranks = [up.tier.rank for up in ups if up.tier]
        assert ranks == sorted(ranks), "the nearer tower is lit first"
        for up in ups:
            said = [word.after for word in each.rungs if word.action is StepAction.ANNOUNCE and word.tier is up.tier]
            assert min(said) < up.after


def test_authorities_feed_back_and_the_enterprise_clears() -> None:
    for made in PLANS:
        for duty in made.duties:
            kinds = {each.kind for each in duty.clocks}
            authority = duty.tier is not Tier.ENTERPRISE
            alone = len(made.duties) == 1
            expected = (
                {ClockKind.SIGN, ClockKind.VERIFY, ClockKind.FEEDBACK}
                if authority
                else (
                    {ClockKind.SIGN, ClockKind.VERIFY, ClockKind.CLEAR} if alone else {ClockKind.SIGN, ClockKind.CLEAR}
                )
            )
            assert kinds == expected


def test_measures_are_proposed_only_when_the_clear_limit_has_passed_and_only_to_authorities() -> None:
    seen: set[Measure] = set()
    for _, each in CLOCKS:
        for rung in each.rungs:
            assert (rung.action is StepAction.PROPOSE) == (rung.measure is not None)
            if rung.measure is not None:
                seen.add(rung.measure)
                assert each.kind is ClockKind.CLEAR
                assert rung.after >= each.minutes
                assert rung.tier not in (None, Tier.ENTERPRISE)
    assert seen == set(Measure)


def test_working_hours_count_only_for_blue_and_for_lost_signals() -> None:
    working = {
        (rule.name, each.clock)
        for rule in sample_profile().rules
        for duty in rule.duties
        for each in duty.clocks
        if each.working
    }
    assert working == {
        ("蓝色预警", ClockKind.VERIFY),
        ("蓝色预警", ClockKind.CLEAR),
        ("信号离线", ClockKind.SIGN),
        ("信号离线", ClockKind.VERIFY),
        ("信号离线", ClockKind.CLEAR),
    }


def test_higher_levels_are_never_slower_at_signing() -> None:
    limits = [
        max(
            minutes(each.limit)
            for rule in sample_profile().rules
            if level in rule.levels
            for duty in rule.duties
            for each in duty.clocks
            if each.clock is ClockKind.SIGN
        )
        for level in Level
    ]
    assert limits == sorted(limits)


def test_critical_incidents_ring_the_phone_and_every_acting_authority_its_duty_room() -> None:
    for made, (_, level, severity) in zip(PLANS, CASES, strict=True):
        critical = level in (Level.RED, Level.ORANGE) or (severity is not None and severity.rank == 3)
        for duty in made.duties:
            sign = clock(duty, ClockKind.SIGN)
            assert sign is not None
            assert (StepAction.PHONE in {rung.action for rung in sign.rungs}) == critical
            assert duty.tier is Tier.ENTERPRISE or Role.DUTY_ROOM in duty.roles


def test_the_page_shows_the_profile_as_it_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page_with(text, tables(sample_profile())), "run python -m tests.rules.profile_table"
