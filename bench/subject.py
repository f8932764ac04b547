"""What is measured: the hub and Alertmanager, each behind the same few questions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from bench.driver import Request


class Subject(Protocol):
    """A program under load. Started by :data:`Start`, it posts each event to the receiver by itself."""

    port: int
    accepted: bytes
    """How the answer to a request that was taken begins."""

    def request(self, numbers: Sequence[int]) -> Request:
        """The POST that brings these events, each new, as a whole HTTP request."""
        ...

    def processes(self) -> dict[str, int]:
        """Its processes by name, as numbers."""
        ...


class Start(Protocol):
    """How a subject is started afresh in an empty folder, told where the receiver is; it ends with the context."""

    @property
    def name(self) -> str:
        """What it is called in the table."""
        ...

    def __call__(self, folder: Path, receiver: int) -> AbstractAsyncContextManager[Subject]: ...
