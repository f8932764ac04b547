"""The WeCom group robot: checks key, shape, sizes and the minute's limit, and answers its errcodes under HTTP 200.

Sources of the rules: the vendor's page "消息推送" (path/99110).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web

from bot.demo.simulators.group_robot import MINUTE, PER_MINUTE, GroupRobots, RefusedError
from bot.demo.simulators.vendor import Now, Received

_LIMITS = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}
_CARDS = ("text_notice", "news_notice")
_MEDIA = {"image": "base64", "news": "articles", "file": "media_id", "voice": "media_id"}


class WecomRobots(GroupRobots):
    """Robots by key; a message's address is the robot's name, so that no key is shown.

    ``now`` gives milliseconds.
    """

    def __init__(
        self,
        robots: Mapping[str, str],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        per_minute: int = PER_MINUTE,
        channel: str = "wecom_robot",
    ) -> None:
        """``per_minute`` 0 takes the limit away (for measuring)."""
        super().__init__("/cgi-bin/webhook/send", now, on_message)
        self.robots = dict(robots)
        self._per_minute = per_minute
        self._channel = channel
        self._sent: dict[str, deque[int]] = {key: deque() for key in robots}

    def forget(self) -> None:
        """Start anew: nobody has sent anything in this minute."""
        for sent in self._sent.values():
            sent.clear()

    def _name(self, request: web.Request) -> str:
        return self.robots.get(request.query.get("key", ""), "")

    def _refusal(self, refused: RefusedError) -> dict[str, Any]:
        tail = f", hint: [{self._now()}_1_demo], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com"
        return {"errcode": refused.code, "errmsg": refused.words + tail}

    def _checked(self, request: web.Request, raw: bytes) -> Received:
        key = request.query.get("key", "")
        if key not in self.robots:
            raise RefusedError(93000, "invalid webhook url")
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise RefusedError(40058, "invalid Request Parameter: body is not JSON") from None
        text = _text_of(body)
        now = self._now()
        sent = self._sent[key]
        while sent and sent[0] <= now - MINUTE:
            sent.popleft()
        if self.robots[key] in self.throttled or (self._per_minute and len(sent) >= self._per_minute):
            raise RefusedError(45009, "api freq out of limit")
        if self._per_minute:
            sent.append(now)
        return Received(self._channel, self.robots[key], text, "", now, raw)


def _text_of(body: Any) -> str:
    """The text a group would read. Raises what the vendor answers to a body it does not take."""
    if not isinstance(body, dict):
        raise RefusedError(40058, "invalid Request Parameter")
    kind = body.get("msgtype")
    part = body.get(kind) if isinstance(kind, str) else None
    if kind in _LIMITS:
        return _plain(str(kind), part)
    if kind == "template_card":
        return _card(part)
    if kind in _MEDIA:
        if not isinstance(part, dict) or not part.get(_MEDIA[kind]):
            raise RefusedError(40058, f"invalid Request Parameter: {kind}.{_MEDIA[kind]} is missing")
        return f"[{kind}]"
    raise RefusedError(40008, "invalid message type")


def _plain(kind: str, part: Any) -> str:
    content = part.get("content") if isinstance(part, dict) else None
    if not isinstance(content, str) or not content:
        raise RefusedError(40058, f"{kind}.content is empty")
    if len(content.encode()) > _LIMITS[kind]:
        if kind == "text":
            raise RefusedError(45002, "content size out of limit")
        raise RefusedError(40058, f"{kind}.content exceed max length {_LIMITS[kind]}")
    for name in ("mentioned_list", "mentioned_mobile_list"):
        called = part.get(name, [])
        if not isinstance(called, list) or not all(isinstance(each, str) for each in called):
            raise RefusedError(40058, f"{kind}.{name} should be array of string")
        if called and kind == "text":
            content += "".join(f" @{each}" for each in called)
    return content


def _card(part: Any) -> str:
    if not isinstance(part, dict) or part.get("card_type") not in _CARDS:
        raise RefusedError(40058, "template_card.card_type is not supported by webhook")
    action = part.get("card_action")
    if not isinstance(action, dict) or action.get("type") not in (1, 2):
        raise RefusedError(42045, "template_card.card_action is missing or invalid")
    title = part.get("main_title")
    return str(title.get("title", "")) if isinstance(title, dict) else ""
