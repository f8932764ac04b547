"""What the door needs of the hub behind it, and what it gets back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.intake.auth import Entrance, Network
from bot.intake.reading import Item, ReadingRules, Unreadable
from escalation.event import Event, Flag
from escalation.vocabulary import Verdict


@dataclass(frozen=True, slots=True)
class SourceRules:
    """One configured source: who may post as it, how its events are read, and the proxies before the hub whose
    ``X-Forwarded-For`` is believed."""

    name: str
    entrance: Entrance
    reading: ReadingRules = field(default_factory=ReadingRules)
    proxies: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemVerdict:
    """One item's outcome. ``code`` is the incident's where there is one, ``reason`` the decision's named reason."""

    id: str
    verdict: Verdict
    code: str = ""
    reason: str = ""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same id was taken before with another body; nothing was done."""

    id: str
    reason: str = "other_body"


Result = ItemVerdict | Conflict


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the hub takes nothing now. ``busy``: no room, 429; else not ready (store, journal, clock), 503.

    ``detail`` and ``detail_en`` say what is the matter; ``retry_after`` in seconds, at least 1.
    """

    busy: bool
    retry_after: int
    detail: str
    detail_en: str


class Unavailable(Exception):
    """The hub could not commit. What was sent may or may not be on disk; to send it again is safe: ids are kept."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail_en)
        self.refusal = refusal


class Gate(Protocol):
    """The hub, seen from the door."""

    def source(self, name: str) -> SourceRules | None:
        """The rules of a configured source."""
        ...

    def now(self) -> int:
        """The hub's time in milliseconds since the epoch."""
        ...

    def admit(self, n: int, size: int, /) -> Refusal | None:
        """Whether ``n`` items of together ``size`` bytes could be taken now. Reserves nothing and is asked twice for
        each request: with (1, announced length) before the body is read, and with the truth before it is taken."""
        ...

    async def take(self, events: Sequence[Event], unreadable: Sequence[Unreadable], now: int) -> Sequence[Result]:
        """Decide and commit; returns after the commit is on disk: one result for each event, then one for each
        unreadable item, in their order. An id may stand there twice, in one call as in two at the same time. Raises
        :class:`Unavailable`, or :class:`bot.intake.batcher.Full`."""
        ...


async def take_in_order(gate: Gate, items: Sequence[Item], now: int) -> list[Result]:
    """The gate's results in the order of ``items``, whatever they are. Raises what :meth:`Gate.take` raises."""
    if not items:
        return []
    events = [item for item in items if isinstance(item, Event)]
    unreadable = [item for item in items if isinstance(item, Unreadable)]
    results = await gate.take(events, unreadable, now)
    taken, kept = iter(results[: len(events)]), iter(results[len(events) :])
    return [next(taken) if isinstance(item, Event) else next(kept) for item in items]
