"""A lease queue of lines: rows that keep their order, and whose line is in one hand at a time.

The outbox (a line is an incident) and the inbox (a line is a sender) are such queues. Order would break if a second
worker took a later row while the first still holds, or died holding, an earlier one; so a claim takes the whole line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from escalation.ledger.claims import Asking, answered
from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.scripts import register


class Held(NamedTuple):
    """A claimed row: its partition and line, the fencing token of the line, the row's member and bytes."""

    partition: int
    line: str
    token: str
    member: str
    body: bytes


class Settled(NamedTuple):
    """``held``: for each row whether the claim was still the caller's; if not, nothing was changed. ``left``: the
    partitions in which settled lines still have rows, to be claimed at the time given."""

    held: list[bool]
    left: set[int]


class Lines:
    """The queue over the key triples (lines, order, rows), one for each partition."""

    def __init__(self, store: Store, keys: list[tuple[bytes, bytes, bytes]]) -> None:
        register(store, "lines_claim", "lines_settle")
        self._store = store
        self._keys = keys
        self._asking = Asking[int]()

    async def claim(self, partitions: Sequence[int], *, now: int, lease: int, limit: int) -> list[Held]:
        """All rows of up to ``limit`` lines of each partition, in order within a line; one round trip.

        Times and ``lease`` in milliseconds. Raises the store's error if no partition answered.
        """
        asked = [(number, self._asking.of(number, now=now, lease=lease)) for number in partitions]
        calls: list[Call] = [("lines_claim", self._keys[number], (now, one.token, limit)) for number, one in asked]
        claims = answered(asked, await self._asking.ask(self._store, asked, calls))
        return [held for (number, one), reply in claims for held in _held(number, one.token, reply)]

    async def held(self, claims: Sequence[tuple[int, str]], *, now: int) -> list[Held]:
        """What these claims (partition, token) hold now, as they would be given it; nothing is claimed for them.

        Raises the store's error if any part failed.
        """
        calls: list[Call] = [("lines_claim", self._keys[number], (now, token, 0)) for number, token in claims]
        found: list[Held] = []
        for (number, token), reply in zip(claims, await self._store.run_scripts(calls), strict=True):
            if isinstance(reply, Exception):
                raise reply
            found += _held(number, token, reply)
        return found

    async def settle(self, done: Sequence[tuple[int, str, str, str]], *, again_at: int) -> Settled:
        """Remove rows, given as (partition, line, token, member), with all that are done of a line in one call; the
        line's other rows may be taken again at ``again_at``."""
        lines: defaultdict[int, defaultdict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
        for place, (partition, line, token, _) in enumerate(done):
            lines[partition][line, token].append(place)
        calls: list[Call] = []
        for partition, claims in lines.items():
            args: list[Arg] = []
            for (line, token), places in claims.items():
                args += (line, token, again_at, len(places))
                args += (done[place][3] for place in places)
            calls.append(("lines_settle", self._keys[partition], args))
        held = [False] * len(done)
        left: set[int] = set()
        for partition, reply in answered(lines, await self._store.run_scripts(calls)):
            for places, mark in zip(lines[partition].values(), reply, strict=True):
                for place in places:
                    held[place] = mark > 0
                if mark > 1:
                    left.add(partition)
        return Settled(held, left)

    async def keep(self, claims: Sequence[Held], *, again_at: int) -> list[bool]:
        """Give lines back whole, to be taken again at ``again_at``; one answer for each line, as they appear."""
        lines: dict[tuple[int, str, str], None] = dict.fromkeys((one.partition, one.line, one.token) for one in claims)
        calls: list[Call] = [
            ("lines_settle", self._keys[partition], (line, token, again_at, 0)) for partition, line, token in lines
        ]
        return [reply != [0] for _, reply in answered(lines, await self._store.run_scripts(calls))]


def _held(partition: int, token: str, reply: list[Any]) -> Iterator[Held]:
    """The rows of a claim's reply: line, number of rows, member, row, member, row …, line …"""
    i = 0
    while i < len(reply):
        line, end = reply[i].decode(), i + 2 + 2 * reply[i + 1]
        yield from (Held(partition, line, token, reply[j].decode(), reply[j + 1]) for j in range(i + 2, end, 2))
        i = end
