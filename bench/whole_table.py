"""The second table: the whole path under load, each figure with its aim beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench import calls, whole
from bench.calls import Ends
from bench.cases import BATCH
from bench.measuring import quantile
from bench.table import line
from bench.whole import ANSWERS_AFTER, HANGS, Beside, Flood, Loads, Many, Storm

Row = tuple[str, str, str, str]
Run = TypeVar("Run")


@dataclass(slots=True)
class Found:
    """What was measured, ``apart`` with a courier process; what was not asked for is None."""

    storm: dict[bool, Storm] = field(default_factory=dict)
    flood: Flood | None = None
    many: dict[bool, Many] = field(default_factory=dict)
    beside: dict[bool, Beside] = field(default_factory=dict)
    ends: dict[bool, Ends] = field(default_factory=dict)


CASES = ("storm", "clocks", "persons", "hang", "call-reports")


async def measured(wanted: frozenset[str], loads: Loads, receiver: int, folder: Path) -> Found:
    """Run these of the :data:`CASES`, one after the other."""
    found = Found()
    for apart in (False, True):
        if "storm" in wanted:
            found.storm[apart] = await whole.storm(loads, receiver, folder, apart=apart)
        if "persons" in wanted:
            found.many[apart] = await whole.many(loads, receiver, folder, apart=apart)
        if "hang" in wanted:
            found.beside[apart] = await whole.beside(loads, receiver, folder, apart=apart)
        if "call-reports" in wanted:
            found.ends[apart] = await calls.ends(loads, receiver, folder, apart=apart)
    if "clocks" in wanted:
        found.flood = await whole.flood(loads, receiver, folder)
    return found


def rows(found: Found, loads: Loads) -> list[Row]:
    """What, ours as it ships, ours with a courier process, the aim."""
    table = [*_storm(found, loads), *_flood(found.flood, loads), *_many(found, loads), *_beside(found, loads)]
    return [*table, *_ends(found, loads)]


def _both(what: str, runs: dict[bool, Run], shown: Callable[[Run], str], aim: str = "") -> Row:
    return what, shown(runs[False]), shown(runs[True]), aim


def _storm(found: Found, loads: Loads) -> list[Row]:
    if not found.storm:
        return []
    what = f"{loads.storm:,} events in batches of {BATCH} onto {loads.towns} robots with the vendor's limit"
    runs = found.storm
    return [
        _both(f"{what}: everything answered", runs, lambda run: f"{run.answered:.1f} s"),
        _both(f"{what}: the last told", runs, lambda run: f"{run.told:.1f} s", "≤ 2.5 s"),
        _both(f"{what}: processor for an event", runs, lambda run: f"{run.processor:.2f} ms"),
        _both(f"{what}: lost", runs, lambda run: f"{run.lost}", "0"),
    ]


def _flood(run: Flood | None, loads: Loads) -> list[Row]:
    if run is None:
        return []
    what = f"{loads.clocks:,} clocks due at once"
    rate = f"{loads.single_rate:.0f} new events a second meanwhile"
    return [
        (f"{what}: the last reminder told", f"{run.worked_off:.1f} s", "", ""),
        (f"{what}: processor for a clock", f"{run.processor:.2f} ms", "", ""),
        (f"{rate}: answered, p99 and worst", _tail(run.answers), "", "≤ 1,000 ms"),
        (f"{rate}: told, p99 and worst", _tail(run.messages), "", "≤ 1,000 ms"),
        (f"{what}: lost", f"{run.lost}", "", "0"),
    ]


def _tail(waits: list[float]) -> str:
    return f"{quantile(waits, 0.99):,.0f} and {quantile(waits, 1.0):,.0f} ms of {len(waits):,}"


def _many(found: Found, loads: Loads) -> list[Row]:
    if not found.many:
        return []
    what = f"{loads.persons:,} persons by a vendor that answers after {ANSWERS_AFTER} ms"
    runs = found.many
    return [
        _both(what, runs, lambda run: f"{run.rate:,.0f} /s", "≥ 1,000 /s"),
        _both(f"{what}: processor for a message", runs, lambda run: f"{run.processor:.2f} ms"),
        _both(f"{what}: lost, doubled", runs, lambda run: f"{run.lost}, {run.doubled}", "0"),
    ]


def _beside(found: Found, loads: Loads) -> list[Row]:
    if not found.beside:
        return []
    what = f"{loads.hang_rate / 2:.0f}/s to each of two robots"
    hangs = f"one of which hangs {HANGS / 1000:.0f} s"
    runs = found.beside
    return [
        _both(f"{what}, both answer: p50, p99", runs, lambda run: _waits(run.prompt)),
        _both(f"{what}, {hangs}: p50, p99 of the other", runs, lambda run: _waits(run.hanging), "the same"),
        _both("lost by the other", runs, lambda run: f"{run.lost}", "0"),
    ]


def _ends(found: Found, loads: Loads) -> list[Row]:
    if not found.ends:
        return []
    runs, aim = found.ends, f"≤ {calls.DEADLINE} ms"
    many = f"{loads.calls:,} calls end, {calls.AT_ONCE} at once: the vendor waits, p50, p99, worst"
    storming = f"{calls.RATE:.0f} a second beside {loads.storm:,} events in batches of {BATCH}: p50, p99, worst"
    return [
        _both(many, runs, lambda run: _to_the_worst(run.many), aim),
        _both(storming, runs, lambda run: _to_the_worst(run.storming), aim),
        _both("the events beside them: everything answered", runs, lambda run: f"{run.answered:.1f} s"),
    ]


def _to_the_worst(waits: list[float]) -> str:
    late = sum(each > calls.DEADLINE for each in waits)
    figures = f"{quantile(waits, 0.5):,.0f}, {quantile(waits, 0.99):,.0f}, {quantile(waits, 1.0):,.0f} ms"
    return f"{figures} of {len(waits):,}" + (f", {late} too late" if late else "")


def _waits(waits: list[float]) -> str:
    return f"{quantile(waits, 0.5):,.1f}, {quantile(waits, 0.99):,.1f} ms"


def markdown(table: list[Row]) -> str:
    """The table as text."""
    head: Row = ("the whole path", "Fenghuo", "with a courier process", "aim")
    return "\n".join([line(head), line(("---", "---:", "---:", "---")), *map(line, table)])
