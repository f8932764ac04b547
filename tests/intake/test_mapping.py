"""A vendor's JSON becomes events, and whatever is wrong with it names the vendor's own field."""

from __future__ import annotations

from typing import Any

import pytest

from bot.intake.body import parse
from bot.intake.gate import Conflict, ItemVerdict, Result
from bot.intake.items import conflicts
from bot.intake.mapping import FieldPath, read_path
from bot.intake.reading import Item, Unreadable
from escalation.event import Event, EventType, Flag
from escalation.vocabulary import Mode, Severity, Verdict
from tests.intake.mapped import ALERTS, GATEWAY, gateway_item, mapped, rules
from tests.intake.samples import HAPPENED, NOW, USCC, encoded


def batch(*items: Any, **more: Any) -> dict[str, Any]:
    return {"batchNo": "B1", "items": list(items), **more}


def event(item: Item) -> Event:
    assert isinstance(item, Event), item
    return item


def wrong(item: Item) -> list[str]:
    assert isinstance(item, Unreadable), item
    return [problem.pointer for problem in item.problems]


def test_raise_and_clear_in_one_batch() -> None:
    back = gateway_item(alarmState=0, recoverTime=HAPPENED + 1000)
    raised, cleared = map(event, mapped(batch(gateway_item(), back)))
    assert (raised.type, raised.at, raised.enterprise, raised.point) == (
        EventType.ALARM_RAISED,
        HAPPENED,
        USCC,
        "GAS-001",
    )
    assert (raised.severity, raised.value, raised.limit) == (Severity.HIGH_HIGH, 86.4, 80.0)
    assert (raised.point_name, raised.mode, raised.flags) == ("1号高炉煤气", Mode.ACTUAL, ())
    assert (cleared.type, cleared.at) == (EventType.ALARM_CLEARED, HAPPENED + 1000)
    assert (raised.id, cleared.id) == (
        "B1|GAS-001|2026-11-21 03:12:40|alarm.raised",
        "B1|GAS-001|2026-11-21 03:12:40|alarm.cleared",
    )


def test_an_array_of_documents_and_an_array_without_a_list() -> None:
    documents = [batch(gateway_item()), batch(gateway_item(), gateway_item(devId=5), batchNo="B2")]
    assert [event(item).id[:10] for item in mapped(documents)] == ["B1|GAS-001", "B2|GAS-001", "B2|5|2026-"]
    flat = GATEWAY.replace('items = "items"\n', "").replace('"$.batchNo", ', "")
    assert [event(item).point for item in mapped([gateway_item(), gateway_item(devId="X")], rules(flat))] == [
        "GAS-001",
        "X",
    ]
    assert event(mapped(gateway_item(), rules(flat))[0]).point == "GAS-001"
    assert event(mapped(batch() | {"items": gateway_item()})[0]).point == "GAS-001"
    assert mapped(batch()) == []


def test_the_first_code_that_fits_wins() -> None:
    lost = event(mapped(batch(gateway_item(alarmType="OFFLINE", alarmState="1")))[0])
    assert (lost.type, lost.severity) == (EventType.DATA_OFFLINE, Severity.OFFLINE)


@pytest.mark.parametrize(
    ("changes", "flag", "kind", "severity"),
    [
        ({"alarmLevel": 9}, Flag.UNKNOWN_LEVEL, EventType.ALARM_RAISED, Severity.HIGH_HIGH),
        ({"alarmLevel": ...}, Flag.UNKNOWN_LEVEL, EventType.ALARM_RAISED, Severity.HIGH_HIGH),
        ({"alarmState": 7}, Flag.UNKNOWN_TYPE, EventType.ALARM_RAISED, Severity.HIGH_HIGH),
        ({"val": "超量程"}, Flag.UNKNOWN_READING, EventType.ALARM_RAISED, Severity.HIGH_HIGH),
        ({"alarmTime": "gestern"}, Flag.CLOCK_SKEWED, EventType.ALARM_RAISED, Severity.HIGH_HIGH),
    ],
)
def test_what_no_table_knows_rings_and_is_flagged(
    changes: dict[str, Any], flag: Flag, kind: EventType, severity: Severity
) -> None:
    taken = event(mapped(batch(gateway_item(**changes)))[0])
    assert (taken.flags, taken.type, taken.severity) == ((flag,), kind, severity)
    assert event(mapped(batch(gateway_item(entCode=777)))[0]).enterprise == "777"


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        (batch(gateway_item(), gateway_item(devId=...)), ["/items/1/devId"]),
        (batch(gateway_item(), gateway_item(devId="")), ["/items/1/devId"]),
        (batch(gateway_item(), gateway_item(alarmTime=...)), ["/items/1/alarmTime"]),
        (
            batch(gateway_item(), gateway_item(alarmState=..., alarmType=...)),
            ["/items/1/alarmType", "/items/1/alarmState"],
        ),
        (batch(gateway_item(), gateway_item(entCode=...)), ["/items/1/entCode"]),
        (batch(gateway_item(), gateway_item(dev="flat")), ["/items/1/dev"]),
        (batch(gateway_item(), gateway_item(limits={"max": 1})), ["/items/1/limits"]),
        (batch(gateway_item(), gateway_item(val=["hot"])), ["/items/1/val"]),
        (batch(gateway_item(), gateway_item(val=[1])), ["/items/1/val"]),
        (batch(gateway_item(), gateway_item(devId={"a": 1})), ["/items/1/devId"]),
        (batch(gateway_item(), gateway_item(drill=5)), ["/items/1/drill"]),
        (batch(gateway_item(), gateway_item(devId="a\x07b")), ["/items/1/devId"]),
        (batch(gateway_item(), 7), ["/items/1"]),
        ([batch(gateway_item()), {"batchNo": "B2"}], ["/1/items"]),
        ([batch(gateway_item()), batch() | {"items": "none"}], ["/1/items"]),
        ([batch(gateway_item()), "text"], ["/1"]),
        (
            encoded(batch(gateway_item(), gateway_item()))
            .replace(b'"val"', b'"devId"', 2)
            .replace(b'"devId": "86.4"', b'"val": "86.4"', 1),
            ["/items/1/devId"],
        ),
    ],
)
def test_what_is_wrong_names_the_item_and_the_vendors_field(document: Any, pointers: list[str]) -> None:
    good, bad = mapped(document)
    event(good)
    assert wrong(bad) == pointers


def test_what_is_missing_outside_the_items_is_every_items_fault() -> None:
    assert [wrong(item) for item in mapped({"items": [gateway_item(), gateway_item()]})] == [["/batchNo"]] * 2


def test_where_it_happened_is_told_also_when_only_the_mapping_found_fault() -> None:
    (bad,) = mapped(batch(gateway_item(alarmType={"code": 1})))
    assert wrong(bad) == ["/items/0/alarmType"]
    assert isinstance(bad, Unreadable)
    known = event(mapped(batch(gateway_item()))[0])
    assert bad.gist.split(" · ")[1:] == [known.enterprise_name or known.enterprise, known.point_name or known.point]


def test_the_row_in_quarantine_maps_by_itself() -> None:
    _, bad, _ = mapped(batch(gateway_item(), gateway_item(devId=...), gateway_item(devId="Z")))
    assert isinstance(bad, Unreadable)
    (again,) = mapped(bad.raw.encode())
    assert isinstance(again, Unreadable)
    assert again.raw == bad.raw
    assert again.input_id == bad.input_id
    (mended,) = mapped(bad.raw.encode(), rules(GATEWAY.replace('"devId", "alarmTime"', '"alarmTime"')))
    assert event(mended).flags == (Flag.UNKNOWN_POINT,) or event(mended).point_name


def test_what_the_mapping_does_not_take_makes_no_other_event() -> None:
    first, more = (event(mapped(batch(item))[0]) for item in (gateway_item(), gateway_item(val=99, signal=-70)))
    assert (first.id, first.body_hash) == (more.id, more.body_hash)
    for changes in ({"alarmLevel": 2}, {"entCode": 5}):
        other = event(mapped(batch(gateway_item(**changes)))[0])
        assert other.id == first.id
        assert other.body_hash != first.body_hash


def test_two_built_ids_are_never_one() -> None:
    two = rules(GATEWAY.replace('"$.batchNo", "devId", "alarmTime"', '"devId", "alarmType"'))
    first, second = (
        event(mapped(batch(gateway_item(devId=a, alarmType=b)), two)[0]) for a, b in (("a|b", "c"), ("a", "b|c"))
    )
    assert first.id != second.id
    long = event(mapped(batch(gateway_item(devId="x" * 100, alarmType="y" * 200)), two)[0])
    assert long.id.startswith("sha256:")


def test_a_conflict_is_kept_with_its_item_alone() -> None:
    body = encoded(batch(gateway_item(), gateway_item(alarmLevel=2)))
    items = mapped(body)
    results: list[Result] = [ItemVerdict(items[0].id, Verdict.CREATED), Conflict(items[1].id)]
    (row,) = conflicts(parse(body, 10), items, results, rules(), NOW)
    assert (row.id, row.place) == (items[1].id, "/items/1")
    assert event(mapped(row.raw.encode())[0]).severity is Severity.HIGH
    assert row.problems[0].pointer == "/batchNo"


def test_alertmanagers_own_message() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "X", "enterprise": USCC, "point": "T1", "severity": "critical"},
        "annotations": {},
        "startsAt": "2026-11-20T19:12:40.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "a1b2",
    }
    over = {**alert, "status": "resolved", "endsAt": "2026-11-20T19:12:41Z"}
    raised, cleared = map(event, mapped({"version": "4", "status": "firing", "alerts": [alert, over]}, rules(ALERTS)))
    assert (raised.at, cleared.at) == (HAPPENED + 123, HAPPENED + 1000)
    assert raised.id == "a1b2|2026-11-20T19:12:40.123456789Z|alarm.raised"
    assert raised.flags == cleared.flags == ()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", FieldPath(("a",))),
        ("a.b", FieldPath(("a", "b"))),
        ("a[0].b[12]", FieldPath(("a", 0, "b", 12))),
        ("$.a", FieldPath(("a",), root=True)),
        ('labels."a.b"[1]', FieldPath(("labels", "a.b", 1))),
        ("设备.编号", FieldPath(("设备", "编号"))),
    ],
)
def test_paths(text: str, path: FieldPath) -> None:
    assert read_path(text) == path


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "a[x]", "a[0", "$", "$.", "a b", '"', "[0]", "a]", "$a"])
def test_no_paths(text: str) -> None:
    with pytest.raises(ValueError, match="is no path"):
        read_path(text)
