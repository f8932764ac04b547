"""``fenghuo check``: everything that is wrong with a configuration, all at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bot.clock import WallClock
from bot.commands.samples import sample_lines, sampled
from bot.online import Greeted, greet_all, plain
from bot.settings.load import FurtherCheck, Loaded, load
from bot.settings.problem import Language, Weight

_NOT_GREETED: dict[Language, str] = {
    "zh": "配置有错误，没有登录各渠道：先改正上面的错误，再运行一次。",
    "en": "The configuration has errors, so no vendor was greeted: mend the errors above and run this once more.",
}


def run_check(
    path: Path,
    lang: Language = "zh",
    as_json: bool = False,
    further: Sequence[FurtherCheck] = (),
    *,
    online: bool = False,
) -> int:
    """Load the configuration at ``path`` and print what was found, for people or as JSON
    (``docs/schema/check.schema.json``); ``online``: greet every vendor as well. Returns 0, or 1 where there is an error
    or a vendor that would take nothing."""
    loaded = load(path, further=further)
    greeted = (
        asyncio.run(greet_all(loaded.settings, loaded.place, WallClock().now())) if online and loaded.settings else None
    )
    if as_json:
        sys.stdout.write(orjson.dumps(report(loaded, greeted), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        for problem in loaded.problems:
            print(problem.text(lang))
        for line in sample_lines(loaded.settings) if loaded.settings is not None else ():
            print(line)
        print(_summary(loaded, lang))
        if greeted is not None:
            print(
                "渠道（只登录，什么也没有发送）：" if lang == "zh" else "Channels (only logged in, nothing was sent):"
            )
            for each in greeted:
                print(each.text(lang))
        elif online:
            print(_NOT_GREETED[lang])
    return 0 if _ok(loaded, greeted) else 1


def _ok(loaded: Loaded, greeted: list[Greeted] | None) -> bool:
    return not loaded.errors and all(each.good for each in greeted or ())


def report(loaded: Loaded, greeted: list[Greeted] | None = None) -> dict[str, Any]:
    """The result as plain data. ``ok``: no error, and no vendor that would take nothing; ``servable``: ``serve`` would
    start with it; ``online``: what came of greeting the vendors, null where they were not."""
    return {
        "ok": _ok(loaded, greeted),
        "servable": loaded.servable,
        "hash": loaded.hash,
        "counts": {weight.value: len(loaded.of(weight)) for weight in Weight},
        "holds": _holds(loaded),
        "samples": sampled(loaded.settings) if loaded.settings is not None else [],
        "problems": [asdict(problem) for problem in loaded.problems],
        "online": None if greeted is None else plain(greeted),
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
