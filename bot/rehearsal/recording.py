"""Channels that take every letter and send nothing: what a rehearsal uses in the place of vendors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from bot.settings.models import Settings
from channels.channel import Abilities, Channel, Letter
from channels.outcome import Outcome, OutcomeKind
from channels.registry import abilities_of


class Recording:
    """Has the abilities of the channel it stands for; accepts at once."""

    Settings: ClassVar[Any] = None

    def __init__(self, name: str, abilities: Abilities, heard: Callable[[str, Letter], None]) -> None:
        self.name = name
        self.abilities = abilities
        self._heard = heard

    async def send(self, letter: Letter) -> Outcome:
        self._heard(self.name, letter)
        return Outcome(OutcomeKind.ACCEPTED, detail="rehearsal")

    async def close(self) -> None:
        return None


def recordings(settings: Settings, heard: Callable[[str, Letter], None]) -> Mapping[str, Channel]:
    """A recording for every configured channel; ``heard`` gets the channel's name and each letter."""
    return {name: Recording(name, abilities_of(name, table), heard) for name, table in settings.channels.items()}
