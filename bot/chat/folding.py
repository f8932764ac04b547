"""One form for what people type, so that width, case, invisible signs and quoting never change how it is read."""

from __future__ import annotations

import re
import unicodedata

from bot.chat.traditional import SIMPLE

MOST_CHARS = 1000
"""An answer is read for orders to here; nobody answers an alarm in more."""
MOST_SEEN = 4000
"""A message is kept and looked at to here: a quoted original may come first, and an accident stand anywhere."""

_SIGNATURE = re.compile(r"【[^【】]{0,60}】")
_KEPT_SIGNS = "°^`"
_CLOSES = {"「": "」", "『": "』"}
_QUOTED = re.compile(r"^[ \t]*>.*$|^[ \t]*[-—–_=][-—–_= ]{3,}[ \t]*$", re.MULTILINE)
_ORIGINAL = re.compile(
    r"^[-— \t]*(?:原始邮件|原始短信|转发的邮件|original message|发件人:|from:|在[^\n]{0,60}写道:|"
    r"on [^\n]{0,80}wrote:).*",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_MENTION = re.compile(r"@烽火(?:助手|机器人|小助手)?|@[^\s@]{1,30}(?=\s|$)")
_EMOTICON = re.compile(r"\[\s*(?:[\u4e00-\u9fffA-Za-z]\s*){1,4}\]")
_HAS_WORDS = re.compile(r"[^\W\d_]|(?<![a-z0-9])1(?![0-9])", re.IGNORECASE)
_CODE_LIKE = re.compile(r"(?<![a-z0-9])[aw][ \-_#.]{0,3}\d+", re.IGNORECASE)
_AUTOMATIC = re.compile(
    r"自动(?:回复|答复|应答|发送|发出)|有事请留言|不方便接听|请勿(?:直接)?回复|尊敬的(?:客户|用户)|退订|取件码|"
    r"autoreply|auto-reply|automaticreply|outofoffice"
)


def sound(text: str, most: int = MOST_CHARS) -> str:
    """The text as UTF-8 can carry it, its first ``most`` characters."""
    return text[:most].encode("utf-8", "replace").decode()


def folded(text: str) -> str:
    """NFKC, simplified signs for the words we know, without invisible signs, quotes of what was answered,
    calls by name and SMS signatures. Lines stay lines; all other white space is one space."""
    kept, _ = _unquoted(_plain(text).translate(SIMPLE))
    kept = _MENTION.sub(" ", _ORIGINAL.sub("", _QUOTED.sub("\n", kept)))
    bare = _SIGNATURE.sub(_without_frame, kept)
    # Who puts the answer itself in 【】 still answered.
    if not _HAS_WORDS.search(_CODE_LIKE.sub("", bare)) and "?" not in bare:
        bare = kept
    # [OK] as a sign between words is none of them; alone it is the answer.
    calm = _EMOTICON.sub(" ", bare)
    if _HAS_WORDS.search(_CODE_LIKE.sub("", calm)):
        bare = calm
    return "\n".join(" ".join(line.split()) for line in bare.splitlines()).strip()


def quoted(text: str) -> str:
    """What of a message is not its own: the original that it answers, as chat and mail put it around an answer."""
    kept, between = _unquoted(_plain(text))
    return "\n".join([*between, *(match[0] for quote in (_QUOTED, _ORIGINAL) for match in quote.finditer(kept))])


def _unquoted(text: str) -> tuple[str, list[str]]:
    """The text without what stands in 「」 or 『』, and what stood there: one quote may hold another."""
    own: list[str] = []
    between: list[str] = []
    open_at: list[int] = []
    place = 0
    for at, char in enumerate(text):
        if char in _CLOSES:
            open_at.append(at)
        elif open_at and char == _CLOSES[text[open_at[-1]]]:
            start = open_at.pop()
            if not open_at:
                own += [text[place:start], "\n"]
                between.append(text[start : at + 1])
                place = at + 1
    return "".join([*own, text[place:]]), between


def _without_frame(signature: re.Match[str]) -> str:
    """Nothing of an SMS signature; but a code in such brackets is no signature."""
    return f" {signature[0][1:-1]} " if _CODE_LIKE.search(signature[0]) else "\n"


def is_automatic(text: str) -> bool:
    """Whether a machine wrote this (an absence notice, a phone's driving mode): not to be acted on nor answered."""
    packed = "".join(_plain(text).translate(SIMPLE).lower().split())
    return _AUTOMATIC.search(packed) is not None


def _plain(text: str) -> str:
    return _visible(unicodedata.normalize("NFKC", sound(text, MOST_SEEN))[:MOST_SEEN])


def _visible(text: str) -> str:
    kept: list[str] = []
    for char in text:
        category = unicodedata.category(char)
        if char in "\n\r\u2028\u2029":
            kept.append("\n")
        elif category == "Zs" or char in "\t\v\f" or (category in ("So", "Sk") and char not in _KEPT_SIGNS):
            # An emoji is nobody's name, no reason and no word.
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me"):
            kept.append(char)
    return "".join(kept)
