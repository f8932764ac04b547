"""A body in which no item can be told apart, from a sender who proved who it is: kept whole, so that nobody's alarm is
lost because a gateway reads no answer (docs/decisions/0069-a-body-nobody-can-parse-is-kept-too.md)."""

from __future__ import annotations

from bot.intake.body import digest
from bot.intake.problems import FieldError, Problem
from bot.intake.reading import ReadingRules, Unreadable, kept
from bot.intake.words import shown
from escalation.vocabulary import Mode

_GIST = 200


def rubbish(body: bytes, problem: Problem, source: str, rules: ReadingRules, now: int) -> Unreadable | None:
    """The row for the quarantine; None where nothing was sent. ``now`` in milliseconds.

    GBK, the usual fault, is made readable: people must see what it was about, and it can be decided again.
    """
    if not body.strip():
        return None
    text = _readable(body)
    return Unreadable(
        source=source,
        index=0,
        id="",
        problems=(FieldError("", problem.detail, problem.detail_en),),
        received_at=now,
        body_hash=digest(b"body " + body),
        mode=rules.mode or Mode.ACTUAL,
        gist=shown(text, _GIST),
        **kept(text.encode()),
    )


def _readable(body: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("utf-8", "replace")
