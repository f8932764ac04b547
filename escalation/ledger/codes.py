"""Incident codes: taken in blocks, never reused, gaps allowed."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Mapping

from escalation.ledger.door import Call, Command, Store
from escalation.ledger.keys import PartitionKeys, partition_keys, write_code
from escalation.ledger.scripts import register
from escalation.vocabulary import Kind

LARGEST_BLOCK = 32
BUSY = 16
"""From a block of so many on, the next ones are fetched before they are needed."""

_log = logging.getLogger("fenghuo.ledger")


class Codes:
    """Hands out codes. A partition's first block of a letter holds one code, each further one twice as many up to 32: a
    quiet hub wastes none when it stops, a storm pays no round trip per incident. In a storm no incident waits for a
    block either: where one is used up by three quarters, all that are so by half are fetched in the background."""

    def __init__(self, store: Store, keys: list[PartitionKeys]) -> None:
        self._store = store
        self._keys = keys
        self._spare: defaultdict[tuple[int, str], deque[int]] = defaultdict(deque)
        self._block: defaultdict[tuple[int, str], int] = defaultdict(lambda: 1)
        self._fetching: asyncio.Task[None] | None = None

    async def take(self, wanted: list[tuple[int, str]]) -> list[str]:
        """One new code for each (partition, letter), in order; at most one round trip. Raises the store's error, and
        then no code is handed out."""
        counters: list[int | None] = []
        missing: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
        for place, which in enumerate(wanted):
            spare = self._spare[which]
            counters.append(spare.popleft() if spare else None)
            if counters[-1] is None:
                missing[which].append(place)
        if missing:
            await self._refill(missing, counters)
        if self._fetching is None and any(self._is_low(which, 4) for which in wanted):
            self._fetching = asyncio.create_task(self._fetch(), name="codes ahead")
        return [
            write_code(letter, counter, partition, len(self._keys))
            for (partition, letter), counter in zip(wanted, counters, strict=True)
            if counter is not None
        ]

    def _is_low(self, which: tuple[int, str], part: int) -> bool:
        """Whether it is in use, and no more than this part of its block is left."""
        block = self._block[which]
        return block >= BUSY and len(self._spare[which]) * part <= block

    async def _fetch(self) -> None:
        """A further block for each that is low; whatever fails is asked for when it is needed."""
        try:
            low: dict[tuple[int, str], list[int]] = {which: [] for which in list(self._spare) if self._is_low(which, 2)}
            await self._refill(low, [])
        except Exception as error:  # noqa: BLE001 (whoever needs the codes hears of the store)
            _log.info("codes could not be fetched ahead: %s", error)
        finally:
            self._fetching = None

    async def _refill(self, missing: Mapping[tuple[int, str], list[int]], counters: list[int | None]) -> None:
        """Give what a block brings to its askers first: another task may empty the spare ones while this one waits."""
        sizes: list[int] = []
        commands: list[Command] = []
        for which, places in missing.items():
            size = max(len(places), self._block[which])
            self._block[which] = min(size * 2, LARGEST_BLOCK)
            sizes.append(size)
            commands.append(("HINCRBY", self._keys[which[0]].codes, which[1], size))
        replies: list[int | Exception] = await self._store.pipeline(commands)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        for (which, places), size, last in zip(missing.items(), sizes, replies, strict=True):
            assert isinstance(last, int)
            block = deque(range(last - size + 1, last + 1))
            for place in places:
                counters[place] = block.popleft()
            self._spare[which].extend(block)


async def lift_codes(store: Store, floors: Mapping[int, int]) -> None:
    """Give out no counter at or below these, by partition: for a store that lost what it had given out.

    Safe to repeat. Raises the store's error.
    """
    register(store, "codes_floor")
    letters = [kind.letter for kind in Kind]
    calls: list[Call] = [
        ("codes_floor", [partition_keys(number).codes], [floor, *letters]) for number, floor in floors.items()
    ]
    for reply in await store.run_scripts(calls):
        if isinstance(reply, Exception):
            raise reply
