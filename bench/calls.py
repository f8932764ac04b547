"""The door for ends of telephone calls: how long a vendor waits for its answer when many calls end at once, and while
the hub is storming. The vendor wants it within 700 ms, and pushes again after a minute what was not answered by then.

Each report is of a call of its own about an incident that is open, so the row that the door writes is a real one; whose
call it was is looked up afterwards, and found to be nobody's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import BATCH, inner, say
from bench.county import FIRST_PHONE, PHONE, StartCounty
from bench.driver import Posted, Request, http, post_all, post_paced
from bench.hub import VENDOR
from bench.measuring import Numbers, parts
from bench.ours import TOKEN, Ours
from bench.whole import Loads, Watch, codes_of
from channels.callback import Errand, callback_path

DEADLINE = 700
"""How long the vendor waits, in milliseconds."""
AT_ONCE = 256
RATE = 100.0
"""Ends of calls a second while the hub is storming."""


@dataclass(slots=True)
class Ends:
    """Each report's wait for its answer in ms, in order: of many at once, while nothing else is done, and while the hub
    is storming; and in how many seconds the storm was answered beside them."""

    many: list[float] = field(default_factory=list)
    storming: list[float] = field(default_factory=list)
    answered: float = 0.0


async def ends(loads: Loads, receiver: int, folder: Path, *, apart: bool) -> Ends:
    """Many ends at once, then some each second beside a storm. Raises RuntimeError where one was not taken."""
    start = StartCounty(loads.towns, merging=VENDOR, apart=apart, telephones=True)
    say(f"{loads.calls} calls end: {start.name}")
    numbers, found = Numbers(), Ends()
    async with start(inner(folder), receiver) as subject:
        watch = await Watch.begin(receiver)
        opened = await post_all(
            subject.port, [subject.request((n,)) for n in numbers.take(loads.towns)], subject.accepted, 8
        )
        codes = list(codes_of(opened).values())
        await watch.times(codes, 1)
        taken = numbers.take(loads.calls)
        found.many = waits(await post_all(subject.port, reports(subject, taken, codes), b"HTTP/1.1 200", AT_ONCE))
        events = [subject.request(part) for part in parts(numbers.take(loads.storm), BATCH)]
        storming = asyncio.create_task(post_all(subject.port, events, subject.accepted, 8))
        while not storming.done():
            second = reports(subject, numbers.take(round(RATE)), codes)
            found.storming += waits(await post_paced(subject.port, second, b"HTTP/1.1 200", AT_ONCE, RATE))
        posted = await storming
        codes_of(posted)
    found.answered = posted.seconds
    found.storming.sort()
    return found


def reports(subject: Ours, numbers: Sequence[int], codes: Sequence[int]) -> list[Request]:
    """One push for each number, as Alibaba Cloud makes them; the calls were about these incidents in turn."""
    path = callback_path(PHONE, TOKEN, Errand.REPORT)
    found: list[Request] = []
    for number in numbers:
        row = {
            "call_id": f"{number:012d}^{number:012d}",
            "status_code": "200000",
            "status_msg": "用户听完语音",
            "callee": str(FIRST_PHONE + number % 10_000),
            "out_id": f"A{codes[number % len(codes)]:04d}.1.s9",
            "dtmf": "1",
            "duration": "12",
        }
        found.append(((number,), http(path, subject.port, json.dumps([row], ensure_ascii=False).encode())))
    return found


def waits(posted: Posted) -> list[float]:
    """How long each waited for its answer, in ms, in order."""
    if posted.refused:
        raise RuntimeError(f"{len(posted.refused)} reports were not taken, the first with {posted.refused[0]!r}")
    return sorted((at - posted.left[numbers[0]]) / 1e6 for numbers, at, _ in posted.answers)
