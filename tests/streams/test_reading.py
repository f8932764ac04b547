"""What upstream writes into a stream arrives once, whichever hub reads it and wherever it dies."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.store.client import Store
from bot.streams.readers import Outage
from tests.store.real_server import eventually, running
from tests.streams.harness import ALARMS, GROUP, Streams, alarm
from tests.workers.house import OPERATOR


async def test_an_entry_becomes_an_incident_and_is_acknowledged(streams: Streams) -> None:
    await streams.write(alarm("e1"))
    streams.start()
    await streams.through()
    (code,) = await streams.codes()
    await streams.house.engine.rest()
    assert any(code in text and "72.5" in text for text in streams.house.texts(OPERATOR))
    incident = await streams.house.incident(code)
    assert incident.source == "monitor"


async def test_several_events_in_one_entry_and_the_same_event_again(streams: Streams) -> None:
    streams.start()
    await streams.write([alarm("e1"), alarm("e2", "alarm.cleared", time="2026-11-18T19:06:40+08:00")], alarm("e1"))
    await streams.through()
    (code,) = await streams.codes()
    incident = await streams.house.incident(code)
    assert (incident.raises, incident.active) == (1, False)


async def test_killed_between_read_and_commit_another_hub_claims_it(streams: Streams) -> None:
    gate = streams.gate()
    gate.open.clear()
    dying = streams.start("hub-a", gate=gate)
    await streams.write(alarm("e1"), alarm("e2", data={**alarm("x")["data"], "point": {"code": "DC01-T02"}}))
    await gate.entered.wait()
    assert await streams.codes() == []
    await streams.kill(dying)
    assert await streams.pending() > 0

    streams.start("hub-b")
    await streams.through()
    assert len(await streams.codes()) == 2


async def test_killed_between_commit_and_acknowledgement_nothing_is_doubled(streams: Streams) -> None:
    gate = streams.gate()
    gate.hold_after = True
    dying = streams.start("hub-a", gate=gate)
    await streams.write(alarm("e1"))
    await gate.committed.wait()
    await streams.kill(dying)
    (code,) = await streams.codes()
    assert await streams.pending() == 1

    streams.start("hub-b")
    await streams.through()
    assert await streams.codes() == [code]
    assert (await streams.house.incident(code)).raises == 1


async def test_a_hub_that_starts_again_finds_at_once_what_it_had(streams: Streams) -> None:
    gate = streams.gate()
    gate.open.clear()
    dying = streams.start("hub-a", gate=gate)
    await streams.write(alarm("e1"))
    await gate.entered.wait()
    await streams.kill(dying)
    # Were it claimed, it would have to be idle for this long.
    table = streams.house.settings.sources["monitor"].stream
    assert table is not None
    streams.house.settings.sources["monitor"] = streams.house.settings.sources["monitor"].model_copy(
        update={"stream": table.model_copy(update={"idle_seconds": 3600})}
    )
    streams.start("hub-a")
    await streams.through()
    assert len(await streams.codes()) == 1


async def test_two_hubs_share_a_stream(streams: Streams) -> None:
    gates = [streams.gate(), streams.gate()]
    for name, gate in zip(("hub-a", "hub-b"), gates, strict=True):
        gate.most = 5
        streams.start(name, gate=gate)
    data = alarm("x")["data"]
    await streams.write(*(alarm(f"e{n}", data={**data, "point": {"code": f"P{n}"}}) for n in range(40)))
    await streams.through()
    assert len(await streams.codes()) == 40
    assert sum(sum(gate.sizes) for gate in gates) == 40


async def test_no_more_is_read_than_there_is_room_for(streams: Streams) -> None:
    data = alarm("x")["data"]
    await streams.write(*(alarm(f"e{n}", data={**data, "point": {"code": f"P{n}"}}) for n in range(10)))
    gate = streams.gate()
    gate.most = 3
    gate.open.clear()
    streams.start(gate=gate)
    await gate.entered.wait()
    assert await streams.pending() == 3
    gate.open.set()
    await streams.through()
    assert max(gate.sizes) <= 3
    assert len(await streams.codes()) == 10


async def test_a_full_hub_reads_nothing(streams: Streams) -> None:
    gate = streams.gate()
    gate.most = 0
    streams.start(gate=gate)
    (identity,) = await streams.write(alarm("e1"))

    async def group_there() -> bool:
        return bool(await streams.writer.execute("XINFO", "GROUPS", ALARMS))

    await eventually(group_there)
    gate.most = 1
    await streams.through()
    assert gate.sizes == [1]
    assert identity


async def test_a_group_that_somebody_destroyed_is_made_again_and_nothing_is_doubled(streams: Streams) -> None:
    streams.start()
    await streams.write(alarm("e1"))
    await streams.through()
    await streams.writer.execute("XGROUP", "DESTROY", ALARMS, GROUP)
    await streams.write(alarm("e2", "alarm.repeated"))
    await streams.through()
    (code,) = await streams.codes()
    assert (await streams.house.incident(code)).raises == 2
    assert any("NOGROUP" in why for why in streams.said)


async def test_a_stream_that_somebody_deleted_is_waited_for(streams: Streams) -> None:
    streams.start()
    await streams.write(alarm("e1"))
    await streams.through()
    await streams.writer.execute("DEL", ALARMS)
    await streams.write(alarm("e2", "alarm.repeated"))
    await streams.through()
    (code,) = await streams.codes()
    assert (await streams.house.incident(code)).raises == 2


async def test_a_newer_group_may_begin_at_what_comes_next(streams: Streams) -> None:
    table = streams.house.settings.sources["monitor"].stream
    assert table is not None
    streams.house.settings.sources["monitor"] = streams.house.settings.sources["monitor"].model_copy(
        update={"stream": table.model_copy(update={"start": "newest"})}
    )
    await streams.write(alarm("e1"))
    streams.start()

    async def group_there() -> bool:
        return bool(await streams.writer.execute("XINFO", "GROUPS", ALARMS))

    await eventually(group_there)
    await streams.write(alarm("e2", "alarm.repeated"))
    await streams.through()
    (code,) = await streams.codes()
    assert (await streams.house.incident(code)).raises == 1


async def test_a_server_that_goes_away_is_tried_again(streams: Streams, tmp_path: Path) -> None:
    async with running(tmp_path / "theirs") as (theirs, client):
        streams.writer = client
        streams.start(store=theirs.store())
        await streams.write(alarm("e1"))
        await streams.through()
        await client.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await streams.write(alarm("e2", "alarm.repeated"))
        await streams.through()
        (code,) = await streams.codes()
        await client.execute("XADD", "other", "*", "a", "b")
        assert (await streams.house.incident(code)).raises == 2


async def test_trouble_that_lasts_is_told_to_the_maintainers_and_that_it_is_over(streams: Streams) -> None:
    house = streams.house
    outage = Outage("monitor", ALARMS, lambda: house.engine)
    await streams.writer.execute("SET", ALARMS, "not a stream")
    gate = streams.gate()
    heard = asyncio.Event()

    async def trouble(why: str) -> None:
        await outage.heard(why)
        heard.set()

    streams.start(gate=gate, trouble=trouble)
    await heard.wait()
    assert await house.loose_journal("stream_unreadable") == []
    house.push(121_000)
    heard.clear()
    await heard.wait()
    heard.clear()
    await heard.wait()
    (entry,) = await house.loose_journal("stream_unreadable")
    assert "WRONGTYPE" in str(entry.detail["why"])
    await house.engine.rest()
    (told,) = [text for text in streams.keepers() if "读不到" in text]
    assert ALARMS in told

    await streams.writer.execute("DEL", ALARMS)
    await streams.write(alarm("e1"))
    await streams.through()

    async def healed() -> bool:
        return len(await house.loose_journal("stream_read_again")) == 1

    await eventually(healed)
    await house.engine.rest()
    assert any("已恢复读取" in text for text in streams.keepers())


async def test_a_mapped_stream(streams: Streams, store: Store) -> None:
    item: dict[str, Any] = {"devId": "DC01-T01", "alarmState": 1, "alarmLevel": 1, "alarmTime": "2026-11-18 19:06:30"}
    back = {**item, "alarmState": 0, "alarmTime": "2026-11-18 19:06:40"}
    await streams.write({"items": [item, back]}, {"items": [item]}, stream="gateway:raw", field="body")
    streams.start(source="gateway", stream="gateway:raw")
    await streams.through("gateway:raw")
    (code,) = await streams.codes()
    incident = await streams.house.incident(code)
    assert (incident.severity, incident.active, incident.raises) == ("high_high", False, 1)
    assert incident.flags == ()
