"""What a rule becomes for one enterprise: missing tiers, tighter limits, announcements, and the plan of last resort."""

from __future__ import annotations

from typing import Any

import pytest

from escalation.calendar import Calendar, local
from escalation.directory import Directory, Enterprise, Unit
from escalation.incident import ClockPlan, DutyPlan, Plan, Rung, StepAction
from escalation.plan import AUTHORITY_ROLES, NO_RULE, make_plan, start_clock, urgency_of
from escalation.profile import Profile
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Measure, Role, Severity, Tier, Urgency
from tests.rules.county import ENTERPRISES, FACTORY, NEXT_DOOR, UNITS, at, county

LADDER: list[dict[str, Any]] = [
    {"after": "10m", "do": "remind"},
    {"after": "15m", "do": "second_person"},
    {"after": "20m", "do": "safety_head"},
    {"after": "30m", "do": "next_duty_room"},
    {"after": "1h", "do": "next_duty_room", "tier": "county"},
    {"after": "1h", "do": "propose", "measure": "site_check"},
]


def profile(*duties: dict[str, Any], announce: int = 10, **rule: Any) -> Profile:
    """A profile of one rule, for red warnings and every alarm of this severity, unless told otherwise."""
    defaults = {"name": "甲", "kind": "warning", "levels": ["red", "blue"], "severities": [], "duties": list(duties)}
    return Profile.model_validate(
        {"name": "规则", "basis": "某发〔2026〕1号", "announce": announce, "rules": [defaults | rule]}
    )


def duty(
    tier: str, limit: str = "15m", ladder: list[dict[str, Any]] | None = None, clock: str = "sign"
) -> dict[str, Any]:
    """A duty of one clock."""
    clocks = [{"clock": clock, "limit": limit, "ladder": LADDER if ladder is None else ladder}]
    return {"tier": tier, "roles": ["operator"] if tier == "enterprise" else ["officer"], "clocks": clocks}


def plan(rules: Profile, directory: Directory | None = None, enterprise: str = FACTORY, point: str = "") -> Plan:
    """The plan for a red warning."""
    return make_plan(directory or county(), rules, enterprise, point, Kind.WARNING, Level.RED, None, Industry.DUST)


def rungs(clock: ClockPlan) -> list[tuple[int, str]]:
    return [(rung.after, f"{rung.action}:{rung.tier}" if rung.tier else str(rung.action)) for rung in clock.rungs]


def no_town() -> Directory:
    """The same county, where the factory stands under the county directly."""
    factory = Enterprise.model_validate(ENTERPRISES[0].model_dump() | {"unit": "county"})
    return county(enterprises=(factory, ENTERPRISES[1]))


def test_a_rule_becomes_units_minutes_and_announced_rungs() -> None:
    made = plan(profile(duty("enterprise"), informed=[{"tier": "town", "roles": ["officer"]}]))
    assert (made.profile, made.rule, made.basis, made.announce) == ("规则", "甲", "某发〔2026〕1号", 10)
    assert made.units == {
        Tier.ENTERPRISE: FACTORY,
        Tier.TOWN: "town",
        Tier.COUNTY: "county",
        Tier.CITY: "city",
        Tier.PROVINCE: "province",
    }
    (only,) = made.duties
    assert (only.tier, only.unit, only.roles) == (Tier.ENTERPRISE, FACTORY, (Role.OPERATOR,))
    assert only.clocks[0].minutes == 15
    assert rungs(only.clocks[0]) == [
        (10, "remind"),
        (15, "second_person"),
        (20, "safety_head"),
        (20, "announce:town"),
        (30, "next_duty_room:town"),
        (50, "announce:county"),
        (60, "next_duty_room:county"),
        (60, "propose:town"),
    ]
    assert only.clocks[0].rungs[-1].measure is Measure.SITE_CHECK
    assert [(heard.tier, heard.unit, heard.roles) for heard in made.informed] == [(Tier.TOWN, "town", (Role.OFFICER,))]


def test_where_the_town_is_missing_the_county_takes_its_part_once_and_the_plan_says_so() -> None:
    made = plan(profile(duty("town"), duty("enterprise")), no_town())
    assert made.rule == "甲（镇街缺位，由区县承担）"
    first, second = made.duties
    assert (first.tier, first.unit, second.unit) == (Tier.COUNTY, "county", FACTORY)
    assert (60, "next_duty_room:county") not in rungs(second.clocks[0])
    assert (30, "next_duty_room:county") in rungs(second.clocks[0])
    assert [name for _, name in rungs(first.clocks[0])] == [
        "remind",
        "second_person",
        "leader_on_duty",
        "announce:city",
        "next_duty_room:city",
        "propose:county",
    ]


def test_two_duties_that_fall_to_one_unit_are_one_with_the_tighter_clock() -> None:
    made = plan(profile(duty("county", "1h"), duty("town", "15m")), no_town())
    (only,) = made.duties
    assert only.clocks[0].minutes == 15
    made = plan(profile(duty("county", "15m"), duty("town", "1h", clock="verify")), no_town())
    assert [(clock.kind, clock.minutes) for clock in made.duties[0].clocks] == [
        (ClockKind.SIGN, 15),
        (ClockKind.VERIFY, 60),
    ]


def test_an_unknown_enterprise_is_the_fallback_units() -> None:
    made = plan(profile(duty("enterprise")), enterprise="91000000DEM0009999")
    (only,) = made.duties
    assert (only.unit, only.roles) == ("county", AUTHORITY_ROLES)
    assert made.rule == "甲（企业缺位，由区县承担）"
    assert [name for _, name in rungs(only.clocks[0])] == [
        "remind",
        "second_person",
        "leader_on_duty",
        "announce:city",
        "next_duty_room:city",
        "propose:county",
    ]


def test_at_the_end_of_the_line_the_highest_tier_acts_and_its_leader_is_called() -> None:
    alone = county(units=(Unit(id="county", name="示例县", tier=Tier.COUNTY), UNITS[3]))
    made = plan(profile(duty("province")), alone)
    assert made.duties[0].unit == "county"
    assert made.rule == "甲（省缺位，由区县承担）"
    assert rungs(made.duties[0].clocks[0]) == [
        (10, "remind"),
        (15, "second_person"),
        (20, "leader_on_duty"),
        (60, "propose:county"),
    ]


def test_a_point_may_be_stricter_but_never_looser() -> None:
    rules = profile(duty("enterprise"), kind="alarm", severities=["high"], levels=[], industries=["dust"])
    made = make_plan(county(), rules, FACTORY, "T02", Kind.ALARM, None, Severity.HIGH, Industry.DUST)
    clock = made.duties[0].clocks[0]
    assert clock.minutes == 2
    assert rungs(clock) == [
        (1, "remind"),
        (2, "second_person"),
        (2, "safety_head"),
        (2, "announce:town"),
        (4, "next_duty_room:town"),
        (4, "announce:county"),
        (8, "next_duty_room:county"),
        (8, "propose:town"),
    ]
    looser = profile(duty("enterprise", clock="verify"))
    assert plan(looser, point="T02").duties[0].clocks[0].minutes == 15
    assert plan(profile(duty("town")), point="T02").duties[0].clocks[0].minutes == 15, "a point binds its enterprise"


@pytest.mark.parametrize(
    ("ladder", "expected"),
    [
        ([(25, "next_duty_room", None)], [(15, "announce:town"), (25, "next_duty_room:town")]),
        ([(12, "next_duty_room", None)], [(6, "announce:town"), (12, "next_duty_room:town")]),
        ([(1, "next_leader", None)], [(0, "announce:town"), (1, "next_leader:town")]),
        (
            [(5, "announce", None), (25, "next_duty_room", None)],
            [(5, "announce:town"), (25, "next_duty_room:town")],
        ),
        (
            [(5, "announce", None), (25, "next_duty_room", "county")],
            [(5, "announce:county"), (25, "next_duty_room:county")],
        ),
        (
            [(25, "next_duty_room", None), (25, "next_leader", None), (40, "next_leader", None)],
            [
                (15, "announce:town"),
                (25, "next_duty_room:town"),
                (25, "next_leader:town"),
                (30, "announce:town"),
                (40, "next_leader:town"),
            ],
        ),
    ],
)
def test_who_is_about_to_be_passed_over_hears_of_it_before(
    ladder: list[tuple[int, str, str | None]], expected: list[tuple[int, str]]
) -> None:
    steps = [{"after": f"{after}m", "do": do} | ({"tier": tier} if tier else {}) for after, do, tier in ladder]
    assert rungs(plan(profile(duty("enterprise", ladder=steps))).duties[0].clocks[0]) == expected


def test_a_profile_may_turn_announcements_off() -> None:
    made = plan(profile(duty("enterprise"), announce=0))
    assert "announce" not in {rung.action for rung in made.duties[0].clocks[0].rungs}


def test_who_acts_is_not_copied_and_a_missing_tier_has_nobody_to_copy() -> None:
    watchers = [{"tier": "town", "roles": ["officer", "duty_room"]}, {"tier": "county", "roles": ["officer"]}]
    made = plan(profile(duty("town"), watchers=watchers))
    assert [(heard.unit, heard.roles) for heard in made.watchers] == [
        ("town", (Role.DUTY_ROOM,)),
        ("county", (Role.OFFICER,)),
    ]
    made = plan(profile(duty("town"), watchers=watchers), no_town())
    assert made.watchers == (), "the county's officers act in the town's place"


@pytest.mark.parametrize("enterprise", [FACTORY, "91000000DEM0009999"])
def test_without_a_rule_the_fallback_unit_must_look(enterprise: str) -> None:
    made = make_plan(county(), profile(duty("town")), enterprise, "T01", Kind.WARNING, Level.YELLOW, None, None)
    assert made.basis == NO_RULE
    (only,) = made.duties
    assert (only.unit, only.roles, only.clocks[0].kind, only.clocks[0].minutes) == (
        "county",
        (Role.DUTY_ROOM,),
        ClockKind.SIGN,
        15,
    )
    assert rungs(only.clocks[0]) == [
        (10, "remind"),
        (15, "phone"),
        (15, "leader_on_duty"),
        (20, "announce:city"),
        (30, "next_duty_room:city"),
        (50, "announce:city"),
        (60, "next_leader:city"),
    ]
    assert [heard.unit for heard in made.informed] == ([FACTORY] if enterprise == FACTORY else [])


def test_an_empty_rule_is_no_rule() -> None:
    assert plan(profile()).basis == NO_RULE


def test_an_unknown_level_is_treated_as_the_highest() -> None:
    made = make_plan(county(), profile(duty("town")), FACTORY, "", Kind.WARNING, None, None, Industry.DUST)
    assert made.rule == "甲（级别不明，从严处理）"
    assert urgency_of(None, None) is Urgency.CRITICAL


def test_urgency_is_for_what_cannot_wait() -> None:
    critical = {level for level in Level if urgency_of(level, None) is Urgency.CRITICAL}
    assert critical == {Level.RED}
    severities = {severity for severity in Severity if urgency_of(None, severity) is Urgency.CRITICAL}
    assert severities == {Severity.HIGH_HIGH, Severity.LOW_LOW, Severity.INTERLOCK}


def test_trial_travels_with_the_plan() -> None:
    assert plan(profile(duty("county")), enterprise=NEXT_DOOR).trial
    assert plan(profile(), enterprise=NEXT_DOOR).trial
    assert not plan(profile(duty("county"))).trial


def test_a_clock_starts_with_absolute_times_in_working_hours() -> None:
    working = ClockPlan(
        kind=ClockKind.CLEAR,
        minutes=420,
        working=True,
        rungs=(Rung(after=420, action=StepAction.MAIN_PERSON), Rung(after=360, action=StepAction.REMIND)),
    )
    clock = start_clock(working, at("2026-09-30 16:30"), Calendar())
    assert local(clock.due_at) == local(at("2026-10-08 16:30"))
    assert [(step.action, local(step.at)) for step in clock.steps] == [
        (StepAction.REMIND, local(at("2026-10-08 15:30"))),
        (StepAction.MAIN_PERSON, local(at("2026-10-08 16:30"))),
    ]


def test_plans_are_values() -> None:
    one, other = plan(profile(duty("town"))), plan(profile(duty("town")))
    assert one == other
    assert isinstance(one.duties[0], DutyPlan)
