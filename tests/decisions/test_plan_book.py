"""The plan book makes the very plans that the rules make, only quicker."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from escalation.directory import Unit
from escalation.plan import PlanBook, make_plan, sample_profile
from escalation.vocabulary import Industry, Kind, Level, Role, Severity, Tier
from tests.rules.county import ENTERPRISES, FACTORY, NEXT_DOOR, UNITS, county, without

OTHER, FAR = "91000000DEM000003X", "91000000DEM0000045"
ROOMS = (
    county(
        units=(*UNITS, Unit(id="far", name="邻县应急局", tier=Tier.COUNTY, parent="city")),
        enterprises=(
            *ENTERPRISES,
            ENTERPRISES[0].model_copy(update={"uscc": OTHER, "trial": True}),
            ENTERPRISES[0].model_copy(update={"uscc": FAR, "unit": "far"}),
        ),
    ),
    without(("town", Role.OFFICER)),
)
PROFILES = (sample_profile(), sample_profile().model_copy(update={"rules": sample_profile().rules[:2]}))
BOOKS = {(where, rules): PlanBook(ROOMS[where], PROFILES[rules]) for where in range(2) for rules in range(2)}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    which=st.sampled_from(list(BOOKS)),
    enterprise=st.sampled_from([FACTORY, NEXT_DOOR, OTHER, FAR, "someone"]),
    point=st.sampled_from(["", "T01", "T02", "G01"]),
    kind=st.sampled_from(list(Kind)),
    level=st.sampled_from([None, *Level]),
    severity=st.sampled_from([None, *Severity]),
    industry=st.sampled_from([None, *Industry]),
)
def test_a_plan_out_of_the_book_is_the_plan_of_the_rules(
    which: tuple[int, int],
    enterprise: str,
    point: str,
    kind: Kind,
    level: Level | None,
    severity: Severity | None,
    industry: Industry | None,
) -> None:
    asked = (enterprise, point, kind, level, severity, industry)
    made = make_plan(ROOMS[which[0]], PROFILES[which[1]], *asked)
    assert [BOOKS[which].plan(*asked) for _ in range(2)] == [made, made]
