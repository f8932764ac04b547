"""Who stands at a post at which minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.directory import ContactEntry, Person, Post, Shift
from escalation.notice import Addressee, Contact
from escalation.roster import first, on_shift, responsible_for_point, second, standing
from escalation.vocabulary import Role, Tier
from tests.rules.county import FACTORY, PEOPLE, TOWN_ROSTER, at, county, robot

NOON = at("2026-11-20 12:00")
TOWN_ROOM = Post(unit="town", role=Role.DUTY_ROOM, roster=TOWN_ROSTER)


def people(addressees: tuple[Addressee, ...]) -> list[str]:
    return [who.person for who in addressees]


def test_fixed_people_stand_there_in_order_and_the_second_waits_for_a_rung() -> None:
    directory = county()
    assert people(standing(directory, FACTORY, Role.OPERATOR, NOON)) == ["zhao", "qian"]
    assert people(first(directory, FACTORY, Role.OPERATOR, NOON)) == ["zhao"]
    assert people(second(directory, FACTORY, Role.OPERATOR, NOON)) == ["qian"]
    assert second(directory, FACTORY, Role.EQUIPMENT, NOON) == ()


def test_an_addressee_says_who_where_and_how() -> None:
    assert standing(county(), FACTORY, Role.EQUIPMENT, NOON) == (
        Addressee(
            unit=FACTORY,
            tier=Tier.ENTERPRISE,
            role=Role.EQUIPMENT,
            person="li",
            name="李四",
            contacts=(Contact("sms", "13800130003"),),
        ),
    )


def test_a_duty_room_hears_itself_and_then_whoever_is_on_duty_there() -> None:
    room, person = standing(county(), "town", Role.DUTY_ROOM, at("2026-11-21 02:00"))
    assert (room.person, room.name, room.contacts) == ("", "石桥镇值班室", (Contact("town-robot"),))
    assert person.person == "chen"
    assert first(county(), "town", Role.DUTY_ROOM, at("2026-11-21 02:00")) == (room, person)


@pytest.mark.parametrize(
    ("when", "who"),
    [
        ("2026-11-20 08:29", ["chen"]),  # Thursday's night shift until 08:30
        ("2026-11-20 08:30", ["feng"]),
        ("2026-11-20 17:30", ["chen"]),
        ("2026-11-21 02:00", ["chen"]),  # Friday's night shift is still on early on Saturday
        ("2026-11-21 08:30", ["feng"]),  # Saturday's shift lasts until Sunday 08:30, where the next begins
        ("2026-11-22 08:29", ["feng"]),
        ("2026-11-23 08:29", ["feng"]),  # Sunday's until Monday morning; nobody's night shift begins on Sunday
        ("2026-10-01 08:29", ["chen"]),  # 国庆 begins in somebody's night shift
        ("2026-10-01 08:30", ["qin"]),  # the row of the date wins over Thursday's rows
        ("2026-10-01 20:00", ["qin"]),
        ("2026-10-02 08:29", ["qin"]),  # past midnight too
        ("2026-10-02 08:30", ["feng"]),
    ],
)
def test_the_roster_at_each_change(when: str, who: list[str]) -> None:
    assert list(on_shift(TOWN_ROOM, at(when))) == who


def test_a_dated_row_wins_only_for_the_hours_it_covers() -> None:
    post = Post(
        unit="town",
        role=Role.DUTY_ROOM,
        roster=(Shift(people=("feng",)), Shift(people=("qin",), date="2026-10-01", start="08:00", end="12:00")),
    )
    assert [on_shift(post, at(f"2026-10-01 {clock}")) for clock in ("07:59", "08:00", "12:00")] == [
        ("feng",),
        ("qin",),
        ("feng",),
    ]


def test_who_cannot_be_reached_is_left_out_and_the_next_comes_first() -> None:
    silent = Person(id="zhao", name="赵一", contacts=(ContactEntry(channel="sms", address="  "),))
    directory = county(people=(silent, *(person for person in PEOPLE if person.id != "zhao")))
    assert people(first(directory, FACTORY, Role.OPERATOR, NOON)) == ["qian"]
    assert second(directory, FACTORY, Role.OPERATOR, NOON) == ()


def test_a_person_on_two_posts_of_a_role_is_one_person() -> None:
    directory = county(
        posts=(
            Post(unit="town", role=Role.OFFICER, people=("chu", "wei")),
            Post(unit="town", role=Role.OFFICER, people=("wei", "chu", "qin"), contacts=robot("officers")),
        )
    )
    assert people(standing(directory, "town", Role.OFFICER, NOON)) == ["chu", "wei", "", "qin"]
    assert people(first(directory, "town", Role.OFFICER, NOON)) == ["chu", "", "wei"]
    assert second(directory, "town", Role.OFFICER, NOON) == ()


def test_the_points_own_persons_come_first_then_the_hazards_three_roles() -> None:
    directory = county()
    all_roles = (Role.OPERATOR, Role.SAFETY_OFFICER, Role.MAIN_PERSON, Role.EQUIPMENT)
    assert people(responsible_for_point(directory, FACTORY, "T02", all_roles)) == ["you"]
    hazard = responsible_for_point(directory, FACTORY, "G01", all_roles)
    assert [(who.role, who.person) for who in hazard] == [
        (Role.OPERATOR, "zhu"),
        (Role.SAFETY_OFFICER, "yang"),
        (Role.MAIN_PERSON, "han"),
    ]
    assert people(responsible_for_point(directory, FACTORY, "G01", (Role.SAFETY_OFFICER,))) == ["yang"]
    assert responsible_for_point(directory, FACTORY, "T01", all_roles) == ()
    assert responsible_for_point(directory, "unknown", "T02", all_roles) == ()


CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


@given(
    CLOCKS,
    st.one_of(CLOCKS, st.just("24:00")),
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(at("2026-01-01 00:00") // 60_000, at("2026-12-31 00:00") // 60_000),
)
def test_a_shift_is_on_from_its_start_for_its_length(start: str, end: str, days: set[int], minute: int) -> None:
    def minutes(clock: str) -> int:
        return int(clock[:2]) * 60 + int(clock[3:])

    length = (minutes(end) - minutes(start) - 1) % 1440 + 1
    monday = at("2026-01-05 00:00") // 60_000
    starts = {(day - 1) * 1440 + minutes(start) for day in days}
    expected = any((minute - monday - begin) % (7 * 1440) < length for begin in starts)
    post = Post(
        unit="town", role=Role.OFFICER, roster=(Shift(people=("feng",), start=start, end=end, days=tuple(days)),)
    )
    assert on_shift(post, minute * 60_000) == (("feng",) if expected else ())


def test_contacts_keep_their_order_and_lose_stray_blanks() -> None:
    contacts = (*robot("night-robot"), ContactEntry(channel="sms", address=" 13800130003 "))
    directory = county(people=(Person(id="chu", name="褚东", contacts=contacts), *PEOPLE[11:]))
    (who,) = first(directory, "town", Role.OFFICER, NOON)
    assert who.contacts == (Contact("night-robot"), Contact("sms", "13800130003"))
