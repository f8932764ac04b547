"""A word of the hub's own to the maintainers: in the journal and in their mailboxes by one commit."""

from __future__ import annotations

from typing import NamedTuple

from bot.engine import Engine
from bot.workers.broken import word_rows
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.keys import US


class Word(NamedTuple):
    """``reason`` is the journal's, ``key`` what makes this one word of it: said twice by a crash in between, it is
    there once. ``detail`` stands in the journal."""

    reason: str
    key: str
    subject: str
    text: str
    detail: dict[str, str | int | float | bool | None]


async def tell_maintainers(engine: Engine, word: Word, now: int) -> None:
    """Write it down and tell it. ``now`` in ms. Raises the store's error; may be done again."""
    rules = engine.rules
    unit = rules.settings.hub.maintainers
    change = Change(
        partition=0,
        now=now,
        takes=[Taken(f"{word.reason}{US}{word.key}", "", b"")],
        entries=[Entry(at=now, reason=word.reason, detail=word.detail)],
        outbox=list(word_rows(f"{word.reason}.{word.key}", (word.text, word.subject), (), rules.directory, unit, now)),
        claimed_until=0,
    )
    (outcome,) = await engine.ledger.commit([change])
    if isinstance(outcome, Failed):
        raise outcome.error
    engine.stir()
