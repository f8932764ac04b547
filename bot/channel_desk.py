"""Channels over the control socket: how they fare, and tests through them."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from bot.channel_states import channels_now
from bot.engine import Engine
from bot.hub import Hub
from bot.trials import TrialDesk, WrongTrial


def add_channels(app: web.Application, hub: Hub) -> None:
    """``GET /channels``; ``POST /tests?to=&channel=&by=`` and ``GET /tests/{id}``."""

    def engine() -> Engine:
        found = hub.engine
        if found is None:
            raise web.HTTPServiceUnavailable(text=hub.not_ready)
        return found

    async def every(_: web.Request) -> web.Response:
        return _json(await channels_now(engine(), hub.tally, hub.clock.now()))

    async def ask(request: web.Request) -> web.Response:
        at_work, now = engine(), hub.clock.now()
        desk = desk_of(at_work)
        try:
            wanted = desk.wanted(request.query.get("to", ""), request.query.getall("channel", []), now)
        except WrongTrial as error:
            raise web.HTTPConflict(text=str(error)) from error
        asked = await desk.ask(wanted, by=request.query["by"], now=now)
        return _json(await desk.look(asked))

    async def look(request: web.Request) -> web.Response:
        return _json(await desk_of(engine()).look(request.match_info["test"]))

    app.router.add_get("/channels", every)
    app.router.add_post("/tests", ask)
    app.router.add_get("/tests/{test}", look)


def desk_of(engine: Engine) -> TrialDesk:
    """The desk of an engine at work."""
    return TrialDesk(engine.ledger, engine.trials, lambda: engine.rules, engine.hand)


def _json(content: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")
