"""Making text fit: what counts as a character, cuts at character boundaries, short names of enterprises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

ELLIPSIS = "…"

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|"
    "陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_REGION = re.compile(
    r"^(?:[\u4e00-\u9fff]{2,3}省|[\u4e00-\u9fff]{2,7}?自治[区州县]"
    r"|[\u4e00-\u9fff]{1,2}[^超城都门夜菜股]市|[\u4e00-\u9fff]{2,3}?[县区])"
)
_PROVINCE = re.compile(f"^(?:{_PROVINCES})(?=.{{4}})")
_BRACKETS = re.compile(r"[（(〔\[][^）)〕\]]{0,20}[）)〕\]]")
_FORM = re.compile(
    r"(?:集团|控股|股份|实业){0,2}(?:有限责任公司|有限公司|总公司|公司|集团)(?=$|[\u4e00-\u9fff]{1,8}分(?:公司|厂)$)"
)


def units(text: str) -> int:
    """The length of ``text`` as a phone counts it: UTF-16 units, so a rare character or an emoji counts two."""
    return len(text) + sum(char > "\uffff" for char in text)


def octets(text: str) -> int:
    """The length of ``text`` in bytes of UTF-8, as the robots count it."""
    return len(text.encode())


def _prefix(text: str, limit: int, measure: Callable[[str], int]) -> str:
    used = 0
    for index, char in enumerate(text):
        used += measure(char)
        if used > limit:
            while index and unicodedata.combining(text[index]):
                index -= 1
            return text[:index]
    return text


def within(text: str, limit: int, measure: Callable[[str], int] = units) -> str:
    """The longest beginning of ``text`` that measures at most ``limit``, ending in … where something was cut."""
    if measure(text) <= limit:
        return text
    room = limit - measure(ELLIPSIS)
    return _prefix(text, room, measure).rstrip() + ELLIPSIS if room >= 0 else ""


def middle(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` units with its middle left out: the number of a device stands at the beginning of
    a point's name, what is measured at its end."""
    if units(text) <= limit:
        return text
    if limit < 3:
        return within(text, limit)
    tail = _prefix(text[::-1], (limit - 1) // 2, units)[::-1]
    while tail and unicodedata.combining(tail[0]):
        tail = tail[1:]
    return _prefix(text, limit - 1 - units(tail), units).rstrip() + ELLIPSIS + tail.lstrip()


@lru_cache(maxsize=1024)
def enterprise(name: str) -> str:
    """The distinctive part of an enterprise's name: without its legal form, remarks in brackets and the names of
    province, city and county in front. A name that would vanish stays as it is."""
    short = _BRACKETS.sub("", name)
    short = _FORM.sub("", short, count=1) or short
    for pattern in (_REGION, _REGION, _REGION, _PROVINCE):
        rest = pattern.sub("", short, count=1)
        if len(rest) >= 3:
            short = rest
    return short if len(short) >= 2 else name
