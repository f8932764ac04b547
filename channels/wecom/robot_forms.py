"""The hub's group markdown in the forms that a WeCom group robot takes: both markdowns, bare text, and a notice card.

Pure. Source of the rules: the vendor's page "消息推送" (path/99110). The lengths of a card are those the vendor
suggests; longer text is folded away, which an alarm must not be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

MARKDOWN_BYTES = 4096
TEXT_BYTES = 2048
TITLE_CHARS, SUB_TITLE_CHARS = 26, 112
ROWS, NAME_CHARS, VALUE_CHARS = 6, 5, 26
_OPENS_PAGE = 1
_FONT = re.compile(r"</?font[^>]*>")
_MARKUP = re.compile(r"</?font[^>]*>|\*\*|^(?:> ?|#+ )", re.MULTILINE)
_ROW = re.compile(r"> ?([^：\n]+)：(.+)")


class Style(StrEnum):
    """As what a message is sent. A message that does not fit on a card goes as markdown."""

    MARKDOWN = "markdown"
    MARKDOWN_V2 = "markdown_v2"
    TEXT = "text"
    CARD = "card"


def message(style: Style, text: str, page: str, called: Sequence[str] = ()) -> dict[str, Any]:
    """The body of one message. ``page`` is what a card opens; ``called`` are phone numbers, which only the form
    ``text`` calls by name."""
    if style is Style.TEXT:
        said: dict[str, Any] = {"content": bare(text)}
        return {"msgtype": "text", "text": said | ({"mentioned_mobile_list": list(called)} if called else {})}
    if style is Style.CARD and (made := notice_card(text, page)) is not None:
        return {"msgtype": "template_card", "template_card": made}
    if style is Style.MARKDOWN_V2:
        # It knows no colours and would show their tags.
        return {"msgtype": "markdown_v2", "markdown_v2": {"content": _FONT.sub("", text)}}
    return {"msgtype": "markdown", "markdown": {"content": text}}


def bare(text: str) -> str:
    """The words without their marks."""
    return _MARKUP.sub("", text).strip()


def notice_card(text: str, page: str) -> dict[str, Any] | None:
    """A card of the type ``text_notice``: the first line is its title, lines of a quote are its rows, the others stand
    below the title. None where anything would be folded away."""
    lines = [line for line in text.strip().split("\n") if line.strip()]
    if not lines:
        return None
    title, rows, others = bare(lines[0]), list[tuple[str, str]](), list[str]()
    for line in lines[1:]:
        row = _ROW.fullmatch(line)
        name, value = (bare(row[1]), bare(row[2])) if row else ("", "")
        if name and len(name) <= NAME_CHARS and len(value) <= VALUE_CHARS and len(rows) < ROWS:
            rows.append((name, value))
        else:
            others.append(bare(line))
    below = "\n".join(others)
    if len(title) > TITLE_CHARS or len(below) > SUB_TITLE_CHARS:
        return None
    card: dict[str, Any] = {
        "card_type": "text_notice",
        "main_title": {"title": title},
        "sub_title_text": below,
        "horizontal_content_list": [{"keyname": name, "value": value} for name, value in rows],
        "card_action": {"type": _OPENS_PAGE, "url": page},
    }
    return {name: value for name, value in card.items() if value}
