"""The anchor beside a store: what is in the store is compared with it, and it follows what is sealed there.

Each hub has an anchor of its own, in its own data folder. Several hubs seal the journal of one store; so an anchor also
follows what another hub has sealed, after a look that its own last row still stands in that chain. A store that fell
back (a replica was promoted that lacked rows) is so noticed by every hub before that hub seals anything in it, however
much another one has written meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from bot.store.anchor import Anchor, Finding, StoreHeads, Verdict, compare
from bot.store.anchor import Head as AnchoredHead
from bot.store.errors import StoreRefusedError
from escalation.ledger.chain import Head
from escalation.ledger.codes import lift_codes
from escalation.ledger.door import Command, Store
from escalation.ledger.keys import partition_keys
from escalation.ledger.meta import read_meta
from escalation.ledger.stream import read_sealed, sealed_command

log = logging.getLogger(__name__)

CODES_MARGIN = 1000
"""By how many a new store's codes begin above what an older one may have given out."""


class Anchorage:
    """One data folder's anchor. ``verdict`` is the last look's; None before the first."""

    def __init__(self, folder: Path, noted: Callable[[str, Verdict], None], *, falls_back: bool) -> None:
        """``noted`` hears, with its reason, of a verdict that belongs into the journal. ``falls_back``: whether others
        may have written on in a store that lost its end (:func:`bot.store.anchor.compare`)."""
        self._folder = folder
        self._path = folder / "anchor.json"
        self._noted = noted
        self._falls_back = falls_back
        self._anchor: Anchor | None = None
        # Looking and saving both read the anchor first and replace it last.
        self._turn = asyncio.Lock()
        self.verdict: Verdict | None = None

    @property
    def store_id(self) -> str | None:
        """The store that is anchored; None before any is."""
        return self._anchor.store_id if self._anchor is not None else None

    @property
    def journal_folder(self) -> Path:
        """Where sealed segments of the journal are filed."""
        return self._folder / "journal"

    def load(self) -> None:
        """Read the file. Raises AnchorUnreadableError, OSError."""
        self._anchor = Anchor.load(self._path)

    async def begin(self, store_id: str) -> None:
        """The first anchor of a new store; nothing where there is one."""
        if self._anchor is None:
            self._anchor = Anchor(store_id, generation=1)
            await asyncio.to_thread(self._anchor.save, self._path)

    async def save(self, heads: Mapping[int, Head]) -> None:
        """Anchor heads that this hub has sealed."""
        async with self._turn:
            await self._advance(
                {key: AnchoredHead(head.count, head.stream_id, head.sha256) for key, head in heads.items()}
            )

    async def meet(self, store: Store, partitions: Mapping[int, Head]) -> None:
        """The chains of these partitions are not where this hub left them: compare the store, and follow it.

        Raises StoreRefusedError where the store is not the one that is anchored, the store's error.
        """
        async with self._turn:
            said = await self._look(store)
            verdict = self.verdict
            if verdict is None or not verdict.opens or self._anchor is None:
                told = verdict or Verdict(Finding.STORE_OTHER)
                raise StoreRefusedError(told.zh, told.en)
            kept = self._anchor.heads
            await self._advance(
                {
                    key: head
                    for key in partitions
                    if (head := said.heads.get(key)) is not None
                    and head.count > (kept[key].count if key in kept else 0)
                }
            )

    async def _advance(self, heads: Mapping[int, AnchoredHead]) -> None:
        if self._anchor is None:
            raise RuntimeError("the anchor is not begun")
        if heads:
            following = self._anchor.advance(heads)
            await asyncio.to_thread(following.save, self._path)
            self._anchor = following

    def anchored(self) -> dict[int, Head]:
        """The heads as anchored, for ``verify``."""
        kept = self._anchor.heads if self._anchor else {}
        return {key: Head(count=head.count, sha256=head.sha256) for key, head in kept.items()}

    async def look(self, store: Store) -> Verdict:
        """Compare what the store says of itself with the anchor. Raises the store's error."""
        async with self._turn:
            await self._look(store)
            assert self.verdict is not None
            return self.verdict

    async def _look(self, store: Store) -> StoreHeads:
        said = await self._read(store)
        verdict = compare(self._anchor, said, falls_back=self._falls_back)
        if verdict.finding is Finding.ANCHOR_MISSING and not any(head.count for head in said.heads.values()):
            # Killed between making the store's meta and the first anchor: nothing was ever promised by this store.
            verdict = Verdict(Finding.FRESH)
        if verdict.finding is Finding.JOURNAL_BEHIND:
            await self._lower(verdict)
            # The counters of codes fell back with it: what was given out must not be given out again.
            await lift_codes(store, self.given_out(len(said.heads)))
        if not verdict.opens and (self.verdict is None or self.verdict.finding is not verdict.finding):
            log.critical("%s", verdict.en)
        self.verdict = verdict
        return said

    async def _read(self, store: Store) -> StoreHeads:
        """The store's id, the head of each partition's journal, and the hashes at the anchored numbers."""
        meta = await read_meta(store)
        if meta is None:
            return StoreHeads(None)
        keys = [partition_keys(number) for number in range(meta.partitions)]
        heads: dict[int, AnchoredHead] = {}
        asked: list[tuple[int, AnchoredHead]] = []
        for number, reply in enumerate(await store.pipeline([sealed_command(each) for each in keys])):
            if isinstance(reply, Exception):
                raise reply
            head = read_sealed(number, reply).head
            heads[number] = AnchoredHead(head.count, head.stream_id, head.sha256)
            kept = self._anchor.known(number) if self._anchor else ()
            asked += ((number, each) for each in kept if 0 < each.count < head.count)
        hashes: dict[int, dict[int, str]] = {}
        commands: list[Command] = [("HGET", keys[number].hashes, each.count) for number, each in asked]
        replies = await store.pipeline(commands) if commands else []
        for (number, each), found in zip(asked, replies, strict=True):
            if isinstance(found, Exception):
                raise found
            # Filed rows have left the store; their files are compared by `verify`.
            hashes.setdefault(number, {})[each.count] = found.hex() if found else each.sha256
        return StoreHeads(meta.store, heads, hashes)

    async def _lower(self, verdict: Verdict) -> None:
        """A journal that is behind opens, loudly: what is gone is gone, and from here on it only grows again."""
        if self._anchor is None:
            return
        lowered = self._anchor.lower({gap.partition: gap.found for gap in verdict.gaps})
        await asyncio.to_thread(self._put_aside, self._anchor.generation)
        await asyncio.to_thread(lowered.save, self._path)
        self._anchor = lowered
        self._noted("journal_behind", verdict)

    async def open_anyway(self, store: Store) -> Verdict | None:
        """An operator has decided: this store is the right one from now on, whatever the anchor says.

        Returns what was found before; None where there was nothing to decide. The former anchor is kept beside the new
        one. Raises the store's error, OSError.
        """
        async with self._turn:
            found = self.verdict
            if found is None or found.opens:
                return None
            said = await self._read(store)
            generation = self._anchor.generation if self._anchor else 0
            await asyncio.to_thread(self._put_aside, generation)
            self._anchor = None
            if said.store_id is not None:
                self._anchor = Anchor(said.store_id, generation + 1, said.heads)
                await asyncio.to_thread(self._anchor.save, self._path)
            if found.finding in (Finding.STORE_EMPTY, Finding.STORE_OTHER):
                await asyncio.to_thread(self._put_journal_aside, generation)
            self.verdict = Verdict(Finding.OK if said.store_id is not None else Finding.FRESH)
            self._noted("opened_anyway", found)
            return found

    def _put_aside(self, generation: int) -> None:
        """Keep the anchor that is replaced against its order: it says what was promised."""
        if self._path.exists():
            self._path.rename(self._path.with_name(f"anchor-{generation}.json"))

    def _put_journal_aside(self, generation: int) -> None:
        """The filed journal of a store that is gone: a new store's files must not replace it."""
        if self.journal_folder.exists():
            self.journal_folder.rename(self.journal_folder.with_name(f"journal-{generation}"))

    def given_out(self, partitions: int) -> dict[int, int]:
        """Codes that a store before this one, or this one before it lost its end, may have given out: every code has a
        journal row, so an anchor that was put aside bounds them; the margin is for codes taken and never used."""
        floors: dict[int, int] = {}
        for path in self._folder.glob("anchor-*.json"):
            kept = Anchor.load(path)
            for number, head in kept.heads.items() if kept is not None else ():
                if number < partitions:
                    floors[number] = max(floors.get(number, 0), head.count + CODES_MARGIN)
        return floors
