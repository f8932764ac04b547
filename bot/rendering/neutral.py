"""Upstream text made harmless: names, units, reasons and answers show as literal text and nothing else.

Whoever writes an enterprise's name, a point's name or an answer must be able to write neither markup, links, calls of
names, mode marks nor new lines into a message. Signs with a meaning are replaced by full-width signs that look alike,
because no vendor documents an escape that it shows literally. Template syntax needs nothing: values are data.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5") | frozenset(map(chr, range(0xFE00, 0xFE10)))
_VARIATION = range(0xE0100, 0xE01F0)
_BLANK = "\u2800"
_MARKS_IN_A_ROW = 2

# 【】 frames mode marks and SMS signatures: a name with 【演练】 in it must not make a real alarm look like a drill.
_FRAMES = str.maketrans("【】", "〔〕")

_SCHEME = re.compile(r"(?i):(?=//)|(?<=script):|(?<=mailto):|(?<=weixin):|(?<=data):|(?<=file):|(?<=tel):|(?<=sms):")
_ADDRESS = re.compile(r"(?<!\d)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\d)")
_DOMAIN = re.compile(r"(?<=[^\W_])\.(?=[a-zA-Z]{2}|[\u4e00-\u9fff])|(?<=\bwww)\.", re.IGNORECASE)

_MARKDOWN = str.maketrans("*_`[]()<>#@~|\\&", "＊＿｀［］（）＜＞＃＠～｜＼＆")
_ADMIN_MARKDOWN = str.maketrans("<>", "＜＞")
_SMS = str.maketrans("@", "＠")

_MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3}-)\d{3,4}(\d{4})(?!\d)")


# Letters, digits and signs of which there is nothing to take away: most texts are made of nothing else.
_HARMLESS = re.compile(
    r"[ -~\u00b0-\u00b3\u2014\u2018-\u201d\u2026\u2103\u3001\u3002\u4e00-\u9fff\uff01-\uff0f\uff1a-\uff1f]*"
)


def is_harmless(text: str) -> bool:
    """Whether ``text`` holds nothing that :func:`visible` would have to look at more closely."""
    return _HARMLESS.fullmatch(text) is not None


def _kept(text: str) -> str:
    if is_harmless(text):
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
            if marks > _MARKS_IN_A_ROW or char in _INVISIBLE or ord(char) in _VARIATION:
                continue
            kept.append(char)
            continue
        marks = 0
        if category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85" or char == _BLANK:
            kept.append(" ")
        elif category == "Cs":
            kept.append("\ufffd")
        elif category not in ("Cc", "Cf", "Cn") and char not in _INVISIBLE:
            kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=1024)
def visible(text: str) -> str:
    """``text`` in one line of visible characters: no control, format (bidi, zero width) or unassigned characters, at
    most two combining marks in a row, white space folded, 【】 as 〔〕."""
    return " ".join(_kept(unicodedata.normalize("NFC", text)).translate(_FRAMES).split())


def _unlink(text: str) -> str:
    """``text`` with full-width colons and dots where an address could be read; its length stays."""
    if ":" in text:
        text = _SCHEME.sub("：", text)
    if "." in text:
        text = _DOMAIN.sub("．", _ADDRESS.sub(r"\1．\2．\3．\4", text))
    return text


@lru_cache(maxsize=1024)
def plain(text: str) -> str:
    """:func:`visible`, with web addresses broken so that neither a phone nor a mail program makes links of them."""
    return _unlink(visible(text))


@lru_cache(maxsize=1024)
def sms(text: str) -> str:
    """For an SMS: plain, and no ``@``."""
    return plain(text).translate(_SMS)


@lru_cache(maxsize=1024)
def markdown(text: str) -> str:
    """For the markdown of a WeCom robot: every sign with a meaning in markdown or HTML is its full-width twin."""
    return plain(text).translate(_MARKDOWN)


@lru_cache(maxsize=1024)
def text(text: str) -> str:
    """For a plain text in a chat whose vendor knows ``<a href>``: :func:`plain`, and no tags."""
    return plain(text).translate(_ADMIN_MARKDOWN)


def admin_markdown(text: str) -> str:
    """For the administrator's own words in markdown: one line, no tags, but addresses and numbers stay as written."""
    return visible(text).translate(_ADMIN_MARKDOWN)


@lru_cache(maxsize=1024)
def mask(text: str) -> str:
    """Phone numbers inside a text with their middle hidden: 138xxxx0000, 0571-xxxx0000; no sign that markdown knows."""
    return _LANDLINE.sub(r"\1xxxx\2", _MOBILE.sub(r"\1xxxx\2", text))


def hide(number: str) -> str:
    """One phone number, however written, with all but its first three and last four characters hidden."""
    return f"{number[:3]}xxxx{number[-4:]}" if len(number) >= 7 else "xxxx" if number else ""
