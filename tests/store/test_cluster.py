"""The same client on a real cluster of three nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.exceptions import TryAgainError

from bot.store.client import Call, Store
from bot.store.errors import StoreUnavailableError
from bot.store.external import connect
from bot.store.slots import slot_of
from bot.store.wire import WaitAof
from tests.store.test_client import ONCE
from tests.store.three_nodes import SLOTS, ThreeNodes

TAGS = [f"p{number}" for number in range(24)]


@pytest.fixture
async def cluster(three_nodes: ThreeNodes) -> AsyncIterator[Store]:
    three_nodes.empty()
    async with connect(three_nodes.url) as store:
        yield store


def calls(store: Store, commit: str) -> list[Call]:
    once = store.load_script("once", ONCE)
    return [
        Call(once, [f"{{{tag}}}n".encode(), f"{{{tag}}}c:{commit}".encode()], [number])
        for number, tag in enumerate(TAGS)
    ]


async def test_scripts_run_on_all_nodes_though_none_knows_them(cluster: Store, three_nodes: ThreeNodes) -> None:
    assert await cluster.run_scripts(calls(cluster, "c1")) == [str(number).encode() for number in range(len(TAGS))]
    assert all(node.client.dbsize() > 0 for node in three_nodes.nodes)
    for node in three_nodes.nodes[1:]:
        node.client.script_flush()
    assert await cluster.run_scripts(calls(cluster, "c2")) == [str(number * 2).encode() for number in range(len(TAGS))]
    assert await cluster.run_scripts(calls(cluster, "c1")) == [str(number).encode() for number in range(len(TAGS))]


async def test_a_pipeline_over_many_slots_keeps_its_order_of_results(cluster: Store) -> None:
    keys = [f"key{number}" for number in range(100)]
    await cluster.pipeline([("SET", key, key) for key in keys])
    assert await cluster.pipeline([("GET", key) for key in keys]) == [key.encode() for key in keys]
    assert await cluster.execute("GET", "key7") == b"key7"
    await cluster.pipeline([("XADD", "{s}1", "1-1", "f", "v"), ("XGROUP", "CREATE", "{s}1", "g", "0")])
    reply = await cluster.execute("XREADGROUP", "GROUP", "g", "me", "COUNT", 1, "STREAMS", "{s}1", ">")
    assert reply == [[b"{s}1", [[b"1-1", [b"f", b"v"]]]]]


async def test_commands_for_every_node(cluster: Store) -> None:
    times = await cluster.each_node("TIME")
    assert len(times) == 3
    with pytest.raises(ValueError, match="each_node"):
        await cluster.execute("TIME")


async def test_a_slot_that_moved_is_followed(cluster: Store, three_nodes: ThreeNodes) -> None:
    call = calls(cluster, "c1")[3]
    slot = slot_of(call.keys[0])
    source = three_nodes.owner(slot)
    target = three_nodes.after(source)
    await cluster.execute("GET", "warm")
    three_nodes.move_slot(slot, source, target)
    try:
        assert (await cluster.run_scripts([call, *calls(cluster, "c2")]))[0] == b"3"
        assert target.client.execute_command("CLUSTER COUNTKEYSINSLOT", slot) == 3
        sent_on = source.client.info("errorstats")["errorstat_MOVED"]
        assert await cluster.run_scripts([call]) == [b"3"]
        assert source.client.info("errorstats")["errorstat_MOVED"] == sent_on
    finally:
        three_nodes.empty()
        three_nodes.move_slot(slot, target, source)


async def test_a_slot_on_its_way_is_asked_for_on_the_other_side(cluster: Store, three_nodes: ThreeNodes) -> None:
    slot = slot_of(b"{p3}n")
    source = three_nodes.owner(slot)
    target = three_nodes.after(source)
    target.client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", source.node_id)
    source.client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", target.node_id)
    try:
        results = await cluster.pipeline([("INCRBY", f"{{{tag}}}n", number) for number, tag in enumerate(TAGS)])
        assert results == list(range(len(TAGS)))
        assert target.client.execute_command("CLUSTER COUNTKEYSINSLOT", slot) == 1
        async with connect(three_nodes.url, wait=WaitAof(milliseconds=2000)) as careful:
            assert await careful.write([("INCRBY", "{p3}n", 4)]) == [7]
        # A script that needs a key which is on neither side yet has to wait for the move to end.
        assert isinstance((await cluster.run_scripts(calls(cluster, "c1")))[3], TryAgainError)
    finally:
        three_nodes.empty()
        for node in (source, target):
            node.client.execute_command("CLUSTER SETSLOT", slot, "STABLE")


async def test_writes_are_waited_for_on_each_node(cluster: Store, three_nodes: ThreeNodes) -> None:
    async with connect(three_nodes.url, wait=WaitAof(local=1, replicas=0, milliseconds=2000)) as careful:
        results = await careful.run_scripts(calls(careful, "c1"))
        assert results == [str(number).encode() for number in range(len(TAGS))]


async def test_nobody_there_is_said(three_nodes: ThreeNodes) -> None:
    async with connect("redis+cluster://127.0.0.1:9,127.0.0.1:19") as store:
        with pytest.raises(Exception, match="无应答"):
            await store.execute("GET", "k")


async def test_a_node_that_dies_spoils_only_its_own_commands(tmp_path: Path) -> None:
    nodes = ThreeNodes(tmp_path)
    try:
        async with connect(nodes.url) as store:
            assert all(isinstance(result, bytes) for result in await store.run_scripts(calls(store, "c1")))
            dead = nodes.nodes[2]
            dead.process.kill()
            dead.process.wait()
            results = await store.pipeline([("GET", f"{{{tag}}}n") for tag in TAGS], again=True)
            for number, (tag, result) in enumerate(zip(TAGS, results, strict=True)):
                if slot_of(tag.encode()) * 3 // SLOTS == 2:
                    assert isinstance(result, StoreUnavailableError)
                else:
                    assert result == str(number).encode()
            with pytest.raises(StoreUnavailableError, match=str(dead.port)):
                await store.each_node("TIME")
    finally:
        nodes.stop()
