"""The inbox: replies are durable rows, each kept once, before anything acts on them.

A row lies in the partition of its sender, so that one sender's replies keep their order and one deduplication sees a
message however often its vendor calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.keys import US, partition_keys, partition_of
from escalation.ledger.lines import Held, Lines
from escalation.ledger.scripts import register


class Arrived(NamedTuple):
    """A reply as it came in: ``row`` is the edge's own encoding, given back as it is. ``message_id`` is the vendor's,
    and identifies it for ever together with the channel and ``sender``, the number or account it came from."""

    channel: str
    message_id: str
    sender: str
    row: bytes

    @property
    def id(self) -> str:
        return f"{self.channel}{US}{self.sender}{US}{self.message_id}"


class Inbox:
    """The inboxes of all partitions."""

    def __init__(self, store: Store, partitions: int) -> None:
        register(store, "inbox_put")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._lines = Lines(store, [(one.inbox, one.inbox_order, one.inbox_rows) for one in self._keys])

    async def put(self, replies: Sequence[Arrived], *, now: int) -> list[bool]:
        """Keep the replies; on disk when this returns. False where one came before: nothing was written for it.

        Raises the store's error if any part failed; putting all of them again is safe.
        """
        args: defaultdict[int, list[Arg]] = defaultdict(lambda: [now])
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, reply in enumerate(replies):
            partition = partition_of(reply.sender, len(self._keys))
            args[partition] += (reply.id, reply.sender.replace(US, " "), reply.row)
            places[partition].append(place)
        calls: list[Call] = []
        for partition, rows in args.items():
            keys = self._keys[partition]
            calls.append(("inbox_put", (keys.inbox, keys.inbox_order, keys.inbox_rows, keys.inbox_seen), rows))
        new = [False] * len(replies)
        for partition, answer in zip(args, await self._store.run_scripts(calls), strict=True):
            if isinstance(answer, Exception):
                raise answer
            for place, mark in zip(places[partition], answer, strict=True):
                new[place] = mark == 1
        return new

    async def claim(self, partitions: Sequence[int], *, now: int, lease: int, limit: int = 64) -> list[Held]:
        """The replies of up to ``limit`` senders of each partition, in the order of their coming within a sender."""
        return await self._lines.claim(partitions, now=now, lease=lease, limit=limit)

    async def settle(self, done: Sequence[Held], *, now: int) -> list[bool]:
        """These replies have been acted on. False where the claim was no longer the caller's: the reply comes again,
        and its inputs' ids say that it was taken."""
        return (await self._lines.settle([one[:4] for one in done], again_at=now)).held

    async def keep(self, claims: Sequence[Held], *, again_at: int) -> list[bool]:
        """Give senders' replies back whole, to be taken again at ``again_at``; one answer for each sender."""
        return await self._lines.keep(claims, again_at=again_at)
