"""The frames of DingTalk's stream: what the gateway pushes, and what it is answered. Pure.

Source of the rules: the vendor's published client (dingtalk-stream), whose frames were recorded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from channels.dingtalk.app_inbound import CARDS, MESSAGES

LONGEST_FRAME = 1024 * 1024
"""In bytes; the vendor's messages are some thousand."""
SUBSCRIPTIONS = ({"type": "CALLBACK", "topic": MESSAGES}, {"type": "CALLBACK", "topic": CARDS})
_OK = 200


class FrameKind(StrEnum):
    """What a frame is for. ``event``: the corporation's events, to which nobody here subscribes."""

    SYSTEM = "SYSTEM"
    EVENT = "EVENT"
    CALLBACK = "CALLBACK"


class Frame(NamedTuple):
    """One frame: its topic, its own id, when the vendor made it (ms, 0 where it does not say), and its data."""

    kind: FrameKind
    topic: str
    id: str
    at: int
    data: str


def read_frame(raw: str) -> Frame:
    """One frame as it came. Raises ValueError for what is none."""
    try:
        said = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"不是 JSON：{error}") from error
    headers = said.get("headers") if isinstance(said, dict) else None
    if not isinstance(headers, dict):
        raise ValueError("缺少 headers")
    identity, topic, at = headers.get("messageId"), headers.get("topic"), str(headers.get("time", ""))
    if not isinstance(identity, str) or not identity or not isinstance(topic, str):
        raise ValueError("缺少 messageId 或 topic")
    data = said.get("data", "")
    return Frame(
        kind=FrameKind(said.get("type")),
        topic=topic,
        id=identity,
        at=int(at) if at.isascii() and at.isdigit() and len(at) <= 15 else 0,
        data=data if isinstance(data, str) else orjson.dumps(data).decode(),
    )


def answer_to(frame: Frame) -> str:
    """What tells the gateway that the frame was taken: a ping and an event get their data back."""
    data = orjson.dumps({"response": "OK"}).decode() if frame.kind is FrameKind.CALLBACK else frame.data
    said: dict[str, Any] = {
        "code": _OK,
        "headers": {"contentType": "application/json", "messageId": frame.id},
        "message": "" if frame.kind is FrameKind.CALLBACK else "OK",
        "data": data,
    }
    return orjson.dumps(said).decode()
