"""The hub's group markdown in Feishu's three forms: a post of paragraphs, an interactive card, and bare text.

The templates of group messages are written once, in the markdown of WeCom. A post knows no markup but links and calls;
a card knows bold and three colours of other names, and no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from channels.cutting import cut_bytes

TITLE_BYTES = 120
_COLOURED = re.compile(r'<font color="(info|comment|warning)">(.*?)</font>')
_COLOURS = {"info": "green", "comment": "grey", "warning": "red"}
_LINK = re.compile(r"\[([^\]]*)\]\((https?://[^)\s]+)\)")
_MARKUP = re.compile(r"</?font[^>]*>|\*\*|^(?:> ?|#+ )", re.MULTILINE)
_CALL = re.compile(r"<\s*/?\s*at\b", re.IGNORECASE)


def title_of(subject: str, text: str, otherwise: str) -> str:
    """What a notification shows: the subject, or the text's first line, without markup and within the limit."""
    first = _MARKUP.sub("", (subject.strip() or text.strip()).splitlines()[0]).strip()
    return cut_bytes(first, TITLE_BYTES) or otherwise


def bare(text: str, called: Sequence[str]) -> dict[str, Any]:
    """A message of the type ``text``; ``called`` are the members' ids, called by name on a line of their own."""
    shown = _silent(_MARKUP.sub("", _LINK.sub(r"\1 \2", text)).strip())
    calls = " ".join(f'<at user_id="{each}"></at>' for each in called)
    return {"msg_type": "text", "content": {"text": f"{shown}\n{calls}".strip()}}


def post(title: str, text: str, called: Sequence[str]) -> dict[str, Any]:
    """A message of the type ``post``: a paragraph for each line. A first line that is the title is not said twice."""
    lines = [_MARKUP.sub("", line).rstrip() for line in text.strip().split("\n")]
    if len(lines) > 1 and lines[0].strip() == title:
        lines = lines[1:]
    while lines and not lines[0]:
        lines = lines[1:]
    paragraphs = [_pieces(line) for line in lines]
    if called:
        paragraphs.append([{"tag": "at", "user_id": each} for each in called])
    return {"msg_type": "post", "content": {"post": {"zh_cn": {"title": title, "content": paragraphs}}}}


def card(title: str, text: str, called: Sequence[str], *, critical: bool) -> dict[str, Any]:
    """An interactive card without buttons: a robot hears of no answer. Its head is red for what is critical."""
    shown = _COLOURED.sub(lambda found: f"\ue000{_COLOURS[found[1]]}\ue001{found[2]}\ue002", text.strip())
    shown = _silent(re.sub(r"^(?:> ?|#+ )", "", re.sub(r"</?font[^>]*>", "", shown), flags=re.MULTILINE))
    shown = re.sub("\ue000(.*?)\ue001", r"<font color='\1'>", shown).replace("\ue002", "</font>")
    if called:
        shown += "\n" + " ".join(f"<at id={each}></at>" for each in called)
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {
                "title": {"tag": "plain_text", "content": title},
                "template": "red" if critical else "blue",
            },
            "elements": [{"tag": "markdown", "content": shown}],
        },
    }


def _pieces(line: str) -> list[dict[str, str]]:
    """One paragraph: its words, and its links as links."""
    made: list[dict[str, str]] = []
    end = 0
    for found in _LINK.finditer(line):
        if found.start() > end:
            made.append({"tag": "text", "text": line[end : found.start()]})
        made.append({"tag": "a", "text": found[1] or found[2], "href": found[2]})
        end = found.end()
    if end < len(line) or not made:
        made.append({"tag": "text", "text": line[end:]})
    return made


def _silent(text: str) -> str:
    """Text in which nobody is called by what an upstream system wrote."""
    return _CALL.sub(lambda found: found[0].replace("<", "＜"), text)
