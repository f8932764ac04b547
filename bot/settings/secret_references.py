"""Secrets stay outside the configuration: it says ``env:NAME`` or ``file:PATH``, and here they are fetched.

A fetched secret is a ``SecretStr`` from the first moment, so that nothing which prints the data prints it.
"""

from __future__ import annotations

import copy
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot import system_words
from bot.settings import shapes
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight


@dataclass(slots=True)
class Fetched:
    """The data with its secrets in place; ``failed`` are the paths that got none, ``files`` what was read."""

    data: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)
    failed: set[Loc] = field(default_factory=set)
    files: list[Path] = field(default_factory=list)


def fetch(data: dict[str, Any], folder: Path, environment: Mapping[str, str]) -> Fetched:
    """Every reference in ``data`` replaced by its secret. Paths are relative to ``folder``."""
    secrets = list(shapes.secrets(data))
    # Only the tables that change are copied: a county's people and points are many.
    changed = {loc[0] for loc in secrets}
    found = Fetched({top: copy.deepcopy(value) if top in changed else value for top, value in data.items()})
    for loc in secrets:
        holder: Any = found.data
        for part in loc[:-1]:
            holder = holder[part]
        reference = holder[loc[-1]]
        if not isinstance(reference, str):
            continue
        secret = _one(reference, loc, folder, environment, found)
        if secret is None:
            found.failed.add(loc)
        holder[loc[-1]] = SecretStr(secret or "")
    return found


def _one(reference: str, loc: Loc, folder: Path, environment: Mapping[str, str], found: Fetched) -> str | None:
    scheme, _, name = reference.partition(":")
    if scheme == "env" and name:
        if environment.get(name):
            return environment[name]
        found.findings.append(Finding("no_env", loc, {"name": name}))
        return None
    if scheme == "file" and name:
        return _from_file(name, loc, folder, found)
    stem = "-".join(str(part) for part in loc if isinstance(part, str) and part not in ("channels", "sources"))
    name = stem.replace("_", "-")
    found.findings.append(Finding("literal_secret", loc, {"name": name, "upper": name.replace("-", "_").upper()}))
    return None


def _from_file(name: str, loc: Loc, folder: Path, found: Fetched) -> str | None:
    path = folder / name
    found.files.append(path)
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            secret = file.read().strip("\r\n")
    except OSError as error:
        zh, en = system_words.why(error)
        found.findings.append(Finding("no_secret_file", loc, {"file": name, "zh": zh, "en": en}))
        return None
    except ValueError:
        args = {"file": name, "zh": "不是 UTF-8 文本", "en": "no text in UTF-8"}
        found.findings.append(Finding("no_secret_file", loc, args, hint="not_utf8_secret"))
        return None
    if not secret:
        found.findings.append(Finding("empty_secret", loc, {"file": name}))
        return None
    if mode & 0o077:
        shown = f"{mode:04o}"
        found.findings.append(Finding("open_secret", loc, {"file": name, "mode": shown}, Weight.WARNING))
    return secret
