"""The hub as its web side sees it."""

from __future__ import annotations

from typing import Protocol

from bot.clock import Clock
from bot.engine import Engine
from bot.rules import Rules
from bot.web.links import Links


class House(Protocol):
    """What pages and doors may ask. ``engine`` is None, and ``not_ready`` says why, until the store was once ready."""

    clock: Clock
    links: Links
    engine: Engine | None

    @property
    def rules(self) -> Rules: ...

    @property
    def not_ready(self) -> str:
        """'' when all is well, else a Chinese line and an English one."""
        ...
