"""Every route beside the event intake."""

from __future__ import annotations

from aiohttp import web

from bot.web import doors, guards
from bot.web.api import add_api
from bot.web.duty.page import add_duty
from bot.web.health import add_health
from bot.web.house import House
from bot.web.links import LINK_PATH
from bot.web.pages import add_static
from bot.web.phone import PhonePage


def add_routes(app: web.Application, house: House) -> None:
    """Put pages, call-back doors, health and the guards around all of them into ``app``."""
    app.middlewares.append(guards.last_resort())
    app.on_response_prepare.append(guards.add_headers)
    phone, door = PhonePage(house), doors.Doors(house)
    app.router.add_get(LINK_PATH + "{token}", phone.show)
    app.router.add_post(LINK_PATH + "{token}", phone.act)
    app.router.add_get(doors.ROUTE, door.take, allow_head=False)
    app.router.add_post(doors.ROUTE, door.take)
    add_duty(app, house)
    app.router.add_get(doors.SIGNED_ROUTE, door.listen, allow_head=False)
    app.router.add_post(doors.SIGNED_ROUTE, door.listen)
    add_health(app, house)
    add_api(app, house)
    add_static(app)
