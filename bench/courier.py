"""The courier process of a hub under measurement, without the vendor's limit (see :mod:`bench.hub`)."""

from __future__ import annotations

import sys

import aiohttp

from bench.hub import unlimited
from bot.relay.child import main
from bot.sessions import open_channels
from bot.settings.models import Settings
from channels.channel import Channel


def _open(settings: Settings, session: aiohttp.ClientSession) -> dict[str, Channel]:
    channels = open_channels(settings, session)
    unlimited(channels)
    return channels


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), _open))
