"""Who would be told, and when: whole ladders in the invented county, read from the sample profile."""

from __future__ import annotations

from escalation.calendar import Calendar, local
from escalation.directory import Directory
from escalation.incident import DutyPlan, Plan, StepAction
from escalation.notice import Addressee
from escalation.plan import make_plan, sample_profile, start_clock
from escalation.reach import acting, by_step
from escalation.vocabulary import ClockKind, Industry, Kind, Level, Role, Severity, Tier
from tests.rules.county import FACTORY, at, county, without

CALENDAR = Calendar()


def plan(
    level: Level | None = None, severity: Severity | None = None, point: str = "", where: Directory | None = None
) -> Plan:
    kind = Kind.WARNING if level else Kind.ALARM
    return make_plan(where or county(), sample_profile(), FACTORY, point, kind, level, severity, Industry.DUST)


def duty_of(made: Plan, tier: Tier) -> DutyPlan:
    return next(duty for duty in made.duties if duty.tier is tier)


def names(addressees: tuple[Addressee, ...]) -> str:
    return "、".join(who.name for who in addressees)


def opening(made: Plan, tier: Tier, now: int, point: str = "", where: Directory | None = None) -> str:
    duty = duty_of(made, tier)
    return names(acting(where or county(), tier, duty.unit, duty.roles, now, made.units, point).addressees)


def ladder(made: Plan, tier: Tier, kind: ClockKind, now: int, point: str = "") -> list[str]:
    """Each rung nobody answered: minute, action, who."""
    duty = duty_of(made, tier)
    clock = start_clock(next(clock for clock in duty.clocks if clock.kind is kind), now, CALENDAR)
    return [
        f"{local(step.at):%m-%d %H:%M} {step.action} "
        f"{names(by_step(county(), duty, step, step.at, made.units, point).addressees)}"
        for step in clock.steps
    ]


def test_yellow_on_saturday_at_two_in_the_morning() -> None:
    night = at("2026-11-21 02:00")
    made = plan(Level.YELLOW)
    assert opening(made, Tier.TOWN, night) == "石桥镇值班室、陈十、褚东"
    assert opening(made, Tier.ENTERPRISE, night) == "孙三、周五"
    assert [heard.unit for heard in made.watchers] == ["county"]
    assert ladder(made, Tier.TOWN, ClockKind.SIGN, night) == [
        "11-21 02:40 remind 石桥镇值班室、陈十、褚东",
        "11-21 02:50 second_person 卫南",
        "11-21 03:00 leader_on_duty 蒋西",
        "11-21 03:50 announce 石桥镇值班室、陈十、褚东",
        "11-21 04:00 next_duty_room 示例县应急局值班室",
        "11-21 04:50 announce 石桥镇值班室、陈十、褚东",
        "11-21 05:00 next_leader 韩中",
    ]
    assert ladder(made, Tier.TOWN, ClockKind.VERIFY, night) == [
        "11-21 12:00 remind 石桥镇值班室、冯九、褚东",  # another person has the shift by then
        "11-21 13:50 announce 石桥镇值班室、冯九、褚东",
        "11-21 14:00 leader_on_duty 蒋西",
        "11-21 14:00 next_duty_room 示例县应急局值班室",
        "11-21 15:50 announce 石桥镇值班室、冯九、褚东",
        "11-21 16:00 next_leader 韩中",
    ]
    assert ladder(made, Tier.ENTERPRISE, ClockKind.SIGN, night)[:3] == [
        "11-21 02:45 remind 孙三、周五",
        "11-21 03:00 second_person 赵一",
        "11-21 04:00 main_person 吴六",
    ]


def test_red_reaches_the_city_at_once() -> None:
    now = at("2026-11-21 02:00")
    made = plan(Level.RED)
    assert opening(made, Tier.CITY, now) == "示例市应急局值班室"
    assert opening(made, Tier.ENTERPRISE, now) == "吴六、周五、孙三、示例木业有限公司值班室、王元"
    assert ladder(made, Tier.ENTERPRISE, ClockKind.SIGN, now) == [
        "11-21 02:03 remind 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:04 phone 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:05 announce 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:06 second_person 赵一",
        "11-21 02:10 phone 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:10 next_leader 韩中",
        "11-21 02:20 announce 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:30 next_duty_room 示例市应急局值班室",
        "11-21 02:35 announce 吴六、周五、孙三、示例木业有限公司值班室、王元",
        "11-21 02:45 next_leader 杨春",
    ]


def test_a_high_high_alarm_of_a_major_hazard_in_the_night_shift() -> None:
    now = at("2026-11-20 23:58")
    made = plan(severity=Severity.HIGH_HIGH, point="G01")
    assert opening(made, Tier.ENTERPRISE, now, "G01") == "朱夏、杨春、赵一、孙三、示例木业有限公司值班室、王元"
    steps = ladder(made, Tier.ENTERPRISE, ClockKind.SIGN, now, "G01")
    assert [step for step in steps if "announce" not in step][3:] == [
        "11-21 00:03 safety_head 周五",
        "11-21 00:13 main_person 韩中、吴六",
        "11-21 00:28 next_duty_room 石桥镇值班室、陈十",
        "11-21 00:43 next_leader 蒋西",
        "11-21 00:58 next_duty_room 示例县应急局值班室",
        "11-21 01:28 next_leader 韩中",
    ]


def test_a_signal_lost_before_the_national_holiday_waits_for_working_hours() -> None:
    now = at("2026-09-30 16:30")
    made = plan(severity=Severity.OFFLINE)
    assert opening(made, Tier.ENTERPRISE, now) == "李四", "the notice itself goes out at once"
    steps = ladder(made, Tier.ENTERPRISE, ClockKind.CLEAR, now)
    assert steps[0] == "10-08 15:30 remind 李四"
    assert [step for step in steps if "next_duty_room" in step] == ["10-08 16:30 next_duty_room 示例县应急局值班室"]


def test_a_high_alarm_on_the_national_holiday_climbs_by_the_clock_on_the_wall() -> None:
    now = at("2026-10-01 07:00")
    steps = ladder(plan(severity=Severity.HIGH), Tier.ENTERPRISE, ClockKind.SIGN, now)
    assert steps[1] == "10-01 07:15 second_person 钱二"
    assert steps[-3] == "10-01 10:00 next_duty_room 石桥镇值班室、秦秋", "the holiday's own row stands in the duty room"


def test_an_empty_town_is_passed_over_loudly_and_at_once() -> None:
    now = at("2026-11-21 02:00")
    nobody = without(*(("town", role) for role in (Role.DUTY_ROOM, Role.OFFICER, Role.LEADER_ON_DUTY)))
    made = plan(Level.YELLOW, where=nobody)
    duty = duty_of(made, Tier.TOWN)
    reached = acting(nobody, duty.tier, duty.unit, duty.roles, now, made.units)
    assert names(reached.addressees) == "示例县应急局值班室"
    assert reached.fallbacks == ("nobody_at_post", "fell_to_next_tier")


def test_officers_hear_of_measures_and_nobody_else_does() -> None:
    made = plan(Level.ORANGE)
    duty = duty_of(made, Tier.ENTERPRISE)
    proposals = [rung for clock in duty.clocks for rung in clock.rungs if rung.action is StepAction.PROPOSE]
    now = at("2026-11-21 02:00")
    heard = [names(by_step(county(), duty, rung, now, made.units).addressees) for rung in proposals]
    assert heard == ["沈北"] * 3
