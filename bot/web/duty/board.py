"""The board behind the duty page: all open incidents, read again as long as anybody looks, one stream for each unit.

The store is asked for versions and only what changed is loaded. A heartbeat says how old the reading is, so that a page
which hears of a hub that hangs, or of a store that does not answer, calls itself stale.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

import templates
from bot.engine import Engine
from bot.unreadable import line_of_unreadable
from bot.web.duty.flood import Openings, flood
from bot.web.duty.freshness import freshness
from bot.web.duty.row import place, row
from bot.web.duty.viewer import may_see
from bot.web.house import House
from bot.web.stream import Stream
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.ledger.watching import Watching

log = logging.getLogger(__name__)

BEAT = 4.0
"""Seconds between heartbeats; a page that hears nothing, or nothing new, for twelve calls itself stale."""
LOOK = 0.5
"""How often the store is asked, in seconds, while anybody looks."""
FED = 5.0
"""How often sources, channels and what is unsent are asked for, in seconds."""
SHARE = 10
"""A look that took long is followed by a pause of so many times that long."""
MOST_ROWS = 300
"""How many incidents a page gets; how many more there are is said."""

KEPT = 60.0
"""For how many seconds a view that nobody listens to is kept."""

Scope = tuple[str, bool]
"""A unit, and whether it is a wall that only looks."""


class View:
    """What the pages of one scope show."""

    def __init__(self, board: Board, scope: Scope) -> None:
        self.scope = scope
        self.order: list[str] = []
        self.rows: dict[str, dict[str, Any]] = {}
        self.more = 0
        self.wanted_at = 0.0
        self.openings = Openings()
        self.about: dict[str, Any] = {}
        self.stream = Stream(lambda: {**board.beat(), **self.content(self.rows)}, board.beat, BEAT)

    def content(self, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The order of everything, with the rows given."""
        return {"order": self.order, "rows": rows, "more": self.more, **self.about}


class Board:
    """All views of one hub. ``keep`` is run for as long as the application lives."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._views: dict[Scope, View] = {}
        self._engine: Engine | None = None
        self._watching: Watching | None = None
        self._directory: Directory | None = None
        self._looking = asyncio.Lock()
        self._read_at = 0.0
        self._fed: dict[str, Any] = {}
        self._fed_at = 0.0
        self._version = _version()

    def beat(self) -> dict[str, Any]:
        """The hub's time, how old what is shown is (ms), what is wrong with the hub, and which page this is."""
        age = asyncio.get_running_loop().time() - self._read_at
        return {
            "now": self._house.clock.now(),
            "age": round(age * 1000),
            "trouble": self._house.not_ready.partition("\n")[0],
            "version": self._version,
        }

    async def view(self, engine: Engine, scope: Scope) -> View:
        """The scope's view as it is now. Raises the store's error."""
        view = self._views.setdefault(scope, View(self, scope))
        view.wanted_at = asyncio.get_running_loop().time()
        await self.look(engine)
        return view

    async def look(self, engine: Engine) -> None:
        """Read what changed and tell the pages. Raises the store's error."""
        async with self._looking:
            if engine is not self._engine or self._watching is None:
                self._engine, self._watching = engine, Watching(engine.store, engine.ledger)
            changed = await self._watching.look()
            loop = asyncio.get_running_loop()
            if not self._fed or loop.time() - self._fed_at > FED:
                self._fed = await freshness(engine, engine.rules.settings, self._house.clock.now())
                self._fed_at = loop.time()
            self._read_at = asyncio.get_running_loop().time()
            directory = engine.rules.directory
            everything = directory is not self._directory
            self._directory = directory
            for view in self._views.values():
                self._refresh(view, self._watching, directory, None if everything else changed)

    def _refresh(self, view: View, watching: Watching, directory: Directory, changed: set[str] | None) -> None:
        """Make the rows that changed (None: all), and tell the view's pages what is different."""
        unit, wall = view.scope
        now = self._house.clock.now()
        seen = [each for each in watching.incidents.values() if may_see(directory, unit, each)]
        ordered = sorted(seen, key=lambda each: place(each, now))
        shown = {each.code: each for each in ordered[:MOST_ROWS]}
        about = self._about(view, seen, watching, now)
        different: dict[str, dict[str, Any]] = {}
        rows: dict[str, dict[str, Any]] = {}
        for code, incident in shown.items():
            known = view.rows.get(code)
            if known is not None and changed is not None and code not in changed:
                rows[code] = known
                continue
            rows[code] = row(incident, directory, unit, wall=wall)
            if rows[code] != known:
                different[code] = rows[code]
        order, more = list(shown), len(seen) - len(shown)
        moved = order != view.order or more != view.more or about != view.about
        view.order, view.rows, view.more, view.about = order, rows, more, about
        if different or moved:
            view.stream.send("rows", {**self.beat(), **view.content(different)})

    def _about(self, view: View, seen: list[Incident], watching: Watching, now: int) -> dict[str, Any]:
        """What stands above the rows: a flood, what cannot be read (whose that is nobody can say), what feeds it."""
        for each in seen:
            view.openings.note(each.code, each.episode, each.opened_at)
        page = self._house.rules.settings.duty_page
        going_on = flood(view.openings.times(now), now, begins=page.flood_begins, ends=page.flood_ends)
        return {
            "flood": None if going_on is None else going_on._asdict(),
            "unreadable": [
                {"code": each.code, "todo": each.todo} for each in map(line_of_unreadable, watching.damaged)
            ],
            "fed": self._fed,
        }

    async def keep(self, app: web.Application) -> AsyncIterator[None]:
        """For ``app.cleanup_ctx``: look as long as anybody listens."""
        task = asyncio.create_task(self._run(), name="duty board")
        app.on_shutdown.append(self._close)
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _close(self, _app: web.Application) -> None:
        for view in self._views.values():
            view.stream.close()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for scope, view in list(self._views.items()):
                # Whoever has just asked for a view is about to listen to it.
                if not view.stream.listened_to and began - view.wanted_at > KEPT:
                    del self._views[scope]
            engine = self._house.engine
            if self._views and engine is not None:
                try:
                    await self.look(engine)
                except Exception:
                    log.exception("the duty board could not read the incidents")
            await asyncio.sleep(max(LOOK, SHARE * (loop.time() - began)))


def _version() -> str:
    folder = Path(templates.__file__).parent / "pages"
    parts = [folder / "duty.html", *sorted((folder / "static").glob("duty*"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:12]
