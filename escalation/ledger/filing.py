"""Old journal rows move to files, of every hub on a store: each has the whole journal on its own disk.

A hub copies sealed rows to its folder and says up to where it has them; the store forgets what every hub has that has
said so lately. A hub that is away keeps the rows of these days in the store. What the store forgot before a hub came is
not in that hub's folder: the files of another hub belong there, and they are the same, name by name and byte by byte.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from escalation.ledger.claims import answered
from escalation.ledger.door import Call, Store
from escalation.ledger.journal import JournalGapError
from escalation.ledger.keys import partition_keys
from escalation.ledger.scripts import register
from escalation.ledger.segments import Header, read_header, segments_of, write_segment
from escalation.ledger.stream import Sealed, range_command, read_rows, read_sealed, sealed_command

AWAY_DAYS = 7
"""For how long the rows wait in the store for a hub that is not heard of."""
DAY = 86_400_000
_log = logging.getLogger("fenghuo.ledger")


class Filer:
    """Copies sealed rows from the store to files of one folder, for one hub."""

    def __init__(
        self, store: Store, partitions: int, folder: Path, *, hub: str, keep: int = 2_000, segment: int = 2_000
    ) -> None:
        """``hub`` names the folder among the hubs of this store, for good. Files hold ``segment`` rows each; at least
        ``keep`` sealed rows of a partition stay in the store."""
        register(store, "trim")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._folder = folder
        self._hub = hub
        self._keep = keep
        self._segment = segment
        self._lacking: set[int] = set()

    async def step(self, now: int) -> int:
        """File at most one segment of each partition, and let the store forget what all hubs have; how many segments
        were filed. ``now`` in milliseconds.

        Raises OSError where a file cannot be written (nothing is removed from the store then), JournalGapError, the
        store's error.
        """
        replies = await self._store.pipeline([sealed_command(keys) for keys in self._keys])
        filed = 0
        here: list[tuple[int, int]] = []
        for number, reply in answered(range(len(self._keys)), replies):
            sealed = read_sealed(number, reply)
            last, before = await self._here(number, sealed)
            if sealed.head.count - last >= self._keep + self._segment:
                last = await self._file(number, last, before)
                filed += 1
            here.append((number, last))
        await self._trim(here, now)
        return filed

    async def _here(self, partition: int, sealed: Sealed) -> tuple[int, str]:
        """The last row that this folder has, and the hash after it: what comes next is filed behind it."""
        segments = await asyncio.to_thread(segments_of, self._folder, partition)
        if sealed.filed and (not segments or segments[0][0] != 1) and partition not in self._lacking:
            self._lacking.add(partition)
            _log.warning(
                "partition %d: old rows of the journal are not in %s; copy the files that are missing there from the "
                "journal folder of another hub",
                partition,
                self._folder,
            )
        if segments and segments[-1][1] > sealed.filed:
            _, last, path = segments[-1]
            try:
                after = (await asyncio.to_thread(read_header, path)).after
            except (OSError, msgspec.MsgspecError):
                return sealed.filed, sealed.filed_hash
            found = await self._store.execute("HGET", self._keys[partition].hashes, last)
            if found is not None and found.hex() == after:
                return last, after
        # What the store does not know is filed again.
        return sealed.filed, sealed.filed_hash

    async def _file(self, partition: int, filed: int, before: str) -> int:
        keys = self._keys[partition]
        rows = read_rows(await self._store.execute(*range_command(keys, filed, self._segment)))
        numbers = [number for number, _ in rows]
        hashes: Sequence[bytes | None] = await self._store.execute("HMGET", keys.hashes, *numbers) if numbers else []
        if numbers != list(range(filed + 1, filed + self._segment + 1)) or None in hashes:
            raise _gap(partition, filed)
        full = [(number, done, row) for (number, row), done in zip(rows, hashes, strict=True) if done is not None]
        after = full[-1][1].hex()
        header = Header(partition=partition, first=filed + 1, last=numbers[-1], before=before, after=after)
        await asyncio.to_thread(write_segment, self._folder, header, full)
        return numbers[-1]

    async def _trim(self, here: list[tuple[int, int]], now: int) -> None:
        calls: list[Call] = []
        for number, last in here:
            keys = self._keys[number]
            args = (self._hub, last, now, now - AWAY_DAYS * DAY, 2 * self._segment)
            calls.append(("trim", (keys.sealed, keys.hashes, keys.journal, keys.filers), args))
        for (number, last), reply in answered(here, await self._store.run_scripts(calls)):
            if reply < 0:
                raise _gap(number, last)


def _gap(partition: int, row: int) -> JournalGapError:
    return JournalGapError(
        f"partition {partition}: rows behind row {row} are missing from the store, nothing was filed. "
        "Run `fenghuo verify`."
    )
