"""Reads a wall's stream as a page does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from tests.demo.house import House

Heard = tuple[str, Any, int | None]


class Listener:
    """One open stream; ``next`` gives name, data and id of the next event."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    @classmethod
    @asynccontextmanager
    async def on(cls, session: aiohttp.ClientSession, url: str) -> AsyncIterator[Listener]:
        async with session.get(url + "/demo/api/stream") as response:
            assert response.content_type == "text/event-stream"
            assert response.headers["X-Accel-Buffering"] == "no"
            yield cls(response)

    @classmethod
    @asynccontextmanager
    async def at(cls, house: House) -> AsyncIterator[Listener]:
        async with cls.on(house.session, house.demo.url) as listener:
            yield listener

    async def next(self) -> Heard:
        fields: dict[str, str] = {}
        while line := (await self._response.content.readuntil(b"\n")).decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields["event"], orjson.loads(fields["data"]), int(fields["id"]) if "id" in fields else None

    async def next_of(self, name: str) -> tuple[str, Any, int]:
        """The next event called ``name``."""
        while True:
            found, data, number = await self.next()
            if found == name and number is not None:
                return found, data, number

    async def ended(self) -> bool:
        """Whether the stream ends after what is still on its way."""
        await self._response.content.read()
        return self._response.content.at_eof()
