"""Text brought into a form: on one line, and cut to a vendor's limit in bytes without breaking a character."""

from __future__ import annotations


def size(text: str) -> int:
    """Length of ``text`` in bytes of UTF-8. Raises UnicodeEncodeError for half a surrogate pair."""
    return len(text.encode("utf-8"))


def flat(text: str) -> str:
    """What somebody wrote on one line, without what surrounds it."""
    return "".join(" " if mark < " " or mark == "\x7f" else mark for mark in text).strip()


def cut_bytes(text: str, limit: int, ending: str = "…") -> str:
    """The longest beginning of ``text`` that fits ``limit`` bytes of UTF-8, with ``ending`` if something was left out.

    A character is never split, and marks that combine with the character before them (accents, variation selectors,
    joined emoji) do not stay behind without it. Where ``ending`` itself does not fit, it is left away.
    """
    whole = text.encode("utf-8")
    if len(whole) <= limit:
        return text
    tail = ending if size(ending) <= limit else ""
    room = max(limit - size(tail), 0)
    kept = whole[:room].decode("utf-8", "ignore")
    following = text[len(kept) :]
    # The first character left out belongs to the last one kept: take that one out as well.
    while kept and following and _joins(kept[-1], following[0]):
        following = kept[-1] + following
        kept = kept[:-1]
    return kept + tail


def _joins(left: str, right: str) -> bool:
    return _combines(right) or left == "\u200d"


def _combines(mark: str) -> bool:
    return (
        "\u0300" <= mark <= "\u036f"
        or "\ufe00" <= mark <= "\ufe0f"
        or mark == "\u200d"
        or "\U0001f3fb" <= mark <= "\U0001f3ff"
    )
