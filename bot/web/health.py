"""Is the process alive, may it be given work, and what is this address at all."""

from __future__ import annotations

from aiohttp import web

from bot.web.house import House
from bot.web.pages import page


def add_health(app: web.Application, house: House) -> None:
    """``/healthz``, ``/readyz`` and the bare ``/``."""

    async def alive(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"}, headers={"Cache-Control": "no-store"})

    async def ready(_request: web.Request) -> web.Response:
        zh, _, en = why_not(house).partition("\n")
        headers = {"Cache-Control": "no-store"}
        if not zh:
            return web.json_response({"status": "ready"}, headers=headers)
        body = {"status": "not_ready", "reason": zh, "reason_en": en or zh}
        return web.json_response(body, status=503, headers=headers | {"Retry-After": "5"})

    async def front(_request: web.Request) -> web.Response:
        settings = house.rules.settings
        facts = {"name": settings.hub.name, "ready": not why_not(house), "emergency": settings.hub.emergency}
        return page("front.html", facts)

    app.router.add_get("/healthz", alive)
    app.router.add_get("/readyz", ready)
    app.router.add_get("/", front)


def why_not(house: House) -> str:
    """Why nothing is accepted, in a Chinese and an English line; '' when all is well."""
    if house.not_ready:
        return house.not_ready
    return "" if house.engine is not None else "存储尚未打开\nthe store is not open yet"
