"""What the ledger may forget: inputs and replies taken long ago, and outbox rows that are through.

Closed incidents stay where they are, under their codes; a lookup costs the same however many there are.
"""

from __future__ import annotations

from typing import Any

from escalation.ledger.claims import answered
from escalation.ledger.door import Call, Command, Store
from escalation.ledger.keys import US, known_key, partition_keys
from escalation.ledger.scripts import register

DAY = 86_400_000


class Pruner:
    """Forgets by the hub's clock: inputs and replies after ``seen_days``, a row put into a mailbox after 24 hours."""

    def __init__(self, store: Store, partitions: int, shards: int, *, seen_days: int = 35) -> None:
        register(store, "prune")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._shards = shards
        self._seen = seen_days * DAY

    async def step(self, now: int, *, limit: int = 500) -> int:
        """Forget up to ``limit`` inputs of each partition and rows of each shard; how many. Raises the store's error
        where none of it answered."""
        cut = now - self._seen
        calls: list[Call] = [("prune", (keys.seen, keys.seen_log), (cut, limit)) for keys in self._keys]
        count: int = sum(reply for _, reply in answered(self._keys, await self._store.run_scripts(calls)))
        commands: list[Command] = [("ZREMRANGEBYSCORE", keys.inbox_seen, "-inf", f"({cut}") for keys in self._keys]
        count += sum(reply for _, reply in answered(self._keys, await self._store.pipeline(commands)))
        return count + await self._forget_known(now - DAY, limit)

    async def _forget_known(self, cut: int, limit: int) -> int:
        """A row that is still in its outbox, however old, would be put again: it stays known."""
        asked = await self._store.pipeline(
            [("ZRANGEBYSCORE", known_key(shard), "-inf", f"({cut}", "LIMIT", 0, limit) for shard in range(self._shards)]
        )
        old = [(shard, known) for shard, reply in answered(range(self._shards), asked) for known in reply]
        if not old:
            return 0
        there: list[Any] = await self._store.pipeline([self._in_outbox(known) for _, known in old])
        gone: list[Command] = [
            ("ZREM", known_key(shard), known) for (shard, known), at in zip(old, there, strict=True) if at == 0
        ]
        return sum(int(reply) for _, reply in answered(gone, await self._store.pipeline(gone)))

    def _in_outbox(self, known: bytes) -> Command:
        partition, _, member = known.partition(US.encode())
        return ("HEXISTS", self._keys[int(partition)].outbox_rows, member)
