"""The journal: appended in the commit, sealed behind it, moved to files, and every change to it noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.store.client import Store
from escalation.inputs import Entry
from escalation.ledger.chain import Head
from escalation.ledger.change import Change
from escalation.ledger.commit import Ledger
from escalation.ledger.door import Arg
from escalation.ledger.filing import Filer
from escalation.ledger.journal import Journal, JournalGapError, Sealer
from escalation.ledger.keys import partition_keys
from escalation.ledger.segments import read_lines, segments_of
from escalation.ledger.verify import Fault, Finding, verify
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW, taken

N = 3
KEYS = partition_keys(1)


class Kept:
    """An anchor in memory."""

    def __init__(self) -> None:
        self.heads: dict[int, Head] = {}
        self.met: list[dict[int, Head]] = []

    async def save(self, heads: Mapping[int, Head]) -> None:
        self.heads.update(heads)

    async def meet(self, heads: Mapping[int, Head]) -> None:
        self.met.append(dict(heads))


class Busy(StoreDoor):
    """A door behind which a segment is filed just before the stream is read."""

    def __init__(self, store: Store, filer: Filer) -> None:
        super().__init__(store)
        self._filer = filer
        self.filed = 0

    async def execute(self, *args: Arg) -> Any:
        if args[:2] == ("XRANGE", KEYS.journal) and not self.filed:
            self.filed += await self._filer.step(NOW)
        return await super().execute(*args)


@pytest.fixture
def ledger(door: StoreDoor) -> Ledger:
    return Ledger(door, N)


@pytest.fixture
def anchor() -> Kept:
    return Kept()


@pytest.fixture
def sealer(door: StoreDoor, anchor: Kept) -> Sealer:
    return Sealer(door, N, anchor)


async def write(ledger: Ledger, count: int, *, partition: int = 1, start: int = 0) -> None:
    """Commit ``count`` rows about three incidents of a partition."""
    for number in range(start, start + count):
        code = f"A{1000 + 3 * (number % 3)}"
        entries = [
            Entry(at=NOW + number, reason="told", incident=code, detail={"number": number, "text": "反应釜 \\ 超温"})
        ]
        await ledger.commit(
            [Change(partition=partition, now=NOW, takes=[taken(f"{partition}/{number}")], entries=entries)]
        )


async def test_sealed_rows_verify_and_the_head_is_anchored(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path
) -> None:
    await write(ledger, 5)
    await write(ledger, 2, partition=2)

    sealing = await sealer.step(NOW)

    assert not sealing.more
    assert sealing.heads == anchor.heads
    assert {partition: head.count for partition, head in sealing.heads.items()} == {1: 5, 2: 2}
    assert sealing.heads[1].stream_id == "0-5"
    assert await verify(door, N, files, anchor.heads) == [Finding(0, 0, 0), Finding(1, 5, 0), Finding(2, 2, 0)]
    assert (await sealer.step(NOW)).heads == {}


async def test_the_chain_is_what_the_docstring_says(ledger: Ledger, sealer: Sealer, door: StoreDoor) -> None:
    await write(ledger, 2)
    sealing = await sealer.step(NOW)

    rows = [fields[1] for _, fields in await door.execute("XRANGE", KEYS.journal, "-", "+")]

    chained = hashlib.sha256(b"1").digest()
    for number, row in enumerate(rows, 1):
        chained = hashlib.sha256(chained + number.to_bytes(8, "big") + row).digest()
    assert sealing.heads[1].sha256 == chained.hex()


async def test_a_step_seals_a_page_and_says_that_there_is_more(ledger: Ledger, door: StoreDoor, anchor: Kept) -> None:
    await write(ledger, 5)
    sealer = Sealer(door, N, anchor, page=3)

    assert (await sealer.step(NOW)).more
    assert not (await sealer.step(NOW)).more

    assert anchor.heads[1].count == 5


async def test_two_hubs_seal_one_chain(ledger: Ledger, door: StoreDoor, anchor: Kept, files: Path) -> None:
    hubs = [Sealer(door, N, anchor), Sealer(door, N, anchor)]
    for turn in range(6):
        await write(ledger, 2, start=2 * turn)
        await hubs[turn % 2].step(NOW)
        if turn % 3 == 2:
            await hubs[0].step(NOW)
            await hubs[1].step(NOW)
    for hub in hubs * 2:
        await hub.step(NOW)

    assert await verify(door, N, files, anchor.heads) == [Finding(0, 0, 0), Finding(1, 12, 0), Finding(2, 0, 0)]


async def test_a_slow_hub_does_not_move_the_head_back(
    ledger: Ledger, door: StoreDoor, anchor: Kept, files: Path
) -> None:
    fast, slow = Sealer(door, N, anchor), Sealer(door, N, anchor, page=2)
    await write(ledger, 2)
    await slow.step(NOW)
    await write(ledger, 6, start=2)
    await fast.step(NOW)

    assert (await slow.step(NOW)).heads == {}

    assert (await verify(door, N, files, anchor.heads))[1] == Finding(1, 8, 0)


async def test_rows_filed_while_they_are_verified_are_not_called_missing(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path
) -> None:
    await write(ledger, 8)
    await sealer.step(NOW)
    busy = Busy(door.store, Filer(door, N, files, hub="a", keep=0, segment=4))

    assert (await verify(busy, N, files, anchor.heads))[1] == Finding(1, 8, 0)

    assert busy.filed == 1


async def test_rows_not_sealed_yet_are_counted_apart(
    ledger: Ledger, sealer: Sealer, door: StoreDoor, files: Path
) -> None:
    await write(ledger, 2)
    await sealer.step(NOW)
    await write(ledger, 3, start=2)

    assert (await verify(door, N, files))[1] == Finding(1, 2, 3)


async def test_the_sealer_does_not_seal_over_a_gap_but_seals_the_other_partitions(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor
) -> None:
    await write(ledger, 4)
    await write(ledger, 1, partition=2)
    await door.execute("XDEL", KEYS.journal, "0-2")

    with pytest.raises(JournalGapError, match="partition 1"):
        await sealer.step(NOW)

    assert set(anchor.heads) == {2}


async def filed(ledger: Ledger, sealer: Sealer, door: StoreDoor, files: Path) -> None:
    """Twelve rows of partition 1: eight in two files, four in the store."""
    await write(ledger, 12)
    await sealer.step(NOW)
    filer = Filer(door, N, files, hub="a", keep=4, segment=4)
    assert [await filer.step(NOW) for _ in range(3)] == [1, 1, 0]
    assert await door.execute("XLEN", KEYS.journal) == 4
    assert await door.execute("HLEN", KEYS.hashes) == 4
    assert [(first, last) for first, last, _ in segments_of(files, 1)] == [(1, 4), (5, 8)]


async def test_files_and_store_together_are_the_journal(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path
) -> None:
    await filed(ledger, sealer, door, files)
    await write(ledger, 2, start=12)

    assert (await verify(door, N, files, anchor.heads))[1] == Finding(1, 12, 2)
    rows = await Journal(door, N, files).rows("a1003")
    assert [row.number for row in rows] == [2, 5, 8, 11, 14]
    assert [row.entry.detail["number"] for row in rows] == [1, 4, 7, 10, 13]


async def rewrite(door: StoreDoor, number: int, row: bytes) -> None:
    """Replace a row in the stream, keeping every other row and number."""
    rows = await door.execute("XRANGE", KEYS.journal, "-", "+")
    await door.execute("DEL", KEYS.journal)
    for row_id, fields in rows:
        await door.execute("XADD", KEYS.journal, row_id, "r", row if row_id == b"0-%d" % number else fields[1])


async def flip_in_store(door: StoreDoor, _: Path) -> None:
    rows = dict(await door.execute("XRANGE", KEYS.journal, "-", "+"))
    row = bytearray(rows[b"0-10"][1])
    row[20] ^= 1
    await rewrite(door, 10, bytes(row))


async def delete_in_store(door: StoreDoor, _: Path) -> None:
    await door.execute("XDEL", KEYS.journal, "0-11")


async def cut_in_store(door: StoreDoor, _: Path) -> None:
    await door.execute("XDEL", KEYS.journal, "0-12")


async def empty_the_store(door: StoreDoor, _: Path) -> None:
    await door.execute("FLUSHALL")


async def cut_tail_with_its_head(door: StoreDoor, _: Path) -> None:
    hashes = await door.execute("HGET", KEYS.hashes, "11")
    await door.execute("XDEL", KEYS.journal, "0-12")
    await door.execute("HDEL", KEYS.hashes, "12")
    await door.execute("HSET", KEYS.sealed, "number", 11, "hash", hashes.hex())


async def forge_the_whole_chain(door: StoreDoor, _: Path) -> None:
    rows = dict(await door.execute("XRANGE", KEYS.journal, "-", "+"))
    chained = bytes.fromhex((await door.execute("HGET", KEYS.sealed, "filed_hash")).decode())
    for number in range(9, 13):
        row = rows[b"0-%d" % number][1]
        if number == 9:
            row = row.replace(b"told", b"tolt")
            await rewrite(door, number, row)
        chained = hashlib.sha256(chained + number.to_bytes(8, "big") + row).digest()
        await door.execute("HSET", KEYS.hashes, number, chained)
    await door.execute("HSET", KEYS.sealed, "hash", chained.hex())


async def forge_the_head(door: StoreDoor, _: Path) -> None:
    await door.execute("HSET", KEYS.sealed, "hash", "00" * 32)


async def flip_in_file(_: StoreDoor, files: Path) -> None:
    path = segments_of(files, 1)[1][2]
    path.write_bytes(path.read_bytes().replace(b'"detail":{"number":5', b'"detail":{"number":9'))


async def delete_in_file(_: StoreDoor, files: Path) -> None:
    path = segments_of(files, 1)[0][2]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))


async def cut_file(_: StoreDoor, files: Path) -> None:
    path = segments_of(files, 1)[1][2]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


async def tear_file(_: StoreDoor, files: Path) -> None:
    path = segments_of(files, 1)[1][2]
    path.write_bytes(path.read_bytes()[:-30])


async def lose_first_file(_: StoreDoor, files: Path) -> None:
    segments_of(files, 1)[0][2].unlink()


async def lose_last_file(_: StoreDoor, files: Path) -> None:
    segments_of(files, 1)[1][2].unlink()


async def forge_header(_: StoreDoor, files: Path) -> None:
    path = segments_of(files, 1)[1][2]
    header, _newline, body = path.read_bytes().partition(b"\n")
    path.write_bytes(header.replace(b'"after":"', b'"after":"00')[:-4] + b'"}\n' + body)


TAMPERED: dict[str, tuple[Callable[[StoreDoor, Path], Awaitable[None]], Fault, int]] = {
    "a flipped bit in the store": (flip_in_store, Fault.ALTERED, 10),
    "a row deleted in the store": (delete_in_store, Fault.MISSING, 11),
    "the last row deleted in the store": (cut_in_store, Fault.MISSING, 12),
    "a store that came back empty": (empty_the_store, Fault.ANCHOR, 9),
    "the tail cut together with its head": (cut_tail_with_its_head, Fault.ANCHOR, 12),
    "every hash in the store computed anew": (forge_the_whole_chain, Fault.ANCHOR, 12),
    "another head": (forge_the_head, Fault.HEAD, 12),
    "a row altered in a file": (flip_in_file, Fault.ALTERED, 6),
    "a row deleted in a file": (delete_in_file, Fault.MISSING, 2),
    "the last row of a file deleted": (cut_file, Fault.MISSING, 8),
    "a torn file": (tear_file, Fault.UNREADABLE, 8),
    "the first file lost": (lose_first_file, Fault.MISSING, 1),
    "the last file lost": (lose_last_file, Fault.MISSING, 5),
    "a file's header altered": (forge_header, Fault.ALTERED, 8),
}


@pytest.mark.parametrize("case", TAMPERED)
async def test_the_first_bad_row_is_named(
    ledger: Ledger, sealer: Sealer, anchor: Kept, door: StoreDoor, files: Path, case: str
) -> None:
    await filed(ledger, sealer, door, files)
    tamper, fault, row = TAMPERED[case]
    await tamper(door, files)

    found = (await verify(door, N, files, anchor.heads))[1]

    assert (found.fault, found.row) == (fault, row), found
    assert found.where
    assert fault.word


async def test_rows_stand_in_the_files_as_they_were_committed(
    ledger: Ledger, sealer: Sealer, door: StoreDoor, files: Path
) -> None:
    await write(ledger, 4)
    rows = [fields[1] for _, fields in await door.execute("XRANGE", KEYS.journal, "-", "+")]
    await sealer.step(NOW)

    await Filer(door, N, files, hub="a", keep=0, segment=4).step(NOW)

    lines = list(read_lines(segments_of(files, 1)[0][2]))
    assert [line.partition(b'"row":')[2][:-1] for line in lines] == rows


async def test_nothing_is_filed_over_a_gap(ledger: Ledger, sealer: Sealer, door: StoreDoor, files: Path) -> None:
    await write(ledger, 8)
    await sealer.step(NOW)
    await door.execute("XDEL", KEYS.journal, "0-3")

    with pytest.raises(JournalGapError, match="row 0"):
        await Filer(door, N, files, hub="a", keep=0, segment=4).step(NOW)

    assert segments_of(files, 1) == []
    assert await door.execute("XLEN", KEYS.journal) == 7
