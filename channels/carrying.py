"""Letters that leave on a line: wherever they are sent, they are brought to the process that holds it.

A vendor with one connection for each account takes messages on that connection alone. Any hub, and its courier process,
may have the letter in its hand; so the driver gives it to the hub's :class:`Carrier`, and that one to the driver whose
line stands.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from channels.channel import Letter
from channels.outcome import Outcome


class Carrier(Protocol):
    """The hub's way from any of its processes to whoever holds a line."""

    async def carry(self, channel: str, letter: Letter, timeout: float) -> Outcome:
        """What the holder of ``channel``'s line says of the letter, within ``timeout`` seconds; ``transient`` where
        nobody holds it. Never raises for what the store or the holder do."""


@runtime_checkable
class Travelling(Protocol):
    """A driver whose letters travel; the hub gives its carrier to each such driver, found by ``isinstance``."""

    carrier: Carrier | None


@runtime_checkable
class Delivering(Protocol):
    """A driver with a line (:class:`channels.longline.LongLine`) on which letters leave."""

    name: str

    async def deliver(self, letter: Letter) -> Outcome:
        """Send one letter on this driver's own line, as :meth:`channels.channel.Channel.send` does."""


NO_CARRIER = "尚未与枢纽相连，消息未发出"
"""What is said of a letter that a driver alone was to send."""
