"""Connections to vendors: one session for all channels of a process."""

from __future__ import annotations

import aiohttp

from bot.settings.models import Settings
from channels.channel import Channel
from channels.registry import open_channel


def vendor_session() -> aiohttp.ClientSession:
    """A session whose connections are kept and shared. A vendor's cookie is of no use to us."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=256), cookie_jar=aiohttp.DummyCookieJar()
    )


def open_channels(settings: Settings, session: aiohttp.ClientSession) -> dict[str, Channel]:
    """The drivers of all configured channels by name; none connects yet."""
    return {name: open_channel(name, table, session) for name, table in settings.channels.items()}
