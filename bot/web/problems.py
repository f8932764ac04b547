"""Refusals for machines: RFC 9457, the same shape as the intake door's, in Chinese and English."""

from __future__ import annotations

import orjson
from aiohttp import web

_PAGE = "/docs/api#"
_TITLES = {
    400: ("请求有误", "The request is wrong"),
    401: ("身份验证未通过", "Not authenticated"),
    404: ("没有这个警情", "No such incident"),
    429: ("请求过快", "Too many requests"),
    500: ("记录无法读取", "The record cannot be read"),
    503: ("暂时不能受理", "Not ready"),
}


def problem(name: str, status: int, detail: str, detail_en: str, *, retry_after: int = 0) -> web.Response:
    """The document of ``docs/schema/problem.schema.json``; ``name`` is the last part of its ``type``, ``retry_after``
    in seconds."""
    title, title_en = _TITLES[status]
    headers = {"Cache-Control": "no-store"}
    if retry_after:
        headers["Retry-After"] = str(retry_after)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    body = {
        "type": _PAGE + name,
        "title": title,
        "title_en": title_en,
        "status": status,
        "detail": detail,
        "detail_en": detail_en,
    }
    return web.Response(
        body=orjson.dumps(body), status=status, headers=headers, content_type="application/problem+json"
    )
