"""The machine's clock is set back or forward under the hub, or was while none ran: said loudly, since every limit that
runs moves with it (docs/decisions/0070-a-clock-that-is-set-is-told.md)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from bot.clock import Clock
from bot.engine import Engine
from bot.wording import Word, tell_maintainers
from escalation.calendar import local

log = logging.getLogger(__name__)

JUMP = 30_000
"""How far (ms) a clock may be set before it is told: less is what a time service does by itself."""


class ClockWatch:
    """Holds the wall's clock against the one that only runs on. A machine that slept looks like a jump forward."""

    def __init__(
        self, engine: Callable[[], Engine | None], clock: Clock, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._steady = steady
        self._offset = clock.now() - int(steady() * 1000)
        self._untold: list[tuple[int, int]] = []

    def found(self, now: int, by: int) -> None:
        """At ``now`` the clock turned out to have been set ``by`` ms (negative: back)."""
        if abs(by) < JUMP:
            return
        log.critical("the machine's clock was set %s by %d s", "back" if by < 0 else "forward", abs(by) // 1000)
        self._untold.append((now, by))

    async def step(self) -> None:
        """Look, and tell what is news. Raises the store's error; may be done again."""
        now = self._clock.now()
        offset = now - int(self._steady() * 1000)
        self.found(now, offset - self._offset)
        self._offset = offset
        engine = self._engine()
        while engine is not None and self._untold:
            at, by = self._untold[0]
            subject, text = _words(at, by)
            await tell_maintainers(
                engine, Word("clock_set", f"{at}.{by}", subject, text, {"by": by}), engine.clock.now()
            )
            del self._untold[0]


def _words(at: int, by: int) -> tuple[str, str]:
    span = f"{abs(by) // 60_000} 分钟" if abs(by) >= 120_000 else f"{abs(by) // 1000} 秒"
    if by < 0:
        subject = f"系统时钟被调后 {span}"
        then = f"此前未办完的警情，催办和升级会晚 {span}，请值班室人工盯住"
    else:
        subject = f"系统时钟向前跳了 {span}"
        then = "正在计时的时限会提前到期，升级可能偏早（机器休眠过也会这样）"
    return subject, f"{subject}（现在 {local(at):%m-%d %H:%M}）：{then}；请检查服务器的对时服务。"
