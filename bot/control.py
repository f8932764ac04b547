"""The hub's control socket: commands speak to a running hub here, and open the store themselves when none runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from bot.clock import WallClock
from bot.hub import Hub
from bot.inquiry import Inquiry, Verification
from bot.settings.models import Settings
from bot.storehouse import Storehouse
from bot.story import Story

SOCKET = "control.sock"
_LONG = aiohttp.ClientTimeout(total=600)


class NoAnswer(Exception):
    """The running hub could not answer; says what it said."""


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
        hub.storehouse.open_anyway()
        return _json({"ok": True})

    async def reload_now(_: web.Request) -> web.Response:
        return _json({"report": await reload()})

    app = web.Application()
    app.router.add_get("/show/{code}", show)
    app.router.add_get("/verify", verify)
    app.router.add_post("/open-anyway", open_anyway)
    app.router.add_post("/reload", reload_now)
    return app


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


async def listen_control(app: web.Application, folder: Path) -> web.AppRunner:
    """Serve ``app`` on the socket in the data folder, for its owner alone."""
    path = folder / SOCKET
    path.unlink(missing_ok=True)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    path.chmod(0o600)
    return runner


async def ask_hub(settings: Settings, method: str, path: str) -> bytes | None:
    """Ask the running hub; None when none runs. Raises NoAnswer with the hub's words."""
    socket = settings.hub.data / SOCKET
    if not socket.exists():
        return None
    try:
        connector = aiohttp.UnixConnector(str(socket))
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_LONG) as session,
            session.request(method, f"http://hub{path}") as answer,
        ):
            content = await answer.read()
            if answer.status != 200:
                raise NoAnswer(content.decode("utf-8", "replace"))
            return content
    except aiohttp.ClientConnectorError:
        return None


async def _alone(settings: Settings, question: Callable[[Inquiry], Awaitable[Any]]) -> Any:
    """Open the store under its lock, ask, and close it again."""
    house = Storehouse(settings, WallClock())
    await house.open()
    try:
        if not house.ready:
            raise NoAnswer(house.reason)
        return await question(Inquiry(house, await house.meta(), settings.directory()))
    finally:
        await house.close()


async def show(settings: Settings, code: str) -> Story | None:
    """The story of one incident. Raises ValueError for what is no code, NoAnswer."""
    content = await ask_hub(settings, "GET", f"/show/{code}")
    if content is not None:
        return msgspec.json.decode(content, type=Story)
    found: Story | None = await _alone(settings, lambda inquiry: inquiry.show(code))
    return found


async def verify(settings: Settings) -> Verification:
    """The journal's check. Raises NoAnswer."""
    content = await ask_hub(settings, "GET", "/verify")
    if content is not None:
        return msgspec.json.decode(content, type=Verification)
    found: Verification = await _alone(settings, lambda inquiry: inquiry.verify())
    return found


async def open_anyway(settings: Settings) -> None:
    """Tell the running hub, or the store's files where none runs, that this store is the right one from now on."""
    if await ask_hub(settings, "POST", "/open-anyway") is None:
        await asyncio.to_thread(Storehouse(settings, WallClock()).open_anyway)
