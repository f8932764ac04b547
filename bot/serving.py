"""``fenghuo serve``: a hub that runs until it is told to stop, and takes a new configuration without stopping."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from redis.exceptions import RedisError

from bot.clock import WallClock
from bot.clock_watch import ClockWatch
from bot.control import SOCKET, control_application, listen_control
from bot.hub import Hub
from bot.logs import configure
from bot.notify import Manager
from bot.process import collect_seldom
from bot.relay.first import Forked
from bot.settings.load import FurtherCheck, Loaded
from bot.settings.models import Settings
from bot.settings.problem import Language
from bot.settings.reload import Reload, Reloader, ReloadOutcome
from bot.store.errors import StoreError
from bot.system_words import why
from bot.unused_settings import UnusedSettings
from bot.web.health import why_not

log = logging.getLogger(__name__)

WATCH = 2.0
"""How often the configuration's files are looked at, in seconds."""


OPENING = 5.0
"""How long a hub that is told to stop while it opens is let to finish opening, in seconds."""


_SAID: dict[Language, dict[ReloadOutcome, str]] = {
    "zh": {
        ReloadOutcome.TAKEN: "新配置已生效",
        ReloadOutcome.RESTART: "需要重启才能生效",
        ReloadOutcome.REFUSED: "新配置有错误，继续使用原配置",
    },
    "en": {
        ReloadOutcome.TAKEN: "the new configuration is in force",
        ReloadOutcome.RESTART: "it needs a restart to take effect",
        ReloadOutcome.REFUSED: "the new configuration has errors; the old one stays in force",
    },
}


class CannotListen(Exception):
    """The configured address cannot be listened on; ``zh`` and ``en`` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


async def serve(path: Path, loaded: Loaded, further: Sequence[FurtherCheck] = (), first: Forked | None = None) -> int:
    """Run the hub of a loaded, servable configuration until SIGTERM or SIGINT; the process's exit code.

    ``further`` checks go with every reload; ``first`` is a courier process, forked already. Raises what a person
    has to mend: another hub on the data folder, a damaged or unsafe store, CannotListen.
    """
    collect_seldom()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    hub = Hub(_settings(loaded), WallClock(), config=path, first=first)

    def take(new: Loaded) -> None:
        settings = _settings(new)
        configure(settings.log)
        hub.reload(settings)

    reloader = Reloader(path, loaded, take, further=further)
    asked = asyncio.Event()

    def ask() -> None:
        reloader.request()
        asked.set()

    loop.add_signal_handler(signal.SIGHUP, ask)
    stopping = asyncio.create_task(stop.wait(), name="until told to stop")
    opening = asyncio.create_task(hub.open(), name="open")
    try:
        await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            # A store that is just being started is stopped in better order than it is broken off.
            await asyncio.wait({opening}, timeout=OPENING)
            return 0
        opening.result()
        return await _live(hub, reloader, stopping, asked)
    finally:
        for task in (opening, stopping):
            task.cancel()
        await asyncio.gather(opening, stopping, return_exceptions=True)
        await hub.close()


async def _live(hub: Hub, reloader: Reloader, stopping: asyncio.Task[Any], asked: asyncio.Event) -> int:
    """Doors open and work going on, until it is to stop; ``asked`` is set when a reload is asked for."""

    unused = UnusedSettings(lambda: hub.engine)

    async def reload_now() -> str:
        reloader.request()
        return _step(reloader, unused)

    folder, manager = hub.rules.settings.hub.data, Manager(os.environ)
    runners = [await _listen(hub)]
    tasks = [
        asyncio.create_task(hub.run(), name="hub"),
        asyncio.create_task(_watch(reloader, unused, hub.clock_watch, asked), name="watch"),
    ]
    try:
        runners.append(await listen_control(control_application(hub, reload_now), folder))
        manager.tell("READY=1", f"MAINPID={os.getpid()}")
        tasks.append(asyncio.create_task(manager.keep_told(lambda: why_not(hub)), name="manager"))
        await asyncio.wait({*tasks[:2], stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            log.info("stopping, as asked")
            hub.stopping = True
            manager.tell("STOPPING=1")
            return 0
        for task in tasks[:2]:
            if task.done():
                log.critical("%s ended by itself; the hub stops", task.get_name(), exc_info=task.exception())
        return 1
    finally:
        for runner in runners:
            await runner.cleanup()
        (folder / SOCKET).unlink(missing_ok=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listen(hub: Hub) -> web.AppRunner:
    table = hub.rules.settings.hub
    try:
        runner = await hub.listen(hub.application())
    except OSError as error:
        zh, en = why(error)
        raise CannotListen(
            f"无法监听 {table.listen}:{table.port}（hub.listen、hub.port）：{zh}。",
            f"cannot listen on {table.listen}:{table.port} (hub.listen, hub.port): {en}.",
        ) from error
    log.info("listening on %s:%d", table.listen, table.port)
    return runner


def _settings(loaded: Loaded) -> Settings:
    if loaded.settings is None:
        raise ValueError("a configuration with errors cannot be served")
    return loaded.settings


async def _watch(reloader: Reloader, unused: UnusedSettings, clock_watch: ClockWatch, asked: asyncio.Event) -> None:
    while True:
        asked.clear()
        _step(reloader, unused)
        with suppress(StoreError, RedisError, OSError):  # said by whoever watches the store; told at the next look
            await unused.step(time.time_ns() // 1_000_000)
            await clock_watch.step()
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH):
                await asked.wait()


def _step(reloader: Reloader, unused: UnusedSettings) -> str:
    now = time.time_ns() // 1_000_000
    reload = reloader.step(now)
    if reload is not None:
        unused.hear(reload, now)
    return _tell(reload)


def _tell(reload: Reload | None) -> str:
    """Log what came of a changed configuration, and say it in words."""
    if reload is None:
        return "没有变化 / nothing changed"
    language = reload.loaded.language
    problems = "\n".join(problem.text(language) for problem in reload.problems)
    if reload.outcome is ReloadOutcome.TAKEN:
        log.info("the configuration was reloaded (%s)", reload.loaded.hash[:12])
    else:
        log.error("the changed configuration is not in force (%s):\n%s", reload.outcome, problems)
    return f"{_SAID[language][reload.outcome]}\n{problems}".rstrip()
