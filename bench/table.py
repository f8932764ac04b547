"""The first table, in Markdown: machine, versions, durability, figures, ratios."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from bench import bare, ours, theirs
from bench.cases import BATCH, PER_SECOND, Growth, Rounds, Sizes
from bench.measuring import Measured

_PARTS = ("aiohttp", "redis", "hiredis", "uvloop")

Row = tuple[str, str, str, str, str]


def machine(folder: Path, store: str) -> list[str]:
    """Lines that say where and with what this was measured."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    load = os.getloadavg()[0]
    return [
        f"- machine: {os.cpu_count()} × {processor}, {platform.system()} {platform.release()}",
        f"- data on {_file_system(folder)}; load before the run {load:.1f}",
        f"- Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in _PARTS)}, {store}",
        "- durability: the hub answers when the commit is fsynced (`appendfsync always`); Alertmanager keeps to memory",
    ]


def _file_system(folder: Path) -> str:
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [each for each in mounts if folder.resolve().is_relative_to(each[1])]
    return max(holding, key=lambda each: len(each[1]))[2]


def rows(found: dict[str, Rounds], grown: Growth, sizes: Sizes, absent: str) -> list[Row]:
    """What, ours as it ships, ours with a courier process, theirs (or why they are ``absent``), both ratios with their
    aim."""
    own, apart, other = found[ours.NAME], found[ours.APART], found.get(theirs.NAME)

    def compared(what: str, pick: Callable[[Rounds], Sequence[float]], unit: str, aim: str, digits: int = 0) -> Row:
        mine, two = statistics.median(pick(own)), statistics.median(pick(apart))
        shown = (f"{mine:,.{digits}f} {unit}", f"{two:,.{digits}f} {unit}")
        if other is None:
            return what, *shown, absent, ""
        peer = statistics.median(pick(other))
        return what, *shown, f"{peer:,.{digits}f} {unit}", f"{mine / peer:.3g}, {two / peer:.3g}{aim}"

    def of(
        pick: Callable[[Measured], float], runs: Callable[[Rounds], list[Measured]]
    ) -> Callable[[Rounds], list[float]]:
        return lambda rounds: [pick(run) for run in runs(rounds)]

    def single(rounds: Rounds) -> list[Measured]:
        return rounds.singles

    def steady(rounds: Rounds) -> list[Measured]:
        return rounds.paced

    def batched(rounds: Rounds) -> list[Measured]:
        return rounds.batched

    one = f"{sizes.singles:,} singles, 8 connections"
    even = f"{PER_SECOND}/s for {sizes.paced_seconds} s"
    many = f"{sizes.batched:,} in batches of {BATCH}"
    table = [
        compared(f"{one}: answered", of(lambda m: m.posted, single), "/s", ""),
        compared(f"{one}: delivered", of(lambda m: m.delivered, single), "/s", " (aim ≥ 0.2, 0.4)"),
        compared(f"{one}: p50", of(lambda m: m.p50, single), "ms", "", 1),
        compared(f"{one}: p95", of(lambda m: m.p95, single), "ms", "", 1),
        compared(f"{one}: p99", of(lambda m: m.p99, single), "ms", "", 1),
        compared(f"{one}: processor for an event", of(lambda m: m.processor, single), "ms", "", 2),
        compared(f"{even}: p50", of(lambda m: m.p50, steady), "ms", "", 1),
        compared(f"{even}: p99", of(lambda m: m.p99, steady), "ms", " (aim ≤ 3)", 1),
        compared(f"{many}: answered", of(lambda m: m.posted, batched), "/s", ""),
        compared(f"{many}: delivered", of(lambda m: m.delivered, batched), "/s", ""),
        compared("memory after the singles", lambda rounds: rounds.memory, "MB", ""),
    ]
    floor = found[bare.NAME]
    for what, pick, unit in (
        (f"{one}: delivered", of(lambda m: m.delivered, single), "/s"),
        (f"{one}: processor for an event", of(lambda m: m.processor, single), "ms"),
        (f"{even}: p99", of(lambda m: m.p99, steady), "ms"),
    ):
        least = statistics.median(pick(floor))
        beside = f" ({least / statistics.median(pick(other)):.2g})" if other is not None else ""
        table.append((f"aiohttp alone, nothing decided or kept: {what}", "", "", "", f"{least:,.3g} {unit}{beside}"))
    for size, weights in grown.memory.items():
        parts = " + ".join(f"{name} {weight:.0f}" for name, weight in weights.items())
        aim = "(aim ≤ 150 MB)" if size == sizes.open else ""
        table.append((f"memory with {size:,} open", f"{sum(weights.values()):.0f} MB ({parts})", "", "", aim))
    probes = {sizes.few: grown.few, sizes.many: grown.many}
    for size, probe in probes.items():
        figure = f"{probe.processor:.2f} ms processor, {probe.delivered:,.0f}/s"
        table.append((f"an event with {size:,} open", figure, "", "", ""))
    ratio = f"{grown.many.processor / grown.few.processor:.2f}, {grown.few.delivered / grown.many.delivered:.2f}"
    table.append((f"the same, {sizes.many:,} to {sizes.few:,} open", ratio, "", "", "(aim ≤ 1.2)"))
    for name, rounds in found.items():
        runs = [
            *rounds.singles,
            *rounds.paced,
            *rounds.batched,
            *((grown.few, grown.many) if name == ours.NAME else ()),
        ]
        figure = f"{sum(run.lost for run in runs)} lost, {sum(run.doubled for run in runs)} doubled"
        table.append((f"of {sum(run.count for run in runs):,} events", *_placed(name, figure), "(aim 0)"))
    return table


def _placed(name: str, figure: str) -> tuple[str, str, str]:
    """The figure in its subject's column."""
    own, apart, other = (figure if name == each else "" for each in (ours.NAME, ours.APART, theirs.NAME))
    return own, apart, other


def markdown(table: list[Row], peer: str) -> str:
    """The table as text."""
    head: Row = ("what", "Fenghuo", "with a courier process", f"Alertmanager {peer}".strip(), "ratios")
    return "\n".join([line(head), line(("---", "---:", "---:", "---:", "---")), *map(line, table)])


def line(row: Sequence[str]) -> str:
    """A row in Markdown."""
    return "| " + " | ".join(row) + " |"
