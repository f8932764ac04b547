"""The words of a mail: its plain part, or its page without tags, without what it quotes by its structure. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from html.parser import HTMLParser

from channels.mail.charsets import header_of, text_of

MOST_PARTS = 200
_DEPTH = 30
_LONGEST = 100_000
"""Signs of one part that are looked at."""

_QUOTES = frozenset({"gmail_quote", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix", "ntes_not_fresh_bg_color"})
"""Classes of elements that hold what is answered,"""
_REST = frozenset(
    {
        "divrplyfwdmsg",
        "appendonsend",
        "isreplycontent",
        "isforwardcontent",
        "outlookmessageheader",
        "mail-editor-reference-message-container",
        "origbody",
        "oriantiquote",
        "xm_write_head_first",
    }
)
"""and ids and classes after which everything is."""
_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript"})
_QUOTED_TAGS = frozenset({"blockquote", "includetail"})
_LINES = frozenset(
    ["p", "div", "br", "tr", "li", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "blockquote"]
)
_EMPTY = frozenset(["br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr"])


def leaves(mail: Message) -> Iterator[Message]:
    """The parts that are no containers, in their order, without looking into mails that are attached."""
    waiting: list[tuple[Message, int]] = [(mail, 0)]
    seen = 0
    while waiting and seen < MOST_PARTS:
        part, depth = waiting.pop()
        seen += 1
        inside = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inside, list):
            if depth < _DEPTH:
                waiting += [(each, depth + 1) for each in reversed(inside) if isinstance(each, Message)]
            continue
        yield part


def words_of(mail: Message) -> tuple[str, str]:
    """The text of a mail with its quotes, '' where it has none, and a word for what else it brings (图片, 附件)."""
    plain = page = other = ""
    for part in leaves(mail):
        kind = part.get_content_type()
        attached = "attachment" in header_of(str(part.get("Content-Disposition", ""))).lower()
        if kind == "text/plain" and not attached and not plain.strip():
            plain = part_text(part)
        elif kind == "text/html" and not attached and not page.strip():
            page = part_text(part)
        elif kind.startswith("image/"):
            other = other or "图片"
        elif attached or not kind.startswith(("text/", "message/")):
            other = "附件" if other in ("", "附件") else other
    return (plain if plain.strip() else text_of_page(page)), other


def part_text(part: Message) -> str:
    """One part as text, at most so long."""
    data = part.get_payload(decode=True)
    charset = part.get_param("charset", "")
    named = charset if isinstance(charset, str) else charset[2]
    return text_of(data, named)[:_LONGEST] if isinstance(data, bytes) else ""


def text_of_page(page: str) -> str:
    """An HTML page as lines, without what its structure marks as quoted; with it where nothing else is left."""
    fresh = _read_page(page, quotes=False)
    return fresh if fresh.strip() else _read_page(page, quotes=True)


def _read_page(page: str, *, quotes: bool) -> str:
    reader = _Page(quotes)
    reader.feed(page)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.out).splitlines())
    return "\n".join(lines).strip()


class _Page(HTMLParser):
    """Takes the words out of a page. ``quotes``: those that are quoted too."""

    def __init__(self, quotes: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self._quotes = quotes
        self._hidden: list[str] = []
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LINES:
            self.out.append("\n")
        names = {word for name, value in attrs if name in ("class", "id") for word in (value or "").lower().split()}
        if not self._quotes and not _REST.isdisjoint(names):
            self._over = True
        quoted = not self._quotes and (tag in _QUOTED_TAGS or not _QUOTES.isdisjoint(names))
        if tag not in _EMPTY and (tag in _SKIPPED or quoted or (self._hidden and self._hidden[0] == tag)):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._hidden[0] == tag:
            self._hidden.pop()
        if tag in _LINES:
            self.out.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden and not self._over:
            self.out.append(data)
