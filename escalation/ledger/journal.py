"""Sealing the journal, and reading an incident's story from it.

Rows are appended inside the commits. The sealer follows within a second: it chains the new rows, stores the chain's
head and gives it to an anchor outside the store. It guards every step by the state it read, so several hubs may seal.
Old sealed rows move to files: :mod:`escalation.ledger.filing`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from escalation.inputs import Entry
from escalation.ledger.chain import Head, links
from escalation.ledger.claims import answered
from escalation.ledger.door import Call, Store
from escalation.ledger.keys import partition_keys, partition_of_code, read_code
from escalation.ledger.scripts import register
from escalation.ledger.segments import parse_line, read_lines, segments_of
from escalation.ledger.stream import pages, range_command, read_rows, read_sealed, sealed_command

TOGETHER = 4
"""How many partitions are read and sealed in one round trip."""

Rows: TypeAlias = list[tuple[int, bytes]]
"""Journal rows as (number, bytes)."""

_decode = msgspec.json.Decoder(Entry).decode
_log = logging.getLogger("fenghuo.ledger")


class Anchor(Protocol):
    """Keeps heads outside the store."""

    async def save(self, heads: Mapping[int, Head]) -> None:
        """Bring these partitions' heads to disk; the others stay as they were saved before."""
        ...

    async def meet(self, heads: Mapping[int, Head]) -> None:
        """These partitions' heads in the store are not those that were saved last: another hub sealed, or the store
        fell back. Raises where nothing may be sealed in such a store."""
        ...


class JournalGapError(Exception):
    """A journal's next row has not the next number: a row was removed. Sealing over the gap would hide it."""


class Sealing(NamedTuple):
    """What a step of the sealer did: the heads that moved, and whether more rows are waiting to be sealed."""

    heads: dict[int, Head]
    more: bool


class JournalRow(NamedTuple):
    """One row of an incident's story."""

    number: int
    entry: Entry


class Sealer:
    """Chains new journal rows of all partitions."""

    def __init__(self, store: Store, partitions: int, anchor: Anchor, *, page: int = 250, pause: float = 0.0) -> None:
        """``page``: how many rows of each partition one step seals at most; ``pause``: for how many seconds it lets
        others work after a few partitions in which there was something to seal."""
        register(store, "seal")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._anchor = anchor
        self._page = page
        self._pause = pause
        self._heads: dict[int, Head] = {}

    async def step(self, now: int) -> Sealing:
        """Seal what was committed since the last step and anchor the heads.

        Raises JournalGapError after the other partitions were sealed and anchored, the store's error, the anchor's.
        """
        replies = await self._store.pipeline([sealed_command(keys) for keys in self._keys])
        heads = {number: read_sealed(number, reply).head for number, reply in answered(range(len(self._keys)), replies)}
        foreign = {number: head for number, head in heads.items() if head != self._heads.get(number)}
        if foreign:
            await self._anchor.meet(foreign)
            self._heads |= foreign
        sealed: dict[int, Head] = {}
        gaps: list[str] = []
        more = False
        # All partitions at once would hold the store and this process up for as long as a commit takes, and every
        # event that comes meanwhile.
        known = list(heads.items())
        for first in range(0, len(known), TOGETHER):
            found = await self._rows(known[first : first + TOGETHER], gaps)
            if not found:
                continue
            more = more or any(len(rows) == self._page for _, _, rows in found)
            sealed |= await self._seal(found, now)
            await asyncio.sleep(self._pause)
        if sealed:
            await self._anchor.save(sealed)
            self._heads |= sealed
        if gaps:
            raise JournalGapError("; ".join(gaps) + ". Run `fenghuo verify`.")
        return Sealing(sealed, more)

    async def _rows(self, heads: Sequence[tuple[int, Head]], gaps: list[str]) -> list[tuple[int, Head, Rows]]:
        """What stands behind these heads, where anything does. A journal in which rows are missing is among the
        ``gaps`` instead."""
        replies = await self._store.pipeline(
            [range_command(self._keys[number], head.count, self._page) for number, head in heads]
        )
        found: list[tuple[int, Head, Rows]] = []
        for (number, head), reply in zip(heads, replies, strict=True):
            if isinstance(reply, Exception):
                _log.warning("partition %d could not be sealed now: %s", number, reply)
                continue
            rows = read_rows(reply)
            if not rows:
                continue
            if rows[0][0] != head.count + 1 or rows[-1][0] != head.count + len(rows):
                gaps.append(f"partition {number} is sealed up to row {head.count}, and rows are missing behind it")
                continue
            found.append((number, head, rows))
        return found

    async def _seal(self, found: Sequence[tuple[int, Head, Rows]], now: int) -> dict[int, Head]:
        """Chain these rows to their heads; the heads that moved."""
        calls: list[Call] = []
        moved: list[tuple[int, Head]] = []
        for number, head, rows in found:
            hashes = links(bytes.fromhex(head.sha256), rows)
            new = Head(count=rows[-1][0], sha256=hashes[-1].hex())
            keys = self._keys[number]
            calls.append(("seal", (keys.sealed, keys.hashes), (head.count, new.count, new.sha256, now, *hashes)))
            moved.append((number, new))
        sealed: dict[int, Head] = {}
        for (number, new), mark in zip(moved, await self._store.run_scripts(calls), strict=True):
            if mark == 1:
                sealed[number] = new
            else:
                # Another hub was faster, or the store did not answer: read the head again next time.
                del self._heads[number]
        return sealed


class Journal:
    """Reads the journals of all partitions, from the store and from ``folder``, where there is one."""

    def __init__(self, store: Store, partitions: int, folder: Path | None = None) -> None:
        self._store = store
        self._partitions = partitions
        self._folder = folder

    async def rows(self, code: str) -> list[JournalRow]:
        """Every journal row about an incident, oldest first. Only the rows that name the code are decoded.

        Raises ValueError for what is no code, OSError, msgspec.MsgspecError for a damaged file, the store's error.
        """
        partition = partition_of_code(code, self._partitions)
        needle = f'"incident":"{read_code(code)}"'.encode()
        rows: dict[int, bytes] = {}
        for _, _, path in segments_of(self._folder, partition) if self._folder is not None else ():
            for line in await asyncio.to_thread(_naming, path, needle):
                parsed = parse_line(line)
                rows[parsed.number] = bytes(parsed.row)
        async for page in pages(self._store, partition_keys(partition), 0):
            rows.update((number, row) for number, row in page if needle in row)
        return [JournalRow(number, _decode(row)) for number, row in sorted(rows.items())]


def _naming(path: Path, needle: bytes) -> list[bytes]:
    return [line for line in read_lines(path) if needle in line]
