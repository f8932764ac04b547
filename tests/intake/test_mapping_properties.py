"""Whatever JSON comes, a mapping gives events or a clean refusal that names a place in what was sent."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.intake.body import parse
from bot.intake.items import read_items
from bot.intake.problems import Refused
from bot.intake.reading import Unreadable
from escalation.event import Event
from tests.intake.mapped import ALERTS, GATEWAY, gateway_item, mapped, rules
from tests.intake.samples import NOW, encoded

NAMES = st.sampled_from(
    ["items", "alerts", "batchNo", "devId", "alarmTime", "alarmState", "entCode", "dev", "limits", "labels", "status"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
FIELDS = st.sampled_from(sorted(gateway_item()))
FLAT = rules(GATEWAY.replace('items = "items"\n', ""))


def there(document: Any, pointer: str) -> bool:
    """Whether all but the pointer's last part leads somewhere in the document: the last may be what is missing."""
    place = document
    for part in pointer.split("/")[1:-1]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(place, list) and part.isdigit() and int(part) < len(place):
            place = place[int(part)]
        elif isinstance(place, dict) and part in place:
            place = place[part]
        else:
            # What lies behind a missing field is missing as well.
            return place is None or isinstance(place, dict)
    return True


@given(JSON, st.sampled_from([rules(GATEWAY), rules(ALERTS), FLAT]))
def test_any_json_is_taken_or_refused_with_its_place(document: Any, given_rules: Any) -> None:
    try:
        parsed = parse(encoded(document), 1000)
    except Refused:
        return
    for item in read_items(parsed, "gateway", given_rules, NOW):
        if isinstance(item, Unreadable):
            assert item.problems
            assert item.raw
            for problem in item.problems:
                assert problem.pointer == "" or problem.pointer.startswith("/")
                assert there(document, problem.pointer), problem
                assert problem.detail
                assert problem.detail_en
        else:
            assert item.id
            assert item.enterprise


@given(FIELDS, JSON)
def test_one_spoilt_field_never_raises_and_never_touches_its_neighbour(name: str, value: Any) -> None:
    good = gateway_item(devId="GOOD")
    spoilt = gateway_item() | {name: value}
    try:
        first, second, third = mapped({"batchNo": "B1", "items": [good, spoilt, good]})
    except Refused:
        return
    assert first == third
    assert isinstance(first, Event)
    if isinstance(second, Unreadable):
        assert all(problem.pointer.startswith("/items/1") for problem in second.problems)
        assert second.cut or parse(second.raw.encode(), 1).items[0]["items"] == parse(encoded([spoilt]), 1).items


@given(JSON)
def test_mapping_is_a_function(document: Any) -> None:
    try:
        parsed = parse(encoded(document), 1000)
    except Refused:
        return
    given_rules = rules(ALERTS)
    assert read_items(parsed, "g", given_rules, NOW) == read_items(parsed, "g", given_rules, NOW)
