"""The mailbox's connection against a strict simulator, and against servers that are none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.simulators.imap import MailboxServer
from channels.mail.imap import Connection, ImapError, RefusedError
from channels.mail.imap_wire import Value, WireError, folder_name, read
from channels.mail.settings import Imap
from tests.channels.conftest import Clock

LOGIN = ("fenghuo@example.cn", 'fake "密码" \\ 31337')


def settings(port: int, **other: Any) -> Imap:
    table = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "username": LOGIN[0],
        "password": LOGIN[1],
        "reply_secret": "x" * 32,
        "timeout": 5.0,
    }
    return Imap.model_validate(table | other)


async def open_and_select(connection: Connection) -> None:
    await connection.open()
    await connection.select()


@asynccontextmanager
async def opened(box: MailboxServer, **other: Any) -> AsyncIterator[Connection]:
    async with box.listening() as port:
        connection = Connection(settings(port, **other))
        try:
            await open_and_select(connection)
            yield connection
        finally:
            await connection.close()


@pytest.mark.parametrize("mechanisms", ["AUTH=PLAIN", "AUTH=PLAIN SASL-IR", ""])
async def test_every_way_to_log_in_and_the_name_that_163_asks_for(clock: Clock, mechanisms: str) -> None:
    box = MailboxServer(clock, LOGIN, mechanisms=mechanisms, needs_id=True)
    uid = await box.deliver(b"Subject: x\r\n\r\n1\r\n")
    async with opened(box) as connection:
        assert await connection.after(0) == [uid]
        assert await connection.after(uid) == []
        assert await connection.fetch(uid) == b"Subject: x\r\n\r\n1\r\n"
        await connection.done([uid])
    assert box.mails[0].flags == {"\\Seen"}


async def test_a_wrong_password_and_a_line_in_clear_are_refused_for_good(clock: Clock) -> None:
    box = MailboxServer(clock, LOGIN)
    with pytest.raises(RefusedError, match="登录被拒") as told:
        async with opened(box, password="canary-31337"):
            pass
    assert "canary" not in str(told.value)
    disabled = MailboxServer(clock, LOGIN, mechanisms="LOGINDISABLED")
    with pytest.raises(RefusedError, match="未加密"):
        async with opened(disabled):
            pass
    with pytest.raises(RefusedError, match="不支持 STARTTLS"):
        async with opened(box, security="starttls"):
            pass


async def test_without_idle_the_time_passes_and_the_look_finds_it(clock: Clock) -> None:
    box = MailboxServer(clock, LOGIN, abilities="IMAP4rev1")
    async with opened(box) as connection:
        await connection.after(0)
        await box.deliver(b"x")
        await connection.wait(0.01)
        assert await connection.after(0) == [1]
        assert not any(each.startswith("IDLE") for each in box.commands)


async def test_a_folder_that_cannot_be_opened_is_named(clock: Clock) -> None:
    with pytest.raises(RefusedError, match="打不开邮件夹 答复"):
        async with opened(MailboxServer(clock, LOGIN), folder="答复"):
            pass


@asynccontextmanager
async def saying(*lines: bytes) -> AsyncIterator[int]:
    """A server that says these, one after each line it hears, and then nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
            if not await reader.readline():
                break
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


_IN = (b"* OK [CAPABILITY IMAP4rev1] hello\r\n", b"f1 OK [CAPABILITY IMAP4rev1] in\r\n")


@pytest.mark.parametrize(
    "lines",
    [
        (b"",),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
        (b"* BYE too many connections\r\n",),
        (b"\xff\xfe\x00\n",),
        (b"* OK hello\r\n", b"f1 BAD\r\n"),
        (b"x" * 400_000,),
        (*_IN, b"* 1 FETCH (BODY[] {999999999}\r\n"),
        (*_IN, b"* LIST (((\r\nf2 OK\r\n"),
        (*_IN, b'* LIST "open\r\nf2 OK\r\n'),
        (*_IN, b"* BYE going down\r\n"),
        (*_IN, b"* 1 FETCH (BODY[] {5}\r\nab"),
    ],
)
async def test_what_is_no_mailbox_ends_in_words_and_in_time(lines: tuple[bytes, ...]) -> None:
    async with saying(*lines) as port:
        connection = Connection(settings(port, timeout=0.4, password="fake"))
        with pytest.raises(ImapError) as told:
            await open_and_select(connection)
        assert str(told.value)
        await connection.close()


async def test_a_wait_cut_off_in_the_middle_of_an_answer_goes_on_there() -> None:
    """The line of a response came, its literal not yet, when the wait was over."""
    half = b"+ idling\r\n* 1 FETCH (FLAGS {4}\r\nab"
    login = b"* OK [CAPABILITY IMAP4rev1 IDLE] hello\r\n", b"f1 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"
    async with saying(*login, half, b"cd)\r\nf2 OK done\r\n", b"* SEARCH 7\r\nf3 OK done\r\n") as port:
        connection = Connection(settings(port, password="fake"))
        await connection.open()
        await connection.wait(0.1)
        assert await connection.after(0) == [7]
        await connection.close()


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", b'"INBOX"'),
        ("A&B", b'"A&-B"'),
        ('a"b\\', b'"a\\"b\\\\"'),
        ("~peter/mail/台北/日本語", b'"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),
    ],
)
def test_names_of_folders(name: str, wire: bytes) -> None:
    assert folder_name(name) == wire


def test_a_response_is_read_whole() -> None:
    response = read(
        [b"* 12 FETCH (UID 7 FLAGS (\\Seen) BODY[HEADER.FIELDS (TO)]<0> {3}\r\n", b"a)b", b' X NIL "q\\"x")\r\n']
    )
    expected: list[Value] = [
        [b"UID", b"7", b"FLAGS", [b"\\Seen"], b"BODY[HEADER.FIELDS (TO)]<0>", b"a)b", b"X", None, b'q"x']
    ]
    assert (response.word, response.number, response.values) == ("FETCH", 12, expected)


@given(st.lists(st.binary(), min_size=1, max_size=5))
def test_any_bytes_are_a_response_or_refused(parts: list[bytes]) -> None:
    with contextlib.suppress(WireError):
        read(parts)
