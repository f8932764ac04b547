"""``fenghuo check``: everything that is wrong with a configuration, all at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bot.commands.samples import sample_lines, sampled
from bot.settings.load import FurtherCheck, Loaded, load
from bot.settings.problem import Language, Weight


def run_check(path: Path, lang: Language = "zh", as_json: bool = False, further: Sequence[FurtherCheck] = ()) -> int:
    """Load the configuration at ``path`` and print what was found, for people or as JSON
    (``docs/schema/check.schema.json``). Returns 0, or 1 where there is an error."""
    loaded = load(path, further=further)
    if as_json:
        sys.stdout.write(orjson.dumps(report(loaded), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for problem in loaded.problems:
            print(problem.text(lang))
        for line in sample_lines(loaded.settings) if loaded.settings is not None else ():
            print(line)
        print(_summary(loaded, lang))
    return 1 if loaded.errors else 0


def report(loaded: Loaded) -> dict[str, Any]:
    """The result as plain data. ``ok``: no error; ``servable``: ``serve`` would start with it."""
    return {
        "ok": not loaded.errors,
        "servable": loaded.servable,
        "hash": loaded.hash,
        "counts": {weight.value: len(loaded.of(weight)) for weight in Weight},
        "holds": _holds(loaded),
        "samples": sampled(loaded.settings) if loaded.settings is not None else [],
        "problems": [asdict(problem) for problem in loaded.problems],
    }


def _holds(loaded: Loaded) -> dict[str, int] | None:
    settings = loaded.settings
    if settings is None:
        return None
    directory = settings.directory()
    return {
        "units": len(directory.units),
        "enterprises": len(directory.enterprises),
        "points": sum(len(enterprise.points) for enterprise in directory.enterprises.values()),
        "people": len(directory.people),
        "posts": len(directory.posts),
        "channels": len(settings.channels),
        "sources": len(settings.sources),
    }


def _summary(loaded: Loaded, lang: Language) -> str:
    errors, warnings, refusals = len(loaded.errors), len(loaded.of(Weight.WARNING)), len(loaded.of(Weight.REFUSAL))
    holds = _holds(loaded)
    if lang == "zh":
        counts = f"{errors} 个错误，{warnings} 个提醒"
        blocked = f"；{refusals} 处使 serve 不能启动" if refusals else ""
        inside = (
            "。单位 {units}，企业 {enterprises}，点位 {points}，人员 {people}，岗位 {posts}，"
            "渠道 {channels}，来源 {sources}。".format_map(holds)
            if holds
            else "。"
        )
        return f"{counts}{blocked}{inside}"
    counts = f"{errors} errors, {warnings} warnings"
    blocked = f"; {refusals} keep serve from starting" if refusals else ""
    inside = (
        ". {units} units, {enterprises} enterprises, {points} points, {people} people, {posts} posts, "
        "{channels} channels, {sources} sources.".format_map(holds)
        if holds
        else "."
    )
    return f"{counts}{blocked}{inside}"
