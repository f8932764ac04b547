"""Three hub processes on one store, killed and paused in turn under load: nothing accepted is lost.

These run for more than a minute: a hub that is paused is paused for longer than a real lease.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hubs.fleet import fleet_in
from tests.hubs.sentinels import Sentinels
from tests.hubs.tempest import Tempest
from tests.serve.nursery import Nursery
from tests.store.three_nodes import ThreeNodes


@pytest.mark.timeout(300)
async def test_hubs_are_killed_and_paused_in_turn_behind_sentinels(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery
) -> None:
    async with fleet_in(tmp_path, nursery, sentinels.url) as fleet:
        storm = Tempest(fleet.front, seed=3, events=300, answers=20, kills=4, fleet=fleet)
        await storm.blow()
        assert await storm.broken() == [], storm.seen
        assert (storm.seen["hub killed"], storm.seen["hub paused"]) == (4, 1), storm.seen


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
async def test_many_hubs_die_over_many_events(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery, seed: int
) -> None:
    async with fleet_in(tmp_path, nursery, sentinels.url) as fleet:
        storm = Tempest(fleet.front, seed=seed, events=6000, answers=300, kills=24, pauses=3, fleet=fleet)
        await storm.blow()
        assert await storm.broken() == [], storm.seen


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_hubs_are_killed_in_turn_on_three_nodes(
    three_nodes: ThreeNodes, tmp_path: Path, nursery: Nursery
) -> None:
    three_nodes.empty()
    async with fleet_in(tmp_path, nursery, three_nodes.url) as fleet:
        storm = Tempest(fleet.front, seed=5, events=200, answers=20, kills=3, pauses=0, fleet=fleet)
        await storm.blow()
        assert await storm.broken() == [], storm.seen
        assert storm.seen["hub killed"] == 3, storm.seen
