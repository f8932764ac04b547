"""Text messages that read alike: those of one incident to the people of one post, at one moment.

An alarm rings twenty phones of a duty with the same words. They are found once; the next reader gets them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from bot.rendering.rendered import Rendered
from channels.channel import Abilities
from escalation.directory import Directory
from escalation.incident import Incident
from escalation.notice import Notice


class Alike:
    """What was said at the last moment (ms) and by the last directory; nothing older is kept."""

    def __init__(self) -> None:
        self._moment = 0
        self._directory: Directory | None = None
        self._said: dict[Hashable, tuple[Incident, Abilities, Rendered]] = {}

    def say(
        self,
        incident: Incident,
        notice: Notice,
        abilities: Abilities,
        directory: Directory,
        now: int,
        make: Callable[[], Rendered],
    ) -> Rendered:
        """What ``make`` says of this notice, or has said of one that differs only in who reads it. The incident is the
        state that one turn of the courier has loaded."""
        if notice.deed is not None:
            return make()
        if (self._moment, self._directory) != (now, directory):
            self._moment, self._directory, self._said = now, directory, {}
        to = notice.to
        key = (
            *(id(incident), incident.version, id(abilities), notice.kind, notice.purpose, notice.duty, notice.clock),
            *(notice.measure, notice.due_at, notice.note, notice.created_at, to.unit, to.tier, to.role),
        )
        found = self._said.get(key)
        if found is None:
            # Both are kept with what was said, so that no other object can come to stand at their address.
            found = self._said[key] = incident, abilities, make()
        return found[2]
