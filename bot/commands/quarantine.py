"""``fenghuo quarantine list|show|retry|drop``: what could not be read, worked off by a person."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec

from bot import control
from bot.clock import WallClock
from bot.commands.common import print_result, settings_or_running
from bot.commands.errands import Errand, by_whom, errand_arguments, not_there
from bot.door import Door
from bot.quarantine import (
    Desk,
    Quarantined,
    QuarantineList,
    QuarantineShown,
    QuarantineWorked,
    Wish,
    Wrong,
    errand_at,
)
from bot.rules import Rules
from bot.settings.models import Settings
from bot.store_asking import ask_store
from bot.workers.decider import Decider
from escalation.ledger.commit import Ledger

T = TypeVar("T", QuarantineList, QuarantineShown, QuarantineWorked)


def quarantine_arguments(parser: argparse.ArgumentParser) -> None:
    """The errands of ``quarantine`` and their arguments."""
    errands = (
        Errand("list", "列出隔离的事件 / what is in quarantine"),
        Errand("show", "看一条的原文和错误 / one row with what was sent"),
        Errand("retry", "按现在的配置和映射重新办理 / decide it again by the configuration of today", decides=True),
        Errand("drop", "丢弃，必须写明理由 / remove it; needs a reason", decides=True, needs_why=True),
    )
    errand_arguments(parser, "errand", errands, "row", "编号，或能区分的开头几位")


def run_quarantine(options: argparse.Namespace) -> int:
    """Do one errand. 1 where there is no such row, or it could not be worked off."""
    settings = settings_or_running(options.config)
    if options.errand == "list":
        found = asyncio.run(_errand(settings, "list", "", Wish(), QuarantineList))
        print_result(found, options.json, lambda: _listed(found))
        return 0
    if options.errand == "show":
        shown = asyncio.run(_errand(settings, "show", options.row, Wish(), QuarantineShown))
        if shown is None:
            return _no_row(options.row)
        print_result(shown, options.json, lambda: _shown(shown))
        return 0
    wish = Wish(by=by_whom(options.by), why=options.why)
    worked = asyncio.run(_errand(settings, options.errand, options.row, wish, QuarantineWorked))
    if worked is None:
        return _no_row(options.row)
    print_result(worked, options.json, lambda: _worked(worked, options.errand))
    return 0 if worked.done else 1


async def _errand(settings: Settings, errand: str, row: str, wish: Wish, kind: type[T]) -> T | None:
    """Ask the running hub, or do it on the store under its lock where none runs."""
    content = msgspec.json.encode(wish)
    way = "/quarantine" + (f"/{quote(row, safe='')}" if row else "")
    way += f"/{errand}" if errand in ("retry", "drop") else ""
    said = await control.ask_hub(settings, "GET" if errand in ("list", "show") else "POST", way, content)
    if said is not None:
        return msgspec.json.decode(said, type=kind | None)

    async def asked(door: Door, partitions: int, rules: Rules) -> T | None:
        found = await errand_at(_desk(door, partitions, rules), errand, row, content)
        return found if isinstance(found, kind) else None

    return await ask_store(settings, asked)


def _desk(door: Door, partitions: int, rules: Rules) -> Desk:
    """A desk without a hub: what it decides is told by the next hub that runs."""
    clock = WallClock()
    decider = Decider(Ledger(door, partitions), rules.context, lambda _items: None, lease=0)
    return Desk(door, partitions, rules, lambda events: decider.events(events, clock.now()), clock.now)


def _no_row(row: str) -> int:
    return not_there(f"隔离区没有 {row} 这一条 / there is no {row} in quarantine")


def _line(row: Quarantined) -> str:
    where = f"  流条目 {row.entry}" if row.entry else ""
    came = {"uplink": "的回复", "report": "的回执", "event": "的平台事件"}.get(row.callback, "")
    whose = f"渠道 {row.source} {came}" if came else f"来源 {row.source}  {row.event or '（无编号）'}{where}"
    return f"{row.id}  {row.received[:19]}  {whose}  {row.gist}"


def _wrongs(problems: Sequence[Wrong]) -> list[str]:
    return [f"    {each.pointer or '（整条）'}  {each.detail}" for each in problems]


def _listed(found: QuarantineList | None) -> str:
    if found is None or not found.rows:
        return "隔离区是空的。"
    lines: list[str] = []
    for row in found.rows:
        lines += [_line(row), *_wrongs(row.problems[:3])]
    return "\n".join([*lines, f"共 {len(found.rows)} 条。"])


def _shown(found: QuarantineShown) -> str:
    cut = ["（原文过长，只保存了开头）"] if found.row.cut else []
    return "\n".join([_line(found.row), *_wrongs(found.row.problems), "原文：", *cut, found.raw])


def _worked(found: QuarantineWorked, errand: str) -> str:
    lines: list[str] = []
    for each in found.events:
        flags = f"  [{','.join(each.flags)}]" if each.flags else ""
        lines.append(f"    {each.id}  {each.verdict}  {each.code}  {each.reason}{flags}")
    if found.done:
        return "\n".join([f"{found.id} 已{'重新办理' if errand == 'retry' else '丢弃'}，记入台账。", *lines])
    return "\n".join([f"{found.id} 仍在隔离区：{found.why_not}", *lines, *_wrongs(found.problems)])
