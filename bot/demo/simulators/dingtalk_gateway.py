"""The gateway of DingTalk's stream: tickets good for one connection, frames pushed until they are answered.

Source of the rules: the vendor's published client, whose frames were recorded (dingtalk-stream 0.24.3).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Now, begin

_TICKET_LIFE = 90_000
_TOPICS = frozenset({("CALLBACK", "/v1.0/im/bot/messages/get"), ("CALLBACK", "/v1.0/card/instances/callback")})
_EVENTS = ("EVENT", "*")


@dataclass(eq=False)
class Line:
    """One connection: what it subscribed to, and what it was pushed and has answered."""

    socket: web.WebSocketResponse
    topics: frozenset[tuple[str, str]]
    opened_at: int
    deaf: bool = False
    pushed: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)


class Gateway:
    """Opens lines for one app and pushes to them. ``keys`` are the app's id and secret; ``now`` gives milliseconds.

    A frame that nobody has answered is pushed again on the next line that is opened, or by :meth:`push_again`.
    ``opened`` counts the lines that ever stood; ``faults`` are for the calls that ask for a ticket. While
    ``closed_for_now`` no ticket is given out, and ``refused`` counts who asked. While ``mute`` new lines answer no
    ping; while ``losing`` what lines answer is lost on its way.
    """

    def __init__(self, keys: tuple[str, str], now: Now) -> None:
        self.faults = Faults()
        self.lines: list[Line] = []
        self.opened = 0
        self.closed = 0
        self.unanswered: dict[str, dict[str, Any]] = {}
        self.answered: dict[str, dict[str, Any]] = {}
        self.most_at_once = 0
        self.closed_for_now = self.mute = self.losing = False
        self.refused = 0
        self._keys = keys
        self._now = now
        self._tickets: dict[str, tuple[int, frozenset[tuple[str, str]]]] = {}
        self._changed = asyncio.Condition()
        self._count = 0

    def beside(self, site: web.Application) -> web.Application:
        """Serve the gateway's two paths on a site that serves others too."""
        site.router.add_post("/v1.0/gateway/connections/open", self._open)
        site.router.add_get("/connect", self._connect)
        return site

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something is so, looked at whenever a line opens, closes or answers."""
        async with self._changed:
            await self._changed.wait_for(lambda: bool(holds()))

    async def push(self, topic: str, data: dict[str, Any], *, identity: str = "", kind: str = "CALLBACK") -> str:
        """Push a frame to the newest line that hears the topic; the frame's id. Nobody there: it waits."""
        self._count += 1
        identity = identity or f"m-{self._count}-{secrets.token_hex(4)}"
        headers = {"appId": "demo", "connectionId": "demo", "contentType": "application/json", "messageId": identity}
        frame = {
            "specVersion": "1.0",
            "type": kind,
            "headers": {**headers, "time": str(self._now()), "topic": topic},
            "data": orjson.dumps(data).decode(),
        }
        self.unanswered[identity] = frame
        await self._deliver(frame)
        return identity

    async def push_again(self) -> None:
        """What nobody has answered comes once more."""
        for frame in list(self.unanswered.values()):
            await self._deliver(frame)

    async def ping(self) -> str:
        """A ping of the gateway's own, to every line; its id."""
        return await self._system("ping", {"opaque": secrets.token_hex(4)})

    async def leave(self) -> None:
        """Tell every line that its server is about to go."""
        await self._system("disconnect", {"reason": "rebalance"})

    async def cut(self) -> None:
        """Break every line."""
        for line in list(self.lines):
            await line.socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)

    async def _system(self, topic: str, data: dict[str, Any]) -> str:
        self._count += 1
        identity = f"m-{topic}-{self._count}"
        headers = {"contentType": "application/json", "messageId": identity, "time": str(self._now()), "topic": topic}
        frame = {"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": orjson.dumps(data).decode()}
        for line in list(self.lines):
            await line.socket.send_str(orjson.dumps(frame).decode())
        return identity

    async def _deliver(self, frame: dict[str, Any]) -> None:
        wanted = (frame["type"], frame["headers"]["topic"])
        for line in reversed(self.lines):
            if wanted in line.topics or (frame["type"] == "EVENT" and _EVENTS in line.topics):
                if not line.deaf:
                    line.pushed.append(frame)
                    await line.socket.send_str(orjson.dumps(frame).decode())
                return

    async def _open(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, code, played = await begin(request, self.faults)
        if played is not None:
            return played
        if fault is Fault.REFUSE or self.closed_for_now:
            self.refused += 1
            return _error(code or 503, "ServiceUnavailable", "refused as told")
        if request.content_type != "application/json" or "application/json" not in request.headers.get("Accept", ""):
            return _error(400, "InvalidParameter", "Accept and Content-Type must be application/json")
        try:
            body = orjson.loads(raw)
            topics = frozenset((each["type"], each["topic"]) for each in body["subscriptions"])
        except (ValueError, KeyError, TypeError):
            return _error(400, "InvalidParameter.subscriptions", "subscriptions")
        if (body.get("clientId"), body.get("clientSecret")) != self._keys:
            return _error(401, "authFailed", "鉴权失败")
        if not topics or not topics <= _TOPICS | {_EVENTS}:
            return _error(400, "InvalidParameter.subscriptions", "unknown topic")
        # The signs that a query must escape are among a ticket's.
        ticket = f"{secrets.token_urlsafe(12)}+et/=="
        self._tickets[ticket] = (self._now() + _TICKET_LIFE, topics)
        endpoint = f"ws://{request.host}/connect"
        return web.json_response({"endpoint": endpoint, "ticket": ticket})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        until, topics = self._tickets.pop(request.query.get("ticket", ""), (0, frozenset()))
        if until <= self._now():
            return web.Response(status=401, text="ticket")
        socket = web.WebSocketResponse(autoping=not self.mute)
        await socket.prepare(request)
        line = Line(socket, topics, self._now())
        self.lines.append(line)
        self.opened += 1
        self.most_at_once = max(self.most_at_once, len(self.lines))
        await self._tell()
        try:
            await self.push_again()
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._heard(line, orjson.loads(message.data))
                    await self._tell()
        finally:
            self.lines.remove(line)
            self.closed += 1
            await self._tell()
        return socket

    def _heard(self, line: Line, said: dict[str, Any]) -> None:
        identity = said["headers"]["messageId"]
        line.answers[identity] = said
        if self.losing:
            return
        if said.get("code") == 200 and self.unanswered.pop(identity, None) is not None:
            self.answered[identity] = said

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _error(status: int, code: str, words: str) -> web.Response:
    return web.json_response({"code": code, "message": words, "requestid": secrets.token_hex(8)}, status=status)
