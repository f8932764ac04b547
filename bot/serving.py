"""``fenghuo serve``: a hub that runs until it is told to stop, and takes a new configuration without stopping."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from pathlib import Path

from bot.clock import WallClock
from bot.control import control_application, listen_control
from bot.hub import Hub
from bot.settings.load import Loaded
from bot.settings.models import Settings
from bot.settings.reload import Reload, Reloader, ReloadOutcome

log = logging.getLogger(__name__)

WATCH = 2.0
"""How often the configuration's files are looked at, in seconds."""


async def serve(path: Path, loaded: Loaded) -> None:
    """Run the hub of a loaded, servable configuration until SIGTERM or SIGINT.

    Raises what a person has to mend: another hub on the data folder, a damaged or unsafe store, an address in use.
    """
    settings = _settings(loaded)
    settings.hub.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    hub = Hub(settings, WallClock())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await hub.open()
    reloader = Reloader(path, loaded, lambda new: hub.reload(_settings(new)))
    loop.add_signal_handler(signal.SIGHUP, reloader.request)

    async def reload_now() -> str:
        reloader.request()
        return _tell(reloader.step(time.time_ns() // 1_000_000))

    try:
        runners = [
            await hub.listen(hub.application()),
            await listen_control(control_application(hub, reload_now), settings.hub.data),
        ]
        log.info("listening on %s:%d", settings.hub.listen, settings.hub.port)
        work = asyncio.create_task(hub.run(), name="hub")
        watch = asyncio.create_task(_watch(reloader), name="configuration watch")
        stopping = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for runner in runners:
            await runner.cleanup()
        for task in (work, watch, stopping):
            task.cancel()
        await asyncio.gather(work, watch, stopping, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await hub.close()


def _settings(loaded: Loaded) -> Settings:
    if loaded.settings is None:
        raise ValueError("a configuration with errors cannot be served")
    return loaded.settings


async def _watch(reloader: Reloader) -> None:
    while True:
        _tell(reloader.step(time.time_ns() // 1_000_000))
        await asyncio.sleep(WATCH)


def _tell(reload: Reload | None) -> str:
    """Log what came of a changed configuration, and say it in words."""
    if reload is None:
        return "没有变化 / nothing changed"
    problems = "\n".join(problem.text("zh") for problem in reload.problems)
    if reload.outcome is ReloadOutcome.TAKEN:
        log.info("the configuration was reloaded (%s)", reload.loaded.hash[:12])
        return f"新配置已生效\n{problems}".rstrip()
    log.error("the changed configuration is not in force (%s):\n%s", reload.outcome, problems)
    why = "需要重启才能生效" if reload.outcome is ReloadOutcome.RESTART else "新配置有错误，继续使用原配置"
    return f"{why}\n{problems}".rstrip()
