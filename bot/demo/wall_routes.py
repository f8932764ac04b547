"""The wall's page, its files, its stream and its buttons, for the machine it runs on only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from bot.demo.cards import CardPressed, PictureTaken
from bot.demo.controls import Asked, Refusal
from bot.demo.wall import Answer, Blow, Emptying, Passing, Trouble, Wall
from bot.web.guards import own_origin
from bot.web.pages import add_static

_FOLDER = Path(__file__).parent / "static"
_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_MOST_BODY = 4096

Body = TypeVar("Body", Asked, Answer, CardPressed, Passing, PictureTaken, Blow, Trouble, Emptying)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_wall(app: web.Application, wall: Wall) -> None:
    """Put ``/demo`` and ``/demo/api/…`` into ``app``. Call it only in the demo."""

    async def close_streams(_app: web.Application) -> None:
        wall.stream.close()

    html = (_FOLDER / "wall.html").read_text("utf-8")

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-cache"})

    app.router.add_get("/demo", _local(show))
    app.router.add_get("/demo/api/stream", _local(wall.stream.serve), allow_head=False)
    app.router.add_post("/demo/api/event", _local(_button(Asked, wall.press)))
    app.router.add_post("/demo/api/answer", _local(_button(Answer, wall.answer)))
    app.router.add_post("/demo/api/card", _local(_button(CardPressed, wall.cards.press)))
    app.router.add_post("/demo/api/picture", _local(_button(PictureTaken, wall.cards.picture)))
    app.router.add_post("/demo/api/time", _local(_button(Passing, wall.pass_time)))
    app.router.add_post("/demo/api/storm", _local(_button(Blow, wall.storm)))
    app.router.add_post("/demo/api/trouble", _local(_button(Trouble, wall.trouble)))
    app.router.add_post("/demo/api/night", _local(_button(Emptying, wall.night)))
    add_static(app, _FOLDER, "/demo/static/")
    app.on_shutdown.append(close_streams)


def _local(handler: Handler) -> Handler:
    """Refuse a name that only a foreign page would use for this machine: the wall has no login."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
        if host not in _NAMES:
            raise web.HTTPForbidden
        return await handler(request)

    return guarded


def _button(body: type[Body], act: Callable[[Body], Awaitable[str]]) -> Handler:
    """A button's handler: JSON in, ``{"said": …}`` out; 409 with the reason where it makes no sense now."""

    async def press(request: web.Request) -> web.Response:
        # A foreign page cannot send this media type without asking first, and is never allowed.
        if request.content_type != "application/json" or not own_origin(request, f"http://{request.host}"):
            raise web.HTTPForbidden
        raw = await request.content.read(_MOST_BODY)
        try:
            asked = msgspec.json.decode(raw, type=body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _said(f"看不懂：{error}", 400)
        try:
            return _said(await act(asked), 200)
        except Refusal as refusal:
            return _said(str(refusal), 409)

    return press


def _said(text: str, status: int) -> web.Response:
    answer: dict[str, Any] = {"said": text}
    return web.json_response(answer, status=status, headers={"Cache-Control": "no-store"})
