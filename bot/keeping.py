"""What came in by a vendor's door or line, put on disk: answers, delivery reports, and what could not be read."""

from __future__ import annotations

from bot.engine import Engine
from bot.unread import UnreadParts
from channels.callback import Errand, Heard
from channels.channel import Report, Uplink


class Keeping:
    """Keeps what was heard; it remembers only which troubles were told lately."""

    def __init__(self) -> None:
        self._unread = UnreadParts()

    async def keep(self, engine: Engine, heard: Heard, channel: str, errand: Errand, now: int) -> None:
        """Put everything on disk. If this dies half-way the vendor brings it again, and what was kept is kept once.
        Raises the store's error."""
        uplinks = [item for item in heard.items if isinstance(item, Uplink)]
        reports = [item for item in heard.items if isinstance(item, Report)]
        if not (heard.items or heard.unreadable):
            return
        if heard.unreadable:
            rows = self._unread.rows(channel, errand, heard.unreadable, now)
            await engine.take(rows)
            self._unread.told(rows)
        if uplinks:
            await engine.answering.take(uplinks, now)
        if reports:
            await engine.report(reports)
        engine.stir()
