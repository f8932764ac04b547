"""A primary of a cluster dies and its replica leads: hubs follow, and what may be lost is what the manual says."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from escalation.ledger.keys import Mailbox, partition_keys, partition_of, ready_key, shard_of
from escalation.ledger.meta import Meta, read_meta
from tests.hubs.fleet import Fleet, fleet_in
from tests.hubs.noticing import all_anchored, fell_back, heads, take
from tests.hubs.replicated import Replicated
from tests.hubs.tempest import Tempest
from tests.ledger.doors import StoreDoor
from tests.serve.nursery import Nursery
from tests.serve.town import DUST, STEEL, WORKER, alarm

pytestmark = pytest.mark.timeout(300)


async def test_hubs_and_primaries_die_in_turn_under_load(
    replicated: Replicated, tmp_path: Path, nursery: Nursery
) -> None:
    """With one replica waited for, every event that was accepted is told, whoever dies or stands still."""

    async with fleet_in(tmp_path, nursery, replicated.url, more="waitaof_replicas = 1\n") as fleet:
        storm = Tempest(fleet.front, seed=20261122, events=160, answers=10, kills=2, fleet=fleet)

        async def deed() -> None:
            pair = replicated.pair_of(partition_keys(partition_of(DUST, (await _meta(fleet)).partitions)).seen)
            await storm.repeat_meanwhile(asyncio.to_thread(pair.fail_over))
            await asyncio.to_thread(pair.restart)

        await storm.blow(deed)
        assert await storm.broken() == [], storm.seen
        assert (storm.seen["hub killed"], storm.seen["hub paused"]) == (2, 1), storm.seen
        assert storm.seen["post 503"] > 0, "the fail-over met no POST"
        assert not any("journal_behind" in hub.log.read_text() for hub in fleet.hubs)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
async def test_they_die_in_turn_over_many_events(
    replicated: Replicated, tmp_path: Path, nursery: Nursery, seed: int
) -> None:
    async with fleet_in(tmp_path, nursery, replicated.url, more="waitaof_replicas = 1\n") as fleet:
        storm = Tempest(fleet.front, seed=seed, events=3000, answers=150, kills=12, pauses=3, fleet=fleet)
        await storm.blow(partial(_one_after_the_other, replicated, pairs=6))
        assert await storm.broken() == [], storm.seen
        assert not any("journal_behind" in hub.log.read_text() for hub in fleet.hubs)


async def test_every_hub_notices_a_part_that_fell_back_and_no_code_stands_for_two(
    replicated: Replicated, tmp_path: Path, nursery: Nursery
) -> None:
    async with fleet_in(tmp_path, nursery, replicated.url) as fleet:
        await fleet.start()
        front = fleet.front
        await front.told(await front.raised("kept"), address=WORKER)
        await all_anchored(fleet)
        pair = replicated.pair_of(partition_keys(partition_of(DUST, (await _meta(fleet)).partitions)).codes)
        await asyncio.to_thread(pair.isolate)
        lost = await front.raised("lost", point="LOST")
        await front.told(lost, address=WORKER)
        await all_anchored(fleet)
        before = heads(fleet.hubs[0])

        async def pester(number: int) -> list[str]:
            """Without a pause: somebody is the first whom the promoted server sees."""
            return [await take(front, alarm(f"n{number}{turn}", point=f"N{number}{turn}")) for turn in range(4)]

        posted = asyncio.gather(*map(pester, range(6)))
        await asyncio.to_thread(pair.fall_back)
        codes = [code for some in await posted for code in some]
        assert lost not in codes, "a code that people were told stands for something else now"
        for hub in fleet.hubs:
            await fell_back(hub)
            assert list(hub.data.glob("anchor-*.json"))
        await all_anchored(fleet)
        after = heads(fleet.hubs[0])
        assert set(after) >= set(before), "what lies on the other servers stays anchored"
        assert all(check["ok"] for check in await fleet.verified())
        for code in codes:
            await front.told(code, address=WORKER)
        assert (await front.post(alarm("lost", point="LOST"))).item["verdict"] == "created"


async def test_nobody_is_forgotten_whose_mailbox_alone_fell_back(
    replicated: Replicated, tmp_path: Path, nursery: Nursery
) -> None:
    """The incident is on one server, and knows that it waits; the mailbox was on another, and knows nothing of it."""
    async with fleet_in(tmp_path, nursery, replicated.url) as fleet:
        await fleet.start()
        front = fleet.front
        await front.raised("first", enterprise=STEEL)
        meta = await _meta(fleet)
        box = replicated.pair_of(ready_key(shard_of(Mailbox("sms", WORKER), meta.shards)))
        incidents = replicated.pair_of(partition_keys(partition_of(DUST, meta.partitions)).incidents)
        assert box is not incidents, "the county lies so that both fall back together"
        await asyncio.to_thread(box.isolate)
        hanging = asyncio.create_task(front.gateway_hangs())
        code = await front.raised("e1")
        await hanging
        await asyncio.to_thread(box.fall_back)
        await front.gateway_heals()
        await front.told(code, address=WORKER)
        assert any("put there again" in hub.log.read_text() for hub in fleet.hubs)


async def _one_after_the_other(replicated: Replicated, *, pairs: int) -> None:
    """Every second one dies, the others stand still until long after their replica leads; each comes back as one."""
    for number in range(pairs):
        pair = replicated.pairs[number % 3]
        await asyncio.to_thread(pair.freeze if number % 2 else pair.fail_over)
        await asyncio.to_thread(pair.follow if number % 2 else pair.restart)


async def _meta(fleet: Fleet) -> Meta:
    async with fleet.store() as store:
        found = await read_meta(StoreDoor(store))
    assert found is not None
    return found
