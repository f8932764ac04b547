"""Every hub of a store gets the pictures that one of them fetched, whoever dies or is away meanwhile."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from bot.chat.collecting import keep_file
from bot.chat.copying import LOOK, Copying
from bot.store.client import Store
from escalation.evidence import EvidenceFile
from escalation.ledger.copies import AWAY, Copies, Copy
from tests.ledger.doors import Died, Mortal, StoreDoor

NOW = 1_795_000_000_000
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2000


class Hub:
    """A hub's part; another one on the same folder is its successor."""

    def __init__(self, door: StoreDoor, folder: Path) -> None:
        self.folder = folder
        self.door = door
        self.copies = Copies(door, folder.name)
        self.copying = Copying(self.copies, folder)

    def keeps(self, body: bytes = PNG) -> EvidenceFile:
        return keep_file(self.copying, body, NOW)

    def bytes_of(self, file: EvidenceFile) -> bytes | None:
        path = self.folder / file.path
        return path.read_bytes() if path.exists() else None

    def others(self) -> list[str]:
        """What lies in its folder beside pictures."""
        return [path.name for path in self.folder.rglob(".*")]


@pytest.fixture
def hubs(store: Store, tmp_path: Path) -> list[Hub]:
    return [Hub(StoreDoor(store), tmp_path / name) for name in ("east", "west", "north")]


async def at(now: int, *hubs: Hub) -> None:
    for hub in hubs:
        await hub.copying.step(now)


async def lying(hub: Hub) -> list[bytes]:
    """What is in the store beside who is there."""
    keys: list[bytes] = await hub.door.execute("KEYS", "fh:{copies}:*")
    return [key for key in keys if not key.endswith(b":hubs")]


async def test_every_hub_has_it_and_the_store_forgets_it(hubs: list[Hub]) -> None:
    east, west, north = hubs
    await at(NOW, *hubs)
    file = east.keeps()
    await at(NOW + LOOK, *hubs)
    assert west.bytes_of(file) == north.bytes_of(file) == PNG
    assert (west.folder / file.path).stat().st_mode & 0o777 == 0o600
    await at(NOW + 2 * LOOK, *hubs)
    assert await lying(east) == []
    assert [hub.others() for hub in hubs] == [[], [], []]


async def test_who_was_away_gets_it_within_a_week_and_is_not_waited_for_longer(hubs: list[Hub]) -> None:
    east, west, north = hubs
    await at(NOW, *hubs)
    first = east.keeps()
    await at(NOW + LOOK, east, west)
    await at(NOW + AWAY - LOOK, east, north)
    assert north.bytes_of(first) == PNG
    assert await lying(east) == []
    second = west.keeps(PNG + b"2")
    await at(NOW + AWAY, east, west)
    assert await lying(east) != [], "north was heard of a moment ago"
    await at(NOW + 2 * AWAY + LOOK, east)
    assert await lying(east) == []
    assert north.bytes_of(second) is None
    assert not await north.copying.fetch(second.path)


async def test_a_lone_hub_puts_nothing_into_the_store(hubs: list[Hub]) -> None:
    east = hubs[0]
    await at(NOW, east)
    file = east.keeps()
    await at(NOW + LOOK, east)
    assert await lying(east) == []
    assert (east.bytes_of(file), east.others()) == (PNG, [])


async def test_who_asks_for_it_gets_it_at_once(hubs: list[Hub]) -> None:
    east, west, _ = hubs
    await at(NOW, east, west)
    file = east.keeps()
    await at(NOW + 1, east)
    assert west.bytes_of(file) is None
    assert await west.copying.fetch(file.path)
    assert west.bytes_of(file) == PNG


@pytest.mark.parametrize("late", [False, True])
async def test_whoever_dies_wherever_all_have_it_in_the_end(hubs: list[Hub], store: Store, *, late: bool) -> None:
    """Whoever keeps it and whoever takes it die after each call in turn; their successors go on."""
    _, _, north = hubs
    await at(NOW, *hubs)
    deaths, now = 0, NOW
    for role in ("keeps", "takes"):
        for left in range(100):
            now += 4 * LOOK
            east, west = (Hub(StoreDoor(store), hub.folder) for hub in hubs[:2])
            body = PNG + f"{role} {left} {late}".encode()
            mortal = Hub(Mortal(store, left, late=late), (east if role == "keeps" else west).folder)
            file = (mortal if role == "keeps" else east).keeps(body)
            if role == "takes":
                await at(now, east)
            try:
                await at(now, mortal)
            except Died:
                deaths += 1
            else:
                break
            # West looks before its keeper is there again: what is half there waits.
            await at(now + LOOK, west, east)
            await at(now + 2 * LOOK, west, north, east)
            assert [hub.bytes_of(file) for hub in hubs] == [body] * 3, (role, left)
            assert await lying(north) == [], (role, left)
    assert deaths > 15


async def test_what_is_something_else_is_not_kept(hubs: list[Hub]) -> None:
    east, west, _ = hubs
    await at(NOW, east, west)
    digest = sha256(PNG).hexdigest()
    for path, body in ((f"evidence/202611/{digest}.png", PNG[:-1] + b"x"), ("evidence/202611/../../anchor.json", PNG)):
        await east.copies.offer(Copy(path=path, sha256=digest, size=len(PNG), at=NOW), body)
    await at(NOW + LOOK, west)
    assert not (west.folder / "evidence").exists()
    assert not (west.folder / "anchor.json").exists()
