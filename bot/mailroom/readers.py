"""All mailbox readers of a hub: one for each mail channel that has a mailbox, kept to the configuration in force."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.engine import Engine
from bot.mailroom.reader import MailboxReader
from bot.rules import Rules
from channels.mail import Driver, Settings

log = logging.getLogger(__name__)

LOOK = 0.5
"""Between two looks at the configuration, in seconds."""


@dataclass(slots=True)
class _Running:
    settings: Settings
    task: asyncio.Task[None]


class MailboxReaders:
    """Runs a reader for every mailbox that the rules name."""

    def __init__(self, rules: Callable[[], Rules], engine: Callable[[], Engine | None]) -> None:
        self._rules = rules
        self._engine = engine
        self._hub = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._running: dict[str, _Running] = {}

    async def run(self) -> None:
        """Keep the readers to the configuration until cancelled."""
        try:
            while True:
                await self._reconcile()
                await asyncio.sleep(LOOK)
        finally:
            await self._end(list(self._running))

    async def _reconcile(self) -> None:
        drivers = {name: each for name, each in self._rules().channels.items() if isinstance(each, Driver)}
        wanted = {name: each for name, each in drivers.items() if each.reader is not None}
        changed = [
            name
            for name, one in self._running.items()
            if one.task.done() or name not in wanted or wanted[name].settings != one.settings
        ]
        await self._end(changed)
        for name, driver in wanted.items():
            if name in self._running or driver.reader is None or driver.settings.imap is None:
                continue
            reader = MailboxReader(name, driver.settings.imap, driver.reader, self._engine, self._hub)
            task = asyncio.create_task(reader.run(), name=f"mailbox of {name}")
            self._running[name] = _Running(driver.settings, task)

    async def _end(self, names: list[str]) -> None:
        tasks = [self._running.pop(name).task for name in names]
        for task in tasks:
            task.cancel()
        for name, ended in zip(names, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
            if isinstance(ended, Exception):
                log.error("the reader of the mailbox of channel %s failed", name, exc_info=ended)
