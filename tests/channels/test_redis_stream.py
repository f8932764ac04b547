"""Appending to a stream on a real server: once for each id that the server took, and what each failure means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.store.client import Store
from bot.store.supervisor import Supervisor
from channels.outcome import Outcome, OutcomeKind
from channels.redis_stream import BODY_BYTES, Driver, Settings
from tests.channels.conftest import a_letter, closed_port
from tests.store.real_server import running

STREAM = "fenghuo:answers"


@dataclass
class Upstream:
    server: Supervisor
    store: Store
    session: aiohttp.ClientSession

    def driver(self, **other: Any) -> Driver:
        table = {"kind": "redis_stream", "url": f"unix://{self.server.socket}", "stream": STREAM, "timeout": 20.0}
        return Driver("answers", Settings.model_validate(table | other), self.session)

    async def entries(self) -> list[tuple[str, dict[bytes, bytes]]]:
        reply: Any = await self.store.execute("XRANGE", STREAM, "-", "+")
        return [(name.decode(), dict(zip(flat[::2], flat[1::2], strict=True))) for name, flat in reply]


@pytest.fixture
async def upstream(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Upstream]:
    async with running(tmp_path / "theirs") as (server, store):
        yield Upstream(server, store, session)


async def sent(driver: Driver, **letter: Any) -> tuple[OutcomeKind, str]:
    try:
        outcome = await driver.send(a_letter('{"data":"签收"}', address="", **letter))
    finally:
        await driver.close()
    return outcome.kind, outcome.vendor_id or outcome.detail


async def test_an_entry_holds_the_id_and_the_json(upstream: Upstream) -> None:
    kind, entry = await sent(upstream.driver(field="payload"))
    assert kind is OutcomeKind.ACCEPTED
    assert await upstream.entries() == [(entry, {b"id": b"A0231-n17", b"payload": '{"data":"签收"}'.encode()})]


async def test_the_stream_is_kept_to_about_its_length(upstream: Upstream) -> None:
    driver = upstream.driver(max_length=1000)
    for number in range(1500):
        await driver.send(a_letter("{}", address="", id=f"n{number}"))
    await driver.close()
    assert 1000 <= len(await upstream.entries()) < 1500


async def test_a_server_with_a_password(upstream: Upstream) -> None:
    await upstream.store.execute("ACL", "SETUSER", "hub", "on", ">fake-secret", "~fenghuo:*", "+xadd")
    await upstream.store.execute("ACL", "SETUSER", "poor", "on", ">fake-secret", "~other:*", "+xadd")
    assert (await sent(upstream.driver(username="hub", password="fake-secret")))[0] is OutcomeKind.ACCEPTED
    for wrong in ({"username": "hub", "password": "fake-other"}, {"username": "poor", "password": "fake-secret"}):
        kind, said = await sent(upstream.driver(**wrong))
        assert kind is OutcomeKind.MISCONFIGURED, said
        assert wrong["password"] not in said


async def test_a_key_that_is_no_stream_is_wrong_settings(upstream: Upstream) -> None:
    await upstream.store.execute("SET", STREAM, "text")
    kind, said = await sent(upstream.driver())
    assert kind is OutcomeKind.MISCONFIGURED, said
    assert "WRONGTYPE" in said


async def test_a_full_server_and_one_that_is_away_are_asked_again(upstream: Upstream) -> None:
    await upstream.store.execute("CONFIG", "SET", "maxmemory", "1")
    assert (await sent(upstream.driver()))[0] is OutcomeKind.TRANSIENT
    await upstream.store.execute("CONFIG", "SET", "maxmemory", "0")
    nobody = upstream.driver(url=f"redis://127.0.0.1:{closed_port()}")
    assert (await sent(nobody))[0] is OutcomeKind.TRANSIENT
    driver = upstream.driver()
    assert (await driver.send(a_letter("{}", address=""))).kind is OutcomeKind.ACCEPTED
    await upstream.server.stop()
    assert (await driver.send(a_letter("{}", address=""))).kind is OutcomeKind.TRANSIENT
    await upstream.server.start()
    assert (await driver.send(a_letter("{}", address=""))).kind is OutcomeKind.ACCEPTED
    await driver.close()


async def test_a_server_that_does_not_answer_is_asked_again(upstream: Upstream) -> None:
    """A pause of writes: the entry is appended when it ends, and once more under the same id."""
    await upstream.store.execute("CLIENT", "PAUSE", "60000", "WRITE")
    assert (await sent(upstream.driver(timeout=0.2)))[0] is OutcomeKind.TRANSIENT
    await upstream.store.execute("CLIENT", "UNPAUSE")
    assert (await sent(upstream.driver()))[0] is OutcomeKind.ACCEPTED
    assert {fields[b"id"] for _, fields in await upstream.entries()} == {b"A0231-n17"}


@pytest.mark.parametrize("text", ["", "字" * BODY_BYTES, "\ud800"])
async def test_what_cannot_be_written_is_refused(upstream: Upstream, text: str) -> None:
    outcome = await upstream.driver().send(a_letter(text, address=""))
    assert outcome.kind is OutcomeKind.REFUSED_CONTENT


async def test_an_address_of_a_contact_is_not_guessed_to_be_a_stream(upstream: Upstream) -> None:
    outcome = await upstream.driver().send(a_letter("{}", address="http://10.0.0.1/in"))
    assert outcome.kind is OutcomeKind.MISCONFIGURED


@pytest.mark.parametrize("url", ["http://10.0.0.1", "redis://user:fake@10.0.0.1", "redis://10.0.0.1?password=fake", ""])
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"kind": "redis_stream", "url": url, "stream": STREAM})
    assert "fake" not in str(refused.value)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that reads one request and writes ``answer``, whatever was asked. Gives its port and the requests."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(65_536))
        writer.write(answer)
        # What is left of the answer must arrive: the client ends the connection.
        if answer.endswith(b"\r\n"):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


ODD = [
    b"$-1\r\n",
    b"*0\r\n",
    b":5\r\n",
    b"$2\r\n\xff\xfe\r\n",
    b"+\xff\xfe\r\n",
    b"+OK\r\n",
    b"<html>\r\n",
    b"$x\r\n",
    b"$9\r\n1",
]


@pytest.mark.parametrize("answer", ODD)
async def test_what_is_no_answer_of_the_protocol_is_asked_again(session: aiohttp.ClientSession, answer: bytes) -> None:
    """Nothing says whether the entry stands there; its id makes a repeat harmless."""
    async with answering(answer) as (port, seen):
        table = {"kind": "redis_stream", "url": f"redis://127.0.0.1:{port}", "stream": STREAM, "timeout": 20.0}
        kind, said = await sent(Driver("answers", Settings.model_validate(table), session))
    assert (kind, len(seen)) == (OutcomeKind.TRANSIENT, 1), said
    assert b"XADD" in seen[0]


@settings(deadline=None, max_examples=60)
@given(answer=st.sampled_from([b"", b"+OK\r\n", b"-", b"+", b"*2\r\n$", b"$3\r\n", b":"]), rest=st.binary(max_size=60))
def test_any_bytes_are_an_outcome(answer: bytes, rest: bytes) -> None:
    async def send() -> Outcome:
        async with answering(answer + rest) as (port, _), aiohttp.ClientSession() as session:
            table = {"kind": "redis_stream", "url": f"redis://127.0.0.1:{port}", "stream": STREAM, "timeout": 1.0}
            driver = Driver("answers", Settings.model_validate(table), session)
            try:
                return await driver.send(a_letter("{}", address=""))
            finally:
                await driver.close()

    assert asyncio.run(send()).kind in (OutcomeKind.TRANSIENT, OutcomeKind.MISCONFIGURED)
