"""Sends whose vendors tell what became of them only when they are asked: which, and when they are to be asked next.

Memory alone: what is forgotten costs a receipt, and what is asked twice costs a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from escalation.ledger.door import Command, Store
from escalation.ledger.keys import US, asks_key

KEPT_FOR = 7 * 86_400_000
"""How long a channel's sends are remembered that nobody asks about any more, in milliseconds."""


class Ask(NamedTuple):
    """A send by its vendor's id: when it was sent (ms), and how often its vendor was asked."""

    vendor_id: str
    sent_at: int
    asked: int = 0


class Asks:
    """The sends of all channels to be asked about."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def later(self, asks: Iterable[tuple[str, Ask, int]]) -> None:
        """Ask about sends of these channels at these times (ms). Safe to do again. Raises the store's error."""
        commands: list[Command] = []
        for channel, ask, at in asks:
            key = asks_key(channel)
            commands += [("ZADD", key, "NX", at, _member(ask)), ("PEXPIRE", key, KEPT_FOR)]
        await self._done(commands)

    async def due(self, channel: str, now: int, most: int) -> list[Ask]:
        """Up to ``most`` sends whose vendor is to be asked by now, the longest due first. Raises the store's error."""
        found = await self._store.execute("ZRANGEBYSCORE", asks_key(channel), 0, now, "LIMIT", 0, most)
        return [_ask(member) for member in found]

    async def asked(self, channel: str, ask: Ask, again_at: int | None) -> None:
        """The vendor was asked: ask again at that time, or never. Raises the store's error."""
        key = asks_key(channel)
        commands: list[Command] = [("ZREM", key, _member(ask))]
        if again_at is not None:
            commands.insert(0, ("ZADD", key, again_at, _member(ask._replace(asked=ask.asked + 1))))
        await self._done(commands)

    async def _done(self, commands: list[Command]) -> None:
        for reply in await self._store.pipeline(commands) if commands else []:
            if isinstance(reply, Exception):
                raise reply


def _member(ask: Ask) -> str:
    return f"{ask.asked}{US}{ask.sent_at}{US}{ask.vendor_id}"


def _ask(member: bytes) -> Ask:
    asked, sent_at, vendor_id = member.decode().split(US, 2)
    return Ask(vendor_id, int(sent_at), int(asked))
