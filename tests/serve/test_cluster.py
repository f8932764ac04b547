"""The core of the story on a store of three nodes, in one process and as a hub of its own."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bot.clock import PushedClock
from bot.door import Door
from bot.engine import Engine
from bot.rules import Rules
from bot.settings.load import load
from bot.store import external
from bot.storehouse import SHARDS
from channels.registry import open_channel
from escalation.ledger.meta import open_meta
from tests.kills.invariants import broken
from tests.kills.parts import parts
from tests.kills.scenario import START, tell
from tests.serve.town import WORKER, Town
from tests.store.three_nodes import ThreeNodes

pytestmark = pytest.mark.timeout(180)


async def test_the_story_holds_on_three_nodes(three_nodes: ThreeNodes, tmp_path: Path) -> None:
    three_nodes.empty()
    with parts(tmp_path) as there:
        settings = load(there.config).settings
        assert settings is not None
        there.ask("/clock", str(START).encode())
        async with external.connect(three_nodes.url) as store, aiohttp.ClientSession() as session:
            door = Door(store)
            meta = await open_meta(door, store_id="story", partitions=4, shards=SHARDS, now=START)
            channels = {name: open_channel(name, table, session) for name, table in settings.channels.items()}
            folder = there.config.parent / "journal"
            engine = Engine(door, meta, Rules.of(settings, channels), PushedClock(START), journal_folder=folder)
            await tell(engine, lambda _: None, lambda at: there.ask("/clock", str(at).encode()))
            received = there.ask("/received")["received"]
            assert any(each["address"] == WORKER for each in received)
            assert await broken(engine, door, received, folder, repeats=0) == []
            for channel in channels.values():
                await channel.close()
    owners = [node.client.dbsize() for node in three_nodes.nodes]
    assert all(owners), "the ledger lies on one node only"


async def test_a_hub_serves_from_three_nodes_and_the_next_one_goes_on(three_nodes: ThreeNodes, town: Town) -> None:
    three_nodes.empty()
    town.edit("[pages]", f'[store]\nurl = "{three_nodes.url}"\nwaitaof = true\n\n[pages]')
    await town.start()
    first = await town.raised("e1")
    await town.told(first, address=WORKER)
    await town.kill()
    await town.start()
    assert await town.write(WORKER, f"签收 {first}") == 202
    await town.told("已记录签收", first, address=WORKER)
    second = await town.raised("e2", point="DC01-P01")
    await town.told(second, address=WORKER)
    assert (await town.run("verify")).code == 0
    assert (await town.run("serve")).code == 2, "one hub a folder, also where the store is shared"
    assert await town.stop() == 0
    assert (await town.run("show", first)).code == 0


async def test_a_shared_store_that_is_emptied_shuts_the_door(three_nodes: ThreeNodes, town: Town) -> None:
    three_nodes.empty()
    town.edit("[pages]", f'[store]\nurl = "{three_nodes.url}"\n\n[pages]')
    await town.start()
    await town.told(await town.raised("e1"), address=WORKER)

    three_nodes.empty()
    said = await town.until_shut()
    assert "存储为空" in said["reason"]
    assert (await town.run("open-anyway")).code == 0
    await town.until_ready()
    since = len(await town.received())
    await town.told(await town.raised("e2"), address=WORKER, since=since)


async def test_an_unsafe_store_is_refused_unless_it_is_meant(three_nodes: ThreeNodes, town: Town) -> None:
    three_nodes.empty()
    for node in three_nodes.nodes:
        node.client.config_set("appendfsync", "everysec")
    try:
        town.edit("[pages]", f'[store]\nurl = "{three_nodes.url}"\n\n[pages]')
        refused = await town.run("serve")
        assert refused.code == 2
        assert "appendfsync" in refused.err
        town.edit("[store]\n", "[store]\naccept_loss = true\n")
        await town.start()
        await town.told(await town.raised("e1"), address=WORKER)
    finally:
        for node in three_nodes.nodes:
            node.client.config_set("appendfsync", "always")
