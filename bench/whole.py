"""The whole path under load: a storm, a flood of clocks, many persons, a vendor that hangs.

Events are followed by their incidents' codes: the answer to a POST names them, and the receiver finds them in messages,
several in a digest.
"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.cases import BATCH, FILL, inner, say
from bench.county import StartCounty
from bench.driver import Posted, get, post_all, post_paced
from bench.hub import LIFTED, VENDOR
from bench.measuring import STILL, Numbers, parts
from bench.ours import Ours
from bench.processes import calm, processor_seconds


@dataclass(frozen=True, slots=True)
class Loads:
    """How much is done in one run."""

    storm: int = 10_000
    towns: int = 100
    clocks: int = 100_000
    single_rate: float = 20.0
    persons: int = 2_000
    hang_rate: float = 100.0
    hang_seconds: int = 20
    calls: int = 2_048
    rounds: int = 2


BRIEF = Loads(storm=1_000, towns=20, clocks=2_000, persons=400, hang_seconds=5, calls=512, rounds=1)
ANSWERS_AFTER = 50
"""After how many milliseconds the vendor of the many persons answers."""
HANGS = 30_000
"""How long the vendor hangs, in milliseconds; a send gives up before that."""


@dataclass(frozen=True, slots=True)
class Storm:
    """Seconds from the first POST until everything was answered, and until the last was told; in how many messages'
    worth of codes; milliseconds of processor for each event."""

    answered: float
    told: float
    processor: float
    lost: int


@dataclass(frozen=True, slots=True)
class Flood:
    """Seconds until the last of the due clocks was told of; of the events that came meanwhile, each wait in ms for the
    answer and for the message, in order."""

    worked_off: float
    answers: list[float]
    messages: list[float]
    processor: float
    lost: int


@dataclass(frozen=True, slots=True)
class Many:
    """Messages a second to so many persons, milliseconds of processor for each, those that never came or came twice."""

    rate: float
    processor: float
    lost: int
    doubled: int


@dataclass(frozen=True, slots=True)
class Beside:
    """Waits of a channel in ms, in order, while its neighbour answers, and while it hangs."""

    prompt: list[float]
    hanging: list[float]
    lost: int


class Watch:
    """The codes that the receiver has seen since this was made."""

    def __init__(self, receiver: int, before: int) -> None:
        self._receiver = receiver
        self._before = before

    @classmethod
    async def begin(cls, receiver: int) -> Watch:
        return cls(receiver, int((await get(receiver, "/codes/count"))[1]))

    async def times(self, wanted: Iterable[int], each: int, still: float = STILL) -> dict[int, list[int]]:
        """When each of the ``wanted`` codes came (ns), once all have come ``each`` times, or nothing has for long."""
        missing = dict.fromkeys(wanted, each)
        found: dict[int, list[int]] = {code: [] for code in missing}
        seen, since = self._before, time.monotonic()
        while missing and time.monotonic() - since < still:
            await asyncio.sleep(0.1)
            told: array[int] = array("q")
            told.frombytes((await get(self._receiver, f"/codes/times/{seen}"))[1])
            if not told:
                continue
            seen, since = seen + len(told) // 2, time.monotonic()
            for code, at in zip(told[::2], told[1::2], strict=True):
                if code in found:
                    found[code].append(at)
                    if len(found[code]) == each:
                        del missing[code]
        return found


def codes_of(posted: Posted) -> dict[int, int]:
    """The number of the code that each event's incident got. Raises RuntimeError where a request was refused."""
    if posted.refused:
        raise RuntimeError(f"{len(posted.refused)} requests were refused, the first with {posted.refused[0]!r}")
    codes: dict[int, int] = {}
    for numbers, _, body in posted.answers:
        items: list[dict[str, Any]] = orjson.loads(body)["items"]
        codes.update(zip(numbers, (int(item["code"][1:]) for item in items), strict=True))
    return codes


async def _post(subject: Ours, numbers: Sequence[int], batch: int, connections: int = 8) -> Posted:
    requests = [subject.request(part) for part in parts(numbers, batch)]
    return await post_all(subject.port, requests, subject.accepted, connections)


def _worked(subject: Ours) -> float:
    return processor_seconds(list(subject.processes().values()))


async def storm(loads: Loads, receiver: int, folder: Path, *, apart: bool) -> Storm:
    """Many events at once onto many duty rooms, merged into digests."""
    start = StartCounty(loads.towns, merging=VENDOR, apart=apart)
    say(f"{loads.storm} events onto {loads.towns} duty rooms: {start.name}")
    numbers = Numbers()
    async with start(inner(folder), receiver) as subject:
        warm = await Watch.begin(receiver)
        await warm.times(codes_of(await _post(subject, numbers.take(loads.towns), 1)).values(), 1)
        watch, worked, begun = await Watch.begin(receiver), _worked(subject), time.monotonic_ns()
        posted = await _post(subject, numbers.take(loads.storm), BATCH)
        came = await watch.times(codes_of(posted).values(), 1)
        worked = _worked(subject) - worked
    told = [times[0] for times in came.values() if times]
    return Storm(
        answered=posted.seconds,
        told=(max(told, default=begun) - begun) / 1e9,
        processor=worked * 1000 / loads.storm,
        lost=len(came) - len(told),
    )


async def flood(loads: Loads, receiver: int, folder: Path) -> Flood:
    """Many clocks due at one moment, while new events come to a duty room of their own."""
    start = StartCounty(loads.towns + 1, merging=LIFTED)
    say(f"{loads.clocks} clocks due at once: {start.name}")
    async with start(inner(folder), receiver) as subject:
        opened, fresh = _towns_but_last(loads.clocks, loads.towns + 1)
        watch = await Watch.begin(receiver)
        old = codes_of(await _post(subject, opened, FILL, connections=2))
        await watch.times(old.values(), 1)
        await calm(list(subject.processes().values()))
        watch, worked = await Watch.begin(receiver), _worked(subject)
        stop = asyncio.Event()
        begun = time.monotonic_ns()
        subject.leap()
        posting = asyncio.create_task(_until(stop, subject, fresh, loads.towns + 1, loads.single_rate))
        due = await watch.times(old.values(), 1)
        stop.set()
        posted = await posting
        new = codes_of(posted)
        came = await watch.times(new.values(), 1, still=5.0)
        worked = _worked(subject) - worked
    reminded = [times[0] for times in due.values() if times]
    answered = {number: at for numbers, at, _ in posted.answers for number in numbers}
    told = {number: came[code][0] for number, code in new.items() if came[code]}
    return Flood(
        worked_off=(max(reminded, default=begun) - begun) / 1e9,
        answers=sorted((at - posted.left[number]) / 1e6 for number, at in answered.items()),
        messages=sorted((at - posted.left[number]) / 1e6 for number, at in told.items()),
        processor=worked * 1000 / loads.clocks,
        lost=len(due) - len(reminded) + len(new) - len(told),
    )


def _towns_but_last(count: int, towns: int) -> tuple[list[int], int]:
    """So many numbers of all towns but the last; the first number of the last town above them."""
    numbers = [number for number in range(count * towns // (towns - 1) + towns) if number % towns != towns - 1][:count]
    return numbers, (numbers[-1] // towns + 1) * towns + towns - 1


async def _until(stop: asyncio.Event, subject: Ours, first: int, step: int, rate: float) -> Posted:
    """Post singles at this rate until told to stop; a second's worth at least."""
    posted, number = Posted(), first
    while not stop.is_set() or number == first:
        these = range(number, number + step * math.ceil(rate), step)
        requests = [subject.request((each,)) for each in these]
        some = await post_paced(subject.port, requests, subject.accepted, 16, rate)
        posted.left |= some.left
        posted.answers += some.answers
        posted.refused += some.refused
        number = these.stop
    return posted


async def many(loads: Loads, receiver: int, folder: Path, *, apart: bool) -> Many:
    """One alarm in each town, told to each person there by SMS."""
    each = loads.persons // loads.towns
    start = StartCounty(loads.towns, persons=each, delays=(ANSWERS_AFTER,), apart=apart)
    say(f"{loads.persons} persons: {start.name}")
    numbers = Numbers()
    async with start(inner(folder), receiver) as subject:
        warm = await Watch.begin(receiver)
        await warm.times(codes_of(await _post(subject, numbers.take(loads.towns), BATCH)).values(), each)
        watch, worked, begun = await Watch.begin(receiver), _worked(subject), time.monotonic_ns()
        posted = await _post(subject, numbers.take(loads.towns), BATCH)
        came = await watch.times(codes_of(posted).values(), each)
        worked = _worked(subject) - worked
    counts = [len(times) for times in came.values()]
    last = max((at for times in came.values() for at in times), default=begun)
    return Many(
        rate=sum(counts) / max((last - begun) / 1e9, 1e-9),
        processor=worked * 1000 / loads.persons,
        lost=sum(max(0, each - count) for count in counts),
        doubled=sum(max(0, count - each) for count in counts),
    )


async def beside(loads: Loads, receiver: int, folder: Path, *, apart: bool) -> Beside:
    """Two duty rooms, each with a channel of its own: what the second waits while the first answers, or hangs."""
    waits: dict[int, list[float]] = {0: [], HANGS: []}
    lost = 0
    for _ in range(loads.rounds):
        for delay, found in waits.items():
            start = StartCounty(2, delays=(delay, 0), apart=apart)
            say(f"a neighbour that answers after {delay / 1000:.0f} s: {start.name}")
            numbers = Numbers()
            async with start(inner(folder), receiver) as subject:
                await _post(subject, numbers.take(100), 1)
                watch = await Watch.begin(receiver)
                requests = [subject.request((n,)) for n in numbers.take(int(loads.hang_rate * loads.hang_seconds))]
                posted = await post_paced(subject.port, requests, subject.accepted, 64, loads.hang_rate)
                codes = {number: code for number, code in codes_of(posted).items() if number % 2}
                came = await watch.times(codes.values(), 1, still=10.0)
            found += [(came[code][0] - posted.left[number]) / 1e6 for number, code in codes.items() if came[code]]
            lost += sum(not times for times in came.values())
    return Beside(sorted(waits[0]), sorted(waits[HANGS]), lost)
