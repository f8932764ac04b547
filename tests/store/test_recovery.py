"""The append-only file after a crash: torn at every byte, damaged in the middle, without its manifest, without room."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import aof
from bot.store.anchor import Anchor, Finding, Head, StoreHeads, Verdict, compare
from bot.store.client import Store
from bot.store.errors import StoreRefusedError, StoreUnavailableError
from bot.store.recovery import Recovery
from bot.store.server import log_size
from bot.store.states import StoreState
from bot.store.supervisor import Supervisor
from bot.store.wire import Command
from tests.store.real_server import QUICK, eventually, running, state_of
from tests.store.test_supervisor import States, watched

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
SCRIPT: Command = ("EVAL", "redis.call('SET', KEYS[1], ARGV[1]); redis.call('INCR', KEYS[2])", 2, "d", "n", "4")


async def filled(folder: Path, last: Command = ("SET", "d", "4")) -> tuple[Path, int]:
    """A stopped store with some records and then `last`; its file, and the size before the last record."""
    async with running(folder) as (_, store):
        await store.pipeline([("SET", "a", "1"), ("SET", "b", "2"), (*SCRIPT[:3], "c", "n", "3")])
        file = aof.last_file(folder)
        assert file is not None
        before = file.stat().st_size
        await store.execute(*last)
    return file, before


@pytest.mark.parametrize(
    ("last", "stride"), [pytest.param(("SET", "d", "4"), 1, id="SET"), pytest.param(SCRIPT, 5, id="script")]
)
async def test_a_tail_cut_at_every_byte_is_cut_off_kept_aside_and_told(
    tmp_path: Path, last: Command, stride: int
) -> None:
    made = tmp_path / "made"
    file, before = await filled(made, last)
    whole = file.read_bytes()
    assert aof.scan(whole) == aof.Reading(aof.Shape.WHOLE, len(whole), len(whole), len(whole))
    cuts = range(before + 1, len(whole))
    assert len(cuts) > 20
    for cut in cuts:
        reading = aof.scan(whole[:cut])
        assert (reading.shape, reading.whole) == (aof.Shape.TORN, before)
    folder = tmp_path / "cut"
    for cut in cuts[::stride]:
        shutil.copytree(made, folder)
        torn = folder / aof.FOLDER / file.name
        os.truncate(torn, cut)
        told: list[Recovery] = []
        supervisor = Supervisor(folder, limits=QUICK, on_recovery=told.append, now=lambda: NOW)
        assert await supervisor.start() is StoreState.READY, supervisor.reason
        async with supervisor.store() as store:
            assert await store.execute("MGET", "a", "b", "c", "d", "n") == [b"1", b"2", b"3", None, b"1"]
            assert await store.execute("CONFIG", "GET", "aof-load-truncated") == [b"aof-load-truncated", b"no"]
            await store.execute("SET", "after", "yes")
        await supervisor.stop()
        (recovery,) = told
        assert (recovery.size, recovery.kept, recovery.lost) == (cut, before, cut - before)
        assert (recovery.copy / file.name).read_bytes() == whole[:cut]
        assert f"丢弃 {recovery.lost} 字节" in recovery.zh
        assert recovery.copy.name == "torn-20261122T020000Z"
        assert supervisor.recoveries == told
        assert torn.read_bytes().startswith(whole[:before])
        shutil.rmtree(folder)


async def test_a_file_cut_between_records_starts_in_silence_and_the_anchor_tells(tmp_path: Path) -> None:
    file, before = await filled(tmp_path)
    os.truncate(file, before)
    anchored = Anchor("s1", heads={0: Head(2, "2-0", "b" * 64)})
    found = StoreHeads("s1", {0: Head(1, "1-0", "a" * 64)})
    async with running(tmp_path) as (supervisor, _):
        assert supervisor.recoveries == []
    assert compare(anchored, found).finding is Finding.JOURNAL_BEHIND


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"$1\r\nb\r\n", b"X1\r\nb\r\n", id="a type mark"),
        # The server alone takes this one for a torn tail.
        pytest.param(b"$1\r\nb\r\n", b"$9999\r\nb\r\n", id="a length beyond the end"),
        pytest.param(b"SET\r\n$1\r\nb", b"SXT\r\n$1\r\nb", id="a command"),
    ],
)
async def test_damage_in_the_middle_is_refused_and_nothing_is_changed(tmp_path: Path, old: bytes, new: bytes) -> None:
    file, _ = await filled(tmp_path)
    damaged = file.read_bytes().replace(old, new, 1)
    file.write_bytes(damaged)
    supervisor = Supervisor(tmp_path, limits=QUICK)
    with pytest.raises(StoreRefusedError, match="损坏") as caught:
        await supervisor.start()
    assert "--fix" in str(caught.value)
    assert file.read_bytes() == damaged
    assert state_of(supervisor) is StoreState.STOPPED
    # The folder is free again: an operator who puts the file right can start at once.
    file.write_bytes(damaged.replace(new, old, 1))
    async with running(tmp_path) as (_, store):
        assert await store.execute("GET", "b") == b"2"


async def test_a_damaged_base_file_is_refused(tmp_path: Path) -> None:
    await filled(tmp_path)
    async with running(tmp_path) as (_, store):
        await store.execute("BGREWRITEAOF")

        async def rewritten() -> bool:
            reply = await store.execute("INFO", "persistence")
            return isinstance(reply, bytes) and b"aof_rewrites:1" in reply and b"aof_rewrite_in_progress:0" in reply

        await eventually(rewritten)
    (base,) = (tmp_path / aof.FOLDER).glob("*.base.*")
    os.truncate(base, base.stat().st_size - 9)
    with pytest.raises(StoreRefusedError, match="损坏"):
        await Supervisor(tmp_path, limits=QUICK).start()


async def test_data_without_a_manifest_is_refused_rather_than_started_empty(tmp_path: Path) -> None:
    await filled(tmp_path)
    (tmp_path / aof.FOLDER / f"{aof.NAME}.manifest").unlink()
    with pytest.raises(StoreRefusedError, match=r"清单文件"):
        await Supervisor(tmp_path, limits=QUICK).start()


async def test_a_store_that_comes_back_empty_is_noticed_by_the_anchor(tmp_path: Path) -> None:
    anchor_file = tmp_path / "anchor.json"
    folder = tmp_path / "data"

    async def gate(store: Store) -> Verdict:
        reply = await store.execute("GET", "store:id")
        return compare(Anchor.load(anchor_file), StoreHeads(reply.decode() if isinstance(reply, bytes) else None))

    first = Supervisor(folder, limits=QUICK, gate=gate)
    assert await first.start() is StoreState.READY
    assert first.verdict == Verdict(Finding.FRESH)
    async with first.store() as store:
        await store.execute("SET", "store:id", "s1")
    Anchor("s1", 1).save(anchor_file)
    await first.stop()
    second = Supervisor(folder, limits=QUICK, gate=gate)
    assert await second.start() is StoreState.READY
    await second.stop()
    shutil.rmtree(folder / aof.FOLDER)
    third = Supervisor(folder, limits=QUICK, gate=gate)
    assert await third.start() is StoreState.WIPED
    assert third.verdict == Verdict(Finding.STORE_EMPTY)
    await third.stop()


async def test_a_full_disk_stops_the_store_and_room_starts_it_again(tmp_path: Path) -> None:
    """A file size limit on the server stands for the full disk: it fails the same write, and needs no rights to set."""
    free = 0
    states = States()
    supervisor = Supervisor(tmp_path, limits=QUICK, on_change=states, free_bytes=lambda _: free)
    free = 1 << 30
    await supervisor.start()
    await states.reach(StoreState.READY)
    store = supervisor.store()
    async with watched(supervisor):
        await store.execute("RPUSH", "list", b"x" * 100_000)
        file = aof.last_file(tmp_path)
        assert file is not None
        assert supervisor.pid is not None
        limit = file.stat().st_size + 50_000
        resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (limit, limit))
        free = 0
        for _ in range(7):
            await store.execute("RPUSH", "list", b"x" * 7_000)
        with pytest.raises(StoreUnavailableError):
            await store.execute("RPUSH", "list", b"x" * 7_000)
        reason = await states.reach(StoreState.NO_DISK)
        assert "磁盘空间不足" in reason
        assert "Short write while writing to the AOF file" in reason
        log = log_size(tmp_path)
        for _ in range(5):
            # Each of these looks is due, and none starts a server.
            await asyncio.sleep(QUICK.disk_look)
            assert await supervisor.step() is StoreState.NO_DISK
        assert log_size(tmp_path) == log
        free = 1 << 30
        await states.reach(StoreState.READY)
    assert await store.execute("LLEN", "list") == 8
    await store.aclose()
    await supervisor.stop()


@pytest.mark.parametrize("torn", [False, True])
async def test_a_server_that_loads_for_long_is_waited_for_and_not_ended(tmp_path: Path, torn: bool) -> None:
    file, _ = await filled(tmp_path)
    # The server looks up from its loading every 1024 commands, and there is work between.
    work = b"for i = 1, 20000000 do end"
    with file.open("ab") as more:
        for _ in range(12):
            more.write(b"*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n" * 1024)
            more.write(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(work), work))
        more.write(b"*2\r\n$4\r\nINCR\r\n$5\r\nco" if torn else b"")
    states = States()
    supervisor = Supervisor(tmp_path, limits=replace(QUICK, start=0.15), on_change=states)
    assert await supervisor.start() is StoreState.STARTING, supervisor.reason
    pid = supervisor.pid
    async with watched(supervisor):
        await states.reach(StoreState.READY)
    assert (supervisor.pid == pid) is not torn
    assert [recovery.lost for recovery in supervisor.recoveries] == ([20] if torn else [])
    async with supervisor.store() as store:
        assert await store.execute("GET", "count") == str(12 * 1024).encode()
    await supervisor.stop()


class Counting(Supervisor):
    """Counts its steps."""

    steps = 0

    async def step(self) -> StoreState:
        self.steps += 1
        return await super().step()


async def test_files_damaged_while_it_runs_are_refused_and_it_rests(tmp_path: Path) -> None:
    states = States()
    supervisor = Counting(tmp_path, limits=QUICK, on_change=states)
    await supervisor.start()
    async with supervisor.store() as store:
        await store.pipeline([("SET", "a", "1"), ("SET", "b", "2")])
    file = aof.last_file(tmp_path)
    assert file is not None
    file.write_bytes(file.read_bytes().replace(b"$1\r\nb", b"X1\r\nb"))
    assert supervisor.pid is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    async with watched(supervisor):
        assert "损坏" in await states.reach(StoreState.REFUSED)
        log, steps = log_size(tmp_path), supervisor.steps
        await asyncio.sleep(4 * QUICK.look)
        assert supervisor.steps - steps <= 5
    assert log_size(tmp_path) == log
    await supervisor.stop()
