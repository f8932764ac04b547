"""A connection that says nothing and ends when the server ends: its death is noticed at once, child or adopted."""

from __future__ import annotations

import asyncio
from pathlib import Path


class Lifeline:
    """One quiet connection to a unix socket."""

    def __init__(self) -> None:
        self._cut = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def tied(self) -> bool:
        """Whether the connection stands."""
        return self._reading is not None and not self._reading.done()

    async def tie(self, socket: Path) -> None:
        """Connect. Raises OSError when nobody listens."""
        self.untie()
        reader, self._writer = await asyncio.open_unix_connection(str(socket))
        self._cut.clear()
        self._reading = asyncio.create_task(self._read(reader))

    async def cut(self, seconds: float) -> bool:
        """Wait until the other end is gone, at most `seconds`; whether it is. The news is given once."""
        if not self._cut.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._cut.wait()
            except TimeoutError:
                return False
        self._cut.clear()
        return True

    def untie(self) -> None:
        """Close it; this is no news."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while await reader.read(1024):
                pass
        except OSError:
            # A reset is an end as well.
            pass
        self._cut.set()
