"""What commands ask of the store by themselves, where no hub runs that they could ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.control import NoAnswer, alone
from bot.door import Door
from bot.rehearsal.recording import recordings
from bot.rules import Rules
from bot.settings.models import Settings
from bot.storehouse import Storehouse

T = TypeVar("T")
Question = Callable[[Door, int, Rules], Awaitable[T]]
"""Asked of a store's door, its number of partitions, and the rules in force, whose channels send nothing."""


async def ask_store(settings: Settings, question: Question[T]) -> T:
    """Open the store under its lock and ask. Raises NoAnswer where it is not ready or there is none yet."""

    async def ask(house: Storehouse) -> T:
        if not house.ready:
            raise NoAnswer(house.reason)
        meta = await house.meta()
        rules = Rules.of(settings, recordings(settings, lambda _channel, _letter: None))
        return await question(house.door(), meta.partitions, rules)

    return await alone(settings, ask)
