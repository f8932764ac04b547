"""An entry that is no event is kept with its id and told, and never stands in the way of the next."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.store.real_server import eventually
from tests.streams.harness import ALARMS, Streams, alarm


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        (json.dumps(alarm("e1")), "evnt", ("/event", "evnt")),
        ("{not json", "event", ("/event", "JSON")),
        ("17", "event", ("/event", "对象")),
        ('"text"', "event", ("/event", "对象")),
        (b"\xff\xfe\x00", "event", ("/event", "UTF-8")),
        (json.dumps(alarm("e1", data={"x": "y" * 6000})), "event", ("/event", "5000")),
        (json.dumps([alarm(f"e{n}") for n in range(11)]), "event", ("/event", "10")),
        ("[" * 40 + "]" * 40, "event", ("/event", "32")),
        (json.dumps(alarm("e1", type="alarm.rased")), "event", ("/type", "alarm.rased")),
    ],
)
async def test_poison_is_quarantined_with_its_entry_and_the_next_is_taken(
    streams: Streams, text: str | bytes, field: str, words: tuple[str, str]
) -> None:
    (identity,) = await streams.write(text, field=field)
    await streams.write(alarm("good"))
    streams.start()
    await streams.through()
    assert len(await streams.codes()) == 1
    (row,) = await streams.quarantine()
    assert row.entry == f"{ALARMS} {identity}"
    assert row.source == "monitor"
    (problem,) = row.problems
    assert problem.pointer == words[0]
    assert words[1] in problem.detail
    await streams.house.engine.rest()
    assert any(identity in told for told in streams.keepers())


async def test_the_id_of_another_event_is_no_reason_to_drop_this_one(streams: Streams) -> None:
    other: dict[str, Any] = {**alarm("x")["data"], "point": {"code": "DC01-T02"}}
    await streams.write(alarm("e1"), alarm("e1", data=other), alarm("e1", data=other))
    streams.start()
    await streams.through()
    (row,) = await streams.quarantine()
    assert (row.id, row.problems[0].pointer) == ("e1", "/id")
    assert json.loads(row.raw)["data"] == other
    assert row.entry.startswith(ALARMS)


async def test_what_was_deleted_before_it_was_through_is_told(streams: Streams) -> None:
    gate = streams.gate()
    gate.open.clear()
    dying = streams.start(gate=gate)
    (identity,) = await streams.write(alarm("e1"))
    await gate.entered.wait()
    await streams.kill(dying)
    await streams.writer.execute("XDEL", ALARMS, identity)
    await streams.write(alarm("e2"))
    streams.start("hub-b")

    async def told() -> bool:
        return bool(await streams.quarantine())

    await eventually(told)
    (row,) = await streams.quarantine()
    assert row.entry == f"{ALARMS} {identity}"
    assert "删除" in row.problems[0].detail
    await streams.through()
    assert len(await streams.codes()) == 1


async def test_an_event_that_cannot_be_decided_stops_no_other(streams: Streams) -> None:
    data = alarm("x")["data"]
    gate = streams.gate()
    gate.spoil = lambda event: event.id == "bad"
    await streams.write(alarm("e1"), alarm("bad"), alarm("e2", data={**data, "point": {"code": "DC01-T02"}}))
    streams.start(gate=gate)
    await streams.through()
    assert len(await streams.codes()) == 2
    (row,) = await streams.quarantine()
    assert json.loads(row.raw)["id"] == "bad"
