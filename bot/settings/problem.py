"""What is wrong with a configuration: found at a path (:class:`Finding`), told at a place (:class:`Problem`)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import Any, Literal

from bot.settings.catalogue import SENTENCES, TYPES
from bot.settings.hints import HINTS
from bot.settings.positions import Loc

Language = Literal["zh", "en"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Weight(StrEnum):
    """An ``error`` keeps the configuration from being used, a ``refusal`` only keeps ``serve`` from starting with it, a
    ``warning`` does neither."""

    ERROR = "error"
    REFUSAL = "refusal"
    WARNING = "warning"

    def word(self, lang: Language) -> str:
        return {"error": "错误", "refusal": "不能启动", "warning": "提醒"}[self.value] if lang == "zh" else self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at ``loc`` of the merged configuration, before anybody knows in which file that stands.

    ``code`` is a sentence of the catalogue and ``args`` fill it; ``hint`` another code for what to do, where the
    sentence's own does not fit. ``key`` points at the key instead of its value. ``also`` is a second place (the other
    of two that clash).
    """

    code: str
    loc: Loc
    args: Mapping[str, object] = field(default_factory=dict)
    weight: Weight = Weight.ERROR
    hint: str = ""
    key: bool = False
    also: Loc | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: ``line`` and ``column`` from 1, ``path`` as the file's own tables count."""

    file: str
    line: int
    column: int
    path: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" + (f" {self.path}" if self.path else "")


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding with its place and its words in both languages; ``hint_*`` says what would be right."""

    severity: Weight
    code: str
    file: str
    line: int
    column: int
    path: str
    message_zh: str
    message_en: str
    hint_zh: str = ""
    hint_en: str = ""
    also: Place | None = None

    def text(self, lang: Language = "zh") -> str:
        """One or two lines for people: place, what is wrong, the other place if there is one, what to do."""
        message, hint = (self.message_zh, self.hint_zh) if lang == "zh" else (self.message_en, self.hint_en)
        place = Place(self.file, self.line, self.column, self.path)
        colon = "：" if lang == "zh" else ": "
        other = f" ({'另见' if lang == 'zh' else 'see also'} {self.also})" if self.also else ""
        told = f"{place}{colon}{self.severity.word(lang)}{colon}{message}{other}"
        return f"{told}\n    → {hint}" if hint else told


def problem(finding: Finding, place: Place, also: Place | None = None) -> Problem:
    """The finding in words, at its place."""
    message_zh, message_en = SENTENCES[finding.code]
    hint_zh, hint_en = HINTS.get(finding.hint or finding.code, ("", ""))
    words = {name: _shown(value) for name, value in finding.args.items()}
    return Problem(
        severity=finding.weight,
        code=finding.code,
        file=place.file,
        line=place.line,
        column=place.column,
        path=place.path,
        message_zh=message_zh.format_map(words),
        message_en=message_en.format_map(words),
        hint_zh=hint_zh.format_map(words),
        hint_en=hint_en.format_map(words),
        also=also,
    )


def written(loc: Loc) -> str:
    """A path as people write it: ``posts[3].people[0]``."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f'."{part}"' if text else f'"{part}"'
    return text


def nearest(word: str, known: Iterable[str]) -> str:
    """The known name that is most like the word; empty when none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def choices(word: str, known: Iterable[str]) -> tuple[str, dict[str, Any]]:
    """The hint for a name that does not exist, with its arguments: the nearest one, else all of a few, else none."""
    names = sorted(set(known))
    near = nearest(word, names)
    if near:
        return "nearest", {"near": near}
    if 0 < len(names) <= 12:
        return "known", {"known": ", ".join(names)}
    return "", {}


def wrong_type(wanted: str, loc: Loc, given: object, *, hidden: bool = False) -> Finding:
    """A value of the wrong type; ``wanted`` is one of the catalogue's ``TYPES``; ``hidden`` keeps a secret unseen."""
    type_zh, type_en = TYPES[wanted]
    given_zh, given_en = TYPES.get(type(given).__name__, ("别的内容", "something else"))
    args: dict[str, object] = {"type_zh": type_zh, "type_en": type_en, "given_zh": given_zh, "given_en": given_en}
    hint = ""
    if wanted == "str" and isinstance(given, (int, float, date, time)) and not hidden:
        args["value"] = f"{given:%H:%M}" if isinstance(given, time) else given
        hint = "quote"
    elif wanted == "list" and not isinstance(given, dict):
        hint = "brackets"
    elif wanted in ("int", "float") and isinstance(given, str):
        hint = "bare_number"
    return Finding("wrong_type", loc, args, hint=hint)


def _shown(value: object) -> str:
    """Control characters would let a file write to the administrator's terminal; long values hide the sentence."""
    text = "".join(mark if mark.isprintable() else "�" for mark in str(value))
    return text if len(text) <= 400 else f"{text[:400]}…"
