"""Vendors that do not call back: what they have for us is looked for where they leave it, and taken away once it is on
disk here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from channels.channel import Report, Uplink


@dataclass(frozen=True, slots=True)
class Collected:
    """What was found: typed items, parts that are not what the vendor leaves (in words for a log), and where all of it
    lies, for :meth:`Collector.forget`."""

    items: tuple[Uplink | Report, ...] = ()
    unreadable: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@runtime_checkable
class Collector(Protocol):
    """A driver that is asked; the hub finds such drivers by ``isinstance``. ``every`` is in seconds.

    If the hub dies between the two calls it finds the same again, under the same ids: nothing is lost, and what was
    kept is kept once. Several hubs may look at one place.
    """

    name: str
    every: float

    async def collect(self, at: int) -> Collected:
        """What lies there now; ``at`` is the hub's time in ms. Raises OSError where the place cannot be looked at."""

    async def forget(self, collected: Collected) -> None:
        """All of it is on disk: it may go. Raises OSError where it cannot be taken away."""
