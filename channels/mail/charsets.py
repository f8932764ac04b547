"""What the bytes of a mail say, whatever charset they claim. Pure; never raises.

Chinese mail programs write ``gb2312`` and mean gb18030, leave the charset out, or put it into headers as bare bytes.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re

_GB = re.compile(r"(?:x-)?(?:gb|cn-gb|csgb|iso-ir-58|chinese)", re.IGNORECASE)
_LATIN = re.compile(r"(?:iso-?8859-1|latin-?1|windows-1252|cp1252|us-ascii|ascii|ansi.*)", re.IGNORECASE)
# Codecs of text, and no others: some of Python's turn bytes into programs of their own.
_TEXT = re.compile(
    r"(?:utf-?(?:7|8|16|32)(?:[-_]?[bl]e)?|big-?5(?:-?hkscs)?|hz(?:-gb-2312)?|iso-?8859-\d{1,2}|windows-125\d|koi8-[ru]|"
    r"shift[_-]?jis|euc-(?:jp|kr|cn|tw)|iso-2022-(?:jp|kr))",
    re.IGNORECASE,
)
_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[^?]{0,20})?\?([BbQq])\?([^?\s]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?)")


def text_of(data: bytes, charset: str = "") -> str:
    """``data`` as text: by its charset if that is one and fits, else as UTF-8, else as gb18030 with what is broken
    replaced."""
    name = charset.strip().strip("\"'").lower()
    tries = ["utf-8", "gb18030"]
    if _GB.match(name):
        tries.insert(0, "gb18030")
    elif _LATIN.fullmatch(name):
        # Who claims these for Chinese has not thought about it.
        tries[1:1] = ["cp1252"] if _mostly_latin(data) else []
    elif _TEXT.fullmatch(name) and _known(name):
        tries.insert(0, name)
    for codec in tries:
        try:
            return data.decode(codec)
        except UnicodeError:
            continue
    return data.decode("gb18030" if _GB.match(name) else tries[0], "replace")


def header_of(raw: str) -> str:
    """A header's value as a person reads it: encoded words decoded, bare bytes taken for what they are, one line."""
    plain = text_of(raw.encode("utf-8", "surrogateescape")) if not raw.isascii() else raw
    joined = _BETWEEN.sub(r"\1", " ".join(plain.split()))
    out, at = "", 0
    held, held_charset = b"", ""
    for match in _WORD.finditer(joined):
        if held and (match.start() != at or match[1].lower() != held_charset):
            out += text_of(held, held_charset)
            held = b""
        out += joined[at : match.start()]
        # One sign's bytes may stand in two words.
        held += _decoded(match[2], match[3])
        held_charset, at = match[1].lower(), match.end()
    return out + text_of(held, held_charset) * bool(held) + joined[at:]


def _decoded(way: str, said: str) -> bytes:
    raw = said.encode("ascii", "replace")
    if way in "Qq":
        return quopri.decodestring(raw, header=True)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except (binascii.Error, ValueError):
        return b""


def _known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def _mostly_latin(data: bytes) -> bool:
    """Whether bytes beyond ASCII stand alone, as accents do, and not in pairs, as Chinese does."""
    high = re.findall(rb"[\x80-\xff]+", data)
    return all(len(run) == 1 for run in high)
