"""Vendors that are not called but listened to: the hub opens a connection and keeps it, and the vendor pushes on it.

What comes on such a line is what comes by a call-back (:class:`channels.callback.Heard`), and is thanked for in the
same way: when it is on disk. The hub holds one line of each account at a time, over all its processes.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from channels.callback import Heard


class LineTrouble(Exception):
    """A line could not be made, or broke; the words are fit for a log and for people.

    ``certain``: the vendor refuses us, so that people must mend something. ``rest``: how many seconds nobody should try
    again, 0 where the holder of lines shall say; a line that was displaced by another one of the same account rests,
    since two that displace each other in turn hear nothing.
    """

    def __init__(self, words: str, *, certain: bool = False, rest: float = 0.0) -> None:
        super().__init__(words)
        self.certain = certain
        self.rest = rest


class Ear(Protocol):
    """The hub's end of a line."""

    def now(self) -> int:
        """The hub's time in milliseconds."""

    async def keep(self, heard: Heard) -> bool:
        """Put what came on disk; True when it is there, and only then may the vendor be thanked. False: it cannot be
        kept now. Never raises for what the store does."""

    async def well(self) -> None:
        """The line stands and the vendor has taken us."""


@runtime_checkable
class LongLine(Protocol):
    """A driver with a line; the hub finds such drivers by ``isinstance``.

    ``line`` names the account, '' where the configuration wants no line. Two drivers whose ``line_terms`` are equal
    can go on with each other's connection when the configuration is read anew.
    """

    name: str
    line: str
    line_terms: object

    async def hold(self, ear: Ear) -> None:
        """Connect, listen and thank until cancelled. Raises :class:`LineTrouble` when the line is gone."""
