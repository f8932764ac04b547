"""What the simulated group robots have in common: one address that takes JSON, codes under HTTP 200, and faults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from bot.demo.simulators.vendor import (
    Fault,
    Faults,
    Inbox,
    Now,
    OnRefused,
    Received,
    Refused,
    begin,
    lose_answer,
)

MINUTE = 60_000
PER_MINUTE = 20
"""How many messages a minute the vendors take of one robot."""


class RefusedError(Exception):
    """The vendor's refusal: its code, its words, and what else stands in its answer."""

    def __init__(self, code: int, words: str, **more: Any) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.more = more


class GroupRobots(ABC):
    """All robots of one vendor. ``now`` gives milliseconds, ``path`` is the vendor's under any host.

    ``throttled`` are robots (by name) that the vendor refuses as too busy until they are taken out; ``on_refused``
    hears of every refusal.
    """

    _channel: str

    def __init__(self, path: str, now: Now, on_message: Callable[[Received], Awaitable[None]] | None) -> None:
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self.throttled: set[str] = set()
        self.on_refused: OnRefused | None = None
        self._now = now
        self._path = path

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post(self._path, self._send)
        return app

    @abstractmethod
    def _checked(self, request: web.Request, raw: bytes) -> Received:
        """The message of a request that the vendor takes. Raises RefusedError."""

    @abstractmethod
    def _name(self, request: web.Request) -> str:
        """The name of the robot that is addressed, '' for none of them."""

    def _refusal(self, refused: RefusedError) -> dict[str, Any]:
        return {"errcode": refused.code, "errmsg": refused.words, **refused.more}

    def _taken(self) -> dict[str, Any]:
        """What the vendor answers to a message that it takes."""
        return {"errcode": 0, "errmsg": "ok"}

    async def _send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, code, played = await begin(request, self.faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise RefusedError(code, "refused as told")
            message = self._checked(request, raw)
        except RefusedError as refused:
            if self.on_refused is not None:
                name = self._name(request)
                await self.on_refused(Refused(self._channel, name, refused.code, refused.words, self._now()))
            return web.Response(body=orjson.dumps(self._refusal(refused)), content_type="application/json")
        await self.inbox.add(message)
        answer = orjson.dumps(self._taken())
        if fault is not None:
            return await lose_answer(request, fault, answer)
        return web.Response(body=answer, content_type="application/json")
