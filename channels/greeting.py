"""Logging in to a vendor without sending anything: what ``fenghuo check --online`` asks of each channel.

A driver that can greet has a method ``greet``. The verdict names what is wrong in the words an administrator looks for:
the key, the certificate, the way there, the clock.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

import aiohttp
from yarl import URL

from channels.certificates import certificate_words
from channels.exchange import Answer, Once, read_whole
from channels.masking import Masker

MOST_SKEW = 60_000
"""How far a vendor's clock may be from this machine's, in milliseconds; signatures fail at some minutes to an hour."""


class Standing(StrEnum):
    """What greeting a vendor found. ``reached``: it answers, and has no call that only logs in."""

    WELL = "well"
    REACHED = "reached"
    WRONG_KEY = "wrong_key"
    CERTIFICATE = "certificate"
    NO_ROUTE = "no_route"
    CLOCK = "clock"
    REFUSED = "refused"
    UNCLEAR = "unclear"

    @property
    def good(self) -> bool:
        return self in (Standing.WELL, Standing.REACHED)


@dataclass(frozen=True, slots=True)
class Greeting:
    """The verdict; ``detail`` is the vendor's own words, or the system's, with secrets and phone numbers masked.
    ``where`` is the setting it is about, as a path within the channel's table; empty for the table."""

    standing: Standing
    detail: str = ""
    where: tuple[str | int, ...] = ()


@runtime_checkable
class Greets(Protocol):
    """A channel that can be greeted."""

    async def greet(self, at: int) -> Greeting:
        """Log in without sending; ``at`` is the hub's time in ms. Never raises for what vendor or network do."""
        ...


@dataclass(frozen=True, slots=True)
class Hailed:
    """A vendor's whole answer, and its own time (ms; None where it does not say)."""

    answer: Answer
    vendor_at: int | None

    def clock(self, at: int) -> Greeting | None:
        """The verdict on this machine's clock where it is off."""
        return skewed(self.vendor_at, at)


async def hail(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    *,
    limits: aiohttp.ClientTimeout,
    mask: Masker,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Hailed | Greeting:
    """Ask once what sends nothing; the answer, or what stands in the way of one."""
    try:
        async with session.request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=limits,
            allow_redirects=False,
            middlewares=() if method == "POST" else (Once(),),
        ) as response:
            answer = Answer(response.status, await read_whole(response))
            return Hailed(answer, _time(response.headers.get("Date", "")))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return barrier(error, mask)


async def reach(session: aiohttp.ClientSession, base: URL, at: int, limits: aiohttp.ClientTimeout) -> Greeting:
    """Whether a vendor without a call that only logs in can be reached, and whether its clock is ours."""
    hailed = await hail(session, "GET", base, limits=limits, mask=Masker(()))
    if isinstance(hailed, Greeting):
        return hailed
    return hailed.clock(at) or Greeting(Standing.REACHED, f"HTTP {hailed.answer.status}")


async def shake_hands(host: str, port: int, server_hostname: str | None, seconds: float) -> Greeting:
    """A connection, and TLS where ``server_hostname`` is given, and nothing more."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(
                host,
                port,
                ssl=ssl.create_default_context() if server_hostname else None,
                server_hostname=server_hostname,
            )
    except (OSError, ValueError) as error:
        return barrier(error, Masker(()))
    writer.close()
    return Greeting(Standing.REACHED, "TLS 握手成功" if server_hostname else "已连上，没有加密")


def barrier(error: BaseException, mask: Masker) -> Greeting:
    """What an error on the way to a vendor means."""
    words = mask(f"{type(error).__name__} {error}")
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError) and not isinstance(each, aiohttp.ClientError):
            return Greeting(Standing.CERTIFICATE, certificate_words(each))
        if isinstance(each, socket.gaierror):
            return Greeting(Standing.NO_ROUTE, f"主机名无法解析：{words}")
    if isinstance(error, ssl.SSLError | aiohttp.ClientSSLError):
        return Greeting(Standing.CERTIFICATE, f"对方没有按 TLS 应答：{words}")
    if isinstance(error, aiohttp.NonHttpUrlClientError | ValueError):
        return Greeting(Standing.REFUSED, f"地址不合法：{words}")
    if isinstance(error, aiohttp.ClientConnectorError | TimeoutError | OSError):
        return Greeting(Standing.NO_ROUTE, words)
    return Greeting(Standing.UNCLEAR, words)


def skewed(vendor_at: int | None, at: int) -> Greeting | None:
    """The verdict on this machine's clock where it is off by more than :data:`MOST_SKEW`; None where it is not, or the
    vendor does not tell its own."""
    if vendor_at is None or abs(at - vendor_at) <= MOST_SKEW:
        return None
    way = "快" if at > vendor_at else "慢"
    return Greeting(Standing.CLOCK, f"本机时钟比对方{way} {abs(at - vendor_at) // 1000} 秒")


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        inner = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        error = (
            inner if isinstance(inner, BaseException) and inner not in found else error.__cause__ or error.__context__
        )
    return found


def _time(date: str) -> int | None:
    try:
        return int(parsedate_to_datetime(date).timestamp() * 1000)
    except (ValueError, IndexError, OverflowError, OSError):
        return None
