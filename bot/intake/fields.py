"""Taking single fields out of a JSON object, and saying of every wrong one what would be right."""

from __future__ import annotations

import math
from typing import Any

from bot.intake.problems import FieldError
from bot.intake.words import hostile, shown

Object = dict[str, Any]
_NOTHING: Object = {}

# Names of JSON's types, as people know them.
_TYPES = {
    str: ("字符串", "a string"),
    int: ("数字", "a number"),
    float: ("数字", "a number"),
    bool: ("布尔值", "a boolean"),
    list: ("数组", "an array"),
    dict: ("对象", "an object"),
    type(None): ("null", "null"),
}


def wrong_type(pointer: str, value: object, right: str, right_en: str) -> FieldError:
    """The error for a value of another JSON type than ``right``."""
    zh, en = _TYPES[type(value)]
    return FieldError(pointer, f"应为{right}，收到的是{zh}。", f"Must be {right_en}, got {en}.")


class Fields:
    """One JSON object being read. Errors of all objects of an item gather in one list, so that they are told at once.

    A JSON ``null`` is the same as a missing field.
    """

    __slots__ = ("errors", "pointer", "table")

    def __init__(self, table: Object, pointer: str, errors: list[FieldError]) -> None:
        self.table = table
        self.pointer = pointer
        self.errors = errors

    def wrong(self, name: str, detail: str, detail_en: str) -> None:
        self.errors.append(FieldError(f"{self.pointer}/{name}", detail, detail_en))

    def _mistyped(self, name: str, value: object, right: str, right_en: str) -> None:
        self.errors.append(wrong_type(f"{self.pointer}/{name}", value, right, right_en))

    def inner(self, name: str) -> Fields:
        """The object under ``name``; empty where it is missing or, with an error, where it is none."""
        value = self.table.get(name)
        if type(value) is not dict:
            if value is not None:
                self._mistyped(name, value, "对象", "an object")
            value = _NOTHING
        return Fields(value, f"{self.pointer}/{name}", self.errors)

    def identifier(self, name: str, limit: int) -> str:
        """A string that tells things apart, trimmed and never cut; '' where it is missing."""
        value = self.table.get(name)
        if type(value) is str:
            if len(value) > limit:
                self.wrong(
                    name,
                    f"最长 {limit} 个字符，收到 {len(value)} 个。",
                    f"At most {limit} characters, got {len(value)}.",
                )
            elif hostile(value):
                self.wrong(name, "不能含控制字符。", "Must not contain control characters.")
            else:
                return value.strip()
        elif value is not None:
            self._mistyped(name, value, "字符串", "a string")
        return ""

    def text(self, name: str, limit: int) -> str:
        """A string for people, cleaned and cut; '' where it is missing."""
        value = self.table.get(name)
        if type(value) is str:
            return shown(value, limit)
        if value is not None:
            self._mistyped(name, value, "字符串", "a string")
        return ""

    def word(self, name: str) -> str:
        """A named value: a string, or a number, which some sources use as a name; '' where it is missing."""
        value = self.table.get(name)
        if type(value) is str:
            return shown(value, 64)
        if type(value) is int or type(value) is float:
            return str(value)[:64]
        if value is not None:
            self._mistyped(name, value, "字符串", "a string")
        return ""

    def number(self, name: str) -> float | None:
        """A finite number; text that is one counts, for gateways that send every value as text. Other text (超量程,
        ``--``) is none: :meth:`wordy` tells whether there was any."""
        value = self.table.get(name)
        if type(value) is float or type(value) is int:
            return float(value)
        if type(value) is str:
            return _finite(value)
        if value is not None:
            self._mistyped(name, value, "数字", "a number")
        return None

    def wordy(self, name: str) -> bool:
        """Whether words stand where a number should."""
        value = self.table.get(name)
        return type(value) is str and bool(value.strip()) and _finite(value) is None

    def texts(self, name: str, most: int, limit: int) -> tuple[str, ...]:
        """Strings for people: at most ``most`` of them, each cleaned and cut; a single string counts as one."""
        value = self.table.get(name)
        if value is None:
            return ()
        if type(value) is str:
            value = [value]
        if type(value) is not list:
            self._mistyped(name, value, "字符串数组", "an array of strings")
            return ()
        found: list[str] = []
        for index, each in enumerate(value[:most]):
            if type(each) is str:
                found.append(shown(each, limit))
            else:
                self._mistyped(f"{name}/{index}", each, "字符串", "a string")
        return tuple(text for text in found if text)


def _finite(text: str) -> float | None:
    if len(text) > 64 or "_" in text:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
