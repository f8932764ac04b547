"""The store as the rest of the hub sees it: commands, batches of commands, batches of scripts.

Answers come as the wire gives them under RESP2: bytes, int, None, and lists of these; a hash is a flat list (`pairs`
folds it). Nothing is decoded. The same calls work on one server, behind Sentinel, and on a cluster, where a command
goes by its first key and a batch is one round trip for each node that it touches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from redis.exceptions import NoScriptError

from bot.store.routes import ATTEMPTS, Keeping, Route
from bot.store.socket_route import SocketRoute
from bot.store.wire import Argument, Command, Reply, Result, WaitAof

ANSWER_SECONDS = 5.0
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua script, known to the servers by the SHA-1 of its text."""

    name: str
    lua: bytes
    sha: bytes


class Call(NamedTuple):
    """One run of a script. All keys share one hash slot; there is at least one."""

    script: Script
    keys: Sequence[bytes]
    arguments: Sequence[Argument]

    @property
    def command(self) -> Command:
        """As it is sent."""
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.arguments)


def pairs(reply: Result) -> dict[bytes, Reply]:
    """A flat reply `[field, value, …]` as a mapping.

    Raises the error when it is one, ValueError when it is no such list.
    """
    if isinstance(reply, Exception):
        raise reply
    if not isinstance(reply, list) or len(reply) % 2:
        raise ValueError(f"no list of pairs: {reply!r}")
    folded: dict[bytes, Reply] = {}
    for field, value in zip(reply[::2], reply[1::2], strict=True):
        if not isinstance(field, bytes):
            raise ValueError(f"no field name: {field!r}")
        folded[field] = value
    return folded


class Store:
    """One store, shared by all tasks of a process."""

    def __init__(self, route: Route, *, wait: WaitAof | None = None) -> None:
        """wait: whether WAITAOF follows every batch of scripts and every `write`."""
        self._route = route
        self._wait = wait
        self._scripts: dict[str, Script] = {}

    @classmethod
    def on_socket(
        cls,
        path: Path,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        connections: int = CONNECTIONS,
        attempts: int = ATTEMPTS,
    ) -> Self:
        """The store on a unix socket; it connects on first use and again after the server restarted."""
        return cls(
            SocketRoute(path, answer_seconds=answer_seconds, connections=connections, attempts=attempts),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def whole(self) -> bool:
        """Whether one server holds every key."""
        return self._route.whole

    def scout(self) -> Store:
        """The same store wherever its servers are now, on the same connections; it notes where it ``visited``."""
        route = self._route
        return Store(route.scout() if isinstance(route, Keeping) else route, wait=self._wait)

    @property
    def visited(self) -> frozenset[str]:
        """Of a scout: the servers that it was sent to, by address."""
        return frozenset(self._route.visited or ()) if isinstance(self._route, Keeping) else frozenset()

    def keep_to(self, servers: frozenset[str]) -> None:
        """Only these servers are used from now on; what would go to another fails with StrangerError. A supervised
        store has one server only."""
        if isinstance(self._route, Keeping):
            self._route.keep_to(servers)

    async def aclose(self) -> None:
        """Close all connections; using the store again opens new ones."""
        await self._route.aclose()

    async def execute(self, *command: Argument, again: bool = False) -> Reply:
        """One command.

        again: send it again when its answer was lost; only for commands that may happen twice (reads, and writes that
        set). Raises StoreUnavailableError when no answer came, redis ResponseError for the server's refusal.
        """
        (result,) = await self._route.send([command], wait=None, again=again)
        if isinstance(result, Exception):
            raise result
        return result

    async def pipeline(self, commands: Sequence[Command], *, again: bool = False) -> list[Result]:
        """Many commands in one round trip, results in their order; not a transaction, each may fail by itself.

        again: as in `execute`, for all of them. Raises StoreUnavailableError when no answer came; in a cluster a node
        without an answer gives that error as the results of its own commands.
        """
        return await self._route.send(commands, wait=None, again=again) if commands else []

    async def write(self, commands: Sequence[Command], *, again: bool = False) -> list[Result]:
        """As `pipeline`, and WAITAOF behind it where that is asked for.

        NotDurableError in place of a result not yet on disk.
        """
        return await self._route.send(commands, wait=self._wait, again=again) if commands else []

    async def each_node(self, *command: Argument) -> dict[str, Result]:
        """One command on every server that takes writes, by address: TIME, INFO, SCRIPT LOAD. It may be sent twice.

        Raises StoreUnavailableError.
        """
        return {node: results[0] for node, results in (await self._route.each([command])).items()}

    def load_script(self, name: str, lua: str | bytes) -> Script:
        """Make a script known under a name; it travels to the servers when first run, or by `load_scripts`.

        Raises ValueError when the name stands for another text.
        """
        text = lua.encode() if isinstance(lua, str) else lua
        # SHA-1 is how the protocol names scripts.
        script = Script(name, text, hashlib.sha1(text, usedforsecurity=False).hexdigest().encode())
        if self._scripts.setdefault(name, script) != script:
            raise ValueError(f"two different scripts are called {name!r}")
        return script

    async def load_scripts(self) -> None:
        """Send all known scripts to every server.

        Raises StoreUnavailableError, or redis ResponseError for Lua that does not compile.
        """
        commands: list[Command] = [("SCRIPT", "LOAD", script.lua) for script in self._scripts.values()]
        if not commands:
            return
        for results in (await self._route.each(commands)).values():
            for result in results:
                if isinstance(result, Exception):
                    raise result

    async def run_scripts(self, calls: Sequence[Call]) -> list[Result]:
        """Run many scripts in one round trip (one a node), results in the order of the calls; each may fail by itself.

        By contract every call carries a commit id, so that a second run after a lost answer returns the recorded
        result: a batch whose answer is lost is sent again. A server that has lost its scripts (restart, failover)
        gets all of them, and the calls that failed for that are sent once more, behind the others of the batch. Calls
        of one node run in their order. Results are NotDurableError where WAITAOF is asked for and counts too few.
        Raises StoreUnavailableError when no answer came at all.
        """
        if not calls:
            return []
        results = await self._route.send([call.command for call in calls], wait=self._wait, again=True)
        missing = [index for index, result in enumerate(results) if isinstance(result, NoScriptError)]
        if missing:
            for call in calls:
                self._scripts.setdefault(call.script.name, call.script)
            await self.load_scripts()
            repeated = await self._route.send([calls[index].command for index in missing], wait=self._wait, again=True)
            for index, result in zip(missing, repeated, strict=True):
                results[index] = result
        return results
