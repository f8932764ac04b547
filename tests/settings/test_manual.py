"""The worked examples of the manual are configurations that pass, and show what the manual says they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.commands.check import run_check
from bot.commands.common import further_findings
from bot.settings import load
from tests.settings.conftest import WHSEC, Folder

PAGE = (Path(__file__).parents[2] / "docs" / "manual" / "sources.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_of_sources_pass_check(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(EXAMPLES) == 3
    folder.include("\n".join(EXAMPLES))
    for name in ("source-gateway", "source-prometheus", "stream"):
        folder.put(f"secrets/{name}", WHSEC)
    assert load(folder.main, environment={}, further=[further_findings]).problems == ()
    assert run_check(folder.main, "zh", False, [further_findings]) == 0
    said = capsys.readouterr().out
    (shown,) = re.findall(r"```text\n(样例.*?)```", PAGE, re.DOTALL)
    assert shown in said
