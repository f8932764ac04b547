"""Addresses that their vendors refuse again and again, shared by all hubs and kept on disk.

An address rests after :data:`MANY` refusals in a row without a success between them. When its rest is over it is tried
again; refused once more it rests twice as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from escalation.ledger.door import Arg, Store
from escalation.ledger.keys import BREAKERS, Mailbox
from escalation.ledger.scripts import register

MANY = 3
"""How many refusals in a row make an address rest."""
FIRST, LONGEST = 30 * 60_000, 12 * 3_600_000
"""How long it rests first, and at most (ms)."""
STALE = 7 * 86_400_000
"""An address that nobody was sent to by for so long is forgotten (ms)."""


class Refusals(NamedTuple):
    """What a few sends to one address came to, in their order: ``well`` where one was taken (or delivered, where the
    vendor tells so), then so many refusals, the last in these words."""

    well: bool
    refusals: int
    said: str


class Resting(NamedTuple):
    """An address that was refused ``refusals`` times in a row, and until when it rests for that (ms; 0: not yet)."""

    refusals: int
    until: int
    said: str


class _Kept(msgspec.Struct):
    n: int
    till: int
    at: int
    said: str = ""


class Breakers:
    """The refused addresses on one store."""

    def __init__(self, store: Store) -> None:
        register(store, "breaker")
        self._store = store

    async def note(self, came: Sequence[tuple[Mailbox, Refusals]], *, now: int) -> dict[Mailbox, int]:
        """Take sends into account; until when each of these addresses rests (ms; 0: not at all). Raises the store's
        error."""
        args: list[Arg] = [now, MANY, FIRST, LONGEST]
        for box, each in came:
            args += (box.name, int(each.well), each.refusals, each.said)
        (reply,) = await self._store.run_scripts([("breaker", [BREAKERS], args)])
        if isinstance(reply, Exception):
            raise reply
        return {box: int(until) for (box, _), until in zip(came, reply, strict=True)}

    async def read(self, *, now: int) -> dict[Mailbox, Resting]:
        """Every address that was refused and not taken since; the stale ones are forgotten. Raises the store's
        error."""
        flat = await self._store.execute("HGETALL", BREAKERS)
        kept = {flat[at].decode(): _read(flat[at + 1]) for at in range(0, len(flat), 2)}
        stale = [name for name, each in kept.items() if max(each.at, each.till) < now - STALE]
        if stale:
            await self._store.execute("HDEL", BREAKERS, *stale)
        return {
            Mailbox.read(name): Resting(each.n, each.till, each.said)
            for name, each in kept.items()
            if name not in stale
        }


_read = msgspec.json.Decoder(_Kept, strict=False).decode
