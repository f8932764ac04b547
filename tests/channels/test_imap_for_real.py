"""The mailbox's connection against Debian's Dovecot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.mail.imap import Connection, ImapError, RefusedError
from channels.mail.settings import Imap
from tests.dovecot import PASSWORD, TLS, USER, Dovecot, dovecot

pytestmark = [pytest.mark.part("dovecot"), pytest.mark.timeout(60)]
LOGIN_ONLY = "IMAP4rev1 ID ENABLE IDLE LITERAL+"
MAIL = b"From: a@example.cn\r\nSubject: test\r\nMessage-ID: <%d@example.cn>\r\n\r\n1\r\n"


def settings(server: Dovecot, **other: Any) -> Imap:
    table = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "username": USER,
        "password": PASSWORD,
        "reply_secret": "x" * 32,
        "timeout": 10.0,
    }
    return Imap.model_validate(table | other)


async def connected(server: Dovecot, **other: Any) -> Connection:
    connection = Connection(settings(server, **other))
    await connection.open()
    return connection


@pytest.mark.parametrize(
    ("server_is", "other"),
    [
        ({}, {}),
        ({"more": f"imap_capability = {LOGIN_ONLY}"}, {}),
        ({"clear": False}, {"security": "starttls", "ca_file": str(TLS / "loopback_ca.pem")}),
        ({"clear": False}, {"security": "tls", "ca_file": str(TLS / "loopback_ca.pem")}),
        ({"clear": False}, {"security": "tls", "verify_certificate": False}),
    ],
    ids=["plain", "login-with-literal", "starttls", "tls", "unverified"],
)
async def test_every_way_in(server_is: dict[str, Any], other: dict[str, Any]) -> None:
    async with dovecot(**server_is) as server:
        if other.get("security") == "tls":
            other = {**other, "port": server.tls_port}
        server.deliver(MAIL % 1)
        connection = await connected(server, **other)
        opened = await connection.select()
        assert opened.validity > 0
        assert opened.next_uid >= 1
        (uid,) = await connection.after(0)
        assert await connection.fetch(uid) == MAIL % 1
        assert server.seen() == []
        await connection.done([uid])
        await connection.close()
        assert len(server.seen()) == 1


async def test_what_a_server_refuses_is_said_without_the_password() -> None:
    async with dovecot(clear=False) as server:
        cases: list[tuple[dict[str, Any], str]] = [
            ({"security": "starttls"}, "TLS 证书"),
            ({"security": "starttls", "verify_certificate": False, "password": "canary-31337"}, "登录被拒"),
        ]
        for other, words in cases:
            connection = Connection(settings(server, **other))
            with pytest.raises(RefusedError, match=words) as told:
                await connection.open()
            assert "canary-31337" not in str(told.value)
            await connection.close()
        connection = await connected(server, security="starttls", verify_certificate=False, folder="没有这个")
        with pytest.raises(RefusedError, match="打不开邮件夹 没有这个"):
            await connection.select()
        await connection.close()


async def test_a_new_mail_ends_the_wait_and_a_quiet_time_too() -> None:
    async with dovecot() as server:
        connection = await connected(server)
        await connection.select()
        assert await connection.after(0) == []
        await connection.wait(0.2)
        waiting = asyncio.create_task(connection.wait(60))
        await asyncio.sleep(0)
        server.deliver(MAIL % 1)
        async with asyncio.timeout(40):
            await waiting
        (uid,) = await connection.after(0)
        # What came between the look and the wait ends the wait at once.
        assert await connection.after(uid) == []
        server.deliver(MAIL % 2)
        async with asyncio.timeout(40):
            await connection.wait(60)
        assert len(await connection.after(uid)) == 1
        await connection.close()


@pytest.mark.parametrize("hidden", ["", "MOVE", "MOVE UIDPLUS"])
async def test_what_was_read_is_moved_where_the_server_can(hidden: str) -> None:
    """Without MOVE and without UIDPLUS it is only marked: to expunge would take along what others have marked."""
    capability = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ UIDPLUS MOVE AUTH=PLAIN"
    for each in hidden.split():
        capability = capability.replace(f" {each}", "")
    async with dovecot(more=f"imap_capability = {capability}" if hidden else "") as server:
        for number in range(3):
            server.deliver(MAIL % number)
        connection = await connected(server, done_folder="烽火 已读 & 归档")
        await connection.select()
        first, second, _ = await connection.after(0)
        await connection.done([first, second])
        left = await connection.after(0)
        await connection.close()
        assert len(left) == (3 if hidden == "MOVE UIDPLUS" else 1)
        again = await connected(server, folder="烽火 已读 & 归档")
        await again.select()
        assert len(await again.after(0)) == (0 if hidden == "MOVE UIDPLUS" else 2)
        await again.close()


async def test_mails_of_a_day_and_what_is_gone() -> None:
    async with dovecot() as server:
        for number in range(2):
            server.deliver(MAIL % number)
        connection = await connected(server)
        await connection.select()
        today = datetime.now(UTC).date()
        assert len(await connection.since(today - timedelta(days=1))) == 2
        assert await connection.since(today + timedelta(days=3)) == []
        assert await connection.fetch(99) is None
        await connection.close()


async def test_a_server_that_ends_breaks_the_wait() -> None:
    async with dovecot() as server:
        connection = await connected(server)
        await connection.select()
        waiting = asyncio.create_task(connection.wait(60))
        await asyncio.sleep(0.05)
        await server.stop()
        with pytest.raises(ImapError):
            async with asyncio.timeout(40):
                await waiting
        await connection.close()
        with pytest.raises(ImapError):
            await connected(server)


async def test_a_mail_beyond_every_measure_comes_cut() -> None:
    async with dovecot() as server:
        server.deliver(MAIL % 1 + b"x" * 1_000_000)
        connection = await connected(server)
        await connection.select()
        raw = await connection.fetch((await connection.after(0))[0])
        assert raw is not None
        assert len(raw) == 512 * 1024
        await connection.close()
