"""Incidents in the order they opened, newest first, page by page, whatever changes meanwhile.

A place in the order is the time at which the incident opened and its code. Neither moves while somebody reads on, so
that nobody is seen twice or left out, and what opens meanwhile comes before everything that was seen.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from typing import NamedTuple

from escalation.ledger.door import Command, Store
from escalation.ledger.keys import partition_keys


class Place(NamedTuple):
    """Where a reader has got to: everything from here on was seen."""

    opened_at: int
    code: str


class Listing:
    """The order of all partitions, merged."""

    def __init__(self, store: Store, partitions: int, *, page: int = 64) -> None:
        """``page``: how many codes are read at once in all, spread over the partitions."""
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._page = max(4, -(-page // partitions))

    async def newest(self, *, open_only: bool, after: Place | None = None, since: int = 0) -> AsyncIterator[Place]:
        """Places behind ``after`` (None: from the newest on) that opened at ``since`` (ms) or later.

        Raises the store's error: a part that does not answer must not look like one without incidents.
        """
        streams = [_Stream(keys.open if open_only else keys.opened, after, since, self._page) for keys in self._keys]
        await self._fill(streams)
        heap = [(stream.place(), number) for number, stream in enumerate(streams) if stream.ready]
        heapq.heapify(heap)
        while heap:
            (minus, code), number = heapq.heappop(heap)
            yield Place(-minus, code.text)
            stream = streams[number]
            stream.take()
            await self._fill([stream])
            if stream.ready:
                heapq.heappush(heap, (stream.place(), number))

    async def _fill(self, streams: list[_Stream]) -> None:
        """Read on where everything read was given out."""
        while empty := [stream for stream in streams if not stream.ready and not stream.ended]:
            replies = await self._store.pipeline([stream.command() for stream in empty])
            for stream, reply in zip(empty, replies, strict=True):
                stream.fill(reply)


class _Later(NamedTuple):
    """A code that sorts the other way round, as the store gives them."""

    text: str

    def __lt__(self, other: tuple[str, ...]) -> bool:
        return self.text > other[0]


class _Stream:
    """One partition's part of the order. It reads on from the last place, never by a count: what closes meanwhile moves
    nothing."""

    def __init__(self, key: bytes, after: Place | None, since: int, page: int) -> None:
        self.ended = False
        self._key = key
        self._last = after
        self._since = since
        self._page = page
        self._more = page
        self._codes: list[Place] = []

    @property
    def ready(self) -> bool:
        return bool(self._codes)

    def command(self) -> Command:
        top = "+inf" if self._last is None else self._last.opened_at
        return ("ZREVRANGEBYSCORE", self._key, top, self._since, "WITHSCORES", "LIMIT", 0, self._more)

    def fill(self, reply: list[bytes] | Exception) -> None:
        if isinstance(reply, Exception):
            raise reply
        got = [Place(int(float(reply[i + 1])), reply[i].decode()) for i in range(0, len(reply), 2)]
        self.ended = len(got) < self._more
        last = self._last
        self._codes = [each for each in got if last is None or each < last][::-1]
        # Many may have opened in one millisecond: reading on from it, those seen stand first again.
        self._more = self._more * 2 if got and got[0].opened_at == got[-1].opened_at else self._page
        if self._codes:
            self._last = self._codes[0]

    def place(self) -> tuple[int, _Later]:
        at, code = self._codes[-1]
        return -at, _Later(code)

    def take(self) -> None:
        self._codes.pop()
