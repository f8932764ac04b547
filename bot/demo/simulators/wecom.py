"""The WeCom group robot: checks key, shape, sizes and the minute's limit, and answers its errcodes under HTTP 200.

Sources of the rules: the vendor's page "消息推送" (path/99110).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, lose_answer, misbehave

_PER_MINUTE = 20
_MINUTE = 60_000
_LIMITS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
_CARDS = ("text_notice", "news_notice")
_MEDIA = {"image": "base64", "news": "articles", "file": "media_id", "voice": "media_id"}


class _RefusedError(Exception):
    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


class WecomRobots:
    """Robots by key; a message's address is the robot's name, so that no key is shown.

    ``now`` gives milliseconds. ``app`` serves the vendor's path under any host.
    """

    def __init__(
        self,
        robots: Mapping[str, str],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        per_minute: int = _PER_MINUTE,
        channel: str = "wecom_robot",
    ) -> None:
        """``per_minute`` 0 takes the limit away (for measuring)."""
        self.robots = dict(robots)
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self._now = now
        self._per_minute = per_minute
        self._channel = channel
        self._sent: dict[str, deque[int]] = {key: deque() for key in robots}

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def forget(self) -> None:
        """Start anew: nobody has sent anything in this minute."""
        for sent in self._sent.values():
            sent.clear()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/cgi-bin/webhook/send", self._send)
        return app

    async def _send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        taken = self.faults.take()
        fault, code = taken or (None, 0)
        if fault is not None:
            played = await misbehave(request, fault, self.faults)
            if played is not None:
                return played
        try:
            if fault is Fault.REFUSE:
                raise _RefusedError(code, "refused as told")
            message = self._checked(request, raw)
        except _RefusedError as refused:
            tail = f", hint: [{self._now()}_1_demo], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com"
            return _answer(refused.code, refused.words + tail)
        await self.inbox.add(message)
        if fault is not None:
            return await lose_answer(request, fault, orjson.dumps({"errcode": 0, "errmsg": "ok"}))
        return _answer(0, "ok")

    def _checked(self, request: web.Request, raw: bytes) -> Received:
        key = request.query.get("key", "")
        if key not in self.robots:
            raise _RefusedError(93000, "invalid webhook url")
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise _RefusedError(40058, "invalid Request Parameter: body is not JSON") from None
        text = _text_of(body)
        now = self._now()
        sent = self._sent[key]
        while sent and sent[0] <= now - _MINUTE:
            sent.popleft()
        if self._per_minute and len(sent) >= self._per_minute:
            raise _RefusedError(45009, "api freq out of limit")
        if self._per_minute:
            sent.append(now)
        return Received(self._channel, self.robots[key], text, "", now, raw)


def _text_of(body: Any) -> str:
    """The text a group would read. Raises what the vendor answers to a body it does not take."""
    if not isinstance(body, dict):
        raise _RefusedError(40058, "invalid Request Parameter")
    kind = body.get("msgtype")
    part = body.get(kind) if isinstance(kind, str) else None
    if kind in _LIMITS:
        return _plain(str(kind), part)
    if kind == "template_card":
        return _card(part)
    if kind in _MEDIA:
        if not isinstance(part, dict) or not part.get(_MEDIA[kind]):
            raise _RefusedError(40058, f"invalid Request Parameter: {kind}.{_MEDIA[kind]} is missing")
        return f"[{kind}]"
    raise _RefusedError(40008, "invalid message type")


def _plain(kind: str, part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise _RefusedError(40058, f"{kind}.content is empty")
    if len(content.encode()) > _LIMITS[kind]:
        if kind == "text":
            raise _RefusedError(45002, "content size out of limit")
        raise _RefusedError(40058, f"{kind}.content exceed max length {_LIMITS[kind]}")
    for name in ("mentioned_list", "mentioned_mobile_list"):
        called = part.get(name, [])
        if not isinstance(called, list) or not all(isinstance(each, str) for each in called):
            raise _RefusedError(40058, f"{kind}.{name} should be array of string")
        if called and kind == "text":
            content += "".join(f" @{each}" for each in called)
    return content


def _card(part: Any) -> str:
    if not isinstance(part, dict) or part.get("card_type") not in _CARDS:
        raise _RefusedError(40058, "template_card.card_type is not supported by webhook")
    action = part.get("card_action")
    if not isinstance(action, dict) or action.get("type") not in (1, 2):
        raise _RefusedError(42045, "template_card.card_action is missing or invalid")
    title = part.get("main_title")
    return str(title.get("title", "")) if isinstance(title, dict) else ""


def _answer(code: int, words: str) -> web.Response:
    return web.Response(body=orjson.dumps({"errcode": code, "errmsg": words}), content_type="application/json")
