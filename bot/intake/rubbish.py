"""A body in which no item can be told apart, from a sender who proved who it is: kept whole, so that nobody's alarm is
lost because a gateway reads no answer (docs/decisions/0069-a-body-nobody-can-parse-is-kept-too.md)."""

from __future__ import annotations

from bot.intake.body import digest, parse
from bot.intake.items import read_items
from bot.intake.problems import FieldError, Problem, Refused
from bot.intake.reading import ReadingRules, Unreadable, kept
from bot.intake.words import shown
from escalation.vocabulary import Mode

_GIST = 200
_MOST = 10_000


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
        gist=_about(text, source, rules, now) or shown(text, _GIST),
        **kept(text.encode()),
    )


def _about(text: str, source: str, rules: ReadingRules, now: int) -> str:
    """What it was about, where only the encoding was wrong."""
    try:
        items = read_items(parse(text.encode(), _MOST), source, rules, now)
    except Refused:
        return ""
    for item in items:
        if isinstance(item, Unreadable):
            return item.gist
        grade = item.severity or item.level
        names = (item.type.value, grade.word if grade else "", item.enterprise_name or item.enterprise)
        return shown(" · ".join(filter(None, (*names, item.point_name or item.point))), _GIST)
    return ""


def _readable(body: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("utf-8", "replace")
