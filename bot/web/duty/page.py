"""``/duty``: the board's page and its stream, what its buttons do, and an incident's whole story."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from bot.engine import Engine
from bot.rendering import words
from bot.story import story_of
from bot.web.duty.acts import NotDone, act, visible_incident
from bot.web.duty.board import Board
from bot.web.duty.login import HOME, LOGIN, LOGOUT, LoginPage
from bot.web.duty.porter import Porter
from bot.web.duty.row import row
from bot.web.duty.story_view import story_view
from bot.web.duty.viewer import Viewer
from bot.web.guards import plain_refusal
from bot.web.house import House
from bot.web.pages import page, wants_page
from escalation.incident import Incident, IncidentState
from escalation.ledger.presence import Presence

log = logging.getLogger(__name__)

Handler = Callable[[web.Request, Engine, Viewer], Awaitable[web.StreamResponse]]


def add_duty(app: web.Application, house: House) -> None:
    """Put the duty page into ``app``."""
    porter, board = Porter(house), Board(house)
    login, duty = LoginPage(house, porter), DutyPages(house, porter, board)
    router = app.router
    router.add_get(LOGIN, login.show)
    router.add_post(LOGIN, login.act)
    router.add_post(LOGOUT, login.leave)
    router.add_get(HOME, duty.let_in(duty.show))
    router.add_get(f"{HOME}/stream", duty.let_in(duty.stream), allow_head=False)
    router.add_get(f"{HOME}/alive", duty.let_in(duty.alive))
    router.add_get(f"{HOME}/incident/{{code}}", duty.let_in(duty.incident))
    router.add_get(f"{HOME}/evidence/{{code}}/{{picture}}", duty.let_in(duty.evidence))
    router.add_post(f"{HOME}/act", duty.let_in(duty.act))
    app.cleanup_ctx.append(board.keep)


class DutyPages:
    """Everything behind the log-in."""

    def __init__(self, house: House, porter: Porter, board: Board) -> None:
        self._house = house
        self._porter = porter
        self._board = board

    def let_in(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Only who has logged in gets to the handler; a person's browser is led to the log-in, a program told 401."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            engine = self._house.engine
            if engine is None:
                return plain_refusal(request, 503, {"Retry-After": "5"})
            try:
                viewer = await self._porter.viewer(request, engine)
                if viewer is None and wants_page(request) and request.method == "GET":
                    return web.Response(status=303, headers={"Location": LOGIN, "Cache-Control": "no-store"})
                if viewer is None:
                    return _said("登录已失效，请重新登录。", 401)
                return await handler(request, engine, viewer)
            except (web.HTTPException, ConnectionResetError):
                raise
            except NotDone as refusal:
                return self._refused(request, refusal.said, refusal.status)
            except Exception:
                log.exception("%s %s could not be answered", request.method, request.path)
                return self._refused(request, "暂时没有完成，请稍后再按一次；重复提交只算一次。", 503)

        return guarded

    def _refused(self, request: web.Request, said: str, status: int) -> web.Response:
        if not wants_page(request):
            return _said(said, status)
        emergency = self._house.rules.settings.hub.emergency
        return page("message.html", {"title": "没有完成", "lines": [said], "emergency": emergency}, status)

    async def show(self, _request: web.Request, engine: Engine, viewer: Viewer) -> web.Response:
        """The board's page; its content comes by the stream."""
        return page("duty.html", self._frame(engine, viewer))

    def _frame(self, engine: Engine, viewer: Viewer) -> dict[str, Any]:
        settings = self._house.rules.settings
        return {
            "hub": settings.hub.name,
            "who": viewer.label(engine.rules.directory),
            "account": viewer.name,
            "wall": viewer.account.wall,
            "form_token": viewer.form_token,
            "ends_at": self._porter.ends_at(viewer),
            "emergency": settings.hub.emergency,
            "logout": LOGOUT,
            "home": HOME,
        }

    async def stream(self, request: web.Request, engine: Engine, viewer: Viewer) -> web.StreamResponse:
        """The board's content and its heartbeat, for as long as the session lasts."""
        view = await self._board.view(engine, (viewer.account.unit, viewer.account.wall))

        async def may_go_on() -> bool:
            now = self._house.engine
            return now is not None and await self._porter.viewer(request, now) is not None

        with self._porter.page_open(viewer):
            return await view.stream.serve(request, may_go_on)

    async def alive(self, _request: web.Request, _engine: Engine, _viewer: Viewer) -> web.Response:
        """For a page whose stream broke: the hub answers, and the session still holds."""
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def incident(self, request: web.Request, engine: Engine, viewer: Viewer) -> web.Response:
        """One incident, minute by minute."""
        incident = await visible_incident(engine, viewer, request.match_info["code"])
        return await self._story(engine, viewer, incident)

    async def _story(self, engine: Engine, viewer: Viewer, incident: Incident, recorded: str = "") -> web.Response:
        directory, now = engine.rules.directory, engine.clock.now()
        rows = await engine.journal.rows(incident.code)
        first = min((each.entry.at for each in rows), default=incident.opened_at)
        story = story_of(incident, rows, await Presence(engine.store).outages(first), directory)
        facts = {
            **self._frame(engine, viewer),
            "it": row(incident, directory, viewer.account.unit, wall=viewer.account.wall),
            "open": incident.state is IncidentState.OPEN,
            "story": story_view(story),
            "nonce": secrets.token_hex(12),
            "recorded": recorded,
            "seen_at": words.moment(now, now),
        }
        return page("duty_incident.html", facts)

    async def evidence(self, request: web.Request, engine: Engine, viewer: Viewer) -> web.StreamResponse:
        """A picture of an incident: of any hub that has given it to this one."""
        incident = await visible_incident(engine, viewer, request.match_info["code"])
        wanted = request.match_info["picture"]
        file = next((each.file for each in incident.evidence if each.id == wanted), None)
        if file is None or not file.path or viewer.account.wall:
            raise NotDone(404, "没有这张图片。")
        place = self._house.rules.settings.hub.data / file.path
        if not await engine.collecting.copying.fetch(file.path):
            raise NotDone(
                404,
                f"这张图片本机还没有：它由 {file.hub} 取回，请几秒后再试；一直没有时，那台机器可能停着，"
                f"可从它的数据文件夹复制 {file.path} 到本机的数据文件夹。",
            )
        return web.FileResponse(place, headers={"Content-Type": file.kind, "Cache-Control": "private, no-store"})

    async def act(self, request: web.Request, engine: Engine, viewer: Viewer) -> web.Response:
        """One press of a button: a sentence as JSON for the board, the story with the sentence for a form."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self._house.not_ready:
            raise NotDone(503, "系统尚未就绪，没有记录。请过一会儿再试。")
        said = await act(request, engine, viewer, form, self._house.rules.settings.hub.public_url)
        await self._board.look(engine)
        if not wants_page(request):
            return _said(said, 200)
        return await self._story(engine, viewer, await visible_incident(engine, viewer, form["code"]), said)


def _said(text: str, status: int) -> web.Response:
    return web.json_response({"said": text}, status=status, headers={"Cache-Control": "no-store"})
