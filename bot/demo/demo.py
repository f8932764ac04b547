"""The whole demonstration: vendors, an invented county, a hub with a clock that can be pushed, and the wall."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clock import PushedClock
from bot.demo.controls import Controls
from bot.demo.county import County, secrets_of, write_county
from bot.demo.night import Night
from bot.demo.phones import Phones
from bot.demo.simulators.vendor import Received, Refused
from bot.demo.vendors import vendors
from bot.demo.wall import Wall
from bot.demo.wall_routes import add_wall
from bot.hub import Hub
from bot.settings.load import load
from bot.store.errors import HubRunningError, StoreRefusedError
from bot.store.supervisor import Supervisor

HOST = "127.0.0.1"
SOURCE = "demo"
_MARK = ".fenghuo-demo"
_CLOCK = "clock"


class CannotStart(Exception):
    """Why the demo did not start: a Chinese line, an English one."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demonstration. ``token`` is what the upstream system proves itself by, ``password`` opens every account
    of the duty page."""

    url: str
    token: str
    password: str
    folder: Path
    hub: Hub
    clock: PushedClock
    wall: Wall
    work: asyncio.Task[None]


@asynccontextmanager
async def running(folder: Path, port: int, *, keep: bool = False) -> AsyncIterator[Demo]:
    """Run the demo in ``folder`` on a loopback ``port`` (0: any free one) until the block ends.

    What an earlier demo left in the folder is removed unless ``keep``. Raises :class:`CannotStart`.
    """
    port = _free_port(port)
    await _make_room(folder, keep=keep)
    url = f"http://{HOST}:{port}"
    clock = PushedClock(max(time.time_ns() // 1_000_000, _last_moment(folder)), running=True)
    given = _kept_secrets(folder) if keep else secrets_of()
    ear = _Ear()
    async with AsyncExitStack() as stack:
        running_vendors = await stack.enter_async_context(
            vendors(url, port, given, folder / "spool", clock.now, ear.hear, ear.refused)
        )
        county = write_county(folder, running_vendors.addresses, given, wall=True)
        hub = await _open_hub(county, clock, stack)
        directory = hub.rules.directory
        phones = Phones(hub.rules.settings, lambda: hub.rules.directory)
        token = given["source-demo"]
        controls = Controls(f"{url}/events/{SOURCE}", token, directory, running_vendors.session)
        wall = ear.wall = Wall(hub, clock, phones, controls, running_vendors, Night(hub, county.config))
        app = hub.application()
        add_wall(app, wall)
        runner = await hub.listen(app)
        stack.push_async_callback(runner.cleanup)
        work = asyncio.create_task(_work(hub, wall), name="demo")
        stack.push_async_callback(_end, work)
        stack.callback(lambda: (folder / _CLOCK).write_text(str(clock.now()), "utf-8"))
        await wall.refresh()
        yield Demo(url, token, given["duty-password"], folder, hub, clock, wall, work)


class _Ear:
    """Hears the vendors from their first moment; until there is a wall nothing can have been sent."""

    wall: Wall | None = None

    async def hear(self, message: Received) -> None:
        if self.wall is not None:
            await self.wall.hear(message)

    async def refused(self, message: Refused) -> None:
        if self.wall is not None:
            self.wall.refused(message)


async def _open_hub(county: County, clock: PushedClock, stack: AsyncExitStack) -> Hub:
    loaded = load(county.config)
    if loaded.settings is None:
        raise CannotStart("\n".join(problem.text("zh") for problem in loaded.errors))
    hub = Hub(loaded.settings, clock)
    stack.push_async_callback(hub.close)
    try:
        await hub.open()
    except HubRunningError as error:
        raise _is_running(error) from error
    return hub


async def _work(hub: Hub, wall: Wall) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(hub.run(), name="hub")
        group.create_task(wall.watch(), name="wall")


async def _end(work: asyncio.Task[None]) -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def _free_port(port: int) -> int:
    """The port itself, if nobody has it; for 0 one below those of outgoing connections, which nobody takes before the
    hub does. Raises :class:`CannotStart`."""
    for candidate in (port,) if port else tuple(20_000 + secrets.randbelow(10_000) for _ in range(100)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return candidate
    raise CannotStart(f"端口 {port} 已被占用，请用 --port 换一个\nport {port} is taken: choose another one with --port")


async def _make_room(folder: Path, *, keep: bool) -> None:
    """Make the folder, empty unless ``keep``. What is no demo's folder is never touched."""
    if await asyncio.to_thread(_is_foreign, folder):
        raise CannotStart(
            f"{folder} 不是演示的数据目录，没有改动\n{folder} is not a demo's folder, nothing was changed"
        )
    if not keep:
        await _stop_leftover(folder)
    await asyncio.to_thread(_make_folder, folder, keep)


def _is_foreign(folder: Path) -> bool:
    return folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists()


def _make_folder(folder: Path, keep: bool) -> None:
    if folder.exists() and not keep:
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("烽火演示 Fenghuo demo\n", "utf-8")


async def _stop_leftover(folder: Path) -> None:
    """A killed demo leaves its store's server behind: it must end before its files go."""
    store = folder / "data" / "store"
    if not await asyncio.to_thread(store.exists):
        return
    supervisor = Supervisor(store)
    try:
        await supervisor.start()
    except HubRunningError as error:
        raise _is_running(error) from error
    except StoreRefusedError:
        # What cannot be opened any more runs no server either, and is about to be removed.
        return
    await supervisor.stop()


def _is_running(error: HubRunningError) -> CannotStart:
    return CannotStart(f"已有一个演示在运行：{error.zh}\na demo is running already: {error.en}")


def _kept_secrets(folder: Path) -> dict[str, str]:
    return {
        name: path.read_text("utf-8") if (path := folder / "secrets" / name).exists() else fresh
        for name, fresh in secrets_of().items()
    }


def _last_moment(folder: Path) -> int:
    """Where an earlier demo's clock stood: time never runs back over a store."""
    path = folder / _CLOCK
    try:
        return int(path.read_text("utf-8"))
    except (OSError, ValueError):
        return 0
