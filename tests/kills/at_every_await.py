"""Kill the hub at every suspension of the first story, start another, and look whether the promises hold.

``python -m tests.kills.at_every_await FOLDER [--every N] [--offset N]`` prints one JSON object. Each point forks a
process that tells the story and dies there; another one waits until the leases are over, works to rest *without* any
input coming again (the source posts once), and then hears the whole story once more (the source repeats itself).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from redis import Redis

from bot.door import Door
from bot.rendering.engine import compiled
from bot.store.client import Store
from tests.kills.counted import KILLED, Countdown, run_counted
from tests.kills.invariants import broken
from tests.kills.parts import Parts, parts
from tests.kills.scenario import MINUTE, START, engine_on, settings_of, tell

LEASES_OVER = 13 * MINUTE
"""Later than any lease the dead hub may have taken, at whatever moment of the story it died."""


def main() -> int:
    wanted = argparse.ArgumentParser()
    wanted.add_argument("folder", type=Path)
    wanted.add_argument("--every", type=int, default=1)
    wanted.add_argument("--offset", type=int, default=0)
    options = wanted.parse_args()
    with parts(options.folder) as there:
        # Made once, for all the hubs that are forked from here.
        settings_of(there.config)
        compiled()
        total = _count(there)
        # The count differs a little from run to run: some points lie beyond the end, and are counted as such.
        points = range(1 + options.offset, total + total // 8, options.every)
        faults: list[str] = []
        seen: Counter[str] = Counter()
        for point in points:
            faults += [f"point {point}: {each}" for each in _one(there, point, seen)]
        report = {"suspensions": total, "points": len(points), "seen": seen, "faults": faults}
        sys.stdout.write(json.dumps(report))
    return 1 if faults else 0


def _count(there: Parts) -> int:
    """How many suspensions the story has when nobody dies; the story must be whole then."""
    _fresh(there)
    reader, writer = os.pipe()
    if os.fork() == 0:
        countdown = Countdown()
        _in_child(lambda: run_counted(_story(there, os.devnull), countdown))
        os.write(writer, str(countdown.count).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.wait()
    if status != 0:
        raise SystemExit("the story fails even when nobody kills the hub")
    return int(os.read(reader, 32))


def _one(there: Parts, point: int, seen: Counter[str]) -> list[str]:
    _fresh(there)
    promises = there.folder / "promises"
    promises.write_text("")
    if os.fork() == 0:
        _in_child(lambda: run_counted(_story(there, str(promises)), Countdown(point)))
        os._exit(0)
    _, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        seen["ended before the point"] += 1
    elif code != KILLED:
        return [f"the story ended with {code}"]
    else:
        seen["killed"] += 1
    return _recover(there, promises.read_text().split(), seen)


def _recover(there: Parts, promised: list[str], seen: Counter[str]) -> list[str]:
    report = there.folder / "report"
    report.write_text("")
    if os.fork() == 0:
        _in_child(lambda: report.write_text(json.dumps(asyncio.run(_recovery(there, promised)))))
        os._exit(0)
    _, status = os.wait()
    if status != 0:
        return [f"the recovery ended with {os.waitstatus_to_exitcode(status)}"]
    found: list[str] = json.loads(report.read_text())
    if "REPEATED" in found:
        seen["a send was repeated"] += 1
        found.remove("REPEATED")
    return found


async def _story(there: Parts, promises: str) -> None:
    _clock(there, START)
    async with engine_on(there.socket, there.config, START) as engine:
        handle = os.open(promises, os.O_WRONLY | os.O_APPEND)
        await tell(engine, lambda what: _write(handle, what), lambda at: _clock(there, at))
    await asyncio.sleep(0)


async def _recovery(there: Parts, promised: list[str]) -> list[str]:
    later = START + LEASES_OVER
    _clock(there, later)
    async with engine_on(there.socket, there.config, later) as engine:
        await engine.rest()
        received = there.ask("/received")["received"]
        found = [f"I1 {what} was accepted and nobody was told" for what in promised if not _told(what, received)]
        await tell(engine, lambda _: None, lambda at: _clock(there, at))
        await engine.rest()
        received = there.ask("/received")["received"]
        async with Store.on_socket(there.socket) as store:
            found += await broken(engine, Door(store), received, there.config.parent / "journal", repeats=1)
        sends = Counter((each["vendor"], each["address"], each["text"]) for each in received)
        if any(count > 1 for count in sends.values()):
            found.append("REPEATED")
        return found


def _told(what: str, received: list[dict[str, str]]) -> bool:
    """Whether the promise of this input was kept: e1 and e2 ring a worker's phone, m1 is answered, e3 is told."""
    phone, words = {
        "e1": ("13800130001", "除尘器"),
        "m1": ("13800130001", "已记录签收"),
        "e2": ("13800130005", "一氧化碳"),
        "e3": ("13800130001", "关闭"),
    }[what]
    return any(each["address"] == phone and words in each["text"] for each in received)


def _fresh(there: Parts) -> None:
    with Redis(unix_socket_path=str(there.socket)) as client:
        client.flushall()
    there.ask("/reset", b"")


def _clock(there: Parts, at: int) -> None:
    there.ask("/clock", str(at).encode())


def _write(handle: int, what: str) -> None:
    os.write(handle, f"{what}\n".encode())


def _in_child(work: Callable[[], object]) -> None:
    """Run in a forked child: whatever goes wrong is shown, and the child never returns into its parent's code."""
    whole = False
    try:
        work()
        whole = True
    finally:
        if not whole:
            traceback.print_exc()
            os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
