"""Pages: one strict, escaping template environment, and the answers made of it."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

import templates

_FOLDER = Path(templates.__file__).parent / "pages"
STATIC_PATH = "/static/"

_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_FOLDER),
    undefined=StrictUndefined,
    autoescape=select_autoescape(("html",), default=True),
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def page(name: str, facts: dict[str, Any], status: int = 200) -> web.Response:
    """The page ``name`` of ``templates/pages`` with ``facts``, never kept by a browser or a proxy."""
    text = _environment.get_template(name).render(facts)
    return web.Response(text=text, status=status, content_type="text/html", headers={"Cache-Control": "no-store"})


def wants_page(request: web.Request) -> bool:
    """Whether a person's browser asks, who is to read a page and not a problem document."""
    return "text/html" in request.headers.get("Accept", "")


def add_static(app: web.Application, folder: Path | None = None, prefix: str = STATIC_PATH) -> None:
    """Serve every file in ``folder`` (the pages' own by default) under ``prefix``, read once and with an ETag."""
    for path in sorted((folder or _FOLDER / "static").iterdir()):
        if path.is_file():
            app.router.add_get(prefix + path.name, _served(path))


def _served(path: Path) -> Any:
    body = path.read_bytes()
    tag = hashlib.sha256(body).hexdigest()[:16]
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    headers = {"Cache-Control": "no-cache", "ETag": f'"{tag}"'}

    async def serve(request: web.Request) -> web.Response:
        if any(each.value == tag for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        charset = "utf-8" if kind.startswith("text/") else None
        return web.Response(body=body, content_type=kind, charset=charset, headers=headers)

    return serve
