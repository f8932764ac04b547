"""Items become events, flagged where they are odd, or are named unreadable field by field."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from bot.intake.reading import ReadingRules
from escalation.event import EventType, Flag
from escalation.vocabulary import Industry, Level, Mode, Severity
from tests.intake.samples import (
    HAPPENED,
    NOW,
    SOURCE,
    USCC,
    alarm,
    encoded,
    event,
    items,
    pointers,
    unreadable,
    warning,
)


def test_an_alarm_is_read_whole() -> None:
    found = event(alarm())
    assert (found.source, found.id, found.type) == (SOURCE, "A-000123", EventType.ALARM_RAISED)
    assert (found.at, found.received_at, found.mode, found.flags) == (HAPPENED, NOW, Mode.ACTUAL, ())
    assert (found.enterprise, found.enterprise_name, found.industry) == (USCC, "示例木业有限公司", Industry.DUST)
    assert (found.point, found.point_name) == ("DC01-T01", "1号除尘器灰斗温度")
    assert (found.equipment, found.unit) == ("1号干式除尘器", "℃")
    assert (found.severity, found.value, found.limit) == (Severity.HIGH_HIGH, 86.4, 80.0)
    assert (found.level, found.given_level, len(found.body_hash)) == (None, "", 64)


def test_a_warning_is_read_whole() -> None:
    found = event(warning(mode="Exercise"))
    assert (found.type, found.level, found.reasons) == (EventType.WARNING_UPGRADED, Level.ORANGE, ("未打卡",))
    assert (found.mode, found.severity, found.point, found.flags) == (Mode.EXERCISE, None, "", ())


def test_a_source_s_own_mode_overrides_what_its_events_say() -> None:
    rules = ReadingRules(mode=Mode.TEST)
    assert event(alarm(mode="actual"), rules).mode is Mode.TEST
    assert event(alarm(mode="drill"), rules).mode is Mode.TEST
    assert unreadable(alarm(data=...), rules).mode is Mode.TEST


@pytest.mark.parametrize("kind", ["data", "video"])
def test_a_lost_signal_of_the_whole_enterprise_gets_a_point_of_its_own(kind: str) -> None:
    data = {"enterprise": {"uscc": USCC}}
    lost = event(alarm(type=f"{kind}.offline", data=data))
    back = event(alarm(type=f"{kind}.restored", data=data))
    assert (lost.point, lost.severity, lost.flags) == (kind, Severity.OFFLINE, ())
    assert (back.point, back.severity, back.correlation) == (kind, None, lost.correlation)
    assert event(alarm(type=f"{kind}.offline")).point == "DC01-T01"


@pytest.mark.parametrize(
    ("given", "level"),
    [("red", Level.RED), ("RED", Level.RED), ("红色", Level.RED), ("较大", Level.ORANGE), (" 黄 ", Level.YELLOW)],
)
def test_a_level_is_known_by_all_its_names(given: str, level: Level) -> None:
    found = event(warning(data__warning={"level": given}))
    assert (found.level, found.given_level, found.flags) == (level, "", ())


@pytest.mark.parametrize(
    ("given", "severity"),
    [
        ("高高报", Severity.HIGH_HIGH),
        ("低低报警", Severity.LOW_LOW),
        ("high-high", Severity.HIGH_HIGH),
        ("低", Severity.LOW),
    ],
)
def test_a_severity_is_known_by_all_its_names(given: str, severity: Severity) -> None:
    assert event(alarm(data__alarm__severity=given)).severity is severity


@pytest.mark.parametrize("given", ["purple", 3, 1.5, "4级"])
def test_an_unknown_word_takes_what_the_source_assumes_and_is_kept(given: object) -> None:
    found = event(warning(data__warning__level=given))
    assert (found.level, found.given_level, found.flags) == (Level.ORANGE, str(given), (Flag.UNKNOWN_LEVEL,))
    rules = ReadingRules(assume_severity=Severity.HIGH_HIGH)
    raised = event(alarm(data__alarm__severity=given), rules)
    assert (raised.severity, raised.given_level) == (Severity.HIGH_HIGH, str(given))
    assert raised.flags == (Flag.UNKNOWN_LEVEL,)


def test_a_missing_level_rings_too() -> None:
    assert event(warning(data__warning=...)).flags == (Flag.UNKNOWN_LEVEL,)
    found = event(alarm(data__alarm=...))
    assert (found.severity, found.flags) == (Severity.HIGH, (Flag.UNKNOWN_LEVEL,))


def test_what_ends_something_needs_no_level() -> None:
    assert event(alarm(type="alarm.cleared", data__alarm__severity="purple")).flags == ()
    assert event(warning(type="warning.cleared", data__warning=...)).flags == ()
    lowered = event(warning(type="warning.downgraded", data__warning__level="?"))
    assert (lowered.level, lowered.flags) == (Level.ORANGE, (Flag.UNKNOWN_LEVEL,))


def test_numbers_mean_what_their_source_says() -> None:
    rules = ReadingRules(levels={"1": Level.BLUE, "4": Level.RED}, severities={"0": Severity.HIGH_HIGH})
    assert event(warning(data__warning__level=4), rules).level is Level.RED
    assert event(warning(data__warning__level="1"), rules).level is Level.BLUE
    assert event(alarm(data__alarm__severity=0), rules).severity is Severity.HIGH_HIGH
    assert event(alarm(data__alarm__severity=2), rules).flags == (Flag.UNKNOWN_LEVEL,)


@pytest.mark.parametrize(
    ("time", "at", "flags"),
    [
        ("2026-11-20T19:12:40Z", HAPPENED, ()),
        ("2026-11-21T03:12:40.250+08:00", HAPPENED + 250, ()),
        ("2026-11-21T03:12:40", HAPPENED, (Flag.NO_TIME_ZONE,)),
        ("2026-11-21 03:12:40", HAPPENED, (Flag.NO_TIME_ZONE,)),
        ("2026-11-21T03:17:42+08:00", NOW + 300_000, ()),
        ("2026-11-21T03:17:43+08:00", NOW, (Flag.CLOCK_SKEWED,)),
        ("2026-11-21T02:12:42+08:00", NOW - 3_600_000, ()),
        ("2026-11-21T02:12:41+08:00", NOW - 3_601_000, (Flag.LATE,)),
        ("2026-11-20T12:00:00", NOW - 54_762_000, (Flag.NO_TIME_ZONE, Flag.LATE)),
        ("1970-01-01T00:00:08Z", NOW, (Flag.CLOCK_SKEWED,)),
        ("9999-12-31T23:59:59-23:59", NOW, (Flag.CLOCK_SKEWED,)),
        ("2026-13-01T00:00:00Z", NOW, (Flag.CLOCK_SKEWED,)),
        ("2026-11-21T03:12:40+99:00", NOW, (Flag.CLOCK_SKEWED,)),
        ("yesterday", NOW, (Flag.CLOCK_SKEWED,)),
        (1795201960, NOW, (Flag.CLOCK_SKEWED,)),
        (..., NOW, (Flag.CLOCK_SKEWED,)),
    ],
)
def test_a_wrong_clock_never_silences_an_alarm(time: object, at: int, flags: tuple[Flag, ...]) -> None:
    found = event(alarm(time=time))
    assert (found.at, found.flags, found.received_at) == (at, flags, NOW)


def test_a_time_without_a_zone_is_the_source_s_own() -> None:
    assert event(alarm(time="2026-11-20T19:12:40"), ReadingRules(zone=UTC)).at == HAPPENED
    assert event(alarm(time="2026-11-21T04:12:40"), ReadingRules(zone=ZoneInfo("Asia/Tokyo"))).at == HAPPENED


def test_only_a_replay_may_say_when_an_event_arrived() -> None:
    line = alarm(receivedtime="2026-11-21T05:00:00+08:00")
    assert event(line).received_at == NOW
    replayed = event(line, ReadingRules(honour_received=True))
    assert (replayed.received_at, replayed.flags) == (NOW + 6_438_000, (Flag.LATE,))
    assert replayed.body_hash == event(alarm()).body_hash


def test_strangers_are_told_apart_by_their_names() -> None:
    one = event(alarm(data__enterprise={"name": "甲公司"}, data__point={"name": "一号\u202e炉\n温"}))
    other = event(alarm(data__enterprise={"name": "乙公司"}, data__point={"name": "一号炉温"}))
    assert (one.enterprise, one.point_name, one.flags) == ("甲公司", "一号 炉 温", ())
    assert one.correlation != other.correlation


def test_an_alarm_without_any_point_rings_flagged() -> None:
    assert event(alarm(data__point=...)).flags == (Flag.UNKNOWN_POINT,)


def test_long_names_are_cut_and_values_sent_as_text_are_read() -> None:
    found = event(
        alarm(
            data__enterprise__name="长" * 100_000,
            data__point__unit="x" * 1000,
            data__alarm={"severity": "high", "value": " 86.4 ", "limit": ""},
        )
    )
    assert (len(found.enterprise_name), found.enterprise_name[-1], len(found.unit)) == (120, "…", 32)
    assert (found.value, found.limit) == (86.4, None)


@pytest.mark.parametrize("words", ["超量程", "OVER", "--", "1_000", "1e999", "nan", "9" * 400])
@pytest.mark.parametrize("where", ["value", "limit"])
def test_words_for_a_reading_keep_no_alarm_back(words: str, where: str) -> None:
    found = event(alarm(data__alarm={"severity": "high_high", "value": 86.4, "limit": 80, where: words}))
    assert found.flags == (Flag.UNKNOWN_READING,)
    assert (found.severity, getattr(found, where)) == (Severity.HIGH_HIGH, None)
    assert {found.value, found.limit} == {None, 80.0 if where == "value" else 86.4}


def test_every_wrong_field_is_named_at_once_with_what_would_be_right() -> None:
    wrong = unreadable(
        alarm(
            specversion="0.3",
            id=123,
            type="alarm.boiled",
            mode="drill",
            data={
                "enterprise": [],
                "point": {"code": 7, "name": True},
                "alarm": {"severity": {}, "value": ["hot"], "limit": True},
            },
        )
    )
    told = {problem.pointer: problem.detail_en for problem in wrong.problems}
    assert list(told) == [
        "/specversion",
        "/id",
        "/type",
        "/mode",
        "/data/enterprise",
        "/data/point/code",
        "/data/point/name",
        "/data/alarm/severity",
        "/data/alarm/value",
        "/data/alarm/limit",
    ]
    assert told["/specversion"] == 'Must be "1.0" (CloudEvents 1.0).'
    assert told["/id"] == "Must be a string, got a number."
    assert "one of: alarm.raised, " in told["/type"]
    assert told["/mode"] == "Unknown “drill”; one of: actual, exercise, test."
    assert told["/data/alarm/value"] == "Must be a number, got an array."
    assert len(wrong.problems) == len(told)


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({}, ["/specversion", "/id", "/type", "/data"]),
        (alarm(id=...), ["/id"]),
        (alarm(id="  "), ["/id"]),
        (alarm(id="a\x1fb"), ["/id"]),
        (alarm(id="x" * 257), ["/id"]),
        (alarm(type=...), ["/type"]),
        (alarm(data=None), ["/data"]),
        (alarm(data="text"), ["/data"]),
        (alarm(data=..., data_base64="e30="), ["/data_base64"]),
        (alarm(data__enterprise=...), ["/data/enterprise"]),
        (alarm(data__enterprise={"uscc": " "}), ["/data/enterprise"]),
        (alarm(data__enterprise={"uscc": "9\x00"}), ["/data/enterprise/uscc"]),
        (alarm(data__alarm__value=False), ["/data/alarm/value"]),
        (alarm(data__alarm__limit={"max": 1}), ["/data/alarm/limit"]),
        (warning(data__warning__reasons=["a", 1]), ["/data/warning/reasons/1"]),
        (warning(data__warning=[]), ["/data/warning"]),
        ([[]], [""]),
        ([None], [""]),
    ],
)
def test_what_cannot_be_read_says_where(document: object, wrong: list[str]) -> None:
    assert pointers(document) == wrong


def test_an_unreadable_item_keeps_what_people_and_the_quarantine_need() -> None:
    sent = alarm(type="alarm.boiled", mode="exercise")
    wrong = unreadable(sent)
    assert (wrong.id, wrong.index, wrong.mode, wrong.received_at) == ("A-000123", 0, Mode.EXERCISE, NOW)
    assert wrong.gist == "alarm.boiled · 示例木业有限公司 · 1号除尘器灰斗温度"
    assert '"type":"alarm.boiled"' in wrong.raw
    assert unreadable(alarm(id=7, data={"x": "y" * 99_999})).id == ""
    assert len(unreadable(alarm(id=7, data={"x": "长" * 99_999})).raw) == 65_536


def test_a_mended_event_is_another_input_under_the_same_id() -> None:
    wrong, mended = unreadable(alarm(type="alarm.boiled")), event(alarm())
    assert wrong.id == mended.id
    assert wrong.input_id != mended.input_id
    assert wrong.input_id == unreadable(alarm(type="alarm.boiled")).input_id


def test_a_batch_keeps_its_order_and_a_bad_item_does_not_take_the_others_along() -> None:
    found = items([alarm(id="1"), {"id": "2"}, 3, warning(id="4")])
    assert [getattr(item, "index", None) for item in found] == [None, 1, 2, None]
    assert [item.id for item in found] == ["1", "2", "", "4"]


def test_a_name_that_stands_twice_makes_its_item_unreadable() -> None:
    twice = encoded(alarm()).replace(b'"severity": "high_high"', b'"severity": "high_high", "severity" : "low"')
    body = b"[" + encoded(warning()) + b"," + twice + b"]"
    good, bad = items(body)
    assert good == event(warning())
    assert [problem.pointer for problem in getattr(bad, "problems", ())] == ["/data/alarm/severity"]
