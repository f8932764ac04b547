"""What a WeCom app's messages look like on the wire: text, markdown, text card, card with buttons, and a card's change.

Pure. Sources of the rules: the vendor's pages path/90236 (send) and 94888, 94945 (change of a card). Lengths are in
bytes; the vendor only suggests those of a card with buttons, in characters (longer text is folded), and 3 bytes each
are what Chinese needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2s
from types import MappingProxyType
from typing import Any

from channels.channel import Button, Card, CardLimits, Letter
from channels.cutting import cut_bytes

TEXT_BYTES = 2048
"""Of a text and of a markdown: longer ones are cut without a word."""
_MOST_REPEAT_SECONDS = 14_400
_TASK = re.compile(r"[^0-9A-Za-z_@-]")
LONGEST_TASK = 128
_STYLES = (1, 3, 4)
"""The main one, one to be careful with, a plain one."""
_OPENS = 1


class Shape(StrEnum):
    """As what a call to act is sent; everything else is text, or markdown where that is chosen."""

    TEXT = "text"
    MARKDOWN = "markdown"
    TEXTCARD = "textcard"
    CARD = "card"


LIMITS: Mapping[Shape, CardLimits] = MappingProxyType(
    {
        Shape.TEXTCARD: CardLimits(title=128, summary=0, body=512),
        Shape.CARD: CardLimits(
            title=26 * 3,
            summary=30 * 3,
            body=112 * 3,
            rows=6,
            row_name=5 * 3,
            row_value=26 * 3,
            buttons=6,
            button=10 * 3,
            code=1024,
            changed=26 * 3,
        ),
    }
)


def task_id(card: str) -> str:
    """A card's id as the vendor takes one: of letters, digits, ``_``, ``-`` and ``@``. Raises ValueError for what is
    longer than that may be."""
    task = _TASK.sub("@", card)
    if not 0 < len(task) <= LONGEST_TASK:
        raise ValueError(f"a card's id has 1 to {LONGEST_TASK} characters, not {len(task)}")
    return task


def message(letter: Letter, member: str, agentid: int, shape: Shape, repeat_seconds: int) -> dict[str, Any]:
    """The body of a send to one member."""
    said: dict[str, Any] = {"touser": member, "agentid": agentid}
    if letter.card is not None and shape is Shape.CARD:
        said |= {"msgtype": "template_card", "template_card": buttons_card(letter.card)}
    elif letter.card is not None and shape is Shape.TEXTCARD:
        said |= {"msgtype": "textcard", "textcard": _textcard(letter.card), "safe": 0}
    elif shape is Shape.MARKDOWN:
        said |= {"msgtype": "markdown", "markdown": {"content": letter.text}}
    else:
        said |= {"msgtype": "text", "text": {"content": letter.text}, "safe": 0}
    if repeat_seconds:
        # The vendor drops a request that equals an earlier one, byte for byte. A repeat of one letter shall be
        # dropped, two letters of the same words shall not: so the letter's id goes into the length of the interval.
        digest = blake2s(letter.id.encode(), digest_size=4).digest()
        interval = repeat_seconds + int.from_bytes(digest, "big") % (_MOST_REPEAT_SECONDS - repeat_seconds + 1)
        said |= {"enable_duplicate_check": 1, "duplicate_check_interval": interval}
    return said


def change(letter: Letter, member: str, agentid: int) -> dict[str, Any]:
    """The body of a change: words in the place of the buttons, on the card of one member."""
    words = cut_bytes(letter.text, LIMITS[Shape.CARD].changed)
    return {
        "userids": [member],
        "agentid": agentid,
        "response_code": letter.changes,
        "button": {"replace_name": words},
    }


def buttons_card(card: Card) -> dict[str, Any]:
    """A card with its buttons, as every kind of WeCom message has it."""
    most = LIMITS[Shape.CARD]
    said: dict[str, Any] = {
        "card_type": "button_interaction",
        "main_title": _filled(title=cut_bytes(card.title, most.title), desc=cut_bytes(card.summary, most.summary)),
        "sub_title_text": cut_bytes(card.body, most.body),
        "horizontal_content_list": [
            {"keyname": cut_bytes(name, most.row_name), "value": cut_bytes(value, most.row_value)}
            for name, value in card.rows[: most.rows]
        ],
        "task_id": task_id(card.id),
        "button_list": [_button(place, each, most) for place, each in enumerate(card.buttons[: most.buttons])],
    }
    return {name: value for name, value in said.items() if value}


def _button(place: int, button: Button, most: CardLimits) -> dict[str, Any]:
    said: dict[str, Any] = {"text": cut_bytes(button.words, most.button, ""), "style": _STYLES[min(place, 2)]}
    return said | ({"type": _OPENS, "url": button.link} if button.link else {"key": button.code})


def _textcard(card: Card) -> dict[str, Any]:
    most = LIMITS[Shape.TEXTCARD]
    return {
        "title": cut_bytes(card.title, most.title),
        "description": cut_bytes(card.body, most.body),
        "url": card.link,
        "btntxt": "去办理",
    }


def _filled(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
