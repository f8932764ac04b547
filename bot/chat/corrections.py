"""Codes that somebody takes back in the same breath: 签收，不是0231是0232; 签收A0231，不对，是A0232. Pure."""

from __future__ import annotations

import re

_CODE = r"(?:[aw][ \-_#.:]{0,3}\d+|(?<![\d.:])0\d{3}(?!\d))"
_STOP = r"[^\w]"
_NOT_THIS = re.compile(
    rf"而?(?:不是|并非|并不是|而非)\s*{_CODE}(?:{_STOP}*(?:和|或)?{_STOP}*{_CODE})*?(?=$|{_STOP}|而?是|应|改)",
    re.IGNORECASE,
)
_WRONG = r"(?:不对|(?:写|打|说|发|报|填|点|按)?错了?|更正|纠正|口误)"
_CORRECTED = re.compile(
    rf"{_CODE}(?P<said>[^\n\d]{{0,8}}?){_STOP}*{_WRONG}{_STOP}*(?=[^\n\d]{{0,8}}?{_CODE})",
    re.IGNORECASE,
)
_ANY_CODE = re.compile(_CODE, re.IGNORECASE)


def without_taken_back(typed: str) -> str | None:
    """A folded text without the codes that it takes back, and without the words that do so; None where a code was
    taken back and none given instead: then it is about nothing, and must not fall on another item."""
    if _ANY_CODE.search(typed) is None:
        return typed
    left = _NOT_THIS.sub(" ", typed)
    left = _CORRECTED.sub(lambda match: f" {match['said']}，", left)
    return left if left == typed or _ANY_CODE.search(left) else None
