"""A primary of a cluster dies and its replica leads: hubs follow, and what may be lost is what the manual says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.hubs.fleet import fleet_in
from tests.hubs.replicated import Replicated
from tests.hubs.tempest import Tempest
from tests.serve.nursery import Nursery

pytestmark = pytest.mark.timeout(300)


async def test_hubs_and_primaries_die_in_turn_under_load(
    replicated: Replicated, tmp_path: Path, nursery: Nursery
) -> None:
    """With one replica waited for, every event that was accepted is told, whoever dies or stands still."""
    async def deed() -> None:
        for pair in replicated.pairs[:2]:
            await asyncio.to_thread(pair.fail_over)
            await asyncio.to_thread(pair.restart)

    async with fleet_in(tmp_path, nursery, replicated.url, more="waitaof_replicas = 1\n") as fleet:
        storm = Tempest(fleet.front, seed=20261122, events=300, answers=20, kills=2, pauses=1, fleet=fleet)
        await storm.blow(deed)
        assert await storm.broken() == [], storm.seen
        assert (storm.seen["hub killed"], storm.seen["hub paused"]) == (2, 1), storm.seen
        assert storm.seen["post 503"] > 0, "the fail-over met no POST"
        assert not any("journal_behind" in hub.log.read_text() for hub in fleet.hubs)
