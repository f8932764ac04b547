"""What a vendor called with and the hub could not read, made ready for the quarantine."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

from bot.chat.accidents import accident_words
from bot.chat.folding import folded
from bot.intake.body import digest
from bot.intake.problems import FieldError
from bot.intake.reading import Unreadable, kept
from bot.intake.words import shown
from channels.callback import Call, Errand, Unread

QUIET = 3_600_000
"""For how long the same trouble with a channel's delivery reports is not told again (ms): a gateway that says something
new says it of every message. What people write is always told."""
_GIST = 200
_DETAIL_EN = "a part of a call-back is not what the vendor sends"
_NUMBERS = re.compile(r"[0-9]+")


class UnreadParts:
    """Makes rows for the quarantine of what could not be read, and remembers what was told of reports lately."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], int] = {}

    def rows(self, channel: str, errand: Errand, parts: Iterable[Unread], now: int) -> list[Unreadable]:
        """One row for each part; of reports only the first of a kind within :data:`QUIET` is to be told. ``now`` in
        ms."""
        rows: list[Unreadable] = []
        self._told = {kind: at for kind, at in self._told.items() if now - at < QUIET}
        lately = set(self._told)
        for number, part in enumerate(parts):
            quiet = errand is Errand.REPORT and _kind(channel, part.words) in lately
            lately.add(_kind(channel, part.words))
            raw, said = part.raw.encode("utf-8", "replace"), unquote_plus(part.raw)
            rows.append(
                Unreadable(
                    source=channel,
                    index=number,
                    id="",
                    problems=(FieldError("", part.words, _DETAIL_EN),),
                    received_at=now,
                    body_hash=digest(f"{errand} {part.raw}".encode("utf-8", "replace")),
                    gist=shown(said, _GIST),
                    callback=errand.value,
                    quiet=quiet,
                    urgent=errand is Errand.UPLINK and bool(accident_words(folded(said))),
                    **kept(raw),
                )
            )
        return rows

    def told(self, rows: Iterable[Unreadable]) -> None:
        """These rows are on disk."""
        for row in rows:
            if row.callback == Errand.REPORT and not row.quiet:
                self._told[_kind(row.source, row.problems[0].detail)] = row.received_at


def whole(call: Call, words: str) -> tuple[Unread, ...]:
    """A call nothing of which could be read; nothing where it brought nothing."""
    raw = "\n".join(filter(None, (call.query, call.body.decode("utf-8", "replace"))))
    return (Unread(words, raw),) if raw.strip() else ()


def _kind(channel: str, words: str) -> tuple[str, str]:
    return channel, _NUMBERS.sub("#", words)
