"""Due times are rows, not timers: a number for each incident with a running clock, compared with the hub's own time.

A commit writes the row. A claim raises its number to the lease's end, and that number is the fencing token. The commit
that follows a lapse writes the next time itself, guarded by the incident's version; only a lapse that decided nothing
has to settle.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from escalation.incident import Incident
from escalation.ledger.claims import Asking, answered
from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.keys import partition_keys
from escalation.ledger.scripts import register
from escalation.ledger.states import Damaged, read_state


class DueClaim(NamedTuple):
    """An incident for which something is owed, in the claimer's hand until the lease ends; one that cannot be read too:
    its due row must not get lost, nor hold the others up."""

    partition: int
    code: str
    token: str
    incident: Incident | Damaged


class Due:
    """The due rows of all partitions."""

    def __init__(self, store: Store, partitions: int) -> None:
        register(store, "due_claim", "due_settle")
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._asking = Asking[int]()

    async def claim(self, partitions: Sequence[int], *, now: int, lease: int, limit: int = 64) -> list[DueClaim]:
        """Up to ``limit`` incidents of each partition whose time has come, with their states, in one round trip.

        Times and ``lease`` in milliseconds. Raises the store's error if no partition answered.
        """
        asked = [(number, self._asking.of(number, now=now, lease=lease)) for number in partitions]
        calls: list[Call] = [
            ("due_claim", (self._keys[number].due, self._keys[number].incidents), (now, one.token, limit))
            for number, one in asked
        ]
        return [
            DueClaim(number, code, one.token, read_state(code, reply[i + 1]))
            for (number, one), reply in answered(asked, await self._asking.ask(self._store, asked, calls))
            for i in range(0, len(reply), 2)
            if reply[i + 1] is not None
            for code in (reply[i].decode(),)
        ]

    async def settle(self, settled: list[tuple[DueClaim, int | None]]) -> list[bool]:
        """Give claims back without a commit: each with the time it is due next, or None for no more. False where the
        claim was no longer the caller's: nothing was changed then."""
        args: defaultdict[int, list[Arg]] = defaultdict(list)
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, (claim, at) in enumerate(settled):
            args[claim.partition] += (claim.code, claim.token, "" if at is None else at)
            places[claim.partition].append(place)
        calls: list[Call] = [("due_settle", (self._keys[number].due,), rows) for number, rows in args.items()]
        held = [False] * len(settled)
        for number, reply in answered(args, await self._store.run_scripts(calls)):
            for place, mark in zip(places[number], reply, strict=True):
                held[place] = mark == 1
        return held

    async def next_at(self) -> int | None:
        """The earliest time in any partition at which something is owed or a claim ends; None when nothing is."""
        replies = await self._store.pipeline([("ZRANGE", keys.due, 0, 0, "WITHSCORES") for keys in self._keys])
        return min((math.ceil(float(reply[1])) for _, reply in answered(self._keys, replies) if reply), default=None)
