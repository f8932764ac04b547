"""What rendering gives back, and the limits it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.rendering import shorten
from channels.channel import Abilities, Card


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message for one address; the fields are those of :class:`channels.channel.Letter`.

    ``complete`` is False where the channel's limit left no room for something the reader needs. ``failed`` with
    ``error`` says that a template or the link went wrong; the text is then the best there is, never nothing.
    """

    text: str
    subject: str = ""
    html: str = ""
    thread: str = ""
    thread_first: bool = True
    mentions: tuple[str, ...] = ()
    topic: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    card: Card | None = None
    complete: bool = True
    failed: bool = False
    error: str = ""


def fits(text: str, abilities: Abilities) -> bool:
    """True when ``text`` is within the channel's bounds in characters (UTF-16 units) and bytes (UTF-8)."""
    return (abilities.max_chars is None or shorten.units(text) <= abilities.max_chars) and (
        abilities.max_bytes is None or shorten.octets(text) <= abilities.max_bytes
    )


def cut(text: str, abilities: Abilities) -> str:
    """``text`` cut at a character to the channel's bounds."""
    if abilities.max_chars is not None:
        text = shorten.within(text, abilities.max_chars)
    if abilities.max_bytes is not None:
        text = shorten.within(text, abilities.max_bytes, shorten.octets)
    return text
