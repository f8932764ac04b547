"""A hub comes to a store that others have worked on for long: it asks first, and then does its part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hubs.fleet import fleet_in
from tests.hubs.sentinels import Sentinels
from tests.serve.nursery import Nursery
from tests.serve.town import WORKER

pytestmark = pytest.mark.timeout(120)


async def test_a_new_machine_asks_before_it_takes_up_a_store_with_a_past(
    sentinels: Sentinels, tmp_path: Path, nursery: Nursery
) -> None:
    async with fleet_in(tmp_path, nursery, sentinels.url) as fleet:
        first, second, late = fleet.hubs
        await first.start()
        await second.start()
        code = await first.raised("e1")
        await fleet.front.told(code, address=WORKER)

        async def anchored() -> bool:
            return (first.data / "anchor.json").exists() and not any(
                each["unsealed"] for each in (await first.ask("/verify"))["partitions"]
            )

        await first.until(anchored, "the journal is never sealed")
        late.launch()
        said = await late.until_shut()
        while "锚点文件不存在" not in said["reason"]:
            said = await late.until_shut()
        assert (await late.post({"id": "refused"})).status == 503
        assert (await late.run("open-anyway")).code == 0
        await late.until_ready()
        await fleet.kill(first)
        await fleet.kill(second)

        fresh = await late.raised("e2", point="P2")
        await fleet.front.told(fresh, address=WORKER)
        assert (await late.story(code))["code"] == code
        assert (await late.ask("/verify"))["ok"]
        assert await fleet.front.write(WORKER, f"签收 {code}") == 202
        await fleet.front.told("已记录签收", code, address=WORKER)
