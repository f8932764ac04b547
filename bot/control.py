"""The hub's control socket: commands speak to a running hub here, and open the store themselves when none runs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from bot.channel_desk import add_channels
from bot.clock import WallClock
from bot.dead_desk import add_dead
from bot.deadletters import NotDone
from bot.hub import Hub
from bot.inquiry import Inquiry, Verification
from bot.intake.batcher import Closed, Full
from bot.quarantine import Desk, errand_at
from bot.settings.models import Settings
from bot.store.anchor import Verdict
from bot.store.errors import StoreError
from bot.store.server import LONGEST_SOCKET_PATH
from bot.storehouse import Storehouse
from bot.story import Story
from bot.workers.decider import LostRaces, StoreFailed
from escalation.ledger.keys import read_code

SOCKET = "control.sock"
_LONG = aiohttp.ClientTimeout(total=600)
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NoAnswer(Exception):
    """The hub, or the store, could not answer; says what it said."""


class Opened(msgspec.Struct, kw_only=True):
    """What ``open-anyway`` found: the anchor's verdict in Chinese and English, empty where nothing was to decide."""

    zh: str = ""
    en: str = ""

    @classmethod
    def of(cls, verdict: Verdict | None) -> Opened:
        return cls(zh=verdict.zh, en=verdict.en) if verdict is not None else cls()


def control_application(hub: Hub, reload: Callable[[], Awaitable[str]]) -> web.Application:
    """What a running hub answers on its socket. ``reload`` loads, checks and swaps the configuration, and says what
    became of it."""

    def inquiry() -> Inquiry:
        engine = hub.engine
        if engine is None:
            raise web.HTTPServiceUnavailable(text=hub.not_ready)
        return Inquiry(hub.storehouse, engine.meta, hub.rules.directory)

    async def show(request: web.Request) -> web.Response:
        try:
            story = await inquiry().show(request.match_info["code"])
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        if story is None:
            raise web.HTTPNotFound(text="没有这个编号的警情 / no incident has this code")
        return _json(story)

    async def verify(_: web.Request) -> web.Response:
        return _json(await inquiry().verify())

    async def open_anyway(_: web.Request) -> web.Response:
        return _json(Opened.of(await hub.storehouse.open_anyway()))

    async def reload_now(_: web.Request) -> web.Response:
        return _json({"report": await reload()})

    app = web.Application(middlewares=[_tell_trouble])
    _add_quarantine(app, hub)
    app.router.add_get("/show/{code}", show)
    app.router.add_get("/verify", verify)
    add_dead(app, hub)
    add_channels(app, hub)
    app.router.add_post("/open-anyway", open_anyway)
    app.router.add_post("/reload", reload_now)
    return app


def _add_quarantine(app: web.Application, hub: Hub) -> None:
    """What a person may do with what could not be read."""

    async def work(request: web.Request) -> web.Response:
        """List, show, retry or drop what is in quarantine."""
        engine = hub.engine
        if engine is None:
            raise web.HTTPServiceUnavailable(text=hub.not_ready)
        desk = Desk(hub.storehouse.door(), engine.partitions, hub.rules, engine.take, engine.clock.now)
        row, errand = request.match_info.get("row", ""), request.match_info.get("errand", "show")
        try:
            found = await errand_at(desk, errand if row else "list", row, await request.read())
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except (StoreFailed, LostRaces, Full, Closed) as error:
            raise web.HTTPServiceUnavailable(text=f"未能写入台账，请重试 / try again: {error}") from error
        engine.stir()
        if found is None:
            raise web.HTTPNotFound(text="隔离区没有这一条 / no such row in quarantine")
        return _json(found)

    app.router.add_get("/quarantine", work)
    app.router.add_get("/quarantine/{row}", work)
    app.router.add_post("/quarantine/{row}/{errand:retry|drop}", work)


@web.middleware
async def _tell_trouble(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A store that fails while it is asked is told in its own words."""
    try:
        return await handler(request)
    except (StoreError, RedisError, OSError) as error:
        raise web.HTTPServiceUnavailable(text=str(error)) from error


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


@contextmanager
def _reached(path: Path) -> Iterator[str]:
    """An address by which the operating system reaches the socket at ``path``, which may be too long for it: through
    the folder's descriptor then."""
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def listen_control(app: web.Application, folder: Path) -> web.AppRunner:
    """Serve ``app`` on the socket in the data folder, for its owner alone."""
    path = folder / SOCKET
    path.unlink(missing_ok=True)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _reached(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        await web.SockSite(runner, listener).start()
    except BaseException:
        listener.close()
        await runner.cleanup()
        raise
    return runner


async def ask_hub(settings: Settings, method: str, path: str, content: bytes | None = None) -> bytes | None:
    """Ask the running hub, with ``content`` as the body; None when none runs, ``null`` when it found nothing. Raises
    NoAnswer with the hub's words."""
    at = settings.hub.data / SOCKET
    try:
        with _reached(at) as address:
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(address), timeout=_LONG) as session,
                session.request(method, f"http://hub{path}", data=content) as answer,
            ):
                said = await answer.read()
    except (aiohttp.ClientConnectorError, FileNotFoundError):
        return None
    except aiohttp.ClientError as error:
        raise NoAnswer(f"运行中的烽火没有答复：{error} / the running hub did not answer: {error}") from error
    if answer.status == 404:
        return b"null"
    if answer.status == 409:
        raise NotDone(said.decode("utf-8", "replace"))
    if answer.status != 200:
        raise NoAnswer(said.decode("utf-8", "replace"))
    return said


async def runs(data: Path) -> bool:
    """Whether a hub answers on the socket of this data folder."""
    try:
        with _reached(data / SOCKET) as address:
            _, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return False
    writer.close()
    return True


async def alone(settings: Settings, question: Callable[[Storehouse], Awaitable[T]]) -> T:
    """Open the store under its lock, ask, and close it again. Raises NoAnswer where there is no store yet."""
    house = Storehouse(settings, WallClock())
    if not house.begun:
        raise NoAnswer(
            f"数据文件夹 {settings.hub.data} 中还没有数据：fenghuo serve 从未在此运行，或运行目录不对 / "
            f"there is no data in {settings.hub.data}: no hub has run here, or this is the wrong folder"
        )
    try:
        await house.open()
        return await question(house)
    finally:
        await house.close()


async def _inquire(settings: Settings, question: Callable[[Inquiry], Awaitable[T]]) -> T:
    async def ask(house: Storehouse) -> T:
        if not house.ready:
            raise NoAnswer(house.reason)
        return await question(Inquiry(house, await house.meta(), settings.directory()))

    return await alone(settings, ask)


async def show(settings: Settings, code: str) -> Story | None:
    """The story of one incident, None where there is none. Raises ValueError for what is no code, NoAnswer."""
    if read_code(code) is None:
        raise ValueError(f"{code} 不是编号，应如 A0231 / {code} is no code such as A0231")
    content = await ask_hub(settings, "GET", f"/show/{quote(code, safe='')}")
    if content is not None:
        return msgspec.json.decode(content, type=Story | None)
    return await _inquire(settings, lambda inquiry: inquiry.show(code))


async def verify(settings: Settings) -> Verification:
    """The journal's check. Raises NoAnswer."""
    content = await ask_hub(settings, "GET", "/verify")
    if content is not None:
        return msgspec.json.decode(content, type=Verification)
    return await _inquire(settings, lambda inquiry: inquiry.verify())


async def open_anyway(settings: Settings) -> Opened:
    """An operator decides that this store is the right one from now on: told to the running hub, or to the store's
    anchor where none runs. Raises NoAnswer, and what opening a store raises."""
    content = await ask_hub(settings, "POST", "/open-anyway")
    if content is not None:
        return msgspec.json.decode(content, type=Opened)

    async def decide(house: Storehouse) -> Opened:
        if house.verdict is None:
            raise NoAnswer(house.reason)
        return Opened.of(await house.open_anyway())

    return await alone(settings, decide)
