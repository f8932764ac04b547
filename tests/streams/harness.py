"""Readers of streams under a test's hand: started, cut off, and asked what they left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bot.gate import HubGate
from bot.intake.gate import Result
from bot.intake.reading import Unreadable
from bot.store.client import Store
from bot.streams.entries import EntryLimits
from bot.streams.reader import StreamGate, StreamReader
from escalation.event import Event
from tests.store.real_server import eventually
from tests.workers.house import DUST, KEEPER, KEEPER_MAIL, PARTITIONS, House

ALARMS = "monitor:alarms"
GROUP = "fenghuo"
SOURCES = f"""
[sources.monitor]
kind = "stream"
stream = {{ names = ["{ALARMS}", "monitor:warnings"], idle_seconds = 1 }}

[sources.gateway]
kind = "stream"
stream = {{ names = ["gateway:raw"], field = "body", idle_seconds = 1 }}
[sources.gateway.mapping]
items = "items"
id = ["devId", "alarmTime"]
type = {{ path = "alarmState", codes = {{ "1" = "alarm.raised", "0" = "alarm.cleared" }} }}
time = {{ path = "alarmTime", format = "%Y-%m-%d %H:%M:%S" }}
enterprise = {{ const = "{DUST}" }}
point = "devId"
severity = {{ path = "alarmLevel", codes = {{ "1" = "high_high", "2" = "high" }} }}
"""
LIMITS = EntryLimits(body=5000, items=10)


def alarm(identity: str, kind: str = "alarm.raised", **more: Any) -> dict[str, Any]:
    data = {"enterprise": {"uscc": DUST}, "point": {"code": "DC01-T01"}, "alarm": {"severity": "high", "value": 72.5}}
    event = {"specversion": "1.0", "id": identity, "source": "/x", "type": kind, "time": "2026-11-18T19:06:30+08:00"}
    return {**event, "data": data, **more}


class Watched:
    """The hub's gate, which a test may hold shut, narrow, or break off after its commit."""

    def __init__(self, gate: HubGate) -> None:
        self._gate = gate
        self.source = gate.source
        self.now = gate.now
        self.admit = gate.admit
        self.most = 1000
        self.open = asyncio.Event()
        self.open.set()
        self.entered = asyncio.Event()
        self.committed = asyncio.Event()
        self.hold_after = False
        self.sizes: list[int] = []
        self.spoil: Callable[[Event], bool] = lambda _: False

    def room(self) -> int:
        return min(self.most, self._gate.room())

    async def take(self, events: Sequence[Event], unreadable: Sequence[Unreadable], now: int) -> Sequence[Result]:
        self.entered.set()
        await self.open.wait()
        self.sizes.append(len(events) + len(unreadable))
        if any(map(self.spoil, events)):
            raise RuntimeError("a fault that nobody foresaw")
        results = await self._gate.take(events, unreadable, now)
        if self.hold_after:
            self.committed.set()
            await asyncio.Event().wait()
        return results


@dataclass(frozen=True, slots=True)
class Running:
    """A reader at work."""

    task: asyncio.Task[None]


class Streams:
    """The county's streams, their writer and their readers."""

    def __init__(self, house: House, writer: Store, socket: Path) -> None:
        self.house = house
        self.writer = writer
        self.said: list[str] = []
        self._socket = socket
        self._tasks: list[asyncio.Task[None]] = []
        self._clients: list[Store] = []

    def gate(self) -> Watched:
        return Watched(HubGate(lambda: self.house.engine.rules, lambda: self.house.engine, lambda: ""))

    def start(
        self,
        consumer: str = "hub-a",
        *,
        gate: StreamGate | None = None,
        source: str = "monitor",
        stream: str = ALARMS,
        store: Store | None = None,
        trouble: Callable[[str], Awaitable[None]] | None = None,
    ) -> Running:
        """A reader at work, with connections of its own."""
        client = store or Store.on_socket(self._socket)
        self._clients.append(client)
        table = self.house.settings.sources[source].stream
        assert table is not None
        reader = StreamReader(
            source, stream, table, client, gate or self.gate(), LIMITS, consumer, trouble or self._heard
        )
        task = asyncio.create_task(reader.run())
        self._tasks.append(task)
        return Running(task)

    async def _heard(self, why: str) -> None:
        self.said.append(why)

    async def write(self, *documents: Any, stream: str = ALARMS, field: str = "event") -> list[str]:
        """Entries, as upstream writes them; their ids."""
        ids: list[str] = []
        for each in documents:
            text = each if isinstance(each, str | bytes) else json.dumps(each)
            reply = await self.writer.execute("XADD", stream, "*", field, text)
            assert isinstance(reply, bytes)
            ids.append(reply.decode())
        return ids

    async def pending(self, stream: str = ALARMS) -> int:
        reply: Any = await self.writer.execute("XPENDING", stream, GROUP)
        return int(reply[0])

    async def through(self, stream: str = ALARMS) -> None:
        """Wait until every entry was read and acknowledged."""

        async def done() -> bool:
            groups: Any = await self.writer.execute("XINFO", "GROUPS", stream)
            about = [dict(zip(each[::2], each[1::2], strict=True)) for each in groups]
            newest: Any = await self.writer.execute("XREVRANGE", stream, "+", "-", "COUNT", 1)
            last = newest[0][0] if newest else b"0-0"
            return any(one[b"last-delivered-id"] == last and not one[b"pending"] for one in about)

        await eventually(done)

    async def quarantine(self) -> list[Unreadable]:
        rows = [await self.house.engine.ledger.quarantined(number) for number in range(PARTITIONS)]
        return [msgspec.json.decode(row, type=Unreadable) for each in rows for row in each.values()]

    async def codes(self) -> list[str]:
        """The codes of all open incidents."""
        ledger = self.house.engine.ledger
        return [code for number in range(PARTITIONS) for code in await ledger.open_codes(number)]

    async def kill(self, reader: Running) -> None:
        """The hub of this reader dies where it stands."""
        reader.task.cancel()
        await asyncio.gather(reader.task, return_exceptions=True)

    def keepers(self) -> list[str]:
        """What the maintainers received."""
        return [*self.house.texts(KEEPER), *self.house.texts(KEEPER_MAIL)]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients:
            await client.aclose()
