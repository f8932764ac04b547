"""Dead letters over the control socket: what ``fenghuo dead`` asks of a running hub."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from bot.deadletters import DeadLetters, NotDone
from bot.hub import Hub


def add_dead(app: web.Application, hub: Hub) -> None:
    """``GET /dead`` and ``/dead/letter?notice=``, ``POST /dead/replay`` and ``/dead/drop`` with notice, by and why."""

    def letters() -> DeadLetters:
        engine = hub.engine
        if engine is None:
            raise web.HTTPServiceUnavailable(text=hub.not_ready)
        return DeadLetters(engine.ledger, hub.rules.context)

    async def every(_: web.Request) -> web.Response:
        return _json(await letters().list())

    async def one(request: web.Request) -> web.Response:
        return _json(await letters().show(request.query["notice"]))

    async def settle(request: web.Request) -> web.Response:
        found = letters()
        settled = found.replay if request.match_info["how"] == "replay" else found.drop
        notice, by, why = (request.query[name] for name in ("notice", "by", "why"))
        try:
            return _json(await settled(notice, by=by, why=why, now=hub.clock.now()))
        except NotDone as error:
            raise web.HTTPConflict(text=str(error)) from error

    async def sweep(request: web.Request) -> web.Response:
        channel, by, why = (request.query[name] for name in ("channel", "by", "why"))
        return _json(await letters().replay_all(channel, by=by, why=why, now=hub.clock.now()))

    app.router.add_post("/dead/replay-all", sweep)
    app.router.add_get("/dead", every)
    app.router.add_get("/dead/letter", one)
    app.router.add_post("/dead/{how:replay|drop}", settle)


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
