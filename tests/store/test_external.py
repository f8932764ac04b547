"""Stores that the hub does not supervise: their addresses, their safety, their clocks, and what WAITAOF adds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.store.client import Call, Store
from bot.store.errors import BadStoreUrlError, NotDurableError, StoreUnavailableError, UnsafeStoreError
from bot.store.external import connect, parse
from bot.store.safety import (
    Facts,
    clock_skew,
    clocks_agree,
    concerns,
    read_facts,
    read_skew,
    refuse_unsafe,
    skew_text,
    waitaof_possible,
)
from bot.store.server import binary
from bot.store.wire import WaitAof
from tests.ports import free_port
from tests.store.real_server import eventually
from tests.store.test_client import ONCE
from tests.store.three_nodes import ThreeNodes


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[None]:
    """A server with settings of its own, as somebody else might run it."""
    folder.mkdir(exist_ok=True)
    command = [str(binary()), *arguments]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.kill()
        child.wait()


@asynccontextmanager
async def foreign(folder: Path, settings: Mapping[str, str], wait: WaitAof | None = None) -> AsyncIterator[Store]:
    """A server on a unix socket and a client of it, once it answers."""
    path = folder / "s"
    arguments = ["--port", "0", "--unixsocket", str(path), "--dir", str(folder)]
    for name, value in settings.items():
        arguments += [f"--{name.replace('_', '-')}", *value.split(" ")]
    with process(folder, *arguments):

        async def listening() -> bool:
            return path.exists()

        await eventually(listening)
        async with connect(f"unix://{path}", wait=wait) as store:
            yield store


SAFE = {"appendonly": "yes", "appendfsync": "always", "maxmemory_policy": "noeviction"}


async def test_a_safe_store_is_taken(tmp_path: Path) -> None:
    async with foreign(tmp_path, SAFE) as store:
        facts = await read_facts(store)
        assert concerns(facts, cluster_address=False) == []
        assert waitaof_possible(facts)


@pytest.mark.parametrize(
    ("setting", "value"), [("appendonly", "no"), ("appendfsync", "everysec"), ("maxmemory_policy", "allkeys-lru")]
)
async def test_a_store_that_can_lose_events_is_refused_by_name_unless_that_is_meant(
    tmp_path: Path, setting: str, value: str
) -> None:
    async with foreign(tmp_path, {**SAFE, setting: value}) as store:
        found = concerns(await read_facts(store), cluster_address=False)
    name = setting.replace("_", "-")
    with pytest.raises(UnsafeStoreError, match=f"{name} 为 {value}") as caught:
        refuse_unsafe(found, accept_loss=False)
    assert f"{name} {value}" in caught.value.en
    assert "accept_loss = true" in str(caught.value)
    refuse_unsafe(found, accept_loss=True)


async def test_a_managed_store_without_config_needs_the_acceptance(tmp_path: Path) -> None:
    async with foreign(tmp_path, SAFE) as store:
        await store.execute("ACL", "SETUSER", "default", "-config")
        (facts,) = await read_facts(store)
    assert facts.settings is None
    found = concerns([facts], cluster_address=False)
    with pytest.raises(UnsafeStoreError, match="CONFIG GET"):
        refuse_unsafe(found, accept_loss=False)
    refuse_unsafe(found, accept_loss=True)


async def test_a_node_of_a_cluster_wants_a_cluster_address(three_nodes: ThreeNodes) -> None:
    async with connect(f"redis://127.0.0.1:{three_nodes.nodes[0].port}") as store:
        found = concerns(await read_facts(store), cluster_address=False)
    with pytest.raises(UnsafeStoreError, match=r"redis\+cluster://"):
        refuse_unsafe(found, accept_loss=True)
    async with connect(three_nodes.url) as store:
        facts = await read_facts(store)
        assert len(facts) == 3
        assert concerns(facts, cluster_address=True) == []


def test_old_servers_and_replicas_cannot_be_accepted() -> None:
    settings = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
    good = Facts("n", (7, 2, 4), settings, writable=True, clustered=False, has_waitaof=True)
    old = replace(good, version=(6, 0, 16), has_waitaof=False)
    replica = replace(good, writable=False)
    assert concerns([good], cluster_address=False) == []
    for bad, word in ((old, "6.0.16"), (replica, "副本")):
        with pytest.raises(UnsafeStoreError, match=word):
            refuse_unsafe(concerns([good, bad], cluster_address=False), accept_loss=True)
    assert not waitaof_possible([good, old])


async def test_waitaof_covers_a_recorded_result_that_another_connection_wrote(tmp_path: Path) -> None:
    """The second run writes nothing of its own; without the fence WAITAOF would answer for nothing, at once."""
    async with foreign(tmp_path, {**SAFE, "appendfsync": "no"}) as plain:
        call = Call(plain.load_script("once", ONCE), [b"{p}n", b"{p}c"], [1])
        assert await plain.run_scripts([call]) == [b"1"]
        async with connect(f"unix://{tmp_path / 's'}", wait=WaitAof(milliseconds=50)) as careful:
            (result,) = await careful.run_scripts([call])
            assert isinstance(result, NotDurableError)
            assert (result.asked, result.counted) == ((1, 0), (0, 0))
            assert "落盘" in str(result)
            await plain.execute("CONFIG", "SET", "appendfsync", "always")
            assert await careful.run_scripts([call]) == [b"1"]


async def test_too_few_replicas_is_an_error(tmp_path: Path) -> None:
    async with foreign(tmp_path, SAFE, WaitAof(local=1, replicas=1, milliseconds=50)) as store:
        (result,) = await store.write([("SET", "a", "1")])
        assert isinstance(result, NotDurableError)
        assert result.counted == (1, 0)
        refused, missing = await store.write([("LPUSH", "a", "x"), ("GET", "a")])
        assert "WRONGTYPE" in str(refused)
        assert isinstance(missing, NotDurableError)


async def test_waitaof_without_a_file_is_an_error_not_a_promise(tmp_path: Path) -> None:
    async with foreign(tmp_path, {"appendonly": "no"}, WaitAof()) as store:
        (result,) = await store.write([("SET", "a", "1")])
        assert isinstance(result, NotDurableError)
        assert "WAITAOF" in str(result.__cause__)


async def test_sentinel_names_the_master(tmp_path: Path) -> None:
    port, sentinel_port = free_port(), free_port()
    watch = tmp_path / "sentinel.conf"
    watch.write_text(
        f"port {sentinel_port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor county 127.0.0.1 {port} 1\n"
        "sentinel auth-pass county not-a-secret\n"
    )
    server = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--requirepass", "not-a-secret"]
    with process(tmp_path, *server), process(tmp_path, str(watch), "--sentinel"):
        url = f"redis+sentinel://:not-a-secret@127.0.0.1:9,127.0.0.1:{sentinel_port}/county"
        async with connect(url) as store:

            async def known() -> bool:
                try:
                    return await store.execute("SET", "a", b"\xff") == b"OK"
                except StoreUnavailableError:
                    # Sentinel looks at its master once a second.
                    return False

            await eventually(known)
            assert await store.execute("GET", "a") == b"\xff"
            assert "not-a-secret" not in str(list(await store.each_node("PING")))


async def test_the_clocks_are_compared(store: Store) -> None:
    assert abs(await read_skew(store, time.time)) < 1
    assert 4 < await read_skew(store, lambda: time.time() - 5) < 6
    assert -6 < await read_skew(store, lambda: time.time() + 5) < -4


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 100), st.integers(-(10**6), 10**6))
def test_skew_is_what_lies_outside_the_journey(before: int, journey: int, off: int) -> None:
    after = before + journey
    skew = clock_skew(before + off, before, after)
    if before <= before + off <= after:
        assert skew == 0
    else:
        assert (skew > 0) is (off > 0)
        assert abs(skew) <= abs(off)


def test_two_seconds_are_the_limit() -> None:
    assert clocks_agree(2.0)
    assert clocks_agree(-2.0)
    assert not clocks_agree(2.01)
    assert not clocks_agree(-2.01)
    assert "-3.0 秒" in skew_text(-3.0)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://u:not-a-secret@h", "http"),
        ("redis+sentinel://u:not-a-secret@h:1,h:2", "mymaster"),
        ("redis+sentinel://u:not-a-secret@h/name", "host:port"),
        ("redis+cluster://u:not-a-secret@h:1/3", "0 号库"),
        ("redis+cluster://u:not-a-secret@h:1?socket_timeout=soon", "socket_timeout"),
        ("redis://u:not-a-secret@h:port", "port"),
        ("redis://u:not-a-secret/x@h:1", "百分号"),
        ("redis+cluster://u:not-a-secret@[h:1", "IPv6"),
        ("", "缺少类型"),
    ],
)
def test_a_bad_address_is_refused_without_its_password(url: str, word: str) -> None:
    with pytest.raises(BadStoreUrlError, match=word) as caught:
        parse(url)
    assert "not-a-secret" not in str(caught.value)


def test_addresses_are_taken_apart() -> None:
    sentinel = parse("rediss+sentinel://u:p%40w@a:1,[::1]:2/county?db=3&sentinel_password=q")
    assert (sentinel.kind, sentinel.hosts, sentinel.service) == ("sentinel", (("a", 1), ("::1", 2)), "county")
    assert sentinel.options == {"username": "u", "password": "p@w", "db": 3, "sentinel_password": "q", "ssl": True}
    assert sentinel.shown == "rediss+sentinel://a:1,[::1]:2/county"
    assert parse("redis+cluster://a:1").hosts == (("a", 1),)
    assert parse("redis://:p@h:6380/2").options["db"] == 2
