"""A vendor's limits in words that can be checked: sliding windows, the reserve, and when tokens come back.

``mailbox_turn.lua`` takes the tokens by these same rules inside the claim; this description is what the rules mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Window(msgspec.Struct, frozen=True):
    """At most ``count`` sends in any ``per_ms`` milliseconds."""

    count: int
    per_ms: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How a channel may be used from one mailbox.

    ``reserve``: the last tokens of each window that only critical notices may use (at least one token of a window is
    left to the others, or they would never go). ``digest``: how many normal notices may share one message, 0 or 1 for
    none; below 0 the last token lists no critical ones either, but carries the next of them. ``unpaced``: after so many
    messages within the shortest window each further normal one waits, from 0.1 s on twice as long as the one before and
    5 s at most, so that what comes meanwhile shares it; 0 for no such pauses, and none where there is no window or no
    digest. ``at_once``: how many sends may be under way. ``lease``: how long a claim holds, in milliseconds; longer
    than a send may take.
    """

    windows: tuple[Window, ...] = ()
    reserve: int = 0
    digest: int = 0
    unpaced: int = 0
    at_once: int = 1
    lease: int = 60_000


def tokens(window: Window, reserve: int, taken: Sequence[int], now: int) -> int:
    """How many sends a window still allows at ``now``, given the times of those that were taken; never below 0.

    A send at ``t`` counts until ``t + per_ms``, itself excluded, so that no interval of that length holds more.
    """
    used = sum(1 for at in taken if at > now - window.per_ms)
    return max(0, window.count - min(reserve, window.count - 1) - used)


def next_token(window: Window, reserve: int, taken: Sequence[int], now: int) -> int:
    """The earliest time from ``now`` on at which the window allows a send, if none is taken before."""
    allowed = window.count - min(reserve, window.count - 1)
    inside = sorted(at for at in taken if at > now - window.per_ms)
    return now if len(inside) < allowed else inside[len(inside) - allowed] + window.per_ms
