"""统一社会信用代码: its alphabet and check digit, by GB 32100-2015."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LOOKALIKES = {"I": "1", "O": "0", "Z": "2", "S": "5"}
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def check_digit(first_17: str) -> str:
    """The 18th character, from the first seventeen. Raises ValueError for other characters or lengths."""
    total = sum(ALPHABET.index(mark) * weight for mark, weight in zip(first_17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def likely(uscc: str) -> str:
    """The code with digits for the letters that cannot stand in it and look like them."""
    return "".join(LOOKALIKES.get(mark, mark) for mark in uscc.upper())


def corrected(uscc: str) -> str | None:
    """The code with the check digit that belongs to it; None where the other characters cannot be those of a code."""
    try:
        return uscc[:17] + check_digit(uscc[:17])
    except ValueError:
        return None
