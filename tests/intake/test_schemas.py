"""What is published about the door is true: examples fit their schemas, and the schemas fit the code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.intake.problems import ProblemKind
from bot.intake.reading import Unreadable
from escalation.event import Event, EventType, Flag
from escalation.vocabulary import Industry, Level, Mode, Severity, Verdict
from tests.intake.samples import items
from tests.intake.schemas import FOLDER, NAMES, check, validator

EXAMPLES = sorted(
    path for name in ("event", "batch", "verdicts", "problem") for path in FOLDER.glob(f"examples/{name}*.json")
)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(validator(name).schema)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_fits(path: Any) -> None:
    name = path.stem.partition("-")[0]
    document = json.loads(path.read_text("utf-8"))
    check("event" if name == "batch" else name, document)
    if name in ("event", "batch"):
        assert all(isinstance(item, Event) for item in items(document))


def values(vocabulary: Any) -> list[str]:
    return [each.value for each in vocabulary]


def test_the_schemas_words_are_the_vocabulary_s() -> None:
    event = validator("event").schema["$defs"]
    assert event["event"]["properties"]["type"]["enum"] == values(EventType)
    assert event["event"]["properties"]["mode"]["enum"] == values(Mode)
    assert event["data"]["properties"]["industry"]["enum"] == values(Industry)
    assert event["level"]["enum"] == values(Level)
    assert sorted(event["data"]["properties"]["alarm"]["properties"]["severity"]["enum"]) == sorted(values(Severity))
    verdicts = validator("verdicts").schema["$defs"]
    assert verdicts["taken"]["properties"]["verdict"]["enum"] == values(Verdict)
    assert verdicts["flags"]["items"]["enum"] == values(Flag)
    assert validator("problem").schema["properties"]["status"]["enum"] == [kind.status for kind in ProblemKind]


IDENTIFIER = validator("event").schema["$defs"]["identifier"]
LABEL = st.text(max_size=120)
CODE = st.text(min_size=1, max_size=128).filter(validator("event").evolve(schema=IDENTIFIER).is_valid)
TIMES = st.datetimes().map(lambda moment: moment.isoformat() + "+08:00")
ENTERPRISE = st.fixed_dictionaries({"uscc": CODE}, optional={"name": LABEL.filter(bool)})
POINT = st.fixed_dictionaries(
    {"code": CODE}, optional={"name": LABEL, "equipment": LABEL, "unit": st.text(max_size=32)}
)
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
ALARM = st.fixed_dictionaries(
    {"severity": st.sampled_from(values(Severity))}, optional={"value": NUMBER, "limit": NUMBER}
)
WARNING = st.fixed_dictionaries(
    {"level": st.sampled_from(values(Level))},
    optional={
        "previous_level": st.sampled_from(values(Level)),
        "reasons": st.lists(st.text(max_size=200), max_size=30),
    },
)
EVENTS = st.fixed_dictionaries(
    {
        "specversion": st.just("1.0"),
        "id": CODE,
        "source": st.just("/gateway"),
        "type": st.sampled_from(values(EventType)),
        "time": TIMES,
        "data": st.fixed_dictionaries(
            {"enterprise": ENTERPRISE, "point": POINT, "alarm": ALARM, "warning": WARNING},
            optional={"industry": st.sampled_from(values(Industry))},
        ),
    },
    optional={"mode": st.sampled_from(values(Mode)), "subject": LABEL, "extension": NUMBER},
)


def sendable(document: object) -> bool:
    """Numbers beyond a double are no interoperable JSON."""
    return all(abs(each) < 1e300 for each in _numbers(document))


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in _numbers(each)]
    return [value] if isinstance(value, int | float) else []


@given(st.lists(EVENTS.filter(sendable), max_size=3))
def test_every_event_that_fits_the_schema_is_read(documents: list[Any]) -> None:
    check("event", documents)
    assert not [item for item in items(documents) if isinstance(item, Unreadable)]


@given(EVENTS.filter(sendable), st.sampled_from(["specversion", "id", "type", "data"]))
def test_what_the_schema_requires_of_the_envelope_the_door_requires_too(document: dict[str, Any], name: str) -> None:
    del document[name]
    assert not validator("event").is_valid(document)
    [item] = items(document)
    assert isinstance(item, Unreadable)
    assert [problem.pointer for problem in item.problems] == [f"/{name}"]
