"""A clock that stands, a shared HTTP session, and letters."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from channels.channel import Letter
from tests.ports import free_port

# 2026-11-21 02:00 in Shanghai.
NIGHT = 1_795_197_600_000


class Clock:
    def __init__(self) -> None:
        self.at = NIGHT

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def a_letter(text: str = "【红色】一号井 CO 31ppm（限值 24）A0231", **other: Any) -> Letter:
    return replace(Letter(id="A0231-n17", address="13800138000", text=text, at=NIGHT), **other)


@asynccontextmanager
async def raw_vendor(answer: bytes, *, first: bool = False) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A vendor without manners: reads one HTTP request, writes ``answer`` byte for byte and closes.

    ``first`` lets it speak before it is spoken to, as a mail server does. Gives the port and the heads of the requests.
    """
    seen: list[bytes] = []
    visits: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.add(asyncio.current_task())
        try:
            if not first:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
                await reader.readexactly(int(length.group(1)) if length else 0)
                seen.append(head)
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()
        await asyncio.gather(*(visit for visit in visits if visit is not None))


def closed_port() -> int:
    """A loopback port on which nobody listens, nor begins to meanwhile."""
    return free_port()
