"""The log-in page. Its form carries a token bound to a cookie, so that no foreign page can log anybody in."""

from __future__ import annotations

import hmac
import logging
import secrets
from hashlib import sha256
from math import ceil

from aiohttp import web

from bot.web.duty.porter import Crowded, Held, Porter
from bot.web.guards import own_origin
from bot.web.house import House
from bot.web.pages import page

log = logging.getLogger(__name__)

HOME = "/duty"
LOGIN = "/duty/login"
LOGOUT = "/duty/logout"
_COOKIE = "fenghuo-login"


class LoginPage:
    """``/duty/login`` and ``/duty/logout``."""

    def __init__(self, house: House, porter: Porter) -> None:
        self._house = house
        self._porter = porter

    async def show(self, request: web.Request) -> web.Response:
        """The form; nothing is known of anybody yet."""
        return self._page(request)

    async def act(self, request: web.Request) -> web.Response:
        """One try."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        token = self._token(request.cookies.get(_COOKIE, ""))
        public_url = self._house.rules.settings.hub.public_url
        genuine = hmac.compare_digest(form.get("form", "").encode("utf-8", "replace"), token.encode())
        if not request.cookies.get(_COOKIE) or not genuine or not own_origin(request, public_url):
            return self._page(request, "页面已过期，请再登录一次。", 403)
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            return self._page(request, "系统尚未就绪，请过一会儿再试。", 503)
        name, password = form.get("name", "").strip(), form.get("password", "")
        try:
            session_id = await self._porter.log_in(request, engine, name, password)
        except Held as held:
            seconds = ceil(held.wait / 1000)
            answer = self._page(request, f"失败次数过多，请 {_long(seconds)}后再试。已登录的页面不受影响。", 429, name)
            answer.headers["Retry-After"] = str(seconds)
            return answer
        except Crowded:
            return self._page(request, "登录的人太多，请过几秒再试。", 503, name)
        except Exception:
            log.exception("a log-in could not be worked off")
            return self._page(request, "系统暂时不能登录，请过一会儿再试。", 503, name)
        if session_id is None:
            return self._page(request, "账号或密码不对。", 401, name)
        response = web.Response(status=303, headers={"Location": HOME, "Cache-Control": "no-store"})
        self._porter.give_cookie(response, session_id)
        response.del_cookie(_COOKIE, path=LOGIN)
        return response

    async def leave(self, request: web.Request) -> web.Response:
        """Log out; the session ends on the server as well."""
        engine = self._house.engine
        response = web.Response(status=303, headers={"Location": LOGIN, "Cache-Control": "no-store"})
        viewer = await self._porter.viewer(request, engine) if engine is not None else None
        if viewer is not None and engine is not None:
            form = await request.post()
            given = str(form.get("form", "")).encode("utf-8", "replace")
            own = own_origin(request, self._house.rules.settings.hub.public_url)
            if not own or not hmac.compare_digest(given, viewer.form_token.encode()):
                raise web.HTTPForbidden
            await self._porter.log_out(viewer, request, engine)
        self._porter.take_cookie(response)
        return response

    def _page(self, request: web.Request, wrong: str = "", status: int = 200, name: str = "") -> web.Response:
        mark = request.cookies.get(_COOKIE, "") or secrets.token_urlsafe(24)
        settings = self._house.rules.settings
        facts = {
            "hub": settings.hub.name,
            "wrong": wrong,
            "given": name[:64],
            "form_token": self._token(mark),
            "any_account": bool(settings.accounts),
            "emergency": settings.hub.emergency,
        }
        answer = page("duty_login.html", facts, status)
        https = settings.hub.public_url.startswith("https:")
        answer.set_cookie(_COOKIE, mark, path=LOGIN, httponly=True, samesite="Strict", secure=https, max_age=3600)
        return answer

    def _token(self, mark: str) -> str:
        secret = self._house.rules.settings.pages.secret.get_secret_value()
        return hmac.new(secret.encode(), b"fenghuo-login\x1f" + mark.encode("utf-8", "replace"), sha256).hexdigest()


def _long(seconds: int) -> str:
    return f"{seconds} 秒" if seconds < 90 else f"{ceil(seconds / 60)} 分钟"
