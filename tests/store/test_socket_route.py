"""The unix socket's own connections, against servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from tests.store.real_server import eventually

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(path: Path, serve: Serve) -> AsyncIterator[Path]:
    """A server that answers as ``serve`` says, and hangs up then."""
    served: set[asyncio.Task[None]] = set()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass  # the other end hung up first
        finally:
            writer.close()

    server = await asyncio.start_unix_server(handler, str(path))
    try:
        yield path
    finally:
        server.close()
        await asyncio.wait(served)


async def test_a_large_batch_comes_back_whole_and_in_order(store: Store) -> None:
    values = [bytes([place % 251]) * 3_000 for place in range(2_000)]
    assert await store.pipeline([("SET", f"k{place}", value) for place, value in enumerate(values)]) == [b"OK"] * 2_000
    assert await store.pipeline([("GET", f"k{place}") for place in range(2_000)]) == values


async def test_many_tasks_share_few_connections(store_socket: Path) -> None:
    async with Store.on_socket(store_socket, connections=2) as store:
        await store.execute("DEL", "counter")
        counted = await asyncio.gather(*(store.execute("INCR", "counter") for _ in range(200)))
    assert sorted(one for one in counted if isinstance(one, int)) == list(range(1, 201))


async def test_a_server_that_goes_on_answering_is_waited_for(tmp_path: Path) -> None:
    """The limit is for each answer: a long batch on a slow disk is no silence."""

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        for _ in range(6):
            await asyncio.sleep(0.1)
            writer.write(b"+OK\r\n")

    async with (
        listening(tmp_path / "s", slowly) as path,
        Store.on_socket(path, answer_seconds=0.3, attempts=1) as store,
    ):
        assert await store.pipeline([("SET", "k", "v")] * 6) == [b"OK"] * 6


async def test_an_answer_nobody_asked_for_is_nobodys_answer(tmp_path: Path) -> None:
    connections = 0

    async def talkative(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.read(65536):
            writer.write(b"+mine\r\n")
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(b"+stray\r\n")

    async with listening(tmp_path / "s", talkative) as path, Store.on_socket(path, attempts=1) as store:
        for _ in range(3):
            assert await store.execute("GET", "k") == b"mine"
            await asyncio.sleep(0.02)
    assert connections == 3


async def test_a_server_that_still_loads_is_asked_again(tmp_path: Path) -> None:
    answers = [b"-LOADING it reads its file\r\n", b"-ERR no such thing\r\n"]

    async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(answers.pop(0))

    async with listening(tmp_path / "s", loading) as path, Store.on_socket(path, attempts=2) as store:
        with pytest.raises(ResponseError, match="no such thing"):
            await store.execute("GET", "k", again=True)
    assert answers == []


async def test_what_is_no_protocol_is_a_lost_answer(tmp_path: Path) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(tmp_path / "s", babble) as path, Store.on_socket(path, attempts=1) as store:
        with pytest.raises(StoreUnavailableError) as caught:
            await store.execute("GET", "k")
    assert caught.value.sent


async def test_a_connection_the_server_closed_is_replaced(store_socket: Path) -> None:
    async with Store.on_socket(store_socket) as store, Store.on_socket(store_socket) as other:
        mine = await store.execute("CLIENT", "ID")
        assert await other.execute("CLIENT", "KILL", "ID", str(mine)) == 1

        async def replaced() -> bool:
            return await store.execute("CLIENT", "ID") != mine

        await eventually(replaced)
