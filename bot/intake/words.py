"""Upstream's words made ours: levels and severities by every name they are known by, texts cleaned and cut."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from escalation.vocabulary import Industry, Level, Severity

# Control characters, line and paragraph separators, and marks that turn the direction of text: none has a place in a
# name, and each can forge or garble a message. Checked only where str.isprintable is not content already.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff]+"
)

LEVELS: dict[str, Level] = {}
for _level in Level:
    LEVELS[_level.value] = LEVELS[_level.word] = LEVELS[_level.risk_word] = _level
    LEVELS[_level.word.removesuffix("色")] = LEVELS[_level.risk_word.removesuffix("风险")] = _level
    LEVELS[_level.word + "预警"] = _level

SEVERITIES: dict[str, Severity] = {}
for _severity in Severity:
    SEVERITIES[_severity.value] = SEVERITIES[_severity.word] = _severity
    SEVERITIES[_severity.value.replace("_", "-")] = SEVERITIES[_severity.value.replace("_", " ")] = _severity
    if _severity.word.endswith("报"):
        SEVERITIES[_severity.word.removesuffix("报")] = SEVERITIES[_severity.word[:-1] + "限报警"] = _severity
        SEVERITIES[_severity.word + "警"] = _severity
SEVERITIES["联锁"] = Severity.INTERLOCK

INDUSTRIES: dict[str, Industry] = {industry.value: industry for industry in Industry}
INDUSTRIES |= {industry.word: industry for industry in Industry} | {"粉尘": Industry.DUST, "危化": Industry.HAZCHEM}


Word = TypeVar("Word", bound=StrEnum)


def understand(given: str, own: Mapping[str, Word], table: Mapping[str, Word]) -> Word | None:
    """What ``given`` means: by the source's ``own`` words first, then by ours; None when nobody knows it."""
    found = own.get(given) or table.get(given)
    if found is None:
        plain = given.strip().lower()
        found = own.get(plain) or table.get(plain)
    return found


def hostile(text: str) -> bool:
    """True when the text holds a character that no identifier may have."""
    return not text.isprintable() and _HOSTILE.search(text) is not None


def shown(text: str, limit: int) -> str:
    """A text that people will read: hostile characters become one space, the ends are trimmed, at most ``limit``
    characters with … as the last of a cut text."""
    if len(text) > limit * 4:
        text = text[: limit * 4]
    if not text.isprintable():
        text = _HOSTILE.sub(" ", text)
    text = text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"
