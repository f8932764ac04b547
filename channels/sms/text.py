"""What carriers count and refuse in a text message, and how phone numbers are written."""

from __future__ import annotations

import re

# GSM 03.38: 140 bytes a message; a part of a longer one loses 6 bytes to its header.
SINGLE_UNITS = 70
PART_UNITS = 67

# Bare names only under the endings people use in messages: point tags such as PLC1.IO are no links.
_TOP = "com|cn|net|org|top|xyz|vip|club"
_LINK = re.compile(
    rf"[a-z][a-z0-9+.-]{{1,20}}://"
    rf"|(?<![a-z0-9])www\.[a-z0-9]"
    rf"|(?<![a-z0-9.@-])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.(?:{_TOP})(?![a-z0-9-])"
    rf"|(?<![0-9.])(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}[:/]",
    re.IGNORECASE | re.ASCII,
)
_SEPARATORS = re.compile(r"[\s()（）-]")
_CHINESE_MOBILE = re.compile(r"(?:\+|00)?86(1[3-9][0-9]{9})", re.ASCII)
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)


def units(text: str) -> int:
    """Length of ``text`` in UCS-2 units, as carriers count it: characters outside the basic plane count double."""
    return len(text) + sum(mark > "\uffff" for mark in text)


def segments(text: str) -> int:
    """How many messages a carrier makes (and bills) of ``text``: one up to 70 units, else one for each 67."""
    length = units(text)
    return 1 if length <= SINGLE_UNITS else -(-length // PART_UNITS)


def find_link(text: str) -> str | None:
    """The first thing in ``text`` that carriers take for a link and refuse, or None."""
    found = _LINK.search(text)
    return found.group() if found else None


def prefixed(number: str, prefix: str) -> str:
    """A plain number as a gateway dials it: ``prefix``, its country code, belongs before a Chinese mobile alone.
    Numbers of other countries and of services stand for themselves."""
    return prefix + number if _MOBILE.fullmatch(number) else number


def plain_number(number: str) -> str:
    """A phone number as the directory writes it: without spaces, and a Chinese mobile without its country code.

    Raises ValueError when it is no number.
    """
    bare = _SEPARATORS.sub("", number)
    mobile = _CHINESE_MOBILE.fullmatch(bare)
    if mobile:
        return mobile.group(1)
    if not _NUMBER.fullmatch(bare):
        raise ValueError(f"{number[:30]!r} 不是电话号码")
    return bare
