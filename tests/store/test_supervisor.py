"""The supervised server through its life: start, stop, orphans, second hubs, sudden death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.store import locks, record, server
from bot.store.anchor import Finding, Verdict
from bot.store.client import Store
from bot.store.errors import HubRunningError, StoreUnavailableError
from bot.store.states import StoreState
from bot.store.supervisor import Supervisor
from tests.store.real_server import QUICK, eventually, running, state_of

ROOT = Path(__file__).parents[2]


async def test_it_starts_safe_and_private_and_stops_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with running(folder) as (supervisor, store):
        assert supervisor.state is StoreState.READY
        for name, value in {"appendonly": "yes", "port": "0", **server.SAFETY}.items():
            assert await store.execute("CONFIG", "GET", name) == [name.encode(), value.encode()]
        assert os.getsid(supervisor.pid or 0) == supervisor.pid
        await store.execute("SET", "k", "v")
        assert {path for path in folder.rglob("*") if path.stat().st_mode & 0o077} == set()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert state_of(supervisor) is StoreState.STOPPED
    assert not locks.is_held(folder / locks.SERVER_LOCK)
    assert "bye bye" in server.log_since(folder, 0)
    async with running(folder) as (_, store):
        assert await store.execute("GET", "k") == b"v"


async def test_a_second_hub_is_refused_and_told_whom_to_stop(tmp_path: Path) -> None:
    async with running(tmp_path) as (first, store):
        with pytest.raises(HubRunningError, match=rf"kill {os.getpid()}") as caught:
            await Supervisor(tmp_path, limits=QUICK).start()
        assert str(tmp_path) in str(caught.value)
        assert first.state is StoreState.READY
        assert await store.execute("PING") == b"PONG"


@contextlib.asynccontextmanager
async def orphan(folder: Path) -> AsyncIterator[int]:
    """A server whose hub was killed; yields the server's pid."""
    hub = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.doomed_hub", str(folder), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert hub.stdout is not None
    pid = int(await hub.stdout.readline())
    hub.kill()
    await hub.wait()
    os.kill(pid, 0)
    try:
        yield pid
    finally:
        if pid in locks.holders(folder / locks.SERVER_LOCK):
            os.kill(pid, signal.SIGKILL)


async def test_a_killed_hub_leaves_an_orphan_that_the_next_hub_adopts(tmp_path: Path) -> None:
    async with orphan(tmp_path) as pid:
        async with Store.on_socket(tmp_path / server.SOCKET) as careless:
            await careless.execute("CONFIG", "SET", "appendfsync", "no")
        async with running(tmp_path) as (supervisor, store):
            assert supervisor.state is StoreState.READY
            assert supervisor.adopted
            assert await store.execute("CONFIG", "GET", "appendfsync") == [b"appendfsync", b"always"]
            assert supervisor.pid == pid
            assert server.holders(tmp_path).servers == [pid]
            assert await store.execute("GET", "said") == b"yes"
        assert not locks.is_held(tmp_path / locks.SERVER_LOCK)


async def test_a_hub_refused_by_a_hub_in_another_process_names_its_pid(tmp_path: Path) -> None:
    hub = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.doomed_hub", str(tmp_path), stdout=subprocess.PIPE, cwd=ROOT
    )
    assert hub.stdout is not None
    server_pid = int(await hub.stdout.readline())
    with pytest.raises(HubRunningError, match=f"kill {hub.pid}"):
        await Supervisor(tmp_path, limits=QUICK).start()
    os.kill(server_pid, 0)
    hub.kill()
    await hub.wait()
    async with running(tmp_path) as (supervisor, _):
        assert supervisor.pid == server_pid


@pytest.mark.parametrize("known", [None, record.Record("/nowhere/valkey.sock", 1, "0" * 40)])
async def test_a_lost_or_stale_record_misleads_nobody(tmp_path: Path, known: record.Record | None) -> None:
    async with orphan(tmp_path) as pid:
        if known:
            known.save(tmp_path)
        else:
            record.forget(tmp_path)
        async with running(tmp_path) as (supervisor, store):
            assert supervisor.pid == pid
            assert supervisor.state is StoreState.READY
            assert len(server.holders(tmp_path).servers) == 1
            assert await store.execute("GET", "said") == b"yes"


async def test_a_stale_record_without_a_server_starts_one(tmp_path: Path) -> None:
    record.Record(str(tmp_path / server.SOCKET), os.getpid(), "0" * 40).save(tmp_path)
    async with running(tmp_path) as (supervisor, _):
        assert not supervisor.adopted
        assert supervisor.pid != os.getpid()


@contextlib.asynccontextmanager
async def watched(supervisor: Supervisor) -> AsyncIterator[None]:
    watching = asyncio.create_task(supervisor.watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


class States:
    """Every state that was announced, and a way to wait for one."""

    def __init__(self) -> None:
        self.seen: list[StoreState] = []
        self.reasons: list[str] = []
        self._news = asyncio.Event()

    def __call__(self, state: StoreState, reason: str) -> None:
        self.seen.append(state)
        self.reasons.append(reason)
        self._news.set()

    async def reach(self, state: StoreState) -> str:
        """Wait for the state, counted from the last call; its reason."""
        while state not in self.seen:
            self._news.clear()
            await self._news.wait()
        place = self.seen.index(state)
        reason = self.reasons[place]
        del self.seen[: place + 1], self.reasons[: place + 1]
        return reason


@pytest.mark.parametrize("adopted", [False, True])
async def test_a_killed_server_comes_back_with_every_acknowledged_write(tmp_path: Path, adopted: bool) -> None:
    states = States()
    async with contextlib.AsyncExitStack() as stack:
        if adopted:
            await stack.enter_async_context(orphan(tmp_path))
        supervisor = Supervisor(tmp_path, limits=QUICK, on_change=states)
        await supervisor.start()
        stack.push_async_callback(supervisor.stop)
        assert supervisor.adopted is adopted
        await states.reach(StoreState.READY)
        store = await stack.enter_async_context(supervisor.store())
        await stack.enter_async_context(watched(supervisor))
        acknowledged = 0
        old = supervisor.pid
        assert old is not None
        with contextlib.suppress(StoreUnavailableError):
            while supervisor.pid == old:
                await store.execute("RPUSH", "list", acknowledged)
                acknowledged += 1
                if acknowledged == 300:
                    os.kill(old, signal.SIGKILL)
        assert acknowledged >= 300
        assert "已退出" in await states.reach(StoreState.DOWN)
        await states.reach(StoreState.READY)
        assert supervisor.pid not in (None, old)
        found = await store.execute("LRANGE", "list", 0, -1)
        assert isinstance(found, list)
        assert found[:acknowledged] == [str(number).encode() for number in range(acknowledged)]
        assert len(found) in (acknowledged, acknowledged + 1)


async def test_a_server_that_keeps_dying_is_not_started_in_a_tight_loop(tmp_path: Path) -> None:
    states = States()
    supervisor = Supervisor(tmp_path, limits=QUICK, on_change=states)
    await supervisor.start()
    loop = asyncio.get_running_loop()
    pauses = []
    for _ in range(4):
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGKILL)
        while state_of(supervisor) is StoreState.READY:
            await supervisor.step()
        assert state_of(supervisor) is StoreState.DOWN
        pauses.append(supervisor.next_start - loop.time())
        while state_of(supervisor) is not StoreState.READY:
            await supervisor.step()
            await asyncio.sleep(0.005)
    await supervisor.stop()
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * QUICK.first_pause


async def test_a_mute_server_is_reported_and_not_ended(tmp_path: Path) -> None:
    states = States()
    supervisor = Supervisor(tmp_path, limits=replace(QUICK, answer=0.1), on_change=states)
    await supervisor.start()
    await states.reach(StoreState.READY)
    pid = supervisor.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    async with watched(supervisor):
        assert str(pid) in await states.reach(StoreState.DOWN)
        os.kill(pid, signal.SIGCONT)
        await states.reach(StoreState.READY)
    assert supervisor.pid == pid
    await supervisor.stop()


async def test_a_mute_orphan_is_ended_and_replaced(tmp_path: Path) -> None:
    async with orphan(tmp_path) as pid:
        os.kill(pid, signal.SIGSTOP)
        async with running(tmp_path, limits=replace(QUICK, answer=0.1, start=0.6, stop=0.5)) as (supervisor, store):
            assert supervisor.pid != pid
            assert await store.execute("GET", "said") == b"yes"


def _unfinished(folder: Path) -> list[Path]:
    return list(folder.glob("temp-rewriteaof-*"))


async def test_a_rewriting_child_that_outlives_its_server_holds_nobody_up(tmp_path: Path) -> None:
    states = States()
    supervisor = Supervisor(tmp_path, limits=QUICK, on_change=states)
    await supervisor.start()
    store = supervisor.store()
    await store.pipeline([("SET", f"k{number}", b"x" * 100) for number in range(2000)])
    # Each key costs the child this many microseconds, so that it is still there when its parent is not.
    await store.execute("CONFIG", "SET", "rdb-key-save-delay", "1000")
    await store.execute("CONFIG", "SET", "aof-use-rdb-preamble", "yes")
    await store.execute("BGREWRITEAOF")

    async def rewriting() -> bool:
        return bool(server.holders(tmp_path).rewriters)

    await eventually(rewriting)
    unfinished: list[Path] = []

    async def begun() -> bool:
        unfinished[:] = _unfinished(tmp_path)
        return bool(unfinished)

    await eventually(begun)
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    await states.reach(StoreState.READY)
    async with watched(supervisor):
        await states.reach(StoreState.READY)
    assert await store.execute("DBSIZE") == 2000
    assert server.holders(tmp_path).rewriters == []
    assert unfinished
    assert not any(path.exists() for path in unfinished), "each such death would take room for good"
    await store.aclose()
    await supervisor.stop()


async def test_a_long_path_puts_the_socket_into_a_private_short_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("很长的目录" * 6) / ("d" * 60) / 'with "quotes", \\ and\tspaces'
    async with running(folder) as (supervisor, store):
        assert len(os.fsencode(supervisor.socket)) <= server.LONGEST_SOCKET_PATH
        assert server.is_private(supervisor.socket.parent)
        await store.execute("SET", "said", "long")
        short = supervisor.socket.parent
    assert not short.exists()
    async with orphan(folder) as pid, running(folder) as (supervisor, store):
        assert supervisor.pid == pid
        assert await store.execute("GET", "said") == b"yes"


async def test_the_gate_keeps_a_strange_store_shut_until_an_operator_speaks(tmp_path: Path) -> None:
    asked = []

    async def gate(store: Store) -> Verdict:
        asked.append(await store.execute("GET", "id"))
        return Verdict(Finding.STORE_EMPTY)

    supervisor = Supervisor(tmp_path, limits=QUICK, gate=gate)
    assert await supervisor.start() is StoreState.WIPED
    assert await supervisor.step() is StoreState.WIPED
    assert asked == [None]
    assert "存储为空" in supervisor.reason
    supervisor.open_anyway()
    assert state_of(supervisor) is StoreState.READY
    await supervisor.stop()


async def test_a_start_that_fails_leaves_no_server_and_no_lock(tmp_path: Path) -> None:
    async def gate(store: Store) -> Verdict:
        raise RuntimeError("a mistake in the gate")

    with pytest.raises(RuntimeError, match="a mistake"):
        await Supervisor(tmp_path, limits=QUICK, gate=gate).start()
    assert not locks.is_held(tmp_path / locks.SERVER_LOCK)
    assert not locks.is_held(tmp_path / locks.HUB_LOCK)
