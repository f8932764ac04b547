"""The hub's group markdown as DingTalk shows it: no named colours, and a line ends only where it says so.

The templates of group messages are written once, in the markdown of WeCom. DingTalk knows bold, quotes and links as
well, but joins lines that follow each other, and knows none of WeCom's colour names.
"""

from __future__ import annotations

import re

_COLOURED = re.compile(r'<font color="(?:info|comment|warning)">(.*?)</font>')
_LINK = re.compile(r"\[([^\]]*)\]\((https?://[^)\s]+)\)")
_MARKUP = re.compile(r"\*\*|^> ?", re.MULTILINE)
_BREAK = "  \n"


def markdown(text: str) -> str:
    """``text`` in DingTalk's markdown: what was coloured is bold, every line ends with a forced break, and a quote is
    parted from what stands around it, as it would swallow it."""
    lines: list[str] = []
    for line in map(str.rstrip, _COLOURED.sub(r"**\1**", text).strip().split("\n")):
        quote = line.startswith("> ")
        if lines and lines[-1] and line and quote != lines[-1].startswith("> "):
            lines.append("")
        if line or (lines and lines[-1]):
            lines.append(line)
    joined = ""
    for line, following in zip(lines, [*lines, ""][1:], strict=True):
        joined += line + (_BREAK if line and following else "\n")
    return joined.strip()


def plain(text: str) -> str:
    """``text`` without markup, for messages of the type ``text``; a link stands behind its words."""
    bare = _MARKUP.sub("", _LINK.sub(r"\1 \2", _COLOURED.sub(r"\1", text)))
    return re.sub(r"\n{3,}", "\n\n", bare).strip()
