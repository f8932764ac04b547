"""What the board is fed by: when each source was last heard, what waits unsent, which channels are broken."""

from __future__ import annotations

from typing import Any

from bot.engine import Engine
from bot.settings.models import Settings
from bot.silence import longest, silent

GRACE = 5_000
"""What waits for less than this is on its way, not unsent (ms)."""


async def freshness(engine: Engine, settings: Settings, now: int) -> dict[str, Any]:
    """For the page, times in milliseconds: ``sources`` with their last event (0: never heard), ``silent`` where that is
    longer ago than the source's ``silent_after``; ``unsent``: since when the oldest message could have left (0: none
    waits); ``broken`` channels. Raises the store's error."""
    heard = await engine.hearing.read()
    quiet, sources = silent(settings.sources, heard, now), []
    for name, table in settings.sources.items():
        at = heard.get(name, 0)
        sources.append({"name": name, "at": at, "silent": quiet.get(name, False), "after": longest(table)})
    since = await engine.counting.unsent(now=now)
    return {
        "sources": sources,
        "unsent": since if since is not None and now - since > GRACE else 0,
        "broken": sorted(name for name in await engine.health.broken() if name in settings.channels),
    }
