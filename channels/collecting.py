"""Vendors that do not call back: what they have for us is looked for where they leave it, and taken away once it is on
disk here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from channels.callback import Errand, Unread
from channels.channel import Abilities, Report, Uplink
from channels.outcome import Outcome


class Odd(NamedTuple):
    """What lies in ``place`` and is not what the vendor leaves there; ``errand`` is what such a place is for."""

    errand: Errand
    part: Unread
    place: str


@dataclass(frozen=True, slots=True)
class Collected:
    """What was found: typed items, what could not be read, and where the items lie, for :meth:`Collector.forget`."""

    items: tuple[Uplink | Report, ...] = ()
    unreadable: tuple[Odd, ...] = ()
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
        """All of it is on disk: it may go, and what could not be read may be put aside. Raises OSError where it cannot
        be taken away."""


@runtime_checkable
class Asked(Protocol):
    """A driver whose vendor tells what became of a send when it is asked for it by its own id; the hub asks at the
    times that the abilities name (:attr:`channels.channel.Abilities.asked_after`)."""

    name: str
    abilities: Abilities

    async def ask(self, vendor_id: str, at: int) -> tuple[Report | Uplink, ...] | Outcome:
        """What the vendor has to tell of this send now, or why it does not answer; ``at`` is the hub's time in ms.
        Never raises for anything the vendor or the network does."""
