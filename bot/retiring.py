"""Channels of a former configuration: closed when no send can still be using them, or when the hub ends."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress

from channels.channel import Channel


class Retiring:
    """Closes channels later, in the background."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    def retire(self, channels: Collection[Channel]) -> None:
        """Close these after the longest that a send of theirs may take."""
        closing = asyncio.get_running_loop().create_task(self._close_later(channels), name="close old channels")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close what is still waiting for that, now."""
        self._ending.set()
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _close_later(self, channels: Collection[Channel]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(max((each.abilities.timeout for each in channels), default=0.0)):
                await self._ending.wait()
        for channel in channels:
            await channel.close()
