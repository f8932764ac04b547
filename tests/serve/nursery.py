"""Where processes of the tests are born: a process that has imported the program forks one whenever it is asked.

``fenghuo`` is as much a process of its own as from a shell, with a pid, its own signals, folders and files; only the
second that importing costs is spent once for all of them. One test starts the program from a shell all the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.rendering.engine import compiled
from tests.county import prepare

ROOT = Path(__file__).parents[2]


Constant = float | tuple[float, ...]


class Child:
    """A process that was born in the nursery, as :class:`subprocess.Popen` shows one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def _end(self, code: int) -> None:
        self.returncode = code
        self._ended.set()

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code, once it has ended. Raises TimeoutError."""
        if not self._ended.wait(seconds):
            raise TimeoutError(f"process {self.pid} still runs after {seconds} s")
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


class Nursery:
    """Forks ``fenghuo`` and the vendors. One for a whole test session."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.serve.nursery", str(theirs.fileno())], cwd=ROOT, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self._socket = ours
        self._asking = threading.Lock()
        self._born: dict[int, Child] = {}
        self._early: dict[int, int] = {}
        self._answers: list[int] = []
        self._answered = threading.Condition()
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path,
        out: Path,
        err: Path,
        stdin: Path | None = None,
        program: str = "fenghuo",
        env: Mapping[str, str] | None = None,
        constants: Mapping[str, Constant] | None = None,
    ) -> Child:
        """Start ``program`` (``fenghuo``, or ``vendors``) with what it prints added to files.

        With ``stdin`` it has a session of its own, whose terminal that is where it is one. ``constants`` have other
        values in this process, by the names they are known under (``bot.schedule.FILE_SECONDS``).
        """
        asked = {
            "program": program,
            "arguments": list(arguments),
            "cwd": str(cwd),
            "out": str(out),
            "err": str(err),
            "in": str(stdin or ""),
            "env": dict(env or {}),
            "constants": dict(constants or {}),
        }
        with self._asking:
            self._socket.sendall(json.dumps(asked).encode() + b"\n")
            with self._answered:
                assert self._answered.wait_for(lambda: self._answers, 60), "the nursery does not answer"
                pid = self._answers.pop()
                child = self._born[pid] = Child(pid)
                if pid in self._early:
                    child._end(self._early.pop(pid))
                return child

    def _listen(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                said: dict[str, int] = json.loads(line)
                with self._answered:
                    if "code" not in said:
                        self._answers.append(said["pid"])
                    elif (child := self._born.pop(said["pid"], None)) is not None:
                        child._end(said["code"])
                    else:
                        self._early[said["pid"]] = said["code"]
                    self._answered.notify_all()

    def close(self) -> None:
        """End it; nobody is born any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._process.wait(30)


def _import_all() -> None:
    """What every child needs, and what it would import on its way."""
    for name in ("bot.cli", "tests.serve.vendors"):
        import_module(name)
    compiled()
    prepare()


def _serve(channel: socket.socket) -> None:
    """Fork for each line that asks, and say how each child ended, until nobody asks any more."""
    _import_all()
    children: set[int] = set()
    bell, ring = socket.socketpair()
    for end in (bell, ring):
        end.setblocking(False)
    signal.set_wakeup_fd(ring.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = b""
    while True:
        ready, _, _ = select.select([channel, bell], [], [])
        if bell in ready:
            with contextlib.suppress(BlockingIOError):
                bell.recv(4096)
            _reap(channel, children)
        if channel in ready:
            data = channel.recv(65536)
            if not data:
                break
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    for end in (bell, ring, channel):
                        end.close()
                    _live(json.loads(line))
                children.add(pid)
                channel.sendall(json.dumps({"pid": pid}).encode() + b"\n")
    for pid in children:
        # The tests are over, in order or not: nobody is left behind.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _reap(channel: socket.socket, children: set[int]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            children.discard(pid)
            channel.sendall(json.dumps({"pid": pid, "code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def _live(asked: dict[str, Any]) -> None:
    """Be the program, and never return."""
    code = 1
    try:
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(asked["cwd"])
        os.environ.update(asked["env"])
        if asked["in"]:
            os.setsid()
            _open_as(0, asked["in"], os.O_RDONLY)
        for name, descriptor in (("out", 1), ("err", 2)):
            _open_as(descriptor, asked[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for name, value in asked["constants"].items():
            module, _, constant = name.rpartition(".")
            before = getattr(import_module(module), constant)
            setattr(import_module(module), constant, type(before)(value))
        code = _program(asked["program"], asked["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (as the interpreter does at the end of a program)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _open_as(descriptor: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)


def _program(name: str, arguments: list[str]) -> int:
    if name == "vendors":
        from tests.serve.vendors import serve

        asyncio.run(serve(Path(arguments[0]), int(arguments[1])))
        return 0
    from bot.cli import main

    return main(arguments)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
