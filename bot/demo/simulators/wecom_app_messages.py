"""What the vendor of a WeCom app takes as a message, form by form, and the cards it keeps.

Sources of the rules: the vendor's pages path/90236 (send) and 94888 (change of a card).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

BAD_PARAMETER = 40058
TASK_USED = 42014
_BYTES = {"text": 2048, "markdown": 2048}
_TASK = re.compile(r"[0-9A-Za-z_@-]{1,128}", re.ASCII)
_HANDLE_LIFE = 72 * 3_600_000
_MOST_ROWS = _MOST_BUTTONS = 6
_LONGEST_KEY = 1024


class RefusedError(Exception):
    """The vendor's refusal: its code and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class Message:
    """What a send brings: as the phone shows it, what was cut off it in silence, and its card's id ('' for none)."""

    text: str
    cut: bool = False
    task: str = ""
    card: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AppCard:
    """A card on one member's phone: its buttons by key, or what replaced them."""

    task: str
    member: str
    shown: dict[str, Any]
    replaced: str = ""

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """Those that can be pressed or open a page."""
        return [] if self.replaced else list(self.shown["button_list"])

    def key(self, words: str) -> str:
        """The key below these words. Raises KeyError where there is no such button, or no longer."""
        found = [each["key"] for each in self.buttons if each["text"] == words and "key" in each]
        if not found:
            raise KeyError(words)
        return str(found[0])


class Cards:
    """The cards of an app, and the handles by which they may be changed: once each, within three days."""

    def __init__(self) -> None:
        self.cards: dict[tuple[str, str], AppCard] = {}
        self._tasks: set[str] = set()
        self._handles: dict[str, tuple[str, int]] = {}

    def take(self, message: Message, members: list[str], now: int) -> str:
        """Keep a new card for these members; the handle. Raises the vendor's refusal of an id used before."""
        if message.task in self._tasks:
            raise RefusedError(TASK_USED, "task_id has been used")
        self._tasks.add(message.task)
        for member in members:
            self.cards[member, message.task] = AppCard(message.task, member, message.card)
        return self.handle(message.task, now)

    def handle(self, task: str, now: int) -> str:
        """A fresh handle for a card, as it comes with a send and with each press."""
        made = secrets.token_urlsafe(24)
        self._handles[made] = (task, now + _HANDLE_LIFE)
        return made

    def change(self, body: dict[str, Any], now: int) -> tuple[list[AppCard], list[str]]:
        """Change the cards of the named members; which cards, and which members have none. Raises the refusal."""
        button, handle = body.get("button"), body.get("response_code")
        words = button.get("replace_name") if isinstance(button, dict) else None
        members = body.get("userids")
        if not isinstance(words, str) or not words:
            raise RefusedError(BAD_PARAMETER, "button.replace_name is empty")
        if not isinstance(members, list) or not all(isinstance(each, str) for each in members) or not members:
            raise RefusedError(BAD_PARAMETER, "userids is missing")
        task, until = self._handles.pop(str(handle), ("", 0))
        if not task or until <= now:
            # The vendor's own code for this is not documented.
            raise RefusedError(BAD_PARAMETER, "invalid response_code")
        lower = {member.lower(): card for (member, of), card in self.cards.items() if of == task}
        found = [lower[each.lower()] for each in members if each.lower() in lower]
        for card in found:
            card.replaced = words
        return found, [each.lower() for each in members if each.lower() not in lower]

    def forget(self) -> None:
        self.cards.clear()
        self._handles.clear()


def read_message(body: dict[str, Any]) -> Message:
    """The message inside a send. Raises the vendor's refusal."""
    kind = body.get("msgtype")
    part = body.get(str(kind))
    if kind not in ("text", "markdown", "textcard", "template_card"):
        raise RefusedError(40008, "invalid message type")
    if not isinstance(part, dict):
        raise RefusedError(BAD_PARAMETER, f"{kind} is missing")
    if kind == "textcard":
        return _textcard(part)
    if kind == "template_card":
        return _card(part)
    content = _said(part, "content")
    most = _BYTES[str(kind)]
    # Longer ones are cut without a word.
    kept = content.encode()[:most].decode("utf-8", "ignore")
    return Message(kept, cut=kept != content)


def _textcard(part: dict[str, Any]) -> Message:
    title, description, url = (_said(part, name) for name in ("title", "description", "url"))
    if not url.startswith(("http://", "https://")):
        raise RefusedError(BAD_PARAMETER, "textcard.url is no address")
    kept = [text.encode()[:most].decode("utf-8", "ignore") for text, most in ((title, 128), (description, 512))]
    words = str(part.get("btntxt", "详情"))
    return Message("\n".join([*kept, url]), cut=kept != [title, description] or len(words) > 4)


def _card(part: dict[str, Any]) -> Message:
    if part.get("card_type") != "button_interaction":
        raise RefusedError(BAD_PARAMETER, "template_card.card_type is not one this simulator knows")
    main, rows, task = part.get("main_title"), part.get("horizontal_content_list", []), part.get("task_id")
    if not isinstance(task, str) or not _TASK.fullmatch(task):
        raise RefusedError(TASK_USED, "task_id is missing or has other characters")
    if not isinstance(main, dict) or not main.get("title"):
        raise RefusedError(BAD_PARAMETER, "main_title is missing")
    if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
        raise RefusedError(BAD_PARAMETER, "horizontal_content_list has too many rows")
    buttons = _buttons(part.get("button_list"))
    lines = [str(main["title"]), str(main.get("desc", "")), str(part.get("sub_title_text", ""))]
    lines += [f"{_said(row, 'keyname')}：{row.get('value', '')}" for row in rows]
    lines.append("　".join(f"［{each['text']}］" for each in buttons))
    lines += [each["url"] for each in buttons if "url" in each]
    return Message("\n".join(line for line in lines if line), task=task, card=part)


def _buttons(given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_BUTTONS:
        raise RefusedError(BAD_PARAMETER, "button_list needs 1 to 6 buttons")
    keys: list[str] = []
    for each in given:
        words, kind = _said(each, "text"), each.get("type", 0)
        if len(words) > 10 or kind not in (0, 1):
            raise RefusedError(BAD_PARAMETER, "a button is too long or of no known type")
        if kind == 1:
            _said(each, "url")
        else:
            keys.append(_said(each, "key"))
    if len(keys) != len(set(keys)) or any(len(key.encode()) > _LONGEST_KEY for key in keys):
        raise RefusedError(BAD_PARAMETER, "button keys must differ and be within 1024 bytes")
    return given


def _said(part: Any, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    if not isinstance(value, str) or not value:
        raise RefusedError(BAD_PARAMETER, f"{name} is empty")
    return value


def element(name: str, value: str) -> str:
    """One element of a call-back's XML, as the vendor writes it."""
    if re.fullmatch(r"\d+", value, re.ASCII):
        return f"<{name}>{value}</{name}>"
    return f"<{name}><![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"


def json_body(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises RefusedError for anything else."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(40058, "invalid Request Parameter: body is no JSON object")
    return body


def answered(said: dict[str, Any]) -> web.Response:
    """The vendor's answer, under HTTP 200 whatever it says."""
    return web.Response(body=orjson.dumps(said), content_type="application/json")
