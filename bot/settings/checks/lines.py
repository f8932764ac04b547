"""One long connection of each account: a second channel for the same one would hear nothing, or be displaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import aiohttp

from bot.settings.checks.draft import Draft
from bot.settings.problem import Finding
from channels.longline import LongLine
from channels.registry import open_channel


def lines(draft: Draft) -> Iterator[Finding]:
    """Channels that want the line of an account that another channel has."""
    first: dict[str, str] = {}
    for name, (settings, _) in draft.channels.items():
        driver: object = open_channel(name, settings, cast("aiohttp.ClientSession", None))
        if not isinstance(driver, LongLine) or not driver.line:
            continue
        other = first.setdefault(driver.line, name)
        if other != name:
            yield Finding("same_line", ("channels", name), {"channel": other})
