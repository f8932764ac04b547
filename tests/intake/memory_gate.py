"""A hub in memory behind the door: it remembers what it took, and a test can hold it, fill it or break it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_network

from bot.intake.auth import Bearer, Entrance, Signing
from bot.intake.batcher import Batcher
from bot.intake.gate import Conflict, ItemVerdict, Refusal, Result, SourceRules
from bot.intake.reading import Item, ReadingRules, Unreadable
from escalation.event import Event
from escalation.vocabulary import Verdict
from tests.intake.mapped import rules
from tests.intake.samples import NOW
from tests.intake.test_auth import NEW, OLD

LOOPBACK = (ip_network("127.0.0.0/8"),)
TOKEN = "token-for-show-1"


class MemoryGate:
    """Sources ``signed`` (two secrets), ``token`` (from loopback), ``proxied`` (a token from 198.51.100.0/24, the
    loopback being its proxy), and ``vendor`` (a token, and the flat gateway's mapping)."""

    def __init__(self, *, limit: int = 64, room: int = 1000) -> None:
        self.taken: dict[str, tuple[str, ItemVerdict]] = {}
        self.commits: list[int] = []
        self.unreadable: list[Unreadable] = []
        self.refusal: Refusal | None = None
        self.full_at = 10_000
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()
        self._batcher: Batcher[Item, Result] = Batcher(self._commit, limit, room)
        entrances: dict[str, Entrance] = {
            "signed": Signing((OLD, NEW)),
            "token": Bearer((TOKEN,), LOOPBACK),
            "proxied": Bearer((TOKEN,), (ip_network("198.51.100.0/24"),)),
        }
        self._sources = {
            name: SourceRules(name, entrance, ReadingRules(), LOOPBACK if name == "proxied" else ())
            for name, entrance in entrances.items()
        }
        self._sources["vendor"] = SourceRules("vendor", Bearer((TOKEN,), LOOPBACK), rules())

    def source(self, name: str) -> SourceRules | None:
        return self._sources.get(name)

    def now(self) -> int:
        return NOW

    def admit(self, n: int, size: int) -> Refusal | None:
        if n > self.full_at:
            return Refusal(True, 2, "没有余地。", "No room.")
        return self.refusal

    async def take(self, events: Sequence[Event], unreadable: Sequence[Unreadable], now: int) -> Sequence[Result]:
        return await self._batcher.submit([*events, *unreadable])

    async def _commit(self, items: list[Item]) -> Sequence[Result]:
        self.begun.set()
        await self.open.wait()
        if self.error:
            raise self.error
        self.commits.append(len(items))
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Result:
        earlier = self.taken.get(item.input_id)
        if earlier and earlier[0] != item.body_hash:
            return Conflict(item.id)
        if earlier:
            return ItemVerdict(item.id, Verdict.DUPLICATE, earlier[1].code, "same_body", earlier[1].flags)
        if isinstance(item, Unreadable):
            self.unreadable.append(item)
            verdict = ItemVerdict(item.id, Verdict.QUARANTINED, "", "unreadable")
        else:
            code = f"{item.type.kind.letter}{len(self.taken) + 1:04}"
            verdict = ItemVerdict(item.id, Verdict.CREATED, code, "raised", item.flags)
        self.taken[item.input_id] = (item.body_hash, verdict)
        return verdict
