"""What is fixed when a store is made: its id and into how many parts it is divided."""

from __future__ import annotations

import msgspec

from escalation.ledger.door import Store
from escalation.ledger.keys import META
from escalation.ledger.scripts import register


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """The store's identity and shape. ``created`` in milliseconds of the hub's clock."""

    store: str
    partitions: int
    shards: int
    created: int


class OtherShapeError(Exception):
    """The store was made with other numbers of partitions or shards; places computed with these would be wrong."""


async def read_meta(store: Store) -> Meta | None:
    """The store's meta, or None where the store has none: it is new, or it came back empty."""
    reply: list[bytes | None] = await store.execute("HMGET", META, "store", "partitions", "shards", "created")
    return _meta(reply)


async def open_meta(store: Store, *, store_id: str, partitions: int, shards: int, now: int) -> Meta:
    """Make the store's meta, or read it where it is made already (whoever comes first makes it).

    Raises OtherShapeError where it was made with another number of partitions or shards.
    """
    for name, number in (("partitions", partitions), ("shards", shards)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, not {number}")
    register(store, "meta")
    (reply,) = await store.run_scripts([("meta", [META], [store_id, partitions, shards, now])])
    if isinstance(reply, Exception):
        raise reply
    meta = _meta(reply)
    if meta is None:
        raise OtherShapeError("fh:meta exists but is incomplete: this is no store of Fenghuo, or it was damaged")
    if (meta.partitions, meta.shards) != (partitions, shards):
        raise OtherShapeError(
            f"this store was made with {meta.partitions} partitions and {meta.shards} mailbox shards, the "
            f"configuration says {partitions} and {shards}: put the store's numbers into the "
            f"configuration, or use an empty store"
        )
    return meta


def _meta(reply: list[bytes | None]) -> Meta | None:
    store, partitions, shards, created = reply
    if store is None or partitions is None or shards is None or created is None:
        return None
    return Meta(store=store.decode(), partitions=int(partitions), shards=int(shards), created=int(created))
