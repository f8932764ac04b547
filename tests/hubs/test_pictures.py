"""A picture that one hub fetched stands on the duty page of every other hub, also when the first is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.duty.clerk import Clerk
from tests.hubs.fleet import fleet_in
from tests.hubs.sentinels import Server, until
from tests.serve.nursery import Nursery
from tests.serve.town import STEEL, Town

pytestmark = pytest.mark.timeout(120)
OFFICER = "PeiZhuanguan"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + Random(7).randbytes(700_000)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "store")
    until(made.answers)
    yield made
    made.close()


async def test_the_other_hub_shows_it_when_the_one_that_fetched_it_is_dead(
    server: Server, tmp_path: Path, nursery: Nursery
) -> None:
    async with fleet_in(tmp_path, nursery, f"redis://127.0.0.1:{server.port}") as fleet:
        front, (east, west, away) = fleet.front, fleet.hubs
        for hub in (east, west):
            await hub.start()
        await fleet.kill(away)
        code = await front.raised("w1", kind="warning.issued", enterprise=STEEL, warning={"level": "yellow"})
        assert await front.send_picture(OFFICER, JPEG) == 200

        async def kept() -> bool:
            return [path.read_bytes() for hub in (east, west) for path in pictures(hub)] == [JPEG, JPEG]

        await front.until(kept, "one of the hubs has no picture")
        # Whichever fetched it: each in turn is the only one left.
        for alive, dead in ((west, east), (east, west)):
            await fleet.kill(dead)
            async with Clerk(None, url=alive.url) as clerk:
                assert (await clerk.log_in("park-duty"))[0] == 303
                _, page = await clerk.get(f"/duty/incident/{code}")
                found = re.search(rf"/duty/evidence/{code}/[^\"]+", page)
                assert found is not None, page
                async with clerk.session.get(alive.url + found[0]) as answer:
                    assert (answer.status, await answer.read()) == (200, JPEG)
            await fleet.start_again(dead)
        assert server.client.keys("fh:{copies}:bytes:*") == []


def pictures(hub: Town) -> list[Path]:
    return sorted((hub.data / "evidence").glob("*/*.jpg"))
