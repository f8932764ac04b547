"""The Feishu group robot: checks hook, signature, keywords, shape, size and both limits, and answers its codes under
HTTP 200.

Sources of the rules: the vendor's guide to custom robots.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from bot.demo.simulators.group_robot import GroupRobots, RefusedError
from bot.demo.simulators.vendor import Now, Received

_HOUR = 3_600
_WINDOWS = ((5, 1_000), (100, 60_000))
_LONGEST_BODY = 20 * 1024


@dataclass
class Bot:
    """One robot: the group's name, and the security it was given."""

    name: str
    secret: str = ""
    keywords: tuple[str, ...] = ()
    sent: deque[int] = field(default_factory=deque)


class FeishuRobots(GroupRobots):
    """Robots by their hooks; a message's address is the robot's name, so that no hook is shown.

    ``now`` gives milliseconds.
    """

    def __init__(
        self,
        robots: Mapping[str, Bot],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        channel: str = "feishu_robot",
    ) -> None:
        super().__init__("/open-apis/bot/v2/hook/{hook}", now, on_message)
        self.robots = dict(robots)
        self._channel = channel

    def _name(self, request: web.Request) -> str:
        robot = self.robots.get(request.match_info["hook"])
        return robot.name if robot else ""

    def _refusal(self, refused: RefusedError) -> dict[str, Any]:
        return {"code": refused.code, "msg": refused.words, "data": {}}

    def _taken(self) -> dict[str, Any]:
        return {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}

    def _checked(self, request: web.Request, raw: bytes) -> Received:
        robot = self.robots.get(request.match_info["hook"])
        if robot is None:
            raise RefusedError(19001, "param invalid: incoming webhook access token invalid")
        now = self._now()
        self._count(robot, now)
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise RefusedError(9499, "Bad Request") from None
        if len(raw) > _LONGEST_BODY or request.content_type != "application/json" or not isinstance(body, dict):
            raise RefusedError(9499, "Bad Request")
        if robot.secret:
            _check_signature(robot.secret, body, now // 1000)
        title, text = _read(body)
        if robot.keywords and not any(word in title + text for word in robot.keywords):
            raise RefusedError(19024, "Key Words Not Found")
        return Received(self._channel, robot.name, text, title, now, raw)

    def _count(self, robot: Bot, now: int) -> None:
        while robot.sent and robot.sent[0] <= now - _WINDOWS[-1][1]:
            robot.sent.popleft()
        for count, per in _WINDOWS:
            if robot.name in self.throttled or sum(at > now - per for at in robot.sent) >= count:
                raise RefusedError(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]")
        robot.sent.append(now)


def _check_signature(secret: str, body: Mapping[str, Any], now: int) -> None:
    stamp, said = body.get("timestamp"), body.get("sign")
    timely = isinstance(stamp, str) and stamp.isascii() and stamp.isdigit() and abs(now - int(stamp)) <= _HOUR
    key = f"{stamp}\n{secret}".encode()
    right = base64.b64encode(hmac.digest(key, b"", hashlib.sha256)).decode()
    if not timely or not isinstance(said, str) or not hmac.compare_digest(right.encode(), said.encode()):
        raise RefusedError(19021, "sign match fail or timestamp is not within one hour from current time")


def _read(body: Mapping[str, Any]) -> tuple[str, str]:
    """Title and text a group would read. Raises what the vendor answers to a body it does not take."""
    try:
        match body["msg_type"]:
            case "text":
                return "", _words(body["content"]["text"])
            case "post":
                said = body["content"]["post"]["zh_cn"]
                lines = ["".join(_piece(each) for each in line) for line in said["content"]]
                return _words(said["title"]), _words("\n".join(lines))
            case "interactive":
                head, elements = body["card"]["header"], body["card"]["elements"]
                if head["template"] not in ("red", "blue") or head["title"]["tag"] != "plain_text":
                    raise ValueError
                parts = [_words(each["content"]) for each in elements if each["tag"] == "markdown"]
                return _words(head["title"]["content"]), "\n".join(parts)
            case _:
                raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RefusedError(9499, "Bad Request") from None


def _piece(piece: Mapping[str, str]) -> str:
    match piece["tag"]:
        case "text":
            return piece["text"]
        case "a":
            return f"{piece['text']} {piece['href']}"
        case "at":
            return f"@{piece['user_id']} "
        case _:
            raise ValueError


def _words(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError
    return text
