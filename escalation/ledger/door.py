"""The door to the store: what the ledger asks of whoever holds the connection.

One data model serves a single server, a Sentinel set and a cluster, so every script touches keys of one hash slot only
and every call names its keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

Arg: TypeAlias = bytes | str | int | float
Command: TypeAlias = tuple[Arg, ...]
Call: TypeAlias = tuple[str, Sequence[bytes], Sequence[Arg]]
"""A script's registered name, its keys (all in one hash slot), its arguments."""


class Store(Protocol):
    """A connection to the store. Replies are bytes, integers, lists of these, or None."""

    @property
    def whole(self) -> bool:
        """Whether one server holds every key, so that a script may touch keys of several slots."""
        ...

    async def execute(self, *args: Arg) -> Any:
        """Run one command and return its reply; raises what the client library raises."""
        ...

    async def pipeline(self, commands: list[Command]) -> list[Any]:
        """Run many commands in one round trip per server; a command that failed has its exception in its place."""
        ...

    def load_script(self, name: str, lua: str) -> object:
        """Remember a script by name. The store need not be reachable yet."""
        ...

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        """Run registered scripts in one round trip per server, in order within one slot; a script the server has
        forgotten is sent again. A call that failed has its exception in its place."""
        ...
