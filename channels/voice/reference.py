"""What a call is called in 15 bytes: vendors give so short a word back with what became of it, and no longer one."""

from __future__ import annotations

LONGEST = 15
"""How many bytes a vendor takes (OutId)."""
_TEST = "trial"


def reference(letter_id: str) -> str:
    """The beginning of a letter's id, which with the number called says which call it was: ``A0231.1.s3`` (incident,
    episode, stage), or ``t.5f2a…`` for a test. '' where even that is too long."""
    first, *rest = letter_id.split(".")
    if not rest:
        return ""
    if first == _TEST:
        made = f"t.{rest[0]}"
    else:
        made = ".".join((first, rest[0], rest[1].partition("-")[0])) if len(rest) > 1 else ""
    return made if len(made.encode()) <= LONGEST else ""


def trial_of(word: str) -> str:
    """The id of the test that a reference names, '' where it names none."""
    return f"{_TEST}.{word[2:]}" if word.startswith("t.") else ""


def names(word: str, letter_id: str) -> bool:
    """Whether ``word`` is the reference of this letter."""
    return bool(word) and reference(letter_id) == word
