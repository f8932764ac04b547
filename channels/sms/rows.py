"""Reading what vendors push as JSON: each row by itself, so that one that is rubbish holds no other up. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import orjson

from channels.callback import Call, Unread
from channels.channel import Report, Uplink
from channels.cutting import flat

LONGEST_TEXT = 2000
LONGEST_ID = 256


def read_rows(
    call: Call, read: Callable[[dict[str, Any]], Report | Uplink]
) -> tuple[tuple[Report | Uplink, ...], tuple[Unread, ...]]:
    """Every element of a pushed JSON list (or the one object) as ``read`` makes it, and what is wrong with the others.

    Raises ValueError where nothing of it is readable.
    """
    try:
        said = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise ValueError("回调内容不是 JSON") from None
    items: list[Report | Uplink] = []
    troubles: list[Unread] = []
    for number, row in enumerate(said if isinstance(said, list) else [said]):
        try:
            if not isinstance(row, dict):
                raise ValueError("不是 JSON 对象")
            items.append(read(row))
        except ValueError as error:
            troubles.append(Unread(f"第 {number + 1} 条：{error}", orjson.dumps(row).decode()))
    if troubles and not items:
        raise ValueError("；".join(trouble.words for trouble in troubles[:3]))
    return tuple(items), tuple(troubles)


def text_of(row: dict[str, Any], name: str, *, needed: bool = False) -> str:
    """A field as text; vendors write numbers now as numbers, now as strings. Raises ValueError for anything else."""
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} 不是文字")
    found = (value or "").strip()
    if needed and not found:
        raise ValueError(f"缺少 {name}")
    return found


def written(content: str, name: str) -> str:
    """What a phone wrote, on one line. Raises ValueError where that is nothing, or too long for a text message."""
    text = flat(content)
    if not text:
        raise ValueError(f"缺少 {name}：短信内容为空")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"短信内容超过 {LONGEST_TEXT} 字")
    return text


def hashed(*parts: object) -> str:
    """The id of a message whose vendor gives none: the same for the same sender, time and text."""
    told = "\x00".join(str(part) for part in parts).encode("utf-8", "surrogatepass")
    return "hash-" + hashlib.sha256(told).hexdigest()[:40]


def checked_id(value: str) -> str:
    """An id fit for keys and logs. Raises ValueError for another."""
    if len(value) > LONGEST_ID or not value.isprintable():
        raise ValueError(f"编号 {value[:20]!r}… 过长或含有控制字符")
    return value


def one_line(*words: str) -> str:
    """A vendor's words for a log: one line, at most 120 characters."""
    return "".join(max(mark, " ") for mark in " ".join(filter(None, words)))[:120].strip()
