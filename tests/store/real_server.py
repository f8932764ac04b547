"""A real supervised Valkey for tests.

`store` is an empty store for each test; the server behind it runs once for the whole test session. `running(folder)`
is a server of one test's own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.store.client import Store
from bot.store.states import Limits, StoreState
from bot.store.supervisor import Supervisor

QUICK = Limits(start=20.0, stop=5.0, look=0.05, first_pause=0.01, longest_pause=0.1, disk_look=0.05, room=1 << 20)
"""Limits for tests that wait for what the supervisor does."""


def state_of(supervisor: Supervisor) -> StoreState:
    """The state at this moment; a call, since a type checker takes an attribute for constant between two looks."""
    return supervisor.state


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Look until it holds, for what nothing announces: another process, a file."""
    for _ in range(2000):
        if await holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to hold")


@pytest.fixture(scope="session")
def store_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of one supervised server that lives as long as the test session."""
    supervisor = Supervisor(tmp_path_factory.mktemp("store"), limits=QUICK)
    # A loop of its own: the server outlives the loops of the tests.
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="store", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(supervisor.start(), loop).result(30)
        assert supervisor.state is StoreState.READY, supervisor.reason
        yield supervisor.socket
    finally:
        asyncio.run_coroutine_threadsafe(supervisor.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
async def store(store_socket: Path) -> AsyncIterator[Store]:
    """An empty store, closed after the test."""
    async with Store.on_socket(store_socket) as client:
        await client.execute("FLUSHALL")
        yield client


@asynccontextmanager
async def running(folder: Path, *, limits: Limits = QUICK) -> AsyncIterator[tuple[Supervisor, Store]]:
    """A supervised server on `folder` and a client of it, stopped at the end."""
    supervisor = Supervisor(folder, limits=limits)
    await supervisor.start()
    try:
        async with supervisor.store() as client:
            yield supervisor, client
    finally:
        await supervisor.stop()
