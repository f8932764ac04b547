"""``fenghuo serve`` without the vendor's limit: ``python -m bench.hub CONFIG``.

A group robot takes twenty messages a minute, and the hub keeps to it; to measure the hub and not the limit, the robot's
abilities are replaced here by ones without windows and without merging. Everything else is the command as it ships.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from unittest.mock import patch

from bot.cli import main
from bot.hub import Hub
from bot.settings.models import Settings
from channels.channel import Channel

AT_ONCE = 64


def unlimited(channels: Mapping[str, Channel]) -> None:
    """Take the vendor's limits away."""
    for channel in channels.values():
        channel.abilities = dataclasses.replace(channel.abilities, windows=(), reserve=0, digest=False, at_once=AT_ONCE)


class UnlimitedHub(Hub):
    """A hub whose channels have no limits of the vendor."""

    courier_module = "bench.courier"

    def _open_channels(self, settings: Settings) -> dict[str, Channel]:
        channels = super()._open_channels(settings)
        unlimited(channels)
        return channels


if __name__ == "__main__":
    with patch("bot.serving.Hub", UnlimitedHub):
        sys.exit(main(["serve", "--config", sys.argv[1]]))
