"""A vendor whose TLS certificate is wrong: nothing leaves, the outcome is typed, and the words say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.certificates import certificate_words
from channels.channel import Channel
from channels.outcome import OutcomeKind
from channels.registry import open_channel, parse
from tests.channels.test_any_answer import HTTP_KINDS, SECRET, TABLES, letter_for
from tests.channels.tls_server import YEAR, Certificates, before, made

DAY = timedelta(days=1)
KINDS = [*HTTP_KINDS, "smtp_mail", "redis_stream"]


@asynccontextmanager
async def speaking_tls(kind: str, port: int, trusted: Certificates) -> AsyncIterator[Channel]:
    """A channel that trusts the test's authority, and whose vendor is at ``port``."""
    table: dict[str, Any] = {"timeout": 20.0, **TABLES.get(kind, {}), "kind": kind}
    for name, value in table.items():
        if isinstance(value, str):
            table[name] = value.replace("http://", "https://").replace("{port}", str(port))
    if kind == "smtp_mail":
        table |= {"port": port, "security": "tls", "ca_file": str(trusted.authority)}
    if kind == "redis_stream":
        url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={trusted.authority}"
        table |= {"url": url, "stream": "fenghuo:answers", "password": SECRET}
    connector = aiohttp.TCPConnector(ssl=trusted.trusting())
    async with aiohttp.ClientSession(connector=connector) as session:
        channel = open_channel("any", parse("any", table), session)
        try:
            yield channel
        finally:
            await channel.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_expired_certificate_is_a_misconfigured_channel_and_says_so(kind: str, tmp_path: Path) -> None:
    expired = made(tmp_path, ended=DAY)
    async with before(0, expired) as server, speaking_tls(kind, server.port, expired) as channel:
        outcome = await channel.send(letter_for(kind))
    assert (outcome.kind, server.hellos, server.let_in) == (OutcomeKind.MISCONFIGURED, 1, 0), outcome.detail
    assert "对方的 TLS 证书已过期" in outcome.detail
    assert "请对方更换证书" in outcome.detail
    assert SECRET not in repr(outcome)


@pytest.mark.parametrize("kind", ["sms_kannel", "smtp_mail", "redis_stream"])
async def test_a_certificate_for_another_address_is_told_as_that(kind: str, tmp_path: Path) -> None:
    other = made(tmp_path, address="10.0.0.1")
    async with before(0, other) as server, speaking_tls(kind, server.port, other) as channel:
        outcome = await channel.send(letter_for(kind))
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert "不是给这个 IP 地址的" in outcome.detail


@pytest.mark.parametrize("kind", ["sms_kannel", "smtp_mail", "redis_stream"])
async def test_a_certificate_of_an_unknown_authority_is_told_as_that(kind: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    own, foreign = made(tmp_path), made(tmp_path / "other")
    async with before(0, foreign) as server, speaking_tls(kind, server.port, own) as channel:
        outcome = await channel.send(letter_for(kind))
    assert outcome.kind is OutcomeKind.MISCONFIGURED
    assert "本机不" in outcome.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_a_certificate_that_holds_lets_the_message_through(kind: str, tmp_path: Path) -> None:
    """The other side of the same test: what is refused above is refused for its certificate."""
    whole = made(tmp_path, ended=-YEAR)
    async with before(0, whole) as server, speaking_tls(kind, server.port, whole) as channel:
        outcome = await channel.send(letter_for(kind))
    assert server.let_in > 0
    assert "证书" not in outcome.detail


def test_other_errors_are_not_about_certificates() -> None:
    assert certificate_words(OSError("no route")) == ""
    assert certificate_words(None) == ""
