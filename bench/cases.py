"""The cases: what is run, on what, in which order."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.measuring import Measured, Numbers, measure, paced, singles
from bench.processes import calm, memory
from bench.subject import Start

PER_SECOND = 500
BATCH = 64
FILL = 500
"""How many events of a filling share one request; the hub takes no more by default."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done in one run."""

    singles: int = 10_000
    paced_seconds: int = 10
    batched: int = 10_000
    rounds: int = 2
    few: int = 1_000
    open: int = 10_000
    many: int = 100_000
    probe: int = 2_000


BRIEF = Sizes(singles=1_000, paced_seconds=2, batched=1_000, rounds=1, few=200, open=1_000, many=2_000, probe=500)


@dataclass(slots=True)
class Rounds:
    """The runs of one subject, one of each round in each list."""

    singles: list[Measured] = field(default_factory=list)
    paced: list[Measured] = field(default_factory=list)
    batched: list[Measured] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Growth:
    """The hub with few and with many incidents open: the same probe on both, and MB by process at three sizes."""

    few: Measured
    many: Measured
    memory: dict[int, dict[str, float]]


def say(words: str) -> None:
    """Tell whoever waits how far it is."""
    print(words, file=sys.stderr, flush=True)


async def side_by_side(starts: Sequence[Start], sizes: Sizes, receiver: int, folder: Path) -> dict[str, Rounds]:
    """Round after round, each subject in turn and afresh, so that a busy machine is as busy for all of them."""
    found = {start.name: Rounds() for start in starts}
    numbers = Numbers()
    for number in range(sizes.rounds):
        for start in starts:
            say(f"round {number + 1} of {sizes.rounds}: {start.name}")
            rounds = found[start.name]
            async with start(inner(folder), receiver) as subject:
                # The first events of a process pay for imports, connections and codes.
                await measure(subject, receiver, numbers.take(sizes.singles // 20), singles())
                run = numbers.take(sizes.singles)
                rounds.singles.append(await measure(subject, receiver, run, singles()))
                rounds.memory.append(sum(memory(subject.processes()).values()))
            async with start(inner(folder), receiver) as subject:
                await measure(subject, receiver, numbers.take(PER_SECOND), paced(PER_SECOND))
                run = numbers.take(PER_SECOND * sizes.paced_seconds)
                rounds.paced.append(await measure(subject, receiver, run, paced(PER_SECOND)))
                run = numbers.take(sizes.batched)
                rounds.batched.append(await measure(subject, receiver, run, singles(), BATCH))
    return found


async def growth(start: Start, sizes: Sizes, receiver: int, folder: Path) -> Growth:
    """One hub from empty to many open incidents."""
    numbers = Numbers()
    weights: dict[int, dict[str, float]] = {}
    async with start(inner(folder), receiver) as subject:
        probes: list[Measured] = []
        for size in (sizes.few, sizes.open, sizes.many):
            say(f"{start.name}: {size} open incidents")
            missing = size - numbers.take(0).start
            await measure(subject, receiver, numbers.take(missing), singles(2), FILL)
            weights[size] = memory(subject.processes())
            if size != sizes.open:
                # A rewrite of the append-only file takes a processor for a while, however many are open.
                await calm(list(subject.processes().values()))
                probes.append(await measure(subject, receiver, numbers.take(sizes.probe), singles()))
    return Growth(probes[0], probes[1], weights)


def inner(folder: Path) -> Path:
    """A new folder for one start of a subject."""
    return Path(tempfile.mkdtemp(prefix="run-", dir=folder))
