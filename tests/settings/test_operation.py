"""Readers of the API, metrics and log: what an administrator may get wrong is told with its place."""

from __future__ import annotations

import pytest

from tests.settings.conftest import Folder, only

READER = '\n[api.tokens.wall]\ntoken = "file:secrets/api-wall"\n'
TOKEN = "an-obviously-invented-token-of-forty-characters"


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        ('units = ["shili-conty"]', "no_place", "shili-county"),
        ('allow = ["10.0.0.300"]', "not_network", "10.1.2.0/24"),
        ('unit = ["shili-county"]', "unknown_key", "units"),
    ],
)
def test_a_reader_that_cannot_be_right(folder: Folder, more: str, code: str, says: str) -> None:
    folder.put("secrets/api-wall", TOKEN)
    folder.append(READER + more + "\n")
    problem = only(folder.load())
    assert problem.code == code
    assert says in problem.text()
    assert problem.line == folder.line_of(more)


def test_a_token_is_a_secret_and_a_long_one(folder: Folder) -> None:
    folder.put("secrets/api-wall", "short")
    folder.append(READER)
    assert only(folder.load()).code == "too_short"
    folder.put("secrets/api-wall", TOKEN)
    loaded = folder.load()
    assert loaded.settings is not None
    assert TOKEN not in repr(loaded.settings)
    folder.edit('token = "file:secrets/api-wall"', f'token = "{TOKEN}"')
    assert only(folder.load()).code == "literal_secret"


def test_an_unknown_level_of_the_log_is_told_with_the_choices(folder: Folder) -> None:
    folder.edit('level = "info"', 'level = "verbose"')
    problem = only(folder.load())
    assert (problem.code, "warning" in problem.text()) == ("not_one_of", True)
