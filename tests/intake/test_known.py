"""What the directory does not know is flagged, once, and only where it should know."""

from __future__ import annotations

from typing import Any

import pytest

from bot.intake.known import flagged
from escalation.directory import Directory, Enterprise, Point, Unit
from escalation.event import Event, Flag
from escalation.vocabulary import Industry, Tier
from tests.intake.samples import USCC, alarm, event, warning

OTHER = "91000000DEM0000027"
BARE = "91000000DEM0000035"


def enterprise(uscc: str, name: str, *points: str) -> Enterprise:
    return Enterprise(
        uscc=uscc,
        name=name,
        industry=Industry.DUST,
        unit="town",
        points=tuple(Point(code=code, name=code) for code in points),
    )


DIRECTORY = Directory(
    units=[Unit(id="town", name="示例镇", tier=Tier.TOWN)],
    enterprises=[
        enterprise(USCC, "示例木业有限公司", "DC01-T01"),
        enterprise(OTHER, "同名公司", "P1"),
        enterprise(BARE, "同名公司"),
    ],
    posts=[],
    people=[],
    fallback_unit="town",
)


def flags(document: dict[str, Any]) -> tuple[Flag, ...]:
    return known(document).flags


def known(document: dict[str, Any]) -> Event:
    return flagged(event(document), DIRECTORY)


def test_what_is_registered_is_left_as_it_came() -> None:
    assert known(alarm()) == event(alarm())
    assert known(warning()) == event(warning())
    assert flags(alarm(data__enterprise__uscc=USCC.lower())) == ()


def test_an_unknown_enterprise_is_flagged_and_its_points_are_not() -> None:
    assert flags(alarm(data__enterprise__uscc="91000000DEM0000999")) == (Flag.UNKNOWN_ENTERPRISE,)
    late = alarm(data__enterprise__uscc="?", time="2026-11-20T00:00:00Z")
    assert flags(late) == (Flag.LATE, Flag.UNKNOWN_ENTERPRISE)


def test_a_name_stands_for_its_code_where_it_belongs_to_one_enterprise_only() -> None:
    found = known(alarm(data__enterprise={"name": "示例木业有限公司"}))
    assert (found.enterprise, found.flags) == (USCC, ())
    twin = known(alarm(data__enterprise={"name": "同名公司"}))
    assert (twin.enterprise, twin.flags) == ("同名公司", (Flag.UNKNOWN_ENTERPRISE,))
    # A code that is given and wrong is not talked away by a name.
    wrong = known(alarm(data__enterprise__uscc="91000000DEM0000999"))
    assert wrong.enterprise == "91000000DEM0000999"


@pytest.mark.parametrize("kind", ["alarm.raised", "alarm.cleared", "data.offline"])
def test_an_unknown_point_of_an_enterprise_that_has_registered_some(kind: str) -> None:
    assert flags(alarm(type=kind, data__point__code="XX")) == (Flag.UNKNOWN_POINT,)


def test_points_need_not_be_registered() -> None:
    assert flags(alarm(data__enterprise={"uscc": BARE}, data__point__code="XX")) == ()


@pytest.mark.parametrize("kind", ["data.offline", "data.restored", "video.offline", "video.restored"])
def test_a_lost_signal_of_the_whole_enterprise_needs_no_point(kind: str) -> None:
    assert flags(alarm(type=kind, data__point=...)) == ()


def test_no_flag_comes_twice() -> None:
    assert flags(alarm(data__point=...)) == (Flag.UNKNOWN_POINT,)
