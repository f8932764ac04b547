"""扩展码: digits behind the number a message comes from. An answer goes to them and so says what it answers."""

from __future__ import annotations

import re

LEAST_DIGITS = 5
"""One digit for the code's letter, four at least for its number."""

_LETTERS = "AW"
_CODE = re.compile(r"([AW])([0-9]{4,15})", re.ASCII)


def extension(letter_id: str, digits: int) -> str:
    """The incident of a letter in exactly so many digits (its id begins with the code); zeros for a letter of none, or
    of one whose number is too long."""
    found = _CODE.fullmatch(letter_id.partition(".")[0])
    number = str(int(found[2])) if found else ""
    if found is None or len(number) >= digits:
        return "0" * digits
    return f"{_LETTERS.index(found[1]) + 1}{number:0>{digits - 1}}"


def incident_of(number: str, digits: int) -> str:
    """The incident's code in the last ``digits`` digits that an answer was sent to, '' where there is none."""
    last = number[-digits:] if digits else ""
    if len(last) < LEAST_DIGITS or not (last.isascii() and last.isdigit()) or not 1 <= int(last[0]) <= len(_LETTERS):
        return ""
    return f"{_LETTERS[int(last[0]) - 1]}{int(last[1:]):04d}"
