"""Whatever bytes come, the answer is events, unreadable items or a clean refusal; never another exception."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from bot.intake.body import inflate, parse
from bot.intake.problems import Refused
from bot.intake.reading import ReadingRules, Unreadable, read
from escalation.event import Event, EventType
from tests.intake.samples import NOW, SOURCE, alarm, change, encoded, warning

RULES = ReadingRules(honour_received=True)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["", "\x00", "\ud800", "1.0", "red", "高高报", "2026-11-21T03:12:40+08:00", "x" * 100_000, 10**400]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PLACES = [
    "specversion", "id", "source", "type", "time", "mode", "receivedtime", "subject", "data", "data__enterprise",
    "data__enterprise__uscc", "data__enterprise__name", "data__industry", "data__point", "data__point__code",
    "data__point__name", "data__point__equipment", "data__point__unit", "data__alarm", "data__alarm__severity",
    "data__alarm__value", "data__alarm__limit", "data__warning",
]  # fmt: skip
WARNING_PLACES = ["data__warning__level", "data__warning__previous_level", "data__warning__reasons"]


def settle(body: bytes) -> list[Event | Unreadable]:
    try:
        found = read(parse(body, 50), SOURCE, RULES, NOW)
    except Refused:
        return []
    for item in found:
        if isinstance(item, Event):
            assert item.id
            assert item.enterprise
            assert all(mark.isprintable() or mark.isspace() for mark in item.id)
            assert len(item.enterprise_name + item.point_name + item.equipment + item.unit + item.given_level) < 500
            assert item.level is not None or item.severity is not None or not item.type.raises
        else:
            assert item.problems
            assert len(item.raw) <= 65_536
    return found


@given(st.binary(max_size=400))
@example(b"[" * 5000)
@example(b'{"a":1' + b"0" * 400 + b"}")
def test_any_bytes(body: bytes) -> None:
    settle(body)


@given(st.binary(max_size=200), st.binary(max_size=40), st.integers(0, 60))
def test_any_bytes_called_gzip(plain: bytes, noise: bytes, cut: int) -> None:
    packed = gzip.compress(plain)
    for body in (plain, packed[:cut] + noise, packed[:cut] + noise + packed[cut:], packed + noise):
        with suppress(Refused):
            assert len(inflate(body, 150)) <= 150


@given(VALUES)
def test_any_json(value: object) -> None:
    settle(_written(value))


@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), max_size=4), st.sampled_from(list(EventType)))
def test_an_event_with_anything_in_any_place(changes: list[tuple[str, object]], event_type: EventType) -> None:
    document = alarm(type=event_type.value)
    for place, value in changes:
        with suppress(TypeError, KeyError):
            change(document, place, value)
    assert len(settle(_written([document, 1]))) in (0, 2)


@given(st.sampled_from(WARNING_PLACES), VALUES)
def test_a_warning_with_anything_in_any_place(place: str, value: object) -> None:
    settle(_written(warning(**{place: value})))


def _written(value: object) -> bytes:
    try:
        return encoded(value)
    except UnicodeEncodeError:  # a lone surrogate can only be written escaped
        return json.dumps(value).encode()
