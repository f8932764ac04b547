"""The first courier process is forked from the hub, whose memory it shares; later ones are started afresh.

The fork is made before the hub has a loop, a thread, a store or a lock: later ones would copy locks in the hands of
threads that are not there.
"""

from __future__ import annotations

import asyncio
import gc
import os
import runpy
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn, Protocol

PROGRAM = "bot.relay.child"
"""What every courier process runs."""


class Process(Protocol):
    """A process that was started, as :class:`asyncio.subprocess.Process` shows one."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int:
        """Its exit code, once it has ended."""

    def kill(self) -> None:
        """End it at once."""


class Forked:
    """The first courier process, which waits for the hub's first word on ``socket``."""

    def __init__(self, pid: int, ours: socket.socket) -> None:
        self.pid = pid
        self.socket = ours
        self._code: int | None = None

    @classmethod
    def begin(cls, module: str, prepare: Callable[[], object]) -> Forked:
        """Fork a process that is ``python -m module DESCRIPTOR``, after ``prepare`` has made what both will need. Only
        for a process without threads and without a running loop; raises OSError where there can be no other."""
        import_module(PROGRAM)
        prepare()
        gc.collect()
        gc.freeze()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                raise
            if pid == 0:
                ours.close()
                _live(module, theirs.detach())
        return cls(pid, ours)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self._code is None:
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            watched = os.pidfd_open(self.pid)
            loop.add_reader(watched, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(watched)
                os.close(watched)
        return self._reaped()

    def _reaped(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def kill(self) -> None:
        """End it at once."""
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """The hub has ended: a process that nobody has spoken with, or whose end nobody waited for, goes at once."""
        self.socket.close()
        self.kill()
        self._reaped()


def _live(module: str, descriptor: int) -> NoReturn:
    """Be the module's program."""
    code: object = 1
    try:
        sys.argv = [module, str(descriptor)]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a program
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))
