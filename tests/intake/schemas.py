"""The published schemas, ready to judge what enters and leaves."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "docs" / "schema"
NAMES = ("event", "problem", "verdicts")


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of ``docs/schema/<name>.schema.json``."""
    tables = {each: json.loads((FOLDER / f"{each}.schema.json").read_text("utf-8")) for each in NAMES}
    registry: Registry[Any] = Registry().with_resources(
        (f"{each}.schema.json", Resource.from_contents(table)) for each, table in tables.items()
    )
    return Draft202012Validator(tables[name], registry=registry, format_checker=FormatChecker())


def check(name: str, document: object) -> None:
    """Raises jsonschema's ValidationError where the document does not fit."""
    validator(name).validate(document)
