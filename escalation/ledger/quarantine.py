"""What was told but not understood, until somebody has seen to it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from escalation.inputs import Entry
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import US, partition_keys
from escalation.ledger.scripts import register


class QuarantinedRow(NamedTuple):
    """One row as it was committed, with the partition that holds it."""

    partition: int
    id: str
    body: bytes


class Quarantine:
    """The quarantine of all partitions."""

    def __init__(self, store: Store, partitions: int) -> None:
        register(store, "quarantine_release")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]

    async def rows(self) -> list[QuarantinedRow]:
        """Every row. Raises the store's error if any part failed."""
        commands: list[Command] = [("HGETALL", keys.quarantine) for keys in self._keys]
        found: list[QuarantinedRow] = []
        for partition, reply in enumerate(await self._store.pipeline(commands)):
            if isinstance(reply, Exception):
                raise reply
            pairs = zip(reply[::2], reply[1::2], strict=True)
            found += (QuarantinedRow(partition, row_id.decode(), body) for row_id, body in pairs)
        return found

    async def release(self, row: QuarantinedRow, entry: Entry, *, release: str, now: int) -> bool:
        """Remove the row and journal ``entry``, in one step. False where somebody did so before. ``release`` tells this
        release from any other, so that one whose answer was lost may be run again. Raises the store's error."""
        keys = self._keys[row.partition]
        names = (keys.quarantine, keys.seen, keys.seen_log, keys.journal)
        args = (row.id, f"x{US}{row.id}{US}{release}", now, msgspec.json.encode(entry))
        (reply,) = await self._store.run_scripts([("quarantine_release", names, args)])
        if isinstance(reply, Exception):
            raise reply
        return bool(reply == 1)
