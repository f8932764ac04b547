"""Where each key and value of a TOML document stands, which :mod:`tomllib` does not tell.

Works on documents that ``tomllib`` has already accepted, so it only has to find its way, not to judge. Places are keyed
by the path through the parsed data: table keys as strings, indexes of arrays and arrays of tables as numbers.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass

Loc = tuple[str | int, ...]
"""A path through parsed TOML: ``("posts", 3, "people", 0)``."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'"
    r"|[^,\[\]{}#\n\"']+",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Spot:
    """Offsets of an entry's key (of the value, for an element of an array) and of its value, in characters."""

    key: int
    value: int


class Positions:
    """The index of one document."""

    def __init__(self, text: str) -> None:
        """``text`` must be valid TOML."""
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]
        self.spots = _Scanner(text).spots

    def line_column(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def find(self, loc: Loc, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the entry at ``loc`` or, where nothing is written there, of what holds it.

        ``key`` asks for the key instead of the value; a table's value stands at its header.
        """
        for length in range(len(loc), 0, -1):
            spot = self.spots.get(loc[:length])
            if spot is not None:
                return self.line_column(spot.key if key or length < len(loc) else spot.value)
        return 1, 1


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._last: dict[Loc, int] = {}
        self.spots: dict[Loc, Spot] = {}
        self._document()

    def _document(self) -> None:
        table: Loc = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text.startswith("[", self._at):
                table = self._header(1)
            else:
                self._pair(table)

    def _header(self, brackets: int) -> Loc:
        start = self._at
        self._at += brackets
        keys = self._keys()
        self._at += brackets
        parents, last = keys[:-1], keys[-1][0]
        holder = self._descend((), parents, start)
        loc: Loc = (*holder, last)
        if brackets == 1:
            # [a] after [a.b] is the first that names the table itself.
            self.spots[loc] = Spot(start, start)
            return loc
        self.spots.setdefault(loc, Spot(start, start))
        self._last[loc] = self._last.get(loc, -1) + 1
        element: Loc = (*loc, self._last[loc])
        self.spots[element] = Spot(start, start)
        return element

    def _pair(self, table: Loc) -> None:
        keys = self._keys()
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        holder = self._descend(table, keys[:-1])
        last, offset = keys[-1]
        self._value((*holder, last), offset)

    def _descend(self, loc: Loc, keys: list[tuple[str, int]], start: int | None = None) -> Loc:
        """Through tables that may only be implied; an array of tables is entered at its last element."""
        for key, offset in keys:
            loc = (*loc, key)
            at = offset if start is None else start
            self.spots.setdefault(loc, Spot(at, at))
            if loc in self._last:
                loc = (*loc, self._last[loc])
        return loc

    def _keys(self) -> list[tuple[str, int]]:
        """A dotted key with the offset of each part; stops at the equals sign or closing bracket."""
        found: list[tuple[str, int]] = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                self._skip(_SCALAR)
                token = self._text[start : self._at]
                name = next(iter(tomllib.loads(f"{token} = 0")))
            else:
                self._skip(_BARE_KEY)
                name = self._text[start : self._at]
            found.append((name, start))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return found
            self._at += 1

    def _value(self, loc: Loc, key: int) -> None:
        self.spots[loc] = Spot(key, self._at)
        opener = self._text[self._at]
        if opener == "[":
            self._array(loc)
        elif opener == "{":
            self._inline_table(loc)
        else:
            self._skip(_SCALAR)

    def _array(self, loc: Loc) -> None:
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                break
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._value((*loc, index), self._at)
            index += 1
        self._at += 1

    def _inline_table(self, loc: Loc) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                break
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(loc)
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML at offset {self._at}: scan only what tomllib accepts")
        self._at = match.end()
