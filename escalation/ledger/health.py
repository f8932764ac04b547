"""How channels fare, shared by all hubs and kept on disk: one that is broken is told once, and once when it heals."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from escalation.ledger.door import Arg, Store
from escalation.ledger.keys import HEALTH
from escalation.ledger.scripts import register

MANY = 5
"""How many sends in a row must come to nothing before a channel counts as broken,"""
SPAN = 3 * 60_000
"""over how long (ms),"""
SPAN_ALONE = 30 * 60_000
"""and over how long where all of them were for one address among many: it may be that address alone (ms)."""
QUIET = 60 * 60_000
"""A channel that breaks again sooner than this after it healed is told when this is over, if it still fails (ms)."""


class Sends(NamedTuple):
    """What a few sends of one channel came to, in their order. ``answered``: the vendor answered one of them in its own
    words; ``taken``: it took one; then ``failures`` followed, the last for ``whose`` address (a digest of it), and for
    ``several`` of them, or the only one the channel has; ``certain``: the vendor refused the hub itself."""

    answered: bool
    taken: bool
    failures: int
    certain: bool
    whose: str
    several: bool
    said: str


class News(NamedTuple):
    """What is to be told of a channel: when it broke and, of one that is well again, when it had broken (ms, 0: nothing
    to tell); ``since`` when its failures began."""

    broke: int
    healed: int
    since: int


class Fare(msgspec.Struct, frozen=True):
    """How a channel fares: ``n`` failures in a row ``since`` a time, ``broken`` when it broke, both in ms (0: it has
    not), and what was ``said`` then; ``sure`` where its vendor answers at once that it refuses the hub."""

    n: int = 0
    since: int = 0
    broken: int = 0
    said: str = ""
    sure: bool = False

    @property
    def silent(self) -> bool:
        """Whether its vendor takes nothing and does not say why at once."""
        return bool(self.broken and not self.sure)


class Health:
    """The channels' health."""

    def __init__(self, store: Store) -> None:
        register(store, "health")
        self._store = store

    async def note(self, channel: str, sends: Sends, *, now: int) -> News:
        """Take sends into account. What is to be told is said again until :meth:`told`. Raises the store's error."""
        flags: list[Arg] = [int(sends.answered), int(sends.taken), sends.failures, int(sends.certain)]
        spans: list[Arg] = [MANY, SPAN, SPAN_ALONE, QUIET]
        args: list[Arg] = [channel, now, "sends", *flags, sends.whose, int(sends.several), sends.said, *spans]
        (reply,) = await self._store.run_scripts([("health", [HEALTH], args)])
        if isinstance(reply, Exception):
            raise reply
        return News(*(int(each) for each in reply))

    async def told(self, channel: str, broke: int, *, healed: bool, now: int) -> None:
        """It was told that the channel broke then, or healed after that. Raises the store's error."""
        args: list[Arg] = [channel, now, "told", broke, "healed" if healed else "broken"]
        (reply,) = await self._store.run_scripts([("health", [HEALTH], args)])
        if isinstance(reply, Exception):
            raise reply

    async def broken(self) -> set[str]:
        """The channels that count as broken now. Raises the store's error."""
        return {name for name, fare in (await self.watched()).items() if fare.broken > 0}

    async def watched(self) -> dict[str, Fare]:
        """The channels that fail, or failed of late: a success of theirs is news. Raises the store's error."""
        flat = await self._store.execute("HGETALL", HEALTH)
        return {flat[at].decode(): _read(flat[at + 1]) for at in range(0, len(flat), 2)}


_read = msgspec.json.Decoder(Fare, strict=False).decode
