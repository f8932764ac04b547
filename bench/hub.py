"""``fenghuo serve`` without the vendor's limit: ``python -m bench.hub CONFIG``.

A group robot takes twenty messages a minute, and the hub keeps to it; to measure the hub and not the limit, the robot's
abilities are replaced here by ones without windows and without merging. Where the environment says ``MERGING``, what
waits is merged: with the vendor's own limit, or where it says ``LIFTED``, with ``A_SECOND`` messages in each second.
Each SIGUSR1 pushes the clock by
``LEAP``. Everything else is the command as it ships.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Mapping
from unittest.mock import patch

from bot.cli import main
from bot.clock import WallClock
from bot.hub import Hub
from bot.settings.models import Settings
from channels.channel import Channel, Window

AT_ONCE = 192
MERGING = "FENGHUO_BENCH_MERGING"
VENDOR = "vendor"
LIFTED = "lifted"
A_SECOND = 4
"""Of which one is kept for critical messages."""
LEAP = 3 * 3_600_000
"""Milliseconds: until the first step of the ladder of the clocks that ``bench.ours`` writes."""


def unlimited(channels: Mapping[str, Channel]) -> None:
    """Take the vendor's limits away."""
    merging = os.environ.get(MERGING, "")
    for channel in channels.values():
        abilities = dataclasses.replace(channel.abilities, at_once=AT_ONCE)
        if merging != VENDOR:
            windows = (Window(A_SECOND, 1),) if merging else ()
            abilities = dataclasses.replace(
                abilities, windows=windows, reserve=int(bool(merging)), digest=bool(merging)
            )
        channel.abilities = abilities


class LeapingClock(WallClock):
    """The machine's clock, and what it was pushed by."""

    def __init__(self) -> None:
        self._ahead = 0
        signal.signal(signal.SIGUSR1, lambda _number, _frame: self._leap())

    def now(self) -> int:
        return super().now() + self._ahead

    def _leap(self) -> None:
        self._ahead += LEAP


class UnlimitedHub(Hub):
    """A hub whose channels have no limits of the vendor."""

    courier_module = "bench.courier"

    def _open_channels(self, settings: Settings) -> dict[str, Channel]:
        channels = super()._open_channels(settings)
        unlimited(channels)
        return channels


if __name__ == "__main__":
    with (
        patch("bot.serving.Hub", UnlimitedHub),
        patch("bot.cli.Hub", UnlimitedHub),
        patch("bot.serving.WallClock", LeapingClock),
    ):
        sys.exit(main(["serve", "--config", sys.argv[1]]))
