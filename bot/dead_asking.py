"""The commands' side of dead letters: asked of the running hub, or of the store where none runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from bot.clock import WallClock
from bot.control import ask_hub
from bot.deadletters import DeadDone, DeadLetters, DeadLine, DeadList, DeadSwept
from bot.door import Door
from bot.rules import Rules
from bot.settings.models import Settings
from bot.store_asking import ask_store
from escalation.ledger.commit import Ledger

T = TypeVar("T")


async def dead_list(settings: Settings) -> DeadList:
    """The dead letters. Raises NoAnswer."""
    content = await ask_hub(settings, "GET", "/dead")
    if content is not None:
        return msgspec.json.decode(content, type=DeadList)
    return await _of_the_store(settings, lambda letters: letters.list())


async def dead_show(settings: Settings, notice: str) -> DeadLine | None:
    """One dead letter; None where there is none of this id. Raises NoAnswer."""
    content = await ask_hub(settings, "GET", f"/dead/letter?{urlencode({'notice': notice})}")
    if content is not None:
        return msgspec.json.decode(content, type=DeadLine | None)
    return await _of_the_store(settings, lambda letters: letters.show(notice))


async def dead_settle(settings: Settings, how: str, notice: str, *, by: str, why: str) -> DeadDone | None:
    """Replay or drop (``how``) one dead letter; None where there is none of this id. Without a running hub a replayed
    one leaves when the next hub starts. Raises NotDone, NoAnswer."""
    asked = urlencode({"notice": notice, "by": by, "why": why})
    content = await ask_hub(settings, "POST", f"/dead/{how}?{asked}")
    if content is not None:
        return msgspec.json.decode(content, type=DeadDone | None)

    async def settle(letters: DeadLetters) -> DeadDone | None:
        settled = letters.replay if how == "replay" else letters.drop
        return await settled(notice, by=by, why=why, now=WallClock().now())

    return await _of_the_store(settings, settle)


async def dead_sweep(settings: Settings, channel: str, *, by: str, why: str) -> DeadSwept:
    """Replay all dead letters of a channel. Raises NoAnswer."""
    asked = urlencode({"channel": channel, "by": by, "why": why})
    content = await ask_hub(settings, "POST", f"/dead/replay-all?{asked}")
    if content is not None:
        return msgspec.json.decode(content, type=DeadSwept)
    now = WallClock().now()
    return await _of_the_store(settings, lambda letters: letters.replay_all(channel, by=by, why=why, now=now))


async def _of_the_store(settings: Settings, question: Callable[[DeadLetters], Awaitable[T]]) -> T:
    async def ask(door: Door, partitions: int, rules: Rules) -> T:
        return await question(DeadLetters(Ledger(door, partitions), rules.context))

    return await ask_store(settings, ask)
