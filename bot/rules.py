"""What holds now: directory, profile, calendar, channels of the configuration in force, swapped whole on reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.settings.models import Settings
from channels.channel import Channel
from escalation.calendar import Calendar
from escalation.directory import Directory
from escalation.inputs import Context
from escalation.plan import PlanBook
from escalation.profile import Profile


class Facts:
    """What decisions may know of channels (:class:`escalation.inputs.ChannelFacts`)."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels

    def can(self, channel: str, ability: str) -> bool:
        """True when the channel exists and has this ability."""
        found = self._channels.get(channel)
        return bool(found is not None and getattr(found.abilities, ability))


@dataclass(frozen=True, slots=True)
class Rules:
    """One configuration, ready for use. Incidents keep the plan they were opened with; only new ones see new rules."""

    settings: Settings
    directory: Directory
    profile: Profile
    calendar: Calendar
    feedback: Mapping[str, tuple[str, ...]]
    channels: Mapping[str, Channel]
    plans: PlanBook

    @classmethod
    def of(cls, settings: Settings, channels: Mapping[str, Channel]) -> Rules:
        """The rules of checked settings. ``channels`` are the open drivers by name."""
        directory, profile = settings.directory(), settings.profile_in_use()
        return cls(
            settings=settings,
            directory=directory,
            profile=profile,
            calendar=settings.calendar.build(),
            feedback={name: source.feedback for name, source in settings.sources.items() if source.feedback},
            channels=channels,
            plans=PlanBook(directory, profile),
        )

    def context(self, now: int) -> Context:
        """What a decision at ``now`` may look at."""
        return Context(
            now=now,
            directory=self.directory,
            profile=self.profile,
            channels=Facts(self.channels),
            calendar=self.calendar,
            feedback=self.feedback,
            maintainers=self.settings.hub.maintainers,
            plans=self.plans,
        )
