"""The hub's time: one number, milliseconds since the epoch, handed to everything that needs it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where ``now`` comes from."""

    def now(self) -> int:
        """Milliseconds since the epoch."""
        ...


class WallClock:
    """The machine's clock, for real use."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000


class PushedClock:
    """A clock that stands where it was put, for replay and tests; ``running``, it also runs on, for the demo."""

    def __init__(self, at: int, *, running: bool = False) -> None:
        self._at = at
        self._since = time.monotonic_ns() if running else None

    def now(self) -> int:
        if self._since is None:
            return self._at
        return self._at + (time.monotonic_ns() - self._since) // 1_000_000

    def push_to(self, at: int) -> None:
        """Move forward to ``at``; never back."""
        if at <= self.now():
            return
        self._at = at
        if self._since is not None:
            self._since = time.monotonic_ns()
