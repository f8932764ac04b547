"""Is the journal what was written? The chain is computed anew and compared with every hash that was kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import msgspec

from escalation.ledger.chain import Head, genesis, link
from escalation.ledger.door import Store
from escalation.ledger.keys import PartitionKeys, partition_keys
from escalation.ledger.segments import parse_line, read_header, read_lines, segments_of
from escalation.ledger.stream import Sealed, pages, read_sealed, sealed_command


class Fault(StrEnum):
    """What is wrong with a row."""

    ALTERED = "altered"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    HEAD = "head"
    ANCHOR = "anchor"

    @property
    def word(self) -> str:
        return {
            "altered": "内容被改动",
            "missing": "记录缺失",
            "unreadable": "无法读取",
            "head": "与链头不符",
            "anchor": "与锚点不符",
        }[self.value]


class Finding(NamedTuple):
    """One partition: how many rows are chained and how many are not yet, and the first bad row where there is one."""

    partition: int
    sealed: int
    unsealed: int
    fault: Fault | None = None
    row: int = 0
    where: str = ""


class _BadRowError(Exception):
    def __init__(self, fault: Fault, row: int, where: str) -> None:
        super().__init__(fault, row, where)
        self.fault = fault
        self.row = row
        self.where = where


class _Walk:
    """Follows one partition's chain and stops at the first row that is not as it must be."""

    def __init__(self, partition: int, sealed: Sealed, anchored: Head | None) -> None:
        self.number = 0
        self.hash = genesis(partition)
        self.unsealed = 0
        self._head = sealed.head
        self._anchored = anchored

    def chained(self, number: int, row: bytes, kept: bytes | None, where: str) -> None:
        """The next row, with the hash that was kept for it."""
        if number != self.number + 1:
            raise _BadRowError(Fault.MISSING, self.number + 1, where)
        self.hash = link(self.hash, number, row)
        self.number = number
        if kept is None:
            raise _BadRowError(Fault.MISSING, number, f"{where}: hash")
        if kept != self.hash:
            raise _BadRowError(Fault.ALTERED, number, where)
        if self._anchored is not None and number == self._anchored.count and self.hash.hex() != self._anchored.sha256:
            raise _BadRowError(Fault.ANCHOR, number, where)
        if number == self._head.count and self.hash.hex() != self._head.sha256:
            raise _BadRowError(Fault.HEAD, number, where)

    def loose(self, number: int, where: str) -> None:
        """A row that the sealer has not reached yet."""
        if number != self.number + self.unsealed + 1:
            raise _BadRowError(Fault.MISSING, self.number + self.unsealed + 1, where)
        self.unsealed += 1

    def ends(self) -> None:
        """All rows were seen: the store's head and the anchor must have been passed."""
        if self.number < self._head.count:
            raise _BadRowError(Fault.MISSING, self.number + 1, "store")
        if self._anchored is not None and self.number < self._anchored.count:
            raise _BadRowError(Fault.ANCHOR, self.number + 1, "anchor")


async def verify(
    store: Store, partitions: int, folder: Path, anchor: Mapping[int, Head] | None = None
) -> list[Finding]:
    """Walk every partition's files in ``folder`` and its stream, against the store's heads and the anchor's.

    One finding for each partition, with the first bad row. Raises the store's error.
    """
    findings: list[Finding] = []
    for partition in range(partitions):
        keys = partition_keys(partition)
        anchored = (anchor or {}).get(partition)
        sealed = read_sealed(partition, await store.execute(*sealed_command(keys)))
        finding = await _finding(store, partition, folder, sealed, anchored)
        if finding.fault is not None:
            # Rows that moved to a file after the files were walked look missing: walk again what moved meanwhile.
            later = read_sealed(partition, await store.execute(*sealed_command(keys)))
            if later.filed != sealed.filed:
                finding = await _finding(store, partition, folder, later, anchored)
        findings.append(finding)
    return findings


async def _finding(store: Store, partition: int, folder: Path, sealed: Sealed, anchored: Head | None) -> Finding:
    walk = _Walk(partition, sealed, anchored)
    try:
        _walk_files(walk, folder, partition)
        await _walk_stream(walk, store, partition_keys(partition), sealed)
        walk.ends()
    except _BadRowError as bad:
        return Finding(partition, walk.number, walk.unsealed, bad.fault, bad.row, bad.where)
    return Finding(partition, walk.number, walk.unsealed)


def _walk_files(walk: _Walk, folder: Path, partition: int) -> None:
    for first, last, path in segments_of(folder, partition):
        try:
            header = read_header(path)
            if (header.partition, header.first, header.last) != (partition, first, last):
                raise _BadRowError(Fault.ALTERED, first, f"{path.name}: header")
            if header.before != walk.hash.hex():
                raise _BadRowError(
                    Fault.MISSING if first != walk.number + 1 else Fault.ALTERED, walk.number + 1, path.name
                )
            for line in read_lines(path):
                parsed = parse_line(line)
                walk.chained(parsed.number, bytes(parsed.row), bytes.fromhex(parsed.hash), path.name)
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            raise _BadRowError(Fault.UNREADABLE, walk.number + 1, f"{path.name}: {error}") from error
        if walk.number != last:
            raise _BadRowError(Fault.MISSING, walk.number + 1, path.name)
        if header.after != walk.hash.hex():
            raise _BadRowError(Fault.ALTERED, last, f"{path.name}: header")


async def _walk_stream(walk: _Walk, store: Store, keys: PartitionKeys, sealed: Sealed) -> None:
    if walk.number < sealed.filed:
        raise _BadRowError(Fault.MISSING, walk.number + 1, "journal folder")
    # A file whose rows are still in the store as well: the hub ended between the two.
    async for rows in pages(store, keys, walk.number):
        numbers = [number for number, _ in rows]
        kept: list[bytes | None] = await store.execute("HMGET", keys.hashes, *numbers)
        for (number, row), row_hash in zip(rows, kept, strict=True):
            if number <= sealed.head.count:
                walk.chained(number, row, row_hash, "store")
            else:
                if walk.number < sealed.head.count:
                    raise _BadRowError(Fault.MISSING, walk.number + 1, "store")
                walk.loose(number, "store")
