"""How far a mailbox has been read, and how a long line fares: shared by all hubs and kept on disk.

The next reader goes on there. Whoever writes holds the mailbox's, or the line's, leadership. A mark that is behind
costs a second look at mails that the inbox knows.
"""

from __future__ import annotations

import msgspec

from escalation.ledger.door import Store
from escalation.ledger.keys import MARKS


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``box`` tells one mailbox from another. Every mail up to ``uid`` of its ``validity`` was read (0: none yet) as of
    ``at``. ``failing`` is since when it cannot be read (0: it can), ``told`` whether people know. ``rest`` is
    until when nobody shall try again, of a long line that was displaced (:mod:`bot.longlines`). Times in ms."""

    box: str
    at: int
    validity: int = 0
    uid: int = 0
    failing: int = 0
    told: bool = False
    rest: int = 0


_read = msgspec.json.Decoder(Mark).decode


def line_mark(channel: str) -> str:
    """What a channel's long line is marked under; a mailbox is by the channel's own name."""
    return f"line {channel}"


class Marks:
    """The marks of all channels."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self, channel: str) -> Mark | None:
        """The channel's mark, None before the first. Raises the store's error."""
        raw = await self._store.execute("HGET", MARKS, channel)
        return _read(raw) if raw is not None else None

    async def failing(self) -> dict[str, int]:
        """Since when each mailbox or line that cannot be read cannot (ms), by what it is marked under. Raises the
        store's error."""
        flat = await self._store.execute("HGETALL", MARKS)
        found = {flat[i].decode(): _read(flat[i + 1]).failing for i in range(0, len(flat), 2)}
        return {name: since for name, since in found.items() if since}

    async def save(self, channel: str, mark: Mark) -> None:
        """Raises the store's error."""
        await self._store.execute("HSET", MARKS, channel, msgspec.json.encode(mark))
