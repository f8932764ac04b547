"""Child processes of a run: started, found ready, weighed, ended."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0
"""How long a process may take until it is ready, in seconds."""
_TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process whose output goes to ``log``, with ``more`` in its environment; SIGTERM at the end,
    SIGKILL if that does not help."""
    with log.open("ab") as output:
        process = subprocess.Popen(list(command), cwd=ROOT, stdout=output, stderr=output, env=os.environ | more)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def receiver() -> Iterator[int]:
    """The port of a receiver in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "bench.receiver"], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def until(ready: Callable[[], Awaitable[bool]], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it is ready. Raises RuntimeError with the end of the log where it never is."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while loop.time() < deadline and process.poll() is None:
        try:
            if await ready():
                return
        except (OSError, asyncio.IncompleteReadError):
            pass  # it does not listen yet
        await asyncio.sleep(0.05)
    raise RuntimeError(f"{process.args!r} was never ready:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-3000:]


def memory(processes: Mapping[str, int]) -> dict[str, float]:
    """The memory that these processes hold now, in MB: what each has for itself, by its name, and as ``shared`` what
    they have in common (programs, libraries, what was loaded before a fork), once: the most that one of them shares."""
    weights, shared = dict[str, float](), 0.0
    for name, pid in processes.items():
        lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        kb = {words[0].rstrip(":"): int(words[1]) for words in lines}
        weights[name] = (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024
        shared = max(shared, (kb["Shared_Clean"] + kb["Shared_Dirty"]) / 1024)
    return weights | {"shared": shared}


async def calm(pids: Sequence[int]) -> None:
    """Wait while any of these has a child that is none of them: a store that rewrites its file has one."""
    working = True
    while working:
        # Nothing announces the end of another process's child.
        await asyncio.sleep(0.5)
        working = any(children(pid) - set(pids) for pid in pids)


def children(pid: int) -> set[int]:
    """The processes that this one started and that still run."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def processor_seconds(pids: Sequence[int]) -> float:
    """How long these processes have worked since they were started, in seconds of one processor."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS
