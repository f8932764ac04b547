"""How much waits where, and since when: counted by indexes alone, so that asking costs the same however much waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from escalation.ledger.claims import answered
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import Mailbox, ages_key, mailbox_keys, partition_keys, shard_of
from escalation.ledger.levels import PLACES
from escalation.ledger.windows import Window
from escalation.vocabulary import Level, Severity, Urgency

_CRITICAL = 2**42
"""As in ``mailbox_parts.lua``: critical rows have negative places."""


class Waiting(NamedTuple):
    """How many, and the hub's time since which the oldest could have gone on (ms; None where none waits)."""

    many: int
    since: int | None


class Counts(NamedTuple):
    """One look at the store. ``open`` by level or severity, ``mailbox`` by urgency; ``overdue`` are incidents with a
    clock or step whose time has come and that nobody works on."""

    open: Mapping[Level | Severity | None, int]
    overdue: Waiting
    replies: Waiting
    outbox: Waiting
    mailbox: Mapping[Urgency, Waiting]
    dead: int
    quarantined: int


class Counting:
    """Counts over all partitions and shards; two round trips."""

    def __init__(self, store: Store, partitions: int, shards: int) -> None:
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._shards = shards

    async def counts(self, *, now: int) -> Counts:
        """Count. A part of the store that does not answer is left out; raises the store's error if none answers."""
        each = len(PLACES)
        commands: list[Command] = []
        for keys in self._keys:
            commands += [("ZCOUNT", keys.levels, place, place) for place in PLACES.values()]
            commands += [("ZCOUNT", keys.due, "-inf", now), ("ZRANGE", keys.due, 0, 0, "WITHSCORES")]
            commands += [("HLEN", keys.inbox_rows), ("ZRANGE", keys.inbox, 0, 0, "WITHSCORES")]
            commands += [("HLEN", keys.outbox_rows), ("ZRANGE", keys.outbox, 0, 0, "WITHSCORES")]
            commands += [("HLEN", keys.dead), ("HLEN", keys.quarantine)]
        width = each + 8
        replies = dict(answered(range(len(commands)), await self._store.pipeline(commands)))

        def column(place: int) -> list[list[bytes] | int]:
            return [replies[at] for at in range(place, len(commands), width) if at in replies]

        return Counts(
            open={level: _sum(column(place)) for place, level in enumerate(PLACES)},
            overdue=_waiting(column(each), column(each + 1), now),
            replies=_waiting(column(each + 2), column(each + 3), now),
            outbox=_waiting(column(each + 4), column(each + 5), now),
            mailbox=await self._mailboxes(),
            dead=_sum(column(each + 6)),
            quarantined=_sum(column(each + 7)),
        )

    async def unsent(self, *, now: int) -> int | None:
        """Since when the message that waits the longest could have left (ms); None where none waits. Raises the store's
        error if no part answers."""
        waiting = (await self._mailboxes()).values()
        return min((each.since for each in waiting if each.since is not None and each.since <= now), default=None)

    async def _mailboxes(self) -> dict[Urgency, Waiting]:
        spans = {Urgency.CRITICAL: ("-inf", "(0", _CRITICAL), Urgency.NORMAL: ("0", "+inf", 0)}
        found: dict[Urgency, Waiting] = {}
        for urgency, (low, high, above) in spans.items():
            commands: list[Command] = []
            for shard in range(self._shards):
                key = ages_key(shard)
                commands.append(("ZCOUNT", key, low, high))
                commands.append(("ZRANGEBYSCORE", key, low, high, "WITHSCORES", "LIMIT", 0, 1))
            replies = dict(answered(range(len(commands)), await self._store.pipeline(commands)))
            firsts = [reply for at, reply in replies.items() if at % 2]
            times = [int(float(first[1])) + above for first in firsts if first]
            found[urgency] = Waiting(
                _sum(reply for at, reply in replies.items() if not at % 2), min(times, default=None)
            )
        return found

    async def tokens(
        self, windows: Mapping[Mailbox, tuple[Window, ...]], *, now: int
    ) -> list[tuple[Mailbox, Window, int]]:
        """What is left of each window of these mailboxes."""
        wanted = [(mailbox, window) for mailbox, each in windows.items() for window in each]
        commands: list[Command] = []
        for mailbox, window in wanted:
            key = mailbox_keys(mailbox, shard_of(mailbox, self._shards)).window
            commands.append(("ZCOUNT", key, f"({now - window.per_ms}", "+inf"))
        used = answered(wanted, await self._store.pipeline(commands)) if commands else ()
        return [(mailbox, window, max(window.count - count, 0)) for (mailbox, window), count in used]


def _sum(replies: Iterable[list[bytes] | int]) -> int:
    return sum(reply for reply in replies if isinstance(reply, int))


def _waiting(counts: Iterable[list[bytes] | int], firsts: Iterable[list[bytes] | int], now: int) -> Waiting:
    """A row's place is the time since which it could have gone, or, in somebody's hand, the end of the claim: such a
    row is being worked on, and what waits the longest is none of them unless a claim ran out."""
    times = [int(float(first[1])) for first in firsts if isinstance(first, list) and first]
    return Waiting(_sum(counts), min((at for at in times if at <= now), default=None))
