"""Every hub files the journal on its own disk, and the store keeps what one of them does not have yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from escalation.ledger.commit import Ledger
from escalation.ledger.filing import AWAY_DAYS, DAY, Filer
from escalation.ledger.journal import Journal, JournalGapError, Sealer
from escalation.ledger.segments import segments_of
from escalation.ledger.verify import Fault, Finding, verify
from tests.ledger.doors import StoreDoor
from tests.ledger.test_journal import KEYS, Kept, N, anchor, ledger, sealer, write
from tests.ledger.things import NOW

__all__ = ["anchor", "ledger", "sealer"]


def names(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


async def rows_in_store(door: StoreDoor) -> int:
    found: int = await door.execute("XLEN", KEYS.journal)
    return found


async def test_a_hub_that_ended_between_the_file_and_the_trim_trims_what_its_file_holds(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path
) -> None:
    await write(ledger, 8)
    await sealer.step(NOW)
    kept = {name: await door.execute("DUMP", name) for name in (KEYS.journal, KEYS.sealed, KEYS.hashes)}
    await Filer(door, N, files, hub="a", keep=0, segment=6).step(NOW)
    for name, dumped in kept.items():
        await door.execute("RESTORE", name, 0, dumped, "REPLACE")
    assert (await verify(door, N, files, anchor.heads))[1] == Finding(1, 8, 0)

    assert await Filer(door, N, files, hub="a", keep=0, segment=4).step(NOW) == 0

    assert await rows_in_store(door) == 2
    assert (await verify(door, N, files, anchor.heads))[1] == Finding(1, 8, 0)
    assert len(segments_of(files, 1)) == 1
    assert len(await Journal(door, N, files).rows("A1000")) == 3


async def test_a_file_that_is_not_of_this_journal_is_written_again(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path
) -> None:
    """The store fell back behind it and grew again, or somebody put a strange file there."""
    await write(ledger, 8)
    await sealer.step(NOW)
    await Filer(door, N, files, hub="a", keep=0, segment=6).step(NOW)
    (path,) = (path for _, _, path in segments_of(files, 1))
    await door.execute("FLUSHALL")
    await write(ledger, 4, start=3)
    await write(ledger, 4, start=20)
    await Sealer(door, N, anchor).step(NOW)
    before = path.read_bytes()

    assert await Filer(door, N, files, hub="a", keep=0, segment=6).step(NOW) == 1

    assert path.read_bytes() != before
    assert (await verify(door, N, files))[1] == Finding(1, 8, 0)


async def test_each_hub_has_the_whole_journal_and_the_store_waits_for_the_last(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, tmp_path: Path
) -> None:
    fast, slow = (Filer(door, N, tmp_path / name, hub=name, keep=0, segment=4) for name in ("fast", "slow"))
    assert await slow.step(NOW) + await fast.step(NOW) == 0
    await write(ledger, 12)
    await sealer.step(NOW)

    assert [await fast.step(NOW) for _ in range(4)] == [1, 1, 1, 0]
    assert await rows_in_store(door) == 12, "the slow hub has nothing yet"
    assert [await slow.step(NOW) for _ in range(4)] == [1, 1, 1, 0]

    assert await rows_in_store(door) == 0
    assert names(tmp_path / "fast") == names(tmp_path / "slow") != {}
    for folder in ("fast", "slow"):
        assert (await verify(door, N, tmp_path / folder, anchor.heads))[1] == Finding(1, 12, 0)
        assert len(await Journal(door, N, tmp_path / folder).rows("A1000")) == 4


async def test_a_hub_that_is_away_for_days_is_not_waited_for_longer(
    ledger: Ledger, sealer: Sealer, door: StoreDoor, tmp_path: Path
) -> None:
    away, here = (Filer(door, N, tmp_path / name, hub=name, keep=0, segment=4) for name in ("away", "here"))
    await away.step(NOW)
    await write(ledger, 8)
    await sealer.step(NOW)

    soon, late = NOW + AWAY_DAYS * DAY, NOW + AWAY_DAYS * DAY + 1
    assert await here.step(soon) + await here.step(soon) == 2
    assert await rows_in_store(door) == 8
    await here.step(late)

    assert await rows_in_store(door) == 0


async def test_a_hub_that_comes_late_says_what_it_lacks_and_goes_on_with_copied_files(
    ledger: Ledger,
    sealer: Sealer,
    anchor: Kept,
    door: StoreDoor,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = Filer(door, N, tmp_path / "first", hub="first", keep=0, segment=4)
    await write(ledger, 8)
    await sealer.step(NOW)
    await first.step(NOW)
    late = Filer(door, N, tmp_path / "late", hub="late", keep=0, segment=4)

    assert await late.step(NOW) == 1
    assert "partition 1: old rows of the journal are not in" in caplog.text
    found = (await verify(door, N, tmp_path / "late", anchor.heads))[1]
    assert (found.fault, found.row) == (Fault.MISSING, 1)

    for name, content in names(tmp_path / "first").items():
        (tmp_path / "late" / name).write_bytes(content)
    assert (await verify(door, N, tmp_path / "late", anchor.heads))[1] == Finding(1, 8, 0)
    await first.step(NOW)
    assert names(tmp_path / "first") == names(tmp_path / "late")


async def test_nothing_is_forgotten_over_a_gap(ledger: Ledger, sealer: Sealer, door: StoreDoor, tmp_path: Path) -> None:
    other = Filer(door, N, tmp_path / "other", hub="other", keep=0, segment=4)
    await other.step(NOW)
    await write(ledger, 8)
    await sealer.step(NOW)
    filer = Filer(door, N, tmp_path / "a", hub="a", keep=0, segment=4)
    await filer.step(NOW)
    await door.execute("HDEL", KEYS.hashes, 4)

    with pytest.raises(JournalGapError, match="row 0"):
        await other.step(NOW)

    assert await rows_in_store(door) == 8
