"""A receiver that stays down: what is tried again and again keeps one connection and grows nowhere."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from bot.demo.simulators.vendor import listening
from bot.store.client import Store
from escalation.event import EventType
from tests.workers.house import HOUR, OPERATOR, House, house_on

ROOMS = ("bot", "channels", "escalation")


@dataclass
class Refuser:
    """Answers every call 503, and counts calls and the connections they came over."""

    calls: int = 0
    peers: set[object] = field(default_factory=set)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        return app

    async def _hook(self, request: web.Request) -> web.Response:
        await request.read()
        self.calls += 1
        self.peers.add(request.transport and request.transport.get_extra_info("peername"))
        return web.Response(status=503)


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with house_on(store, tmp_path) as opened:
        yield opened


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def _in_store(house: House) -> int:
    """Bytes of everything in the store but the journal, which tells each try and is filed to disk."""
    keys: list[bytes] = await house.door.execute("KEYS", "*")
    kept = [key for key in keys if not key.endswith((b":journal", b":hashes"))]
    return sum([int(await house.door.execute("MEMORY", "USAGE", key, "SAMPLES", 0)) for key in kept])


def _in_hub() -> int:
    """Bytes that code of the hub's rooms has allocated and holds, without the words of moments: these are kept, some
    thousands at most."""
    here = [*(tracemalloc.Filter(True, f"*/{room}/*") for room in ROOMS), tracemalloc.Filter(False, "*/words.py")]
    return sum(each.size for each in tracemalloc.take_snapshot().filter_traces(here).statistics("filename"))


async def test_retries_reuse_their_connection_and_grow_nowhere(house: House, traced: None) -> None:
    refuser = Refuser()
    async with listening(refuser.app()) as base:
        old = str(house.settings.channels["upstream"].model_dump()["url"])
        house.reload(lambda text: text.replace(old, f"{base}/hook"))
        code = await house.alarm()
        await house.says(OPERATOR, f"签收 {code}")
        await house.says(OPERATOR, f"消警 {code} 已恢复")
        await house.take([house.event(EventType.ALARM_CLEARED, point="DC01-T01")])
        await house.wait(HOUR)
        few, store, hub = refuser.calls, await _in_store(house), _in_hub()
        await house.wait(4 * HOUR)

        assert few > 10
        assert refuser.calls > 3 * few
        assert len(refuser.peers) == 1
        assert await _in_store(house) - store < 200
        assert _in_hub() - hub < 20_000
