"""An empty post is never silence: somebody else hears, and the reasons say so."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.directory import Post
from escalation.incident import DutyPlan, Rung, StepAction
from escalation.notice import Addressee
from escalation.reach import Fallback, Reached, acting, by_step, maintainers
from escalation.vocabulary import Role, Tier
from tests.rules.county import FACTORY, POSTS, at, county, without

NIGHT = at("2026-11-21 02:00")
LINE = county().line(FACTORY)
SHOP_FLOOR = (Role.OPERATOR, Role.SAFETY_OFFICER)
EQUIPMENT = DutyPlan(tier=Tier.ENTERPRISE, unit=FACTORY, roles=(Role.EQUIPMENT,), clocks=())
WORKERS = DutyPlan(tier=Tier.ENTERPRISE, unit=FACTORY, roles=SHOP_FLOOR, clocks=())


def posts(addressees: tuple[Addressee, ...]) -> list[str]:
    return [f"{who.unit if who.unit != FACTORY else 'factory'}/{who.role}/{who.person}" for who in addressees]


def step(duty: DutyPlan, action: StepAction, tier: Tier | None = None, point: str = "") -> Reached:
    return by_step(county(), duty, Rung(after=1, action=action, tier=tier), NIGHT, LINE, point)


def test_a_filled_post_needs_no_fallback() -> None:
    reached = acting(county(), Tier.ENTERPRISE, FACTORY, SHOP_FLOOR, NIGHT, LINE)
    assert posts(reached.addressees) == ["factory/operator/zhao", "factory/safety_officer/sun"]
    assert reached.fallbacks == ()


def test_who_answers_for_the_point_hears_before_the_posts() -> None:
    reached = acting(county(), Tier.ENTERPRISE, FACTORY, SHOP_FLOOR, NIGHT, LINE, "T02")
    assert [who.person for who in reached.addressees] == ["you", "zhao", "sun"]
    reached = acting(county(), Tier.ENTERPRISE, FACTORY, SHOP_FLOOR, NIGHT, LINE, "G01")
    assert [who.person for who in reached.addressees] == ["zhu", "yang", "zhao", "sun"]


def test_who_stands_at_two_posts_of_a_duty_hears_once() -> None:
    both = tuple(Post(unit=FACTORY, role=role, people=("zhao",)) for role in SHOP_FLOOR)
    reached = acting(county(posts=both), Tier.ENTERPRISE, FACTORY, SHOP_FLOOR, NIGHT, LINE)
    assert posts(reached.addressees) == ["factory/operator/zhao"]


@pytest.mark.parametrize(
    ("empty", "heard", "fallbacks"),
    [
        ((), "factory/safety_head/zhou", ("nobody_at_post", "fell_to_leader")),
        (("safety_head",), "factory/main_person/wu", ("nobody_at_post", "fell_to_leader")),
        (("safety_head", "main_person"), "town/duty_room/", ("nobody_at_post", "fell_to_next_tier")),
    ],
)
def test_an_enterprise_without_an_equipment_person(
    empty: tuple[str, ...], heard: str, fallbacks: tuple[str, ...]
) -> None:
    directory = without((FACTORY, Role.EQUIPMENT), *((FACTORY, Role(role)) for role in empty))
    reached = acting(directory, Tier.ENTERPRISE, FACTORY, (Role.EQUIPMENT,), NIGHT, LINE)
    assert posts(reached.addressees)[0] == heard
    assert reached.fallbacks == fallbacks


def test_it_falls_up_the_line_until_somebody_hears() -> None:
    silent: list[tuple[str, Role]] = [("town", Role.OFFICER)]
    expected = [
        (("town", Role.LEADER_ON_DUTY), ["town/leader_on_duty/jiang"]),
        (("county", Role.DUTY_ROOM), ["county/duty_room/"]),
        (("county", Role.LEADER_ON_DUTY), ["county/leader_on_duty/han"]),
        (("city", Role.DUTY_ROOM), ["city/duty_room/"]),
        (("city", Role.LEADER_ON_DUTY), ["city/leader_on_duty/yang"]),
        (("province", Role.DUTY_ROOM), ["province/duty_room/"]),
        (("county", Role.MAINTAINER), ["county/maintainer/zhu"]),
    ]
    for post, heard in expected:
        reached = acting(without(*silent), Tier.TOWN, "town", (Role.OFFICER,), NIGHT, LINE)
        assert posts(reached.addressees) == heard
        assert reached.fallbacks[0] is Fallback.NOBODY_AT_POST
        assert (reached.fallbacks[-1] is Fallback.NOBODY_ANYWHERE) == (post[1] is Role.MAINTAINER)
        silent.append(post)
    assert acting(without(*silent), Tier.TOWN, "town", (Role.OFFICER,), NIGHT, LINE).addressees == ()


def test_maintainers_of_the_named_unit_come_before_those_elsewhere() -> None:
    assert posts(maintainers(county(), "county", NIGHT)) == ["county/maintainer/zhu"]
    assert posts(maintainers(county(), "town", NIGHT)) == ["county/maintainer/zhu"]
    assert posts(maintainers(county(), "", NIGHT)) == ["county/maintainer/zhu"]


@pytest.mark.parametrize("action", [StepAction.REMIND, StepAction.PHONE, StepAction.ANNOUNCE])
def test_reminders_calls_and_announcements_reach_those_of_the_opening(action: StepAction) -> None:
    assert posts(step(WORKERS, action, point="T02").addressees) == [
        "factory/operator/you",
        "factory/operator/zhao",
        "factory/safety_officer/sun",
    ]


def test_the_second_person_is_somebody_who_has_not_heard() -> None:
    assert posts(step(WORKERS, StepAction.SECOND_PERSON).addressees) == ["factory/operator/qian"]
    only_one = step(EQUIPMENT, StepAction.SECOND_PERSON)
    assert posts(only_one.addressees) == ["factory/equipment/li"]
    assert only_one.fallbacks == ()


def test_rungs_inside_the_unit_stay_there() -> None:
    assert posts(step(WORKERS, StepAction.SAFETY_HEAD).addressees) == ["factory/safety_head/zhou"]
    assert posts(step(WORKERS, StepAction.MAIN_PERSON).addressees) == ["factory/main_person/wu"]
    assert posts(step(WORKERS, StepAction.MAIN_PERSON, point="G01").addressees) == [
        "factory/main_person/han",
        "factory/main_person/wu",
    ]
    leader = step(WORKERS, StepAction.LEADER_ON_DUTY)
    assert posts(leader.addressees) == ["factory/safety_head/zhou"]
    assert leader.fallbacks == (Fallback.NOBODY_AT_POST, Fallback.FELL_TO_LEADER)
    town = DutyPlan(tier=Tier.TOWN, unit="town", roles=(Role.DUTY_ROOM,), clocks=())
    rung = Rung(after=1, action=StepAction.LEADER_ON_DUTY)
    nobody = by_step(without(("town", Role.LEADER_ON_DUTY)), town, rung, NIGHT, LINE)
    assert nobody == Reached((), (Fallback.NOBODY_AT_POST,), "town", (Role.LEADER_ON_DUTY,))


def test_rungs_that_go_up_reach_the_tier_they_name() -> None:
    assert posts(step(WORKERS, StepAction.NEXT_DUTY_ROOM, Tier.TOWN).addressees) == [
        "town/duty_room/",
        "town/duty_room/chen",
    ]
    assert posts(step(WORKERS, StepAction.NEXT_LEADER, Tier.COUNTY).addressees) == ["county/leader_on_duty/han"]
    no_leader = step(WORKERS, StepAction.NEXT_LEADER, Tier.PROVINCE)
    assert posts(no_leader.addressees) == ["county/maintainer/zhu"]
    assert no_leader.fallbacks == (Fallback.NOBODY_AT_POST, Fallback.NOBODY_ANYWHERE)


def test_proposals_reach_officers_only() -> None:
    assert posts(step(WORKERS, StepAction.PROPOSE, Tier.TOWN).addressees) == ["town/officer/chu", "town/officer/wei"]
    assert step(WORKERS, StepAction.PROPOSE, Tier.CITY) == Reached(
        (), (Fallback.NOBODY_AT_POST,), "city", (Role.OFFICER,)
    )


@given(
    st.sets(st.sampled_from([(post.unit, post.role) for post in POSTS if post.role is not Role.MAINTAINER])),
    st.sampled_from(list(Tier)),
    st.sets(st.sampled_from(list(Role)), max_size=3),
    st.integers(at("2026-01-01 00:00"), at("2026-12-31 00:00")),
)
def test_somebody_always_hears_and_a_detour_is_always_named(
    empty: set[tuple[str, Role]], tier: Tier, roles: set[Role], now: int
) -> None:
    directory = without(*empty)
    reached = acting(directory, tier, LINE[tier], tuple(roles), now, LINE)
    assert reached.addressees
    assert all(who.contacts for who in reached.addressees)
    wanted = all(who.unit == LINE[tier] and who.role in roles for who in reached.addressees)
    assert wanted or reached.fallbacks[0] is Fallback.NOBODY_AT_POST
    assert len({who.person or who.key for who in reached.addressees}) == len(reached.addressees)


def test_every_action_of_a_ladder_reaches_somebody_here() -> None:
    for action, tier in itertools.product(StepAction, (Tier.TOWN, Tier.COUNTY)):
        assert step(WORKERS, action, tier).addressees, action


def test_each_fallback_has_its_word() -> None:
    assert len({fallback.word for fallback in Fallback}) == len(Fallback)
