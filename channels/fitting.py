"""Texts that are not even offered to a vendor: empty ones, too long ones, and what no charset can write."""

from __future__ import annotations

from channels.cutting import size
from channels.outcome import Outcome, OutcomeKind


def unfit(text: str, most: int | None = None) -> Outcome | None:
    """Why a text of at most ``most`` bytes of UTF-8 (None: any number) cannot be sent; None where it can."""
    try:
        length = size(text)
    except UnicodeEncodeError:
        return Outcome(OutcomeKind.REFUSED_CONTENT, "文本含有无法编码的字符")
    if not text.strip():
        return Outcome(OutcomeKind.REFUSED_CONTENT, "文本为空")
    if most is not None and length > most:
        return Outcome(OutcomeKind.REFUSED_CONTENT, f"文本长 {length} 字节，上限 {most}")
    return None
