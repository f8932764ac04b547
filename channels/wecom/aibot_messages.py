"""What a WeCom intelligent robot's own frames look like: subscription, messages, answers, a card's change. Pure.

Sources of the rules: the vendor's pages path/101463 (long connection), 101031 (answers), 101032 (cards), 101033
(welcome and change). A card has the fields of an app's card, with the same lengths.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2s
from typing import Any

from channels.channel import Card, Letter
from channels.cutting import cut_bytes
from channels.wecom.app_messages import LIMITS, Shape, buttons_card

SINGLE, GROUP = 1, 2
"""What kind of chat a message goes to."""
CARD_LIMITS = replace(LIMITS[Shape.CARD], whole=True)
_OVER = "over"
"""The key of the one button that is left on a card that is done with: pressed, it means nothing."""
_GREY = 4
_BUTTON_CHARS = 10


def subscription(bot_id: str, secret: str) -> dict[str, Any]:
    """The body of the first frame."""
    return {"bot_id": bot_id, "secret": secret}


def message(letter: Letter, chat: str, kind: int) -> dict[str, Any]:
    """The body of a message of the hub's own."""
    said: dict[str, Any] = {"chatid": chat, "chat_type": kind}
    if letter.card is not None and kind == SINGLE:
        return said | {"msgtype": "template_card", "template_card": buttons_card(letter.card)}
    return said | {"msgtype": "markdown", "markdown": {"content": letter.text}}


def answer(letter: Letter) -> dict[str, Any]:
    """The body of an answer, whole and finished."""
    identity = blake2s(letter.id.encode(), digest_size=12).hexdigest()
    return {"msgtype": "stream", "stream": {"id": identity, "finish": True, "content": letter.text}}


def welcome(text: str) -> dict[str, Any]:
    """The body of what is said to somebody who comes in."""
    return {"msgtype": "text", "text": {"content": text}}


def change(letter: Letter, member: str, task: str) -> dict[str, Any]:
    """The body of a card's change: the card once more, with words in the place of its buttons."""
    words = cut_bytes(letter.text, CARD_LIMITS.changed)
    card = letter.card or Card(id=task, title=words, summary="", body="")
    shown = buttons_card(replace(card, id=task, buttons=()))
    # A card of this kind needs a button: what is left says what was done, who did it and when stands above.
    done = letter.text.split()[-1][:_BUTTON_CHARS] if letter.text.strip() else words
    shown["button_list"] = [{"text": done, "style": _GREY, "key": _OVER}]
    shown["main_title"] = {**shown["main_title"], "desc": cut_bytes(words, CARD_LIMITS.summary)}
    return {"response_type": "update_template_card", "userids": [member], "template_card": shown}
