"""One stream of one source, read as a member of its consumer group.

An entry is acknowledged only after its events are on disk. Until then it is pending: at a restart the same hub reads
what it had, and what another has held for longer than ``idle_seconds`` is claimed. So every entry comes at least once,
and the ledger knows by the events' ids what it has taken already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import msgspec
from redis.exceptions import RedisError, ResponseError

from bot.intake.batcher import Full
from bot.intake.gate import Gate, Result, Unavailable, take_in_order
from bot.intake.items import conflicts
from bot.intake.problems import FieldError
from bot.intake.reading import Item
from bot.settings.mapping import StreamTable
from bot.store.client import Store
from bot.store.errors import StoreError
from bot.streams.entries import EntryItems, EntryLimits, StreamEntry, poison, read_entry

log = logging.getLogger(__name__)

BATCH = 256
"""Most entries of one read."""
BLOCK = 1000
"""How long a read waits for a new entry, in milliseconds; less than the client waits for an answer."""
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
"""Between two tries of a stream that cannot be read, in seconds."""
_NO_ROOM = 0.2


class StreamGate(Gate, Protocol):
    """The hub, seen from a stream."""

    def room(self) -> int:
        """How many events would be taken now; 0 also while the hub is not ready."""
        ...


class StreamReader:
    """Reads until cancelled. ``trouble`` hears after each failed try, and with '' once the stream is read again."""

    def __init__(
        self,
        source: str,
        stream: str,
        table: StreamTable,
        store: Store,
        gate: StreamGate,
        limits: EntryLimits,
        consumer: str,
        trouble: Callable[[str], Awaitable[None]],
    ) -> None:
        self._source = source
        self._stream = stream
        self._table = table
        self._store = store
        self._gate = gate
        self._limits = limits
        self._consumer = consumer
        self._trouble = trouble
        self._begun = False
        self._own_after: str | None = "0"
        self._cursor = "0-0"
        self._claim_at = 0.0

    async def run(self) -> None:
        """Read, decide, acknowledge; a stream that cannot be read is tried again, ever more slowly."""
        pause = FIRST_PAUSE
        failing = False
        while True:
            try:
                await self._begin()
                while True:
                    await self.step()
                    if failing:
                        failing, pause = False, FIRST_PAUSE
                        log.info("stream %s of source %s is read again", self._stream, self._source)
                        await self._trouble("")
            except (StoreError, RedisError, OSError) as error:
                log.warning("stream %s of source %s, again in %.1f s: %s", self._stream, self._source, pause, error)
                failing = True
                # What was read and not acknowledged is still ours.
                self._own_after = "0"
                await self._say(str(error))
            except Exception as error:
                log.exception("stream %s of source %s, again in %.1f s", self._stream, self._source, pause)
                failing = True
                self._own_after = "0"
                await self._say(repr(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def step(self) -> int:
        """One read, and what follows from it; how many entries were acknowledged."""
        room = self._gate.room()
        if room < 1:
            await asyncio.sleep(_NO_ROOM)
            return 0
        entries = await self._next(min(room, BATCH))
        if entries:
            await self._take(entries)
        return len(entries)

    async def _say(self, why: str) -> None:
        try:
            await self._trouble(why)
        except Exception:
            log.exception("nobody could be told of the trouble with stream %s", self._stream)

    async def _begin(self) -> None:
        """Make the group where there is none. One that is gone begins at the oldest entry: nobody knows any more what
        was read, and what was taken before is known by its id."""
        start = "$" if self._table.start == "newest" and not self._begun else "0"
        try:
            await self._store.execute(
                "XGROUP", "CREATE", self._stream, self._table.group, start, "MKSTREAM", again=True
            )
            log.info("made group %s of stream %s, beginning at %s", self._table.group, self._stream, start)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        self._begun = True

    async def _next(self, count: int) -> list[StreamEntry]:
        """What this hub had before, else what another left, else what is new."""
        if self._own_after is not None:
            entries = await self._read(count, self._own_after)
            self._own_after = entries[-1].id if entries else None
            if entries:
                return entries
        if asyncio.get_running_loop().time() >= self._claim_at:
            entries = await self._claim(count)
            if entries:
                return entries
        return await self._read(count, ">")

    async def _read(self, count: int, after: str) -> list[StreamEntry]:
        wait = ("BLOCK", BLOCK) if after == ">" else ()
        group = ("GROUP", self._table.group, self._consumer)
        reply: Any = await self._store.execute(
            "XREADGROUP", *group, "COUNT", count, *wait, "STREAMS", self._stream, after
        )
        return [self._entry(each) for each in reply[0][1]] if reply else []

    async def _claim(self, count: int) -> list[StreamEntry]:
        """Entries that somebody read too long ago and never acknowledged: a hub that died, or an answer that was
        lost."""
        idle = self._table.idle_seconds
        reply: Any = await self._store.execute(
            "XAUTOCLAIM", self._stream, self._table.group, self._consumer, idle * 1000, self._cursor, "COUNT", count
        )
        self._cursor = reply[0].decode()
        if self._cursor == "0-0":
            self._claim_at = asyncio.get_running_loop().time() + min(idle / 2, 15.0)
        entries = [self._entry(each) for each in reply[1]]
        # Since Redis 7 the ids of deleted entries come apart, and are out of the group already.
        deleted = reply[2] if len(reply) > 2 else []
        entries += [StreamEntry(self._stream, each.decode(), None) for each in deleted]
        if entries:
            log.info("claimed %d entries of stream %s that nobody had finished", len(entries), self._stream)
        return entries

    def _entry(self, reply: Any) -> StreamEntry:
        flat = reply[1]
        fields = None if flat is None else dict(zip(flat[::2], flat[1::2], strict=True))
        return StreamEntry(self._stream, reply[0].decode(), fields)

    async def _take(self, entries: Sequence[StreamEntry]) -> None:
        """Decide the entries' events, then acknowledge: after this line of time they are on disk."""
        source = self._gate.source(self._source)
        if source is None:
            raise LookupError(f"the source {self._source} is no longer configured")
        now = self._gate.now()
        read = [read_entry(each, self._table.field, source, self._limits, now) for each in entries]
        try:
            await self._decide(read)
        except (StoreError, RedisError, OSError):
            raise
        except Exception:
            if len(entries) > 1:
                log.exception("%d entries of stream %s could not be decided together", len(entries), self._stream)
                for each in entries:
                    await self._take([each])
                return
            log.exception("entry %s could not be decided; it goes to quarantine", entries[0].name)
            failed = FieldError(
                "", "处理这一条时出错，见烽火的运行日志。", "It could not be decided; see the hub's log."
            )
            raw = (entries[0].fields or {}).get(self._table.field.encode(), b"")
            await self._ask([poison(entries[0], failed, raw, self._source, now)])
        await self._store.execute("XACK", self._stream, self._table.group, *(each.id for each in entries), again=True)

    async def _decide(self, read: Sequence[EntryItems]) -> None:
        """Everything that was read is on disk when this returns; an event whose id another has taken is quarantined,
        since the writer of a stream hears no refusal."""
        results = iter(await self._ask([item for each in read for item in each.items]))
        source = self._gate.source(self._source)
        rows: list[Item] = []
        for each in read:
            own = [next(results) for _ in each.items]
            if each.document is not None and source is not None:
                refused = conflicts(each.document, each.items, own, source.reading, self._gate.now())
                rows += (msgspec.structs.replace(row, entry=each.entry.name) for row in refused)
        await self._ask(rows)

    async def _ask(self, items: Sequence[Item]) -> list[Result]:
        """Ask until the gate takes them. Meanwhile they stay pending, and another hub may claim them."""
        while True:
            try:
                return await take_in_order(self._gate, items, self._gate.now())
            except Unavailable as error:
                log.info("stream %s waits: %s", self._stream, error.refusal.detail_en)
                await asyncio.sleep(error.refusal.retry_after)
            except Full:
                await asyncio.sleep(_NO_ROOM)
