"""Commands, batches and scripts against a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from bot.store.client import Call, Store, pairs
from bot.store.errors import StoreUnavailableError
from bot.store.wire import Reply
from tests.store.real_server import eventually

ONCE = """
if redis.call('EXISTS', KEYS[2]) == 1 then return redis.call('GET', KEYS[2]) end
local value = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], value)
return tostring(value)
"""


def once(store: Store, commit: str, by: int) -> Call:
    """Adds to a counter, once for each commit id."""
    return Call(store.load_script("once", ONCE), [b"{p1}counter", f"{{p1}}commit:{commit}".encode()], [by])


async def test_bytes_come_back_as_they_went_in(store: Store) -> None:
    value = bytes(range(256)) + "烽火".encode()
    await store.execute("SET", b"key\xff\x00", value)
    assert await store.execute("GET", b"key\xff\x00") == value


async def test_a_pipeline_gives_each_result_or_error_in_its_place(store: Store) -> None:
    results = await store.pipeline([("SET", "a", "1"), ("LPUSH", "a", "x"), ("INCR", "a"), ("HSET", "h", "f", b"\x00")])
    assert results[0] == b"OK"
    assert isinstance(results[1], ResponseError)
    assert results[2:] == [2, 1]
    assert pairs(await store.execute("HGETALL", "h")) == {b"f": b"\x00"}
    assert await store.pipeline([]) == []


async def test_an_error_of_one_command_is_raised(store: Store) -> None:
    with pytest.raises(ResponseError, match="unknown command"):
        await store.execute("NOSUCHCOMMAND")


async def test_scripts_unknown_to_the_server_are_loaded_and_run(store: Store) -> None:
    await store.each_node("SCRIPT", "FLUSH")
    assert await store.run_scripts([once(store, "c1", 5), once(store, "c2", 2), once(store, "c1", 5)]) == [
        b"5", b"7", b"5",
    ]  # fmt: skip
    await store.each_node("SCRIPT", "FLUSH")
    assert await store.run_scripts([once(store, "c2", 2)]) == [b"7"]


async def test_a_script_that_fails_spoils_only_its_own_place(store: Store) -> None:
    broken = Call(store.load_script("broken", "return redis.call('LPUSH', KEYS[1], 'x')"), [b"{p1}counter"], [])
    results = await store.run_scripts([once(store, "c1", 1), broken, once(store, "c2", 1)])
    assert results[0] == b"1"
    assert isinstance(results[1], ResponseError)
    assert results[2] == b"2"


async def test_lua_that_does_not_compile_is_refused_when_loaded(store: Store) -> None:
    store.load_script("nonsense", "this is not lua")
    with pytest.raises(ResponseError, match="compiling"):
        await store.load_scripts()


def test_one_name_is_one_script(tmp_path: Path) -> None:
    store = Store.on_socket(tmp_path / "none")
    first = store.load_script("s", "return 1")
    assert store.load_script("s", b"return 1") == first
    with pytest.raises(ValueError, match="two different"):
        store.load_script("s", "return 2")


async def test_a_cancelled_batch_leaves_no_answers_behind(store_socket: Path) -> None:
    async with Store.on_socket(store_socket, connections=1) as store:
        await store.execute("DEL", "list")
        waiting = asyncio.create_task(store.pipeline([("SET", "x", "stale"), ("BLPOP", "list", 0), ("GET", "x")]))
        async with Store.on_socket(store_socket) as other:

            async def blocked() -> bool:
                return b"blocked_clients:1" in _text(await other.execute("INFO", "clients"))

            await eventually(blocked)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await store.execute("ECHO", "mine") == b"mine"


def _text(reply: Reply) -> bytes:
    assert isinstance(reply, bytes)
    return reply


async def test_no_server_is_said_and_nothing_was_sent(tmp_path: Path) -> None:
    async with Store.on_socket(tmp_path / "none", attempts=2) as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.execute("PING")
    assert not caught.value.sent
    assert "无应答" in str(caught.value)


async def test_an_answer_that_does_not_come_in_time(store_socket: Path) -> None:
    async with Store.on_socket(store_socket, answer_seconds=0.05) as store:
        await store.execute("DEL", "list")
        with pytest.raises(StoreUnavailableError) as caught:
            await store.execute("BLPOP", "list", 5)
    assert caught.value.sent


class LosesAnswers:
    """A server between client and store that swallows the first answers and hangs up, the effect being done."""

    def __init__(self, path: Path, real: Path, lost: int) -> None:
        self.path = path
        self._real = real
        self.left = lost

    async def __aenter__(self) -> LosesAnswers:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_unix_connection(str(self._real))
        while request := await reader.read(65536):
            down.write(request)
            answer = await up.read(65536)
            if b"EVALSHA" in request and self.left:
                self.left -= 1
                break
            writer.write(answer)
        writer.close()
        down.close()


async def test_a_lost_answer_is_asked_for_again_and_the_effect_stays_one(
    store: Store, store_socket: Path, tmp_path: Path
) -> None:
    await store.run_scripts([once(store, "c0", 1)])
    async with LosesAnswers(tmp_path / "s", store_socket, lost=2) as proxy, Store.on_socket(proxy.path) as far:
        assert await far.run_scripts([once(far, "c1", 5)]) == [b"6"]
        assert proxy.left == 0
    assert await store.execute("GET", "{p1}counter") == b"6"


async def test_a_plain_command_with_a_lost_answer_is_not_repeated(
    store: Store, store_socket: Path, tmp_path: Path
) -> None:
    await store.load_scripts()
    sha = store.load_script("add", "return redis.call('INCR', KEYS[1])").sha
    await store.load_scripts()
    async with LosesAnswers(tmp_path / "s", store_socket, lost=1) as proxy, Store.on_socket(proxy.path) as far:
        with pytest.raises(StoreUnavailableError) as caught:
            await far.execute("EVALSHA", sha, 1, "n")
    assert caught.value.sent
    assert await store.execute("GET", "n") == b"1"
