"""What a DingTalk app's messages look like on the wire: text, markdown, a card with buttons, and a card's change. Pure.

Sources of the rules: the vendor's pages on robot messages (``msgKey`` and ``msgParam``, which is a JSON text) and on
interactive cards. A card is drawn by the administrator in the vendor's tool; the variables it must have are these:
``title summary body rows state``, for three buttons that call back ``button1 code1`` to ``button3 code3``, and for one
that opens a page ``link_words link``. What is empty is not shown.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from channels.channel import Card, CardLimits, Letter
from channels.cutting import cut_bytes
from channels.dingtalk.markdown import markdown as shown

TITLE_BYTES = 120
ROOM = 400
"""Forced line ends and quotes set apart take room that the renderer does not count, in bytes."""
BUTTONS = 3
LIMITS = CardLimits(
    title=120,
    summary=150,
    body=600,
    rows=6,
    row_name=15,
    row_value=120,
    buttons=BUTTONS,
    button=30,
    code=256,
    changed=120,
)
_MARKUP = re.compile(r"</?font[^>]*>|[*`#>]+")


class Shape(StrEnum):
    """As what a message is sent; a call to act may be a card, everything else is text or markdown then."""

    TEXT = "text"
    MARKDOWN = "markdown"
    CARD = "card"


class Body(NamedTuple):
    """A robot message: the key of its form, and the fields of that form."""

    key: str
    fields: dict[str, str]

    @property
    def param(self) -> str:
        """The fields as the JSON text the vendor wants."""
        return orjson.dumps(self.fields).decode()

    @property
    def text(self) -> str:
        return self.fields.get("text") or self.fields["content"]


def body_of(letter: Letter, *, markdown: bool, name: str) -> Body:
    """A letter as markdown, or as it is; ``name`` is the channel's, for a message that has no line to be its title."""
    if not markdown:
        return Body("sampleText", {"content": letter.text})
    first = (letter.subject.strip() or letter.text.strip()).splitlines()[0]
    title = cut_bytes(_MARKUP.sub("", first).strip(), TITLE_BYTES) or name
    return Body("sampleMarkdown", {"title": title, "text": shown(letter.text)})


def card_of(card: Card, member: str, template: str, route: str) -> dict[str, Any]:
    """The body that creates a card and delivers it to one member. ``route`` is the key of the address that hears of
    presses, '' where they come by the stream."""
    heard = {"callbackType": "HTTP", "callbackRouteKey": route} if route else {"callbackType": "STREAM"}
    return {
        "cardTemplateId": template,
        "outTrackId": card.id,
        **heard,
        "cardData": {"cardParamMap": _variables(card)},
        "userIdType": 1,
        "openSpaceId": f"dtv1.card//IM_ROBOT.{member}",
        "imRobotOpenSpaceModel": {"supportForward": False},
        "imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT"},
    }


def change_of(letter: Letter) -> dict[str, Any]:
    """The body of a change: words in the place of the buttons."""
    over = {f"button{place}": "" for place in range(1, BUTTONS + 1)}
    codes = {f"code{place}": "" for place in range(1, BUTTONS + 1)}
    return {
        "outTrackId": letter.changes,
        "cardData": {"cardParamMap": {"state": cut_bytes(letter.text, LIMITS.changed), **over, **codes}},
        "cardUpdateOptions": {"updateCardDataByKey": True},
    }


def _variables(card: Card) -> dict[str, str]:
    opening = next((each for each in card.buttons if each.link), None)
    said = {
        "title": card.title,
        "summary": card.summary,
        "body": card.body,
        "rows": "\n".join(f"{name}：{value}" for name, value in card.rows),
        "state": "",
        "link": opening.link if opening else "",
        "link_words": opening.words if opening else "",
    }
    pressed = [each for each in card.buttons if each.code][:BUTTONS]
    for place in range(1, BUTTONS + 1):
        button = pressed[place - 1] if place <= len(pressed) else None
        said[f"button{place}"] = button.words if button else ""
        said[f"code{place}"] = button.code if button else ""
    return said
