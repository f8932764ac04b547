"""The ledger of a town's store read whole, past the hub: what it says of every incident, and what is in flight now."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bot.door import Door
from bot.store import record
from bot.store.client import Store
from bot.store.external import connect
from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.ledger.keys import US, Mailbox, mailbox_keys, partition_keys, ready_key, shard_of
from escalation.ledger.meta import Meta, read_meta
from escalation.ledger.segments import parse_line, read_lines, segments_of
from escalation.ledger.stream import pages
from tests.serve.town import Town

_read_incident = msgspec.json.Decoder(Incident).decode
_read_entry = msgspec.json.Decoder(Entry).decode
_ENDS = ("receipt_submitted", "receipt_uncertain", "receipt_dropped")


@dataclass
class Ledger:
    """``reasons`` counts the journal's rows by (code, reason); ``told`` and ``ended`` are the (code, notice) pairs that
    the journal says were told, and of which it says what became."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: set[tuple[str, str]] = field(default_factory=set)
    ended: set[tuple[str, str]] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        self.reasons[entry.incident, entry.reason] += 1
        if entry.reason == "told":
            self.told.add((entry.incident, entry.notice))
        elif entry.reason in _ENDS:
            self.ended.add((entry.incident, entry.notice))


@asynccontextmanager
async def _door(town: Town) -> AsyncIterator[tuple[Door, Meta]]:
    async with _store(town) as store:
        door = Door(store)
        meta = await read_meta(door)
        assert meta is not None
        yield door, meta


def _store(town: Town) -> Store:
    if town.store_url is not None:
        return connect(town.store_url)
    known = record.load(town.data / "store")
    assert known is not None, "no store ever ran"
    # A store that was orphaned while it loads answers as soon as it has loaded.
    return Store.on_socket(Path(known.socket), attempts=30)


async def read_ledger(town: Town) -> Ledger:
    """Every incident's state and every journal row, those in files too."""
    found = Ledger()
    async with _door(town) as (door, meta):
        for number in range(meta.partitions):
            keys = partition_keys(number)
            for state in (await door.execute("HGETALL", keys.incidents))[1::2]:
                incident = _read_incident(state)
                found.incidents[incident.code] = incident
            rows: dict[int, bytes] = {}
            for _, _, path in segments_of(town.data / "journal", number):
                rows |= {line.number: bytes(line.row) for line in map(parse_line, read_lines(path))}
            async for page in pages(door, keys, 0):
                rows |= dict(page)
            for row in rows.values():
                found.add(_read_entry(row))
    return found


async def in_flight(town: Town) -> Counter[tuple[str, str]]:
    """What a hub that was just killed may have been sending: (where to, incident code) of each claim; the code is ''
    for what is about no incident. ``where to`` is the address, or the channel where it is the address."""
    found: Counter[tuple[str, str]] = Counter()
    async with _door(town) as (door, meta):
        for shard in range(meta.shards):
            for name in await door.execute("ZRANGE", ready_key(shard), 0, -1):
                mailbox = Mailbox.read(name.decode())
                keys = mailbox_keys(mailbox, shard_of(mailbox, meta.shards))
                flying: list[bytes] = await door.execute("ZRANGE", keys.flying, 0, -1)
                frozen = await door.pipeline([("HGET", keys.facts, b"d:" + member) for member in flying])
                where = place_of(mailbox.channel, mailbox.address)
                for member, members in zip(flying, frozen, strict=True):
                    found.update((where, code) for code in _codes((members or member).decode()))
    return found


async def at_rest(town: Town) -> bool:
    """Whether nothing waits or is under way in any mailbox."""
    async with _door(town) as (door, meta):
        full = await door.pipeline([("ZCARD", ready_key(shard)) for shard in range(meta.shards)])
        return not any(full)


def place_of(channel: str, address: str) -> str:
    """Where a message goes, as the vendors name it: the upstream system by its path."""
    return "/hook" if channel == "upstream" else address or channel


def _codes(members: str) -> Iterator[str]:
    for member in members.split("\x1e"):
        subject = member.split(US)[1]
        yield "" if subject.startswith(("!", "#")) else subject


def places_of(codes: Counter[tuple[str, str]]) -> dict[str, set[str]]:
    """The codes in flight by where they go."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for where, code in codes:
        found[where].add(code)
    return found
