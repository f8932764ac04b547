"""A configuration on disk that is right, and the means to spoil it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.commands.init import run_init
from bot.settings import Loaded, Problem, load

WHSEC = "whsec_" + "QUFB" * 8


class Folder:
    """The folder that ``fenghuo init`` made, with its ``config.toml``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.main = path / "config.toml"

    def edit(self, old: str, new: str) -> None:
        """Replace the first ``old`` of the main file, which must be there."""
        text = self.main.read_text(encoding="utf-8")
        assert old in text
        self.main.write_text(text.replace(old, new, 1), encoding="utf-8")

    def append(self, text: str) -> None:
        self.main.write_text(self.main.read_text(encoding="utf-8") + text, encoding="utf-8")

    def put(self, name: str, text: str | bytes, mode: int = 0o600) -> Path:
        """Another file of the folder."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def include(self, text: str, name: str = "contacts/more.toml") -> None:
        """Another file, which the main one includes."""
        self.put(name, text)
        if '# include = ["contacts' in self.main.read_text(encoding="utf-8"):
            self.edit("# include = [", "include = [")

    def load(self) -> Loaded:
        return load(self.main, environment={})

    def line_of(self, text: str, name: str = "config.toml") -> int:
        """The number of the first line that holds ``text``."""
        lines = (self.path / name).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    assert run_init(tmp_path) == 0
    capsys.readouterr()
    found = Folder(tmp_path)
    found.edit("# adopt_sample", "adopt_sample")
    return found


def codes(loaded: Loaded) -> list[str]:
    return [problem.code for problem in loaded.problems]


def only(loaded: Loaded) -> Problem:
    """The one problem there is."""
    assert len(loaded.problems) == 1, "\n".join(problem.text() for problem in loaded.problems)
    return loaded.problems[0]


def uncommented(text: str) -> str:
    """The example with every setting that it only shows switched on."""
    return re.sub(r"(?m)^# ?((?:[a-z_]+ = |\[|\]$|    \{).*)$", r"\1", text)
