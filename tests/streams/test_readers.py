"""The readers follow the configuration in force, and a server that was away is read on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from bot.gate import HubGate
from bot.store.client import Store
from bot.streams.readers import StreamReaders, consumer_name
from tests.store.real_server import eventually, running
from tests.streams.harness import ALARMS, GROUP, Streams, alarm


async def test_a_reload_starts_and_stops_readers(streams: Streams, store_socket: Path) -> None:
    house = streams.house
    # One connection for each stream of the two sources.
    opened: list[Store] = []

    def own() -> Store:
        opened.append(Store.on_socket(store_socket))
        return opened[-1]

    gate = HubGate(lambda: house.engine.rules, lambda: house.engine, lambda: "")
    readers = StreamReaders(lambda: house.engine.rules, lambda: house.engine, gate, own)
    running_readers = asyncio.create_task(readers.run())
    try:
        await streams.write(alarm("e1"))
        await streams.through()
        assert len(opened) == 3
        name = consumer_name(house.settings.hub.data)

        house.reload(lambda text: text.replace(f'names = ["{ALARMS}", "monitor:warnings"]', 'names = ["other:alarms"]'))

        async def moved() -> bool:
            there: Any = await streams.writer.execute("EXISTS", "other:alarms")
            return bool(there)

        await eventually(moved)
        await streams.write(alarm("e2", data={**alarm("x")["data"], "point": {"code": "P2"}}), stream="other:alarms")
        await streams.through("other:alarms")
        assert len(await streams.codes()) == 2
        about: Any = await streams.writer.execute("XINFO", "CONSUMERS", "other:alarms", GROUP)
        assert about[0][1].decode() == name
        await streams.write(alarm("e3"))
        last: Any = await streams.writer.execute("XINFO", "GROUPS", ALARMS)
        assert dict(zip(last[0][::2], last[0][1::2], strict=True))[b"pending"] == 0
    finally:
        running_readers.cancel()
        await asyncio.gather(running_readers, return_exceptions=True)
    assert len(await streams.codes()) == 2, "the stream that is no longer configured was left alone"


async def test_a_server_that_was_restarted_is_read_on(streams: Streams, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    async with running(folder) as (theirs, client):
        streams.writer = client
        reader = streams.start(store=theirs.store())
        await streams.write(alarm("e1"))
        await streams.through()
    await eventually(lambda: _heard(streams))
    async with running(folder) as (_, client):
        streams.writer = client
        await streams.write(alarm("e2", "alarm.repeated"))
        await streams.through()
        await eventually(lambda: _healed(streams))
    assert not reader.task.done()
    (code,) = await streams.codes()
    assert (await streams.house.incident(code)).raises == 2


async def _heard(streams: Streams) -> bool:
    return bool(streams.said) and streams.said[-1] != ""


async def _healed(streams: Streams) -> bool:
    return "" in streams.said


async def test_a_password_by_reference_opens_another_systems_server(streams: Streams, tmp_path: Path) -> None:
    house = streams.house
    (tmp_path / "county" / "secrets" / "stream").write_text("obviously-not-secret", "utf-8")
    async with running(tmp_path / "theirs") as (theirs, client):
        streams.writer = client
        await client.execute("XADD", "theirs:alarms", "*", "event", json.dumps(alarm("e1")))
        await client.execute(
            "ACL",
            "SETUSER",
            "fenghuo",
            "on",
            ">obviously-not-secret",
            "~theirs:*",
            "+xgroup",
            "+xreadgroup",
            "+xautoclaim",
            "+xack",
        )
        house.reload(
            lambda text: text.replace(
                f'names = ["{ALARMS}", "monitor:warnings"]',
                f'names = ["theirs:alarms"], url = "unix://{theirs.socket}", username = "fenghuo", '
                'password = "file:secrets/stream"',
            )
        )
        gate = HubGate(lambda: house.engine.rules, lambda: house.engine, lambda: "")
        readers = StreamReaders(lambda: house.engine.rules, lambda: house.engine, gate, theirs.store)
        at_work = asyncio.create_task(readers.run())
        try:
            await streams.through("theirs:alarms")
            assert len(await streams.codes()) == 1
            users: Any = await client.execute("CLIENT", "LIST")
            assert b"user=fenghuo" in users
        finally:
            at_work.cancel()
            await asyncio.gather(at_work, return_exceptions=True)
