"""The DingTalk group robot: checks token, signature, keywords, shape, size and the minute's limit with its punishment,
and answers its errcodes under HTTP 200.

Sources of the rules: the vendor's pages on custom robots.
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

from bot.demo.simulators.group_robot import MINUTE, PER_MINUTE, GroupRobots, RefusedError
from bot.demo.simulators.vendor import Now, Received

_HOUR = 3_600_000
_PUNISHED = 600_000
_LONGEST_BODY = 20_000


@dataclass
class Robot:
    """One robot: the group's name, and the security it was given."""

    name: str
    secret: str = ""
    keywords: tuple[str, ...] = ()
    sent: deque[int] = field(default_factory=deque)
    punished_until: int = 0


class DingtalkRobots(GroupRobots):
    """Robots by access token; a message's address is the robot's name, so that no token is shown.

    ``now`` gives milliseconds.
    """

    def __init__(
        self,
        robots: Mapping[str, Robot],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        per_minute: int = PER_MINUTE,
        channel: str = "dingtalk_robot",
    ) -> None:
        super().__init__("/robot/send", now, on_message)
        self.robots = dict(robots)
        self._per_minute = per_minute
        self._channel = channel

    def _name(self, request: web.Request) -> str:
        robot = self.robots.get(request.query.get("access_token", ""))
        return robot.name if robot else ""

    def _checked(self, request: web.Request, raw: bytes) -> Received:
        robot = self.robots.get(request.query.get("access_token", ""))
        if robot is None:
            raise RefusedError(300001, "token is not exist")
        now = self._now()
        self._count(robot, now)
        if robot.secret:
            _check_signature(robot.secret, request.query, now)
        if request.content_type != "application/json":
            raise RefusedError(43004, "无效的HTTP HEADER Content-Type")
        if len(raw) > _LONGEST_BODY:
            raise RefusedError(40035, "不合法的参数：消息体过长")
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise RefusedError(40035, "缺少参数 json") from None
        title, text = _text_of(body)
        if robot.keywords and not any(word in title + text for word in robot.keywords):
            raise RefusedError(310000, "keywords not in content")
        _check_calls(body, text)
        return Received(self._channel, robot.name, text, title, now, raw)

    def _count(self, robot: Robot, now: int) -> None:
        while robot.sent and robot.sent[0] <= now - MINUTE:
            robot.sent.popleft()
        told = robot.name in self.throttled
        if told or now < robot.punished_until or len(robot.sent) >= self._per_minute:
            # Whoever goes on during the punishment is punished anew.
            robot.punished_until = now if told else now + _PUNISHED
            raise RefusedError(130101, "send too fast, exceed 20 times per minute", status=1111, punish="deny")
        robot.sent.append(now)


def _check_signature(secret: str, query: Mapping[str, str], now: int) -> None:
    stamp, said = query.get("timestamp", ""), query.get("sign", "")
    if not stamp.isascii() or not stamp.isdigit() or abs(now - int(stamp)) > _HOUR:
        raise RefusedError(310000, "invalid timestamp")
    right = hmac.digest(secret.encode(), stamp.encode() + b"\n" + secret.encode(), hashlib.sha256)
    if not hmac.compare_digest(base64.b64encode(right), said.encode("utf-8", "replace")):
        raise RefusedError(310000, "sign not match")


def _text_of(body: Any) -> tuple[str, str]:
    """Title and text a group would read. Raises what the vendor answers to a body it does not take."""
    kind = body.get("msgtype") if isinstance(body, dict) else None
    part = body.get(kind) if isinstance(kind, str) else None
    needed = {"text": ("content",), "markdown": ("title", "text")}.get(str(kind))
    if needed is None or not isinstance(part, dict):
        raise RefusedError(40035, "不合法的参数 msgtype")
    for name in needed:
        if not isinstance(part.get(name), str) or not part[name].strip():
            raise RefusedError(40035, f"缺少参数 {kind}.{name}")
    return ("" if kind == "text" else part["title"]), part[needed[-1]]


def _check_calls(body: dict[str, Any], text: str) -> None:
    at = body.get("at", {})
    mobiles = at.get("atMobiles", []) if isinstance(at, dict) else None
    if not isinstance(mobiles, list) or not all(isinstance(each, str) for each in mobiles):
        raise RefusedError(40035, "不合法的参数 at.atMobiles")
    for number in mobiles:
        if f"@{number}" not in text:
            raise RefusedError(40035, f"at.atMobiles: @{number[:3]}… is not in the text")
