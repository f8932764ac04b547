"""The primary dies and Sentinel promotes its replica: hubs follow, and what may be lost is what the manual says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.hubs.fleet import fleet_in
from tests.hubs.noticing import all_anchored, fell_back, heads, take
from tests.hubs.sentinels import Sentinels, until
from tests.hubs.tempest import Tempest
from tests.serve.nursery import Nursery
from tests.serve.town import WORKER, alarm

pytestmark = pytest.mark.timeout(300)


async def _isolate(sentinels: Sentinels) -> None:
    """The replica gets nothing any more, and does not know it yet."""
    sentinels.replica.stop_in_its_tracks()
    await asyncio.to_thread(sentinels.primary.client.client_kill_filter, _type="replica")


async def _fail_over(sentinels: Sentinels) -> None:
    sentinels.replica.go_on()
    await asyncio.to_thread(sentinels.fail_over)


async def test_what_a_replica_has_on_disk_survives_a_fail_over_under_load(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery
) -> None:
    """With one replica waited for, every event that was accepted is told, whatever moment the primary dies in."""

    async def deed() -> None:
        await asyncio.to_thread(sentinels.fail_over)
        # Nothing is accepted on one disk alone; the former primary comes back as the replica.
        await asyncio.to_thread(sentinels.primary.restart)

    async with fleet_in(tmp_path, nursery, sentinels.url, more="waitaof_replicas = 1\n") as fleet:
        storm = Tempest(fleet.front, seed=11, events=300, answers=20, kills=0, pauses=0, fleet=fleet)
        await storm.blow(deed)
        assert await storm.broken() == [], storm.seen
        assert storm.seen["post 503"] > 0, "the fail-over met no POST"
        assert not any("journal_behind" in hub.log.read_text() for hub in fleet.hubs)
        assert sentinels.primary.info("role") == "slave"


async def test_nothing_is_accepted_while_the_replica_that_is_waited_for_is_away(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery
) -> None:
    async with fleet_in(
        tmp_path, nursery, sentinels.url, more="waitaof_replicas = 1\nwaitaof_timeout_ms = 1000\n"
    ) as fleet:
        await fleet.start()
        await fleet.front.raised("before")
        sentinels.replica.stop_in_its_tracks()
        refused = await fleet.front.post(alarm("during"))
        assert refused.status == 503, refused
        sentinels.replica.go_on()
        assert await take(fleet.front, alarm("during"))


async def test_every_hub_notices_a_store_that_fell_back_and_goes_on(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery
) -> None:
    """A hub that works, one that comes back only after the others have written on beyond what was lost."""
    async with fleet_in(tmp_path, nursery, sentinels.url) as fleet:
        await fleet.start()
        front = fleet.front
        kept = await front.raised("kept")
        await front.told(kept, address=WORKER)
        await all_anchored(fleet)
        await _isolate(sentinels)
        lost = await front.raised("lost", point="LOST")
        await front.told(lost, address=WORKER)
        await all_anchored(fleet)
        before = heads(fleet.hubs[2])
        await fleet.kill(fleet.hubs[2])

        await _fail_over(sentinels)
        codes = [await take(front, alarm(f"n{number}", point=f"N{number}")) for number in range(30)]
        assert lost not in codes, "a code that people were told stands for something else now"
        for hub in fleet.hubs[:2]:
            await fell_back(hub)
            assert list(hub.data.glob("anchor-*.json"))
        await fleet.start_again(fleet.hubs[2])
        await fell_back(fleet.hubs[2])
        await all_anchored(fleet)
        after = heads(fleet.hubs[2])
        assert any(after[number] > count for number, count in before.items()), "nobody wrote on beyond what was lost"
        for check in await fleet.verified():
            assert check["ok"], check
        for code in codes:
            await front.told(code, address=WORKER)
        # The system that sent it does not know; sent again it is taken as new.
        assert (await front.post(alarm("lost", point="LOST"))).item["verdict"] == "created"


def test_the_promoted_replica_takes_writes(sentinels: Sentinels) -> None:
    """The store itself, without any hub: what the stories above stand on."""
    sentinels.primary.client.set("a", "1")
    until(lambda: sentinels.replica.client.get("a") == b"1")
    sentinels.fail_over()
    assert sentinels.replica.client.set("a", "2")
