"""What an enterprise is told of never shows in a group that others read: not by its posts, not by any ladder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.directory import ContactEntry, Person, Post
from escalation.inputs import Decision
from escalation.notice import NoticeKind
from escalation.reach import Fallback, acting
from escalation.telling import tell
from escalation.vocabulary import Purpose, Role, Severity, Tier
from tests.decisions.house import Story
from tests.rules.county import FACTORY, NEXT_DOOR, PEOPLE, POSTS, at, county, robot, sms

NIGHT = at("2026-11-21 02:00")
LINE = county().line(FACTORY)
OWN = {"factory-robot": frozenset({FACTORY}), "town-robot": frozenset({"town"}), "county-robot": frozenset({"county"})}


def reasons(decision: Decision) -> list[str]:
    return [entry.reason for entry in decision.entries]


def test_a_line_may_read_what_stands_below_it() -> None:
    directory = county(groups=OWN | {"mixed": frozenset({"town", NEXT_DOOR}), "high": frozenset({"county", "city"})})
    units = LINE.values()
    assert [directory.may_read(name, units) for name in ("sms", "town-robot", "high", "mixed")] == [True] * 3 + [False]
    assert directory.line_of("town") == {Tier.TOWN: "town", Tier.COUNTY: "county", Tier.CITY: "city"} | {
        Tier.PROVINCE: "province"
    }
    assert directory.line_of(FACTORY) == LINE
    assert directory.line_of("nowhere") == {}


def test_a_room_with_a_group_of_others_falls_to_its_leader_and_says_so() -> None:
    directory = county(groups={"town-robot": frozenset({"town", NEXT_DOOR})}, posts=_without_people_in_the_rooms())
    reached = acting(directory, Tier.TOWN, "town", (Role.DUTY_ROOM,), NIGHT, LINE)
    assert [who.person for who in reached.addressees] == ["jiang"]
    assert reached.fallbacks == (Fallback.GROUP_OF_OTHERS, Fallback.FELL_TO_LEADER)


def test_without_a_leader_it_falls_to_the_next_tier_whose_group_is_its_own() -> None:
    posts = tuple(post for post in _without_people_in_the_rooms() if post.role is not Role.LEADER_ON_DUTY)
    groups = {"town-robot": frozenset({NEXT_DOOR}), "county-robot": frozenset({NEXT_DOOR})}
    reached = acting(county(groups=groups, posts=posts), Tier.TOWN, "town", (Role.DUTY_ROOM,), NIGHT, LINE)
    assert [who.unit for who in reached.addressees] == ["city"]
    assert reached.fallbacks[0] is Fallback.GROUP_OF_OTHERS
    assert set(reached.fallbacks[1:]) == {Fallback.FELL_TO_NEXT_TIER}


def test_a_person_with_another_way_hears_by_that_one() -> None:
    people = tuple(
        Person(id="zhao", name="赵一", contacts=(*robot("mixed"), *sms(1))) if each.id == "zhao" else each
        for each in PEOPLE
    )
    story = Story(directory=county(people=people, groups={"mixed": frozenset({FACTORY, NEXT_DOOR})}))
    story.alarm(Severity.HIGH)
    (notice,) = [each for each in story.incident.notices.values() if each.to.person == "zhao"]
    assert notice.contact.channel == "sms"
    assert [contact.channel for contact in notice.to.contacts] == ["sms"]
    (entry,) = [each for each in story.decision.entries if each.reason == "group_of_others"]
    assert (entry.detail["channel"], entry.actor) == ("mixed", f"{FACTORY}/operator/zhao")


def test_who_has_nothing_else_is_told_nothing_and_the_journal_says_why() -> None:
    story = Story()
    story.alarm(Severity.HIGH_HIGH)
    found = acting(county(), Tier.TOWN, "town", (Role.DUTY_ROOM,), NIGHT, LINE).addressees[:1]
    story.directory.groups["town-robot"] = frozenset({NEXT_DOOR})
    decision = Decision(reason="test")
    told = tell(
        decision,
        story.incident,
        story.ctx,
        found,
        kind=NoticeKind.REMIND,
        purpose=Purpose.ACT,
        stage="s9-remind",
    )
    assert told == []
    assert reasons(decision) == ["group_of_others", "no_contact"]
    assert decision.outbox == []


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["factory-robot", "town-robot", "county-robot", "city-robot", "province-robot"]),
        st.frozensets(st.sampled_from([FACTORY, NEXT_DOOR, "town", "county", "city", "elsewhere"]), min_size=1),
    ),
    st.sampled_from([Severity.HIGH, Severity.HIGH_HIGH]),
)
def test_no_notice_of_any_ladder_goes_to_a_group_of_others(
    groups: dict[str, frozenset[str]], severity: Severity
) -> None:
    story = Story(directory=county(groups=groups))
    story.alarm(severity)
    told = [*story.fresh, *story.wait_until(600)]
    assert told
    for notice in told:
        assert groups.get(notice.contact.channel, frozenset()) <= set(LINE.values()), notice.contact.channel


def _without_people_in_the_rooms() -> tuple[Post, ...]:
    rooms = {("town", Role.DUTY_ROOM): "town-robot", ("county", Role.DUTY_ROOM): "county-robot"}
    return tuple(
        Post(unit=post.unit, role=post.role, contacts=(ContactEntry(channel=rooms[post.unit, post.role]),))
        if (post.unit, post.role) in rooms
        else post
        for post in POSTS
    )


@pytest.mark.parametrize("fallback", Fallback)
def test_every_reason_has_a_word(fallback: Fallback) -> None:
    assert fallback.word
