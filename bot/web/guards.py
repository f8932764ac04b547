"""What stands around every answer: security headers, and the last resort for what nobody caught."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.web.pages import page, wants_page

log = logging.getLogger(__name__)

_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# same-origin, not no-referrer: a browser that may not name its page sends "Origin: null" with a form.
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SECRET_PARTS = re.compile(r"^/(a|callback/[^/]*)/.*")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def shown_path(path: str) -> str:
    """A request's path as a log may hold it: without a link's token or a call-back's secret."""
    return "".join(mark if mark.isprintable() else "?" for mark in _SECRET_PARTS.sub(r"/\1/***", path)[:120])


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For ``app.on_response_prepare``: also streams and refusals get the headers."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    # The library has written its name and versions there by now.
    response.headers["Server"] = "fenghuo"


def last_resort() -> Middleware:
    """A middleware: whatever a handler raises is logged and answered plainly, and tells nothing of the inside."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            if refusal.status < 400:
                raise
            return plain_refusal(request, refusal.status, dict(refusal.headers))
        except (ConnectionResetError, TimeoutError):
            raise
        except Exception:
            log.exception("%s %s could not be answered", request.method, shown_path(request.path))
            return plain_refusal(request, 500, {})

    return guard


def plain_refusal(request: web.Request, status: int, headers: dict[str, str]) -> web.Response:
    """A page for a person, an RFC 9457 document for a machine; ``headers`` may hold ``Allow`` or ``Retry-After``."""
    kept = {name: value for name, value in headers.items() if name in ("Allow", "Retry-After")}
    title, what = _WORDS.get(status, _WORDS[500] if status >= 500 else ("不能受理", "请求有误。"))
    if wants_page(request):
        answer = page("message.html", {"title": title, "lines": [what], "emergency": ""}, status)
        answer.headers.update(kept)
        return answer
    body = {"type": "about:blank", "title": title, "status": status, "detail": what}
    return web.json_response(body, status=status, headers=kept, content_type="application/problem+json")


_WORDS = {
    404: ("没有这个页面", "请核对网址。"),
    405: ("不支持的请求方式", "本地址不接受这种请求。"),
    413: ("内容过大", "请缩短后重发。"),
    500: ("暂时出错", "系统出现内部错误，已记录。请稍后再试；紧急情况请直接打电话。"),
    503: ("暂时不能受理", "系统尚未就绪，请稍后再试；紧急情况请直接打电话。"),
}


def own_origin(request: web.Request, public_url: str) -> bool:
    """Whether a form was sent by a page of this hub, as far as the browser says; one that says nothing is believed.

    The form's own token decides; this refuses early what a browser already calls foreign.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if origin == "null":
        return request.headers.get("Sec-Fetch-Site") == "same-origin"
    public = urlsplit(public_url)
    return origin in (f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}")
