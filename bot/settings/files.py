"""The main file and what it includes, read and laid together, with the place of every entry kept."""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from bot import system_words
from bot.settings import syntax
from bot.settings.positions import Loc, Positions
from bot.settings.problem import Finding, Place, Problem, Weight, problem, written, wrong_type

LISTS = ("units", "enterprises", "points", "hazards", "people", "posts", "profiles")
NAMED = ("sources", "channels", "accounts")

# No setting is deeper than a dozen; what is must not exhaust the stack of whoever walks it.
_DEEPEST = 40


@dataclass
class _File:
    shown: str
    text: str
    data: dict[str, Any]
    # How many rows of each list stood in files before this one.
    before: dict[str, int] = field(default_factory=dict)

    @cached_property
    def positions(self) -> Positions:
        """Made when the first fault of the file is told: most have none."""
        return Positions(self.text)


@dataclass(slots=True)
class Sources:
    """All files of a configuration as one tree. ``read`` lists the files, ``hash`` is over their names and bytes."""

    folder: Path
    data: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)
    hash: str = ""
    broken: bool = False
    _files: list[_File] = field(default_factory=list)
    _owners: dict[tuple[str, str], _File] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Sources:
        """The configuration at ``path`` with its includes. What cannot be read or parsed is among ``problems``; then
        ``broken`` is true, and what is not there may be in the part that was not read."""
        found = cls(path.resolve().parent)
        digest = hashlib.sha256()
        main = found._parse(path.resolve(), os.fsencode(path.name).decode("utf-8", "replace"), digest)
        if main is not None:
            found._add(main, main=True)
            for number, pattern in enumerate(patterns(main.data)):
                found._include(number, pattern, digest)
        found.hash = digest.hexdigest()
        return found

    @property
    def main_read(self) -> bool:
        """False when the main file itself could not be read: then nothing else is known."""
        return bool(self._files)

    def _include(self, number: int, pattern: str, digest: hashlib._Hash) -> None:
        loc = ("include", number)
        if not is_relative(pattern):
            self.problems.append(self.tell(Finding("bad_glob", loc, {"pattern": pattern})))
            return
        paths = list(matching(self.folder, pattern))
        if not paths:
            self.problems.append(self.tell(Finding("no_match", loc, {"pattern": pattern}, Weight.WARNING)))
        for path in paths:
            if path in self.read:
                continue
            shown = path.relative_to(self.folder).as_posix()
            file = self._parse(path, os.fsencode(shown).decode("utf-8", "replace"), digest)
            if file is not None:
                self._add(file, main=False)

    def place(self, loc: Loc, *, key: bool = False) -> Place:
        """Where ``loc`` of the merged tree is written, or would have to be."""
        if not self._files:
            return Place("", 1, 1, written(loc))
        file, own = self._home(loc)
        line, column = file.positions.find(own, key=key)
        return Place(file.shown, line, column, written(own))

    def tell(self, finding: Finding) -> Problem:
        """The finding in words, at its place."""
        also = self.place(finding.also) if finding.also else None
        return problem(finding, self.place(finding.loc, key=finding.key), also)

    def _home(self, loc: Loc) -> tuple[_File, Loc]:
        main = self._files[0]
        if len(loc) < 2:
            return main, loc
        top, second, *rest = loc
        if isinstance(second, str):
            return self._owners.get((str(top), second), main), loc
        for file in reversed(self._files):
            start = file.before.get(str(top), 0)
            if second >= start and file.data.get(str(top)):
                return file, (top, second - start, *rest)
        return main, loc

    def _fail(self, code: str, shown: str, line: int, column: int, **args: object) -> None:
        self.problems.append(problem(Finding(code, (), args), Place(shown, line, column, "")))
        self.broken = True

    def _parse(self, path: Path, shown: str, digest: hashlib._Hash) -> _File | None:
        self.read.append(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            zh, en = system_words.why(error)
            self._fail("no_file", shown, 1, 1, file=shown, zh=zh, en=en)
            return None
        digest.update(f"{shown}\0{len(content)}\0".encode())
        digest.update(content)
        try:
            # Editors on Windows put a byte order mark first.
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self._fail("not_utf8", shown, line, error.start - content.rfind(b"\n", 0, error.start))
            return None
        try:
            data = tomllib.loads(text)
            if _too_deep(data):
                raise RecursionError
        except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
            self._syntax(shown, text, str(error))
            return None
        return _File(shown, text, data)

    def _syntax(self, shown: str, text: str, said: str) -> None:
        line, column, (zh, en) = syntax.fault(text, said)
        self._fail("syntax", shown, line, column, zh=zh, en=en)

    def _add(self, file: _File, *, main: bool) -> None:
        self._files.append(file)
        for name, value in file.data.items():
            known = name in LISTS or name in NAMED
            if not main and not known:
                self._misplaced(file, name)
            elif known and not isinstance(value, list if name in LISTS else dict):
                self._wrong_type(file, name, value)
            elif name in LISTS:
                rows = self.data.setdefault(name, [])
                file.before[name] = len(rows)
                rows.extend(value)
            elif name in NAMED:
                self._add_named(file, name, value)
            else:
                self.data[name] = value

    def _add_named(self, file: _File, name: str, tables: dict[str, Any]) -> None:
        merged = self.data.setdefault(name, {})
        for key, table in tables.items():
            owner = self._owners.get((name, key))
            if owner is None:
                self._owners[name, key] = file
                merged[key] = table
                continue
            line, column = file.positions.find((name, key), key=True)
            here = Place(file.shown, line, column, written((name, key)))
            line, column = owner.positions.find((name, key), key=True)
            there = Place(owner.shown, line, column, written((name, key)))
            self.problems.append(problem(Finding("twice", (), {"what": name, "value": key}), here, there))

    def _misplaced(self, file: _File, name: str) -> None:
        line, column = file.positions.find((name,), key=True)
        place = Place(file.shown, line, column, written((name,)))
        self.problems.append(problem(Finding("main_only", (), {"name": name}), place))

    def _wrong_type(self, file: _File, name: str, value: object) -> None:
        self.broken = True
        line, column = file.positions.find((name,))
        place = Place(file.shown, line, column, written((name,)))
        self.problems.append(problem(wrong_type("list" if name in LISTS else "dict", (), value), place))


def patterns(data: dict[str, Any]) -> list[str]:
    """The ``include`` globs of a main file, as far as they are text."""
    globs = data.get("include", [])
    return [glob for glob in globs if isinstance(glob, str)] if isinstance(globs, list) else []


def is_relative(pattern: str) -> bool:
    """True for a well-formed glob that stays inside the configuration's folder."""
    parts = PurePath(pattern).parts
    stars = all("**" not in part or part == "**" for part in parts)
    return bool(parts) and pattern.isprintable() and stars and not PurePath(pattern).is_absolute() and ".." not in parts


def matching(folder: Path, pattern: str) -> Iterator[Path]:
    """The files that a glob names, in order; hidden files are editors' leftovers."""
    for path in sorted(folder.glob(pattern)):
        if path.is_file() and not path.name.startswith("."):
            yield path


def _too_deep(data: dict[str, Any]) -> bool:
    """Level by level, since recursion is what deep data would exhaust."""
    level: list[Any] = [data]
    for _ in range(_DEEPEST):
        level = [
            value
            for holder in level
            for value in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(value, (dict, list))
        ]
    return bool(level)
