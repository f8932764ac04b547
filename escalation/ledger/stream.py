"""Reading the part of a journal that is still in the store: numbered rows and what is known of their chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from escalation.ledger.chain import Head, genesis
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import PartitionKeys

PAGE = 1000


class Sealed(NamedTuple):
    """What the store says of a partition's chain: the head, the last row moved to a file, and the hash after that."""

    head: Head
    filed: int
    filed_hash: str


def sealed_command(keys: PartitionKeys) -> Command:
    """The command whose reply :func:`read_sealed` understands."""
    return ("HMGET", keys.sealed, "number", "hash", "filed", "filed_hash")


def read_sealed(partition: int, reply: list[bytes | None]) -> Sealed:
    """The chain's state from the reply; of a chain that was not begun, its beginning."""
    start = genesis(partition).hex()
    number, head, filed, filed_hash = reply
    return Sealed(
        Head(count=int(number or 0), sha256=head.decode() if head else start),
        int(filed or 0),
        filed_hash.decode() if filed_hash else start,
    )


def range_command(keys: PartitionKeys, after: int, count: int) -> Command:
    """The command for up to ``count`` rows behind row ``after``; :func:`read_rows` understands its reply."""
    return ("XRANGE", keys.journal, f"0-{after + 1}", "+", "COUNT", count)


def read_rows(reply: list[tuple[bytes, list[bytes]]]) -> list[tuple[int, bytes]]:
    """Rows as (number, bytes)."""
    return [(int(row_id.partition(b"-")[2]), fields[1]) for row_id, fields in reply]


async def pages(store: Store, keys: PartitionKeys, after: int) -> AsyncIterator[list[tuple[int, bytes]]]:
    """All rows behind row ``after``, page by page."""
    while True:
        rows = read_rows(await store.execute(*range_command(keys, after, PAGE)))
        if not rows:
            return
        yield rows
        after = rows[-1][0]
