"""All stream readers of a hub: one for each stream of each source, kept to the configuration in force."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.engine import Engine
from bot.gate import HubGate
from bot.rules import Rules
from bot.settings.mapping import StreamTable
from bot.store import external
from bot.store.client import Store
from bot.streams.entries import EntryLimits
from bot.streams.reader import StreamReader
from bot.streams.trouble import PATIENCE, stream_change
from escalation.ledger.change import Failed

log = logging.getLogger(__name__)

LOOK = 0.5
"""Between two looks at the configuration, in seconds."""


def consumer_name(data: Path) -> str:
    """This hub in a consumer group: the same after a restart, so that it finds what it had."""
    digest = hashlib.blake2s(str(data).encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return f"{socket.gethostname()}-{digest}"


@dataclass(slots=True)
class _Running:
    table: StreamTable
    task: asyncio.Task[None]


class Outage:
    """What is known of one stream's trouble; told once it lasts, and told again when it is over."""

    def __init__(self, source: str, stream: str, engine: Callable[[], Engine | None]) -> None:
        self._source = source
        self._stream = stream
        self._engine = engine
        self._since = 0
        self._told = False

    async def heard(self, why: str) -> None:
        """A try failed for this reason, or ('') the stream is read again."""
        engine = self._engine()
        if engine is None:
            return
        now = engine.clock.now()
        if why and not self._since:
            self._since = now
        if (why and not self._told and now - self._since >= PATIENCE) or (not why and self._told):
            partition = engine.ledger.partition_of(f"source:{self._source}")
            change = stream_change(self._source, self._stream, self._since, why, partition, engine.rules.context(now))
            (outcome,) = await engine.ledger.commit([change])
            if isinstance(outcome, Failed):
                raise outcome.error
            self._told = bool(why)
        if not why:
            self._since = 0


class StreamReaders:
    """Runs a reader for every stream that the rules name. ``own`` opens a client of the hub's own store."""

    def __init__(
        self,
        rules: Callable[[], Rules],
        engine: Callable[[], Engine | None],
        gate: HubGate,
        own: Callable[[], Store],
    ) -> None:
        self._rules = rules
        self._engine = engine
        self._gate = gate
        self._own = own
        self._running: dict[tuple[str, str], _Running] = {}

    async def run(self) -> None:
        """Keep the readers to the configuration until cancelled."""
        try:
            while True:
                await self._reconcile()
                await asyncio.sleep(LOOK)
        finally:
            await self._end(list(self._running))

    async def _reconcile(self) -> None:
        wanted = {
            (name, stream): source.stream
            for name, source in self._rules().settings.sources.items()
            if source.stream is not None
            for stream in source.stream.names
        }
        await self._end([key for key, one in self._running.items() if wanted.get(key) != one.table])
        for key, table in wanted.items():
            # The own store can be asked for a client only once it was opened.
            if key not in self._running and self._engine() is not None:
                name = f"stream {key[1]} of {key[0]}"
                self._running[key] = _Running(table, asyncio.create_task(self._read(*key, table), name=name))

    async def _read(self, source: str, stream: str, table: StreamTable) -> None:
        hub = self._rules().settings.hub
        limits = EntryLimits(hub.intake.max_body_bytes, hub.intake.max_batch)
        outage = Outage(source, stream, self._engine)
        async with self._open(table) as store:
            reader = StreamReader(
                source, stream, table, store, self._gate, limits, consumer_name(hub.data), outage.heard
            )
            await reader.run()

    def _open(self, table: StreamTable) -> Store:
        if table.url is None:
            return self._own()
        password = table.password.get_secret_value() if table.password is not None else ""
        return external.connect(external.with_credentials(table.url, table.username, password))

    async def _end(self, keys: list[tuple[str, str]]) -> None:
        tasks = [self._running.pop(key).task for key in keys]
        for task in tasks:
            task.cancel()
        for key, ended in zip(keys, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(ended, Exception):
                log.error("the reader of stream %s of source %s failed", key[1], key[0], exc_info=ended)
