"""A message as a phone would show it: lines of plain parts, so that the wall never puts text into a page as markup."""

from __future__ import annotations

import re
from typing import Any

import orjson

_PART = re.compile(
    r'<font color=["\'](?P<colour>info|comment|warning|green|grey|red)["\']>(?P<coloured>.*?)</font>'
    r"|\*\*(?P<bold>.+?)\*\*"
    r"|\[(?P<label>[^\]]+)\]\((?P<link>https?://[^)\s]+)\)"
)

_FEISHUS = {"green": "info", "grey": "comment", "red": "warning"}
Line = dict[str, Any]


def plain_lines(text: str) -> list[Line]:
    """Every line as one part."""
    return [{"quote": False, "parts": [{"text": line}]} for line in text.split("\n")]


def markdown_lines(text: str) -> list[Line]:
    """The markdown of a group robot: bold, three colours, links and quotes; whatever else stands there is text."""
    lines: list[Line] = []
    for row in text.strip("\n").split("\n"):
        quote = row.startswith("> ")
        row = row.removeprefix("> ").rstrip()
        if row or (lines and lines[-1]["parts"]):
            lines.append({"quote": quote, "parts": _parts(row)})
    return lines


def _parts(row: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    end = 0
    for found in _PART.finditer(row):
        if found.start() > end:
            parts.append({"text": row[end : found.start()]})
        end = found.end()
        if found["colour"]:
            parts.append({"text": found["coloured"], "colour": _FEISHUS.get(found["colour"], found["colour"])})
        elif found["bold"]:
            parts.append({"text": found["bold"], "bold": True})
        else:
            parts.append({"text": found["label"], "link": found["link"]})
    if row[end:]:
        parts.append({"text": row[end:]})
    return parts


def app_parts(text: str, base: str) -> tuple[list[Line], str]:
    """A text in a person's own chat, and its personal page ('' where it has none), which stands below it."""
    link = _own_page(text, base)
    return plain_lines("\n".join(row for row in text.split("\n") if row != link)), link


def card_parts(text: str, raw: bytes, task: str) -> tuple[str, dict[str, Any]]:
    """A card of the app: its text without the line of buttons, and the buttons that call back, for the page."""
    buttons = orjson.loads(raw)["template_card"]["button_list"]
    words = [each["text"] for each in buttons if "key" in each]
    return _buttons_apart(text, task, words)


def ding_card_parts(text: str, raw: bytes, task: str) -> tuple[str, dict[str, Any]]:
    """The same of a DingTalk card, whose buttons are variables of its template."""
    shown = orjson.loads(raw)["cardData"]["cardParamMap"]
    return _buttons_apart(text, task, [shown[name] for name in ("button1", "button2", "button3") if shown.get(name)])


def _buttons_apart(text: str, task: str, words: list[str]) -> tuple[str, dict[str, Any]]:
    kept = "\n".join(row for row in text.split("\n") if not row.startswith("［"))
    return kept, {"task": task, "buttons": words, "replaced": ""}


def mail_parts(text: str, base: str) -> tuple[list[Line], list[Line], str]:
    """A mail's head (what it says first), the rest, and its personal page: '' where it has none.

    ``base`` is the hub's own address: only a page of it is offered as a link.
    """
    link = _own_page(text, base)
    rows = [row for row in text.split("\n") if not link or link not in row]
    blocks = [block for block in re.split(r"\n\s*\n", "\n".join(rows).strip("\n")) if block.strip()]
    # The first block repeats the subject.
    head, rest = blocks[1:2] or blocks[:1], blocks[2:]
    return plain_lines("\n".join(head)), plain_lines("\n\n".join(rest)) if rest else [], link


def _own_page(text: str, base: str) -> str:
    found = re.search(re.escape(base) + r"/a/[A-Za-z0-9_-]+", text)
    return found.group() if found else ""
