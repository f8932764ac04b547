"""IMAP's responses as Python values, and its strings as bytes (RFC 3501, RFC 9051). Pure."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple

Value = bytes | list["Value"] | None
"""An atom, a string or a number as bytes; a list; NIL."""

LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r?\n?\Z")
_DEPTH = 30
_QUOTABLE = re.compile(rb"[\x20-\x7e]*")


class WireError(ValueError):
    """What came is no IMAP."""


class Response(NamedTuple):
    """One response: ``tag`` (``*`` untagged, ``+`` go on, else ours), its first ``word`` in upper case (OK, NO, FETCH,
    SEARCH …), the ``number`` before it (EXISTS, FETCH), and what follows: ``text`` of a status, else ``values``."""

    tag: str
    word: str
    number: int
    text: str
    values: list[Value]

    @property
    def code(self) -> str:
        """The code in brackets of a status: ``UIDVALIDITY 7``; '' where there is none."""
        return self.text[1:].partition("]")[0] if self.text.startswith("[") else ""


def read(parts: list[bytes]) -> Response:
    """A response from its lines and literals, in turn. Raises :class:`WireError`."""
    head = parts[0].rstrip(b"\r\n")
    tag, _, rest = head.partition(b" ")
    if tag == b"+":
        return Response("+", "", 0, rest.decode("utf-8", "replace"), [])
    if not tag or not re.fullmatch(rb"\*|[A-Za-z0-9]+", tag):
        raise WireError(f"应答不是 IMAP：{head[:60]!r}")
    first, _, after = rest.partition(b" ")
    number = 0
    if first.isdigit() and len(first) < 11:
        number = int(first)
        first, _, after = after.partition(b" ")
    word = first.upper().decode("ascii", "replace")
    if word in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
        return Response(tag.decode("ascii"), word, number, after.decode("utf-8", "replace"), [])
    return Response(tag.decode("ascii"), word, number, "", _values([after, *parts[1:]]))


def quoted(text: str) -> bytes | None:
    """A quoted string; None for what only a literal can hold."""
    raw = text.encode("utf-8", "replace")
    if not _QUOTABLE.fullmatch(raw):
        return None
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def folder_name(name: str) -> bytes:
    """A folder's name on the wire: quoted, in IMAP's own UTF-7 (RFC 3501, 5.1.3)."""
    out, wide = "", ""
    for char in [*name, ""]:
        if char and not ("\x20" <= char <= "\x7e"):
            wide += char
            continue
        if wide:
            made = base64.b64encode(wide.encode("utf-16-be", "replace")).decode("ascii")
            out += f"&{made.rstrip('=').replace('/', ',')}-"
            wide = ""
        out += "&-" if char == "&" else char
    return b'"' + out.replace("\\", "\\\\").replace('"', '\\"').encode("ascii") + b'"'


def _values(parts: list[bytes]) -> list[Value]:
    """The values of a response whose literals stand at the odd places of ``parts``."""
    top: list[Value] = []
    stack = [top]
    for place, part in enumerate(parts):
        if place % 2:
            stack[-1].append(part)
            continue
        text = LITERAL.sub(b"", part) if place + 1 < len(parts) else part.rstrip(b"\r\n")
        _scan(text, stack)
    if len(stack) != 1:
        raise WireError("应答的括号不成对")
    return top


def _scan(text: bytes, stack: list[list[Value]]) -> None:
    at = 0
    while at < len(text):
        sign = text[at : at + 1]
        if sign in b" \t":
            at += 1
        elif sign == b"(":
            if len(stack) > _DEPTH:
                raise WireError("应答嵌套过深")
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
            at += 1
        elif sign == b")":
            if len(stack) == 1:
                raise WireError("应答的括号不成对")
            stack.pop()
            at += 1
        elif sign == b'"':
            value, at = _string(text, at + 1)
            stack[-1].append(value)
        else:
            value, at = _atom(text, at)
            stack[-1].append(None if value.upper() == b"NIL" else value)


def _string(text: bytes, at: int) -> tuple[bytes, int]:
    out = bytearray()
    while at < len(text):
        sign = text[at]
        if sign == 0x22:
            return bytes(out), at + 1
        if sign == 0x5C and at + 1 < len(text):
            at += 1
            sign = text[at]
        out.append(sign)
        at += 1
    raise WireError("应答的引号不成对")


def _atom(text: bytes, at: int) -> tuple[bytes, int]:
    """An atom; what stands in its brackets (``BODY[HEADER.FIELDS (TO)]<0>``) belongs to it."""
    start, inside = at, 0
    while at < len(text):
        sign = text[at]
        if sign == 0x5B:
            inside += 1
        elif sign == 0x5D:
            inside -= 1
        elif inside <= 0 and sign in b' ()"\t':
            break
        at += 1
    return text[start:at], at
