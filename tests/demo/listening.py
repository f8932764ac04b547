"""Reads a wall's stream as a page does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from tests.demo.house import House

Heard = tuple[str, Any, int | None]


class Phones:
    """What the phones of a page show, kept up to date from the stream; ``on`` awaits a message."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._shown: dict[str, dict[int, dict[str, Any]]] = {}

    @classmethod
    @asynccontextmanager
    async def of(cls, house: House) -> AsyncIterator[Phones]:
        async with Listener.at(house) as listener:
            yield cls(listener)

    def texts(self, phone: str, by: str = "") -> list[str]:
        """The texts on a phone so far, of one kind where ``by`` names it."""
        rows = self._shown.get(phone, {}).values()
        return [_text(row) for row in rows if by in ("", row["by"])]

    def numbers(self, phone: str, by: str, text: str = "") -> list[int]:
        """The numbers of a phone's messages of one kind that hold ``text``."""
        rows = self._shown.get(phone, {}).items()
        return [number for number, row in rows if row["by"] == by and text in _text(row)]

    async def on(self, phone: str, text: str, by: str = "") -> str:
        """The newest message on a phone that holds ``text``, as soon as there is one."""
        while not (found := [each for each in self.texts(phone, by) if text in each]):
            await self._hear()
        return found[-1]

    async def _hear(self) -> None:
        name, data, _ = await self._listener.next()
        if name == "snapshot":
            for phone in data["phones"]:
                self._shown[phone["id"]] = {row["id"]: row for row in phone["messages"]}
        elif name == "message":
            self._shown.setdefault(data["phone"], {})[data["message"]["id"]] = data["message"]


def _text(row: dict[str, Any]) -> str:
    lines = "\n".join("".join(part["text"] for part in line["parts"]) for line in row["lines"])
    return f"{row['subject']}\n{lines}" if "subject" in row else lines


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
