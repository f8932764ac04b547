"""The bytes of a request made into JSON items: inflated within a limit, parsed once, nothing ambiguous let through."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

import orjson

from bot.intake.problems import ProblemKind, Refused, refused

MAX_DEPTH = 32
# A gzip stream may have several members; more than these only cost time.
_MAX_MEMBERS = 16
_GZIP = 16 + zlib.MAX_WBITS
_BOM = b"\xef\xbb\xbf"
_COLON_AFTER_SPACE = (b" :", b"\t:", b"\n:", b"\r:")
_NAME = re.compile(rb'"\s*:')
# Integers beyond this lose digits as floats in most JSON libraries.
_EXACT = 2.0**53
# What may differ between two sendings of the same event: tracing, and the replay's own extension.
_PASSING = ("traceparent", "tracestate", "receivedtime")


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed body. ``batch`` tells an array from a single object; ``twice`` gives, by item, the JSON pointers (from
    the item) of names that stand there more than once."""

    items: list[Any]
    batch: bool
    twice: dict[int, tuple[str, ...]] = field(default_factory=dict)


def inflate(body: bytes, limit: int) -> bytes:
    """The content of a gzip body, at most ``limit`` bytes.

    Raises :class:`Refused`: 400 when it is no whole gzip stream, 413 when it holds more than ``limit``.
    """
    parts: list[bytes] = []
    room, rest = limit, body
    for _ in range(_MAX_MEMBERS):
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(rest, room + 1)
        except zlib.error:
            raise _not_gzip() from None
        if len(part) > room:
            raise too_large(limit)
        if not stream.eof:
            raise _not_gzip()
        parts.append(part)
        room -= len(part)
        rest = stream.unused_data
        if not rest:
            return b"".join(parts)
    raise _not_gzip()


def too_large(limit: int) -> Refused:
    """The refusal of a body over ``limit`` bytes."""
    return refused(
        ProblemKind.TOO_LARGE,
        f"请求体最大 {limit} 字节（压缩与解压后分别计算）；请分成几个请求。",
        f"A body may have at most {limit} bytes; send several requests.",
    )


def too_many(limit: int, count: int) -> Refused:
    """The refusal of ``count`` events where ``limit`` may come at once."""
    return refused(
        ProblemKind.TOO_LARGE,
        f"一次最多 {limit} 个事件，收到 {count} 个；请分成几个请求。",
        f"At most {limit} events in one request, got {count}; send several requests.",
    )


def parse(body: bytes, max_items: int) -> Document:
    """One JSON object, or an array of at most ``max_items``.

    Raises :class:`Refused`: 400 for what is no JSON in UTF-8, neither object nor array, or deeper than 32; 413 for too
    many items.
    """
    body = body.removeprefix(_BOM)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _not_json(body, error) from None
    batch = type(document) is list
    if not batch and type(document) is not dict:
        raise refused(
            ProblemKind.MALFORMED,
            "请求体应为一个 CloudEvents 对象，或由这种对象组成的数组。",
            "The body must be one CloudEvents object or an array of them.",
        )
    items: list[Any] = document if batch else [document]
    if len(items) > max_items:
        raise too_many(max_items, len(items))
    names = _settle(document, 1)
    if _names_written(body) == names:
        return Document(items, batch)
    return Document(items, batch, _twice(body, batch))


def canonical(item: Any) -> bytes:
    """JSON with sorted names, without spaces, whole floats as integers (after :func:`parse`), without tracing members:
    equal for two sendings of the same event."""
    if type(item) is dict and any(name in item for name in _PASSING):
        item = {name: value for name, value in item.items() if name not in _PASSING}
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def digest(canonical_item: bytes) -> str:
    """The SHA-256 of a canonical item, in hex."""
    return hashlib.sha256(canonical_item).hexdigest()


def _settle(value: Any, depth: int) -> int:
    """Write whole floats as integers, in place, and count the names of all objects below ``value``."""
    if depth > MAX_DEPTH:
        raise refused(
            ProblemKind.MALFORMED,
            f"JSON 嵌套超过 {MAX_DEPTH} 层。",
            f"The JSON is nested deeper than {MAX_DEPTH} levels.",
        )
    named = type(value) is dict
    names = len(value) if named else 0
    for place, inner in value.items() if named else enumerate(value):
        kind = type(inner)
        if kind is dict or kind is list:
            names += _settle(inner, depth + 1)
        elif kind is float and inner.is_integer() and -_EXACT < inner < _EXACT:
            value[place] = int(inner)
    return names


def _names_written(body: bytes) -> int:
    """How many names the text has, or more: a quote and a colon inside a string count as well. Never fewer, so equality
    with the parsed names proves that none stands twice, and only the rest needs a closer look."""
    if any(mark in body for mark in _COLON_AFTER_SPACE):
        return len(_NAME.findall(body))
    return body.count(b'":')


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object with every name as written."""

    __slots__ = ()


def _twice(body: bytes, batch: bool) -> dict[int, tuple[str, ...]]:
    document = json.loads(body, object_pairs_hook=_Pairs)
    found = {index: tuple(_repeated(item, "")) for index, item in enumerate(document if batch else [document])}
    return {index: pointers for index, pointers in found.items() if pointers}


def _repeated(value: Any, pointer: str) -> list[str]:
    found: list[str] = []
    if type(value) is _Pairs:
        seen: set[str] = set()
        for name, inner in value:
            place = f"{pointer}/{escaped(name)}"
            if name in seen and place not in found:
                found.append(place)
            seen.add(name)
            found += _repeated(inner, place)
    elif type(value) is list:
        for index, inner in enumerate(value):
            found += _repeated(inner, f"{pointer}/{index}")
    return found


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name[:64].replace("~", "~0").replace("/", "~1")


def _not_gzip() -> Refused:
    return refused(
        ProblemKind.MALFORMED,
        "Content-Encoding 写明 gzip，但请求体不是完整的 gzip 数据。",
        "Content-Encoding says gzip, but the body is no whole gzip stream.",
    )


def _not_json(body: bytes, error: orjson.JSONDecodeError) -> Refused:
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        return refused(
            ProblemKind.MALFORMED,
            f"请求体不是 UTF-8 编码（第 {wrong.start} 字节起无法解码）；请用 UTF-8，不要用 GBK。",
            f"The body is not UTF-8: byte {wrong.start} cannot be decoded. Send UTF-8, not GBK.",
        )
    return refused(
        ProblemKind.MALFORMED,
        f"请求体不是合法的 JSON：第 {error.lineno} 行第 {error.colno} 列，{error.msg}。",
        f"The body is no valid JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
    )
