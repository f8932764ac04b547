"""A flood of alarms (洪泛): more new incidents than one clerk can take in.

It begins above one rate and ends below a lower one. Both are settings of the duty page; alarm management counts over
ten minutes (EEMUA 191, ISA-18.2: with more than ten alarms a flood begins, with fewer than five it is over).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SPAN = 10 * 60_000
"""Over which time incidents are counted (ms)."""
KEPT = 12 * 60 * 60_000
"""For how long an opening is remembered (ms)."""


class Flood(NamedTuple):
    """``since`` when (ms), how ``many`` incidents opened since then, and how many of them ``lately``."""

    since: int
    many: int
    lately: int


def flood(openings: Iterable[int], now: int, *, begins: int, ends: int) -> Flood | None:
    """The flood that goes on at ``now``: it began when more than ``begins`` incidents had opened within :data:`SPAN`,
    and fewer than ``ends`` have not been reached since. Times in milliseconds. Pure."""
    times = sorted(at for at in openings if at <= now)
    # What leaves the span at a moment leaves it before what comes at that moment.
    moves = sorted([(at, 1) for at in times] + [(at + SPAN, 0) for at in times if at + SPAN <= now])
    within, left, since = 0, 0, None
    for _, comes in moves:
        within += 1 if comes else -1
        left += 0 if comes else 1
        if since is None and within > begins:
            since = times[left]
        elif since is not None and within < ends:
            since = None
    if since is None:
        return None
    return Flood(since, sum(at >= since for at in times), within)


class Openings:
    """What opened lately, also when it is closed again."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, int], int] = {}

    def note(self, code: str, episode: int, opened_at: int) -> None:
        self._at[code, episode] = opened_at

    def times(self, now: int) -> list[int]:
        """The times of those that are remembered; older ones are forgotten."""
        self._at = {key: at for key, at in self._at.items() if now - at < KEPT}
        return list(self._at.values())
