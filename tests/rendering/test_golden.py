"""The messages as reviewers read them; ``python -m tests.rendering.write_golden`` writes them anew."""

from __future__ import annotations

import pytest

from tests.rendering.write_golden import FOLDER, messages

MESSAGES = dict(messages())


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_reads_as_agreed(name: str) -> None:
    assert f"{MESSAGES[name]}\n" == (FOLDER / name).read_text(encoding="utf-8")


def test_no_agreed_message_is_left_over() -> None:
    assert {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*")} == set(MESSAGES)
