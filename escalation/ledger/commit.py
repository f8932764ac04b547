"""Load and commit: the two store round trips between an input and its consequence.

A commit is one atomic script per incident. Inputs that people or systems send (events, replies) carry an id; the ledger
keeps it with the recorded result, so a commit repeated after a lost reply gives that result instead of looking like a
lost race. Lapses and receipts need no such row: the version guard lets each through once at most, and their decisions
are idempotent on the state (a step has fired or it has not, a notice was submitted or it was not), so whoever finds a
conflict loads again and decides that nothing is left to do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from escalation.incident import Incident, IncidentState
from escalation.inputs import Entry
from escalation.ledger.change import (
    AlreadyTaken,
    Born,
    Change,
    Committed,
    Conflict,
    Failed,
    Loaded,
    Lookup,
    OutboxItem,
    Outcome,
    Recorded,
)
from escalation.ledger.codes import Codes
from escalation.ledger.door import Arg, Call, Command, Store
from escalation.ledger.keys import US, claim_token, partition_keys, partition_of, partition_of_code, read_code
from escalation.ledger.levels import place_of
from escalation.ledger.scripts import register
from escalation.ledger.states import Damaged, read_state
from escalation.notice import DeadLetter, OutboxRow

LOOKUPS_PER_SCRIPT = 500
"""Lua's stack and one client's patience bound what one run of the load script may return."""

_encode_incident = msgspec.json.Encoder().encode
_encode_entry = msgspec.json.Encoder().encode
_encode_row = msgspec.json.Encoder().encode
_encode_letter = msgspec.json.Encoder().encode
_decode_letter = msgspec.json.Decoder(DeadLetter).decode


class Ledger:
    """The incidents of all partitions. The number of partitions is the store's (:mod:`escalation.ledger.meta`).

    ``unheard`` are claims on outbox rows of commits that did not answer for themselves. Such a commit may have been
    written all the same, by its first run, whose answer was lost: its rows are then this hub's, and in nobody's hand.
    Whoever asks the outbox for them takes them off the list.

    ``told`` hears of the journal rows that each call of :meth:`commit` brought to disk.
    """

    def __init__(self, store: Store, partitions: int) -> None:
        register(store, "load", "commit")
        self.partitions = partitions
        self._store = store
        self._keys = [partition_keys(number) for number in range(partitions)]
        self._load_keys = [(keys.seen, keys.correlations, keys.incidents) for keys in self._keys]
        self._commit_keys = [
            (
                keys.incidents,
                keys.versions,
                keys.correlations,
                keys.open,
                keys.opened,
                keys.levels,
                keys.seen,
                keys.seen_log,
                keys.due,
                keys.outbox,
                keys.outbox_order,
                keys.outbox_rows,
                keys.journal,
                keys.quarantine,
                keys.dead,
            )
            for keys in self._keys
        ]
        self._codes = Codes(store, self._keys)
        self.unheard: list[Born] = []
        self.told: Callable[[list[Entry]], None] | None = None

    def partition_of(self, key: str) -> int:
        """The partition of an enterprise or ``source:<name>``."""
        return partition_of(key, self.partitions)

    async def take_codes(self, wanted: list[tuple[int, str]]) -> list[str]:
        """A new code for each (partition, letter), in order, in at most one round trip. Never reused; gaps are fine."""
        return await self._codes.take(wanted)

    async def load(self, lookups: list[Lookup]) -> list[Loaded]:
        """The answers to all lookups, in order, in one round trip. Raises the store's error if any part failed.

        A state that cannot be read is that lookup's :class:`Damaged` and nobody else's trouble.
        Each answer has an incident of its own: two lookups of one incident give two equal objects.
        """
        places: dict[int, list[int]] = defaultdict(list)
        for place, lookup in enumerate(lookups):
            places[lookup.partition].append(place)
        chunks = [
            (partition, group[start : start + LOOKUPS_PER_SCRIPT])
            for partition, group in places.items()
            for start in range(0, len(group), LOOKUPS_PER_SCRIPT)
        ]
        calls: list[Call] = []
        for partition, chunk in chunks:
            args: list[Arg] = [len(chunk)]
            for place in chunk:
                lookup = lookups[place]
                args.append(len(lookup.inputs))
                args.extend(input_id for input_id, _ in lookup.inputs)
                args.append(lookup.correlation)
                args.append(lookup.code)
            calls.append(("load", self._load_keys[partition], args))
        loaded: dict[int, Loaded] = {}
        for (_, chunk), reply in zip(chunks, await self._store.run_scripts(calls), strict=True):
            if isinstance(reply, Exception):
                raise reply
            start = 0
            for place in chunk:
                inputs = lookups[place].inputs
                end = start + len(inputs)
                recorded = _recorded((body_hash for _, body_hash in inputs), reply[start:end])
                loaded[place] = _loaded(recorded, reply[end], reply[end + 1])
                start = end + 2
        return [loaded[place] for place in range(len(lookups))]

    async def get_many(self, codes: list[str]) -> list[Incident | None]:
        """The incidents of these codes, in order, None where there is none that can be read. Raises ValueError for what
        is no code. Whoever would take None for "there is none" and do something about it asks :meth:`find_many`."""
        return [None if isinstance(found, Damaged) else found for found in await self.find_many(codes)]

    async def find_many(self, codes: list[str]) -> list[Incident | Damaged | None]:
        """The same, with those told apart whose state cannot be read."""
        lookups = [
            Lookup(partition=partition_of_code(code, self.partitions), code=read_code(code) or code) for code in codes
        ]
        return [loaded.damaged or loaded.incident for loaded in await self.load(lookups)]

    async def commit(self, changes: list[Change], along: Along | None = None) -> list[Outcome]:
        """Commit every change by itself, all in one round trip (and so one fsync), and say how each ended, in order.

        At most one change of an incident may be among them; the second would find a conflict. The incident of a change
        gets its new version (``expected_version`` + 1). A change that cannot be written as bytes fails alone.

        ``along``: what the same round trip takes to the store behind the changes.
        """
        prepared = [_prepare(change) for change in changes]
        doubtful = written = [each for each in prepared if not isinstance(each, Failed)]
        calls: list[Call] = [("commit", self._commit_keys[each.change.partition], each.args) for each in written]
        try:
            more = along.calls([item for each in written for item in each.opening()]) if along is not None else ()
            answers = await self._store.run_scripts([*calls, *more]) if calls else []
            if along is not None:
                along.told(answers[len(calls) :])
                along = None
            del answers[len(calls) :]
            doubtful = [each for each, reply in zip(written, answers, strict=True) if not _says_ok(reply)]
        except BaseException:
            if along is not None:
                along.lost()
            raise
        finally:
            self.unheard += (each.born for each in doubtful if each.rows and each.token)
        replies = iter(answers)
        outcomes = [each if isinstance(each, Failed) else each.outcome(next(replies)) for each in prepared]
        if self.told is not None:
            ends = zip(changes, outcomes, strict=True)
            self.told([entry for change, end in ends if isinstance(end, Committed) for entry in change.entries])
        return outcomes

    async def open_codes(self, partition: int, start: int = 0, count: int = 500) -> list[str]:
        """A page of the partition's open incidents, oldest first. Pages shift when an incident closes in between."""
        reply = await self._store.execute("ZRANGE", self._keys[partition].open, start, start + count - 1)
        return [code.decode() for code in reply]

    async def open_among(self, codes: list[str]) -> list[str]:
        """Those of the codes that stand among the open ones, whether their states can be read or not."""
        if not codes:
            return []
        asked: list[Command] = [
            ("ZSCORE", self._keys[partition_of_code(code, self.partitions)].open, code) for code in codes
        ]
        replies = await self._store.pipeline(asked)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return [code for code, score in zip(codes, replies, strict=True) if score is not None]

    async def codes_since(self, partition: int, since: int) -> list[str]:
        """The partition's incidents that are open, or first opened at ``since`` (ms) or later."""
        keys = self._keys[partition]
        commands: list[Command] = [("ZRANGE", keys.open, 0, -1), ("ZRANGEBYSCORE", keys.opened, since, "+inf")]
        found: dict[bytes, None] = {}
        for reply in await self._store.pipeline(commands):
            if isinstance(reply, Exception):
                raise reply
            found |= dict.fromkeys(reply)
        return [code.decode() for code in found]

    async def count_open(self) -> int:
        """How many incidents are open in all partitions."""
        commands: list[Command] = [("ZCARD", keys.open) for keys in self._keys]
        total = 0
        for reply in await self._store.pipeline(commands):
            if isinstance(reply, Exception):
                raise reply
            total += reply
        return total

    async def quarantined(self, partition: int) -> dict[str, bytes]:
        """The partition's quarantine rows by id."""
        flat = await self._store.execute("HGETALL", self._keys[partition].quarantine)
        return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}

    async def dead_letters(self) -> list[DeadLetter]:
        """Every dead letter, oldest first. Raises the store's error."""
        found: list[DeadLetter] = []
        for reply in await self._store.pipeline([("HVALS", keys.dead) for keys in self._keys]):
            if isinstance(reply, Exception):
                raise reply
            found += map(_decode_letter, reply)
        return sorted(found, key=lambda letter: (letter.at, letter.notice))


class Opening(NamedTuple):
    """An outbox row of a new incident, in this hub's hand once its commit is made."""

    item: OutboxItem
    incident: Incident


class Along(Protocol):
    """What goes to the store behind the changes of one commit, in the same batch. ``told`` or ``lost`` follows."""

    def calls(self, opening: Sequence[Opening]) -> Sequence[Call]:
        """The calls, knowing the outbox rows of the new incidents among the changes."""

    def told(self, replies: list[Any]) -> None:
        """One reply, or error, for each of the calls."""

    def lost(self) -> None:
        """Nobody knows what became of the calls, if they were sent at all."""


class _Prepared:
    """A change as the script's arguments, and what its reply means."""

    __slots__ = ("args", "change", "rows", "token")

    def __init__(self, change: Change) -> None:
        self.change = change
        incident = change.incident
        version = change.expected_version + 1
        code, state, due, opened, level = "", b"", None, 0, 0
        correlation, index = change.correlation, ""
        if incident is not None:
            incident.version = version
            code, state, due = incident.code, _encode_incident(incident), incident.due_at()
            opened = 0 if incident.state is IncidentState.CLOSED else incident.opened_at
            level = place_of(incident)
            if not change.expected_version:
                correlation, index = incident.correlation, code
        elif change.tombstone is not None:
            index = f"~{change.tombstone}"
        self.rows = [
            _outbox_row(row, version if incident is not None else 0, place) for place, row in enumerate(change.outbox)
        ]
        self.token = claim_token(change.claimed_until) if change.claimed_until else ""
        self.args: list[Arg] = [
            change.now,
            code,
            change.expected_version,
            version,
            state,
            "" if due is None else due,
            opened or "",
            correlation,
            "" if change.tombstone_was is None else f"~{change.tombstone_was}",
            index,
            self.token,
            len(change.takes),
            len(change.entries),
            len(change.outbox),
            len(change.quarantine),
            level,
            len(change.dead),
            len(change.buried),
        ]
        args = self.args
        for take in change.takes:
            args += (take.input_id, take.body_hash, take.result)
        args += map(_encode_entry, change.entries)
        for line, member, body in self.rows:
            args += (line, member, body)
        for row_id, row in change.quarantine:
            args += (row_id, row)
        for letter in change.dead:
            args += (letter.notice, _encode_letter(letter))
        args += change.buried

    def opening(self) -> list[Opening]:
        """Its outbox rows, where it opens an incident: nobody else can have any of their line."""
        incident = self.change.incident
        if incident is None or self.change.expected_version or not self.token:
            return []
        return [Opening(item, incident) for item in self._items()]

    def _items(self) -> list[OutboxItem]:
        change, token = self.change, self.token
        return [
            OutboxItem(change.partition, line, token, member, body, row)
            for (line, member, body), row in zip(self.rows, change.outbox, strict=True)
        ]

    @property
    def born(self) -> Born:
        """Who would hold its outbox rows."""
        return Born(self.change.partition, self.token, self.change.claimed_until)

    def outcome(self, reply: list[bytes | None] | Exception) -> Outcome:
        change = self.change
        if isinstance(reply, Exception):
            return Failed(reply)
        match reply[0]:
            case b"ok":
                claimed = [item for item, mark in zip(self._items(), reply[1:], strict=True) if mark == b"1"]
                return Committed(change.incident.version if change.incident is not None else 0, claimed)
            case b"taken":
                return AlreadyTaken(_recorded((take.body_hash for take in change.takes), reply[1:]))
            case _:
                assert reply[1] is not None
                return Conflict(int(reply[1]))


def _says_ok(reply: list[bytes | None] | Exception) -> bool:
    return not isinstance(reply, Exception) and reply[0] == b"ok"


def _prepare(change: Change) -> _Prepared | Failed:
    try:
        return _Prepared(change)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        return Failed(error, unwritable=True)


def _outbox_row(row: OutboxRow, version: int, place: int) -> tuple[str, str, bytes]:
    """Line, member and bytes. A member sorts within its line by the commit's version, then by its place there."""
    line = row.incident or f"!{row.notice}".replace(US, " ")
    return line, f"{line}{US}{version:010d}.{place:04d}{US}{row.notice}", _encode_row(row)


def _recorded(body_hashes: Iterable[str], values: list[bytes | None]) -> list[Recorded | None]:
    recorded: list[Recorded | None] = []
    for body_hash, value in zip(body_hashes, values, strict=True):
        if value is None:
            recorded.append(None)
        else:
            before, _, result = value.partition(b"\n")
            recorded.append(Recorded(result, before != body_hash.encode()))
    return recorded


def _loaded(recorded: list[Recorded | None], index: bytes | None, state: bytes | None) -> Loaded:
    tombstone = None
    if index is not None and index.startswith(b"~"):
        if not index[1:].isdigit():
            return Loaded(recorded, None, None, Damaged(code="", raw=index, why="this is no tombstone"))
        tombstone = int(index[1:])
    if state is None:
        return Loaded(recorded, None, tombstone)
    found = read_state(index.decode(errors="replace") if index is not None else "", state)
    if isinstance(found, Damaged):
        return Loaded(recorded, None, tombstone, found, state)
    return Loaded(recorded, found, tombstone, None, state)
