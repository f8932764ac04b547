"""The template engine: sandboxed, strict, compiled once when it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

import templates

_FOLDERS = ("sms", "wecom", "mail", "webhook")


class Engine:
    """All templates of ``templates/``, by name: ``sms/raised.txt``, ``mail/_body.html``. HTML is escaped by itself."""

    def __init__(self) -> None:
        """Raises jinja2.TemplateSyntaxError where a shipped template cannot be compiled."""
        root = Path(templates.__file__).parent
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(root),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        names = [str(path.relative_to(root).as_posix()) for folder in _FOLDERS for path in (root / folder).iterdir()]
        self._templates: dict[str, Template] = {
            name: environment.get_template(name) for name in names if name.endswith((".txt", ".md", ".html"))
        }

    def render(self, name: str, it: dict[str, Any]) -> str:
        """One template with ``it``. Raises jinja2.TemplateError and whatever an expression raises."""
        return self._templates[name].render(it=it).strip("\n")
