"""One measured run: events posted, all of them received, the times between, and what it cost."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.driver import Posted, Request, get, post_all, post_paced
from bench.processes import processor_seconds
from bench.subject import Subject

STILL = 60.0
"""When nothing has come for so many seconds, what is missing is lost."""
QUIET = 1.0
"""How long after the last message a doubled one is waited for, in seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of ``count`` events: events posted and delivered per second, times from POST to receiver in ms, and
    milliseconds of processor for each event, of all the subject's processes."""

    count: int
    posted: float
    delivered: float
    p50: float
    p95: float
    p99: float
    processor: float
    lost: int
    doubled: int


class Numbers:
    """Hands out numbers that no event of this bench has had yet."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> range:
        first, self._next = self._next, self._next + count
        return range(first, self._next)


Load = Callable[[Subject, Sequence[Request]], Awaitable[Posted]]


def singles(connections: int = 8) -> Load:
    """As fast as it goes over so many connections."""
    return lambda subject, requests: post_all(subject.port, requests, subject.accepted, connections)


def paced(per_second: float, connections: int = 64) -> Load:
    """At a steady rate."""
    return lambda subject, requests: post_paced(subject.port, requests, subject.accepted, connections, per_second)


async def measure(subject: Subject, receiver: int, numbers: range, load: Load, batch: int = 1) -> Measured:
    """Post the events, ``batch`` in one request, and wait until every one has come to the receiver.

    Raises RuntimeError where a request is refused.
    """
    requests = [subject.request(part) for part in parts(numbers, batch)]
    pids = list(subject.processes().values())
    worked = processor_seconds(pids)
    before = await _count(receiver)
    begun = time.monotonic_ns()
    posted = await load(subject, requests)
    if posted.refused:
        raise RuntimeError(f"{len(posted.refused)} requests were refused, the first with {posted.refused[0]!r}")
    came = await _all_came(receiver, before, len(numbers))
    worked = processor_seconds(pids) - worked
    first = {number: came[number][0] for number in numbers if number in came}
    waits = sorted((first[number] - posted.left[number]) / 1e6 for number in first)
    last = max(first.values(), default=begun)
    return Measured(
        count=len(numbers),
        posted=len(numbers) / posted.seconds,
        delivered=len(numbers) / ((last - begun) / 1e9),
        p50=quantile(waits, 0.50),
        p95=quantile(waits, 0.95),
        p99=quantile(waits, 0.99),
        processor=worked * 1000 / len(numbers),
        lost=len(numbers) - len(first),
        doubled=sum(len(came[number]) - 1 for number in first),
    )


def parts(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The numbers, ``size`` in each part."""
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


async def _count(receiver: int) -> int:
    return int((await get(receiver, "/count"))[1])


async def _all_came(receiver: int, before: int, count: int) -> dict[int, list[int]]:
    """When each number came, once ``count`` messages have come after the first ``before``, or nothing more comes."""
    seen, since = -1, time.monotonic()
    while (now := await _count(receiver) - before) < count and time.monotonic() - since < STILL:
        if now != seen:
            seen, since = now, time.monotonic()
        await asyncio.sleep(0.1)
    await asyncio.sleep(QUIET)
    told: array[int] = array("q")
    told.frombytes((await get(receiver, f"/times/{before}"))[1])
    came: dict[int, list[int]] = {}
    for number, at in zip(told[::2], told[1::2], strict=True):
        came.setdefault(number, []).append(at)
    return came


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; NaN where there is none."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
