"""The simulated Redis server against the real one, command by command, and the hub's own channel against it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.demo.simulators.redis_server import RedisServer
from channels.outcome import OutcomeKind
from channels.redis_stream import Driver, Settings
from tests.channels.conftest import NIGHT, a_letter
from tests.store.real_server import running

STREAM, USER, PASSWORD = "fenghuo:answers", "fenghuo", "fake-secret"
ADD = ("XADD", STREAM)
ASKED = (
    (*ADD, "*", "a", "b"),
    ("AUTH", USER, "fake-other"),
    ("AUTH", USER, PASSWORD),
    ("PING",),
    ("GET", STREAM),
    ("nonsense", "a", "b"),
    ("XADD",),
    (*ADD, "*"),
    (*ADD, "*", "a"),
    (*ADD, "*", "a", "b", "c"),
    ("XADD", "fenghuo:others", "*", "a", "b"),
    (*ADD, "x", "a", "b"),
    (*ADD, "MAXLEN", "~", "x", "*", "a", "b"),
    (*ADD, "MAXLEN", "~", "-1", "*", "a", "b"),
    (*ADD, "MAXLEN", "~", "1000", "*", "id", "A0001-n1", "event", "{}"),
    (*ADD, "MAXLEN", "=", "2", "*", "id", "字", "event", "{}"),
)


class Wire:
    """One connection that speaks RESP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, *parts: str) -> str:
        """The reply's first line or the string that it holds; an entry's name as its form."""
        coded = [part.encode() for part in parts]
        self._writer.write(b"*%d\r\n" % len(coded) + b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in coded))
        line = await self._reader.readline()
        if line.startswith(b"$"):
            line = await self._reader.readexactly(int(line[1:]) + 2)
        return re.sub(r"^[0-9]{13}-[0-9]+$", "ENTRY", line.decode().strip("\r\n"))

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
async def simulated() -> AsyncIterator[tuple[RedisServer, str]]:
    server = RedisServer(STREAM, USER, PASSWORD, lambda: NIGHT)
    async with server.listening() as url:
        yield server, url


async def test_it_answers_as_the_real_server_does(simulated: tuple[RedisServer, str], tmp_path: Path) -> None:
    _, url = simulated
    async with running(tmp_path / "theirs") as (server, store):
        await store.execute("ACL", "SETUSER", USER, "on", f">{PASSWORD}", f"~{STREAM}", "+xadd")
        await store.execute("ACL", "SETUSER", "default", "off")
        real = Wire(*await asyncio.open_unix_connection(server.socket))
        ours = Wire(*await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])))
        said = [(asked, await ours.ask(*asked), await real.ask(*asked)) for asked in ASKED]
        real.close()
        ours.close()
        await store.execute("ACL", "SETUSER", "default", "on")
    assert [each for each in said if each[1] != each[2]] == []
    assert [each[1] for each in said].count("ENTRY") == 2


async def test_what_speaks_no_resp_is_cut_off(simulated: tuple[RedisServer, str]) -> None:
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"*9999\r\n", b"*1\r\n$-5\r\n", b"*1\r\n$4\r\nPI"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(simulated[1].rpartition(":")[2]))
        writer.write(rubbish)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


async def test_the_channel_appends_to_it(simulated: tuple[RedisServer, str]) -> None:
    server, url = simulated
    table = {"kind": "redis_stream", "url": url, "stream": STREAM, "username": USER, "max_length": 1000}
    async with aiohttp.ClientSession() as session:
        for password, kind in (("fake-other", OutcomeKind.MISCONFIGURED), (PASSWORD, OutcomeKind.ACCEPTED)):
            driver = Driver("answers", Settings.model_validate({**table, "password": password}), session)
            outcome = await driver.send(a_letter('{"data":"签收"}', address=""))
            await driver.close()
            assert outcome.kind is kind, outcome.detail
    assert list(server.entries.values()) == [{"id": b"A0231-n17", "event": '{"data":"签收"}'.encode()}]
    assert (server.received[0].subject, server.received[0].text) == ("A0231-n17", '{"data":"签收"}')


async def test_entries_of_one_moment_are_told_apart_and_the_oldest_go(simulated: tuple[RedisServer, str]) -> None:
    server, url = simulated
    wire = Wire(*await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])))
    await wire.ask("AUTH", USER, PASSWORD)
    for number in range(4):
        await wire.ask(*ADD, "MAXLEN", "=", "3", "*", "id", f"n{number}", "event", "{}")
    wire.close()
    assert list(server.entries) == [f"{NIGHT}-{number}" for number in (1, 2, 3)]
