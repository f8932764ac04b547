"""A storm over three hubs: each in its turn is killed, or stopped in its tracks for longer than any lease."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.store.errors import StoreUnavailableError
from bot.workers.limits import SLACK
from tests.hubs.fleet import TIMEOUT, Fleet
from tests.serve.bulk import in_flight
from tests.serve.storm import PATIENCE, Storm
from tests.serve.town import LOOK, Town

BEYOND = TIMEOUT + SLACK / 1000 + 1.0
"""How long a hub is paused, in seconds: longer than a claim of a mailbox holds."""


@dataclass(kw_only=True)
class Tempest(Storm):
    """A storm on ``fleet``; ``pauses`` of its stops are pauses, the rest kills."""

    fleet: Fleet
    pauses: int = 1

    async def blow(self, *deeds: Callable[[], Awaitable[None]]) -> None:
        """Post and answer, stop hubs in turn and do the deeds meanwhile, until everything accepted is told."""
        await self.fleet.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stop_in_turn())
            group.create_task(self._sign())
            for deed in deeds:
                group.create_task(self._amid(deed))
            for _ in range(self.posters):
                group.create_task(self._post())
        await self._until(self._all_told, "not everything that was accepted was told")

    async def _amid(self, deed: Callable[[], Awaitable[None]]) -> None:
        await self._until(partial(self._has_taken, self.events // 2), "nothing is taken any more")
        await self._look()
        await deed()

    async def repeat_meanwhile(self, deed: Awaitable[None]) -> None:
        """Send the first events again and again while the deed is done: it meets a POST, however fast all the others
        were taken. They are known, and make nothing."""
        doing = asyncio.ensure_future(deed)
        while not doing.done():
            self.seen[f"post {(await self.town.post(*self._batches[0])).status}"] += 1
            await asyncio.sleep(LOOK)
        await doing

    async def _stop_in_turn(self) -> None:
        """The pause comes first and lasts while the others are killed, one at a time."""
        paused: list[asyncio.Task[None]] = []
        async with asyncio.TaskGroup() as group:
            for number in range(self.pauses + self.kills):
                wanted = self.events * (number + 1) // (self.pauses + self.kills + 2)
                await self._until(partial(self._has_taken, wanted), "nothing is taken any more")
                await asyncio.sleep(self._random.uniform(0, 0.1))
                hub = self.fleet.hubs[number % 3]
                if number < self.pauses:
                    paused.append(group.create_task(self._pause(hub)))
                    continue
                if number % 3 < len(paused):
                    await paused[number % 3]
                await self._kill_one(hub)

    async def _kill_one(self, hub: Town) -> None:
        await self.fleet.kill(hub)
        await self._note("hub killed")
        await self.fleet.start_again(hub)

    async def _pause(self, hub: Town) -> None:
        self.fleet.pause(hub)
        await self._note("hub paused")
        # Real time: what has to pass is the lease of a real claim in the store of three processes.
        await asyncio.sleep(BEYOND)
        self.fleet.wake(hub)
        await hub.until_ready(PATIENCE)

    async def _note(self, what: str) -> None:
        self.seen[what] += 1
        await self._look()

    async def _look(self) -> None:
        """What is in flight now, as soon as a store that fails over says so."""
        found: list[Counter[tuple[str, str]]] = []

        async def said() -> bool:
            with suppress(StoreUnavailableError):
                found.append(await in_flight(self.town))
            return bool(found)

        await self._until(said, "the store says nothing any more")
        self._in_flight += found
        self.seen["in flight"] += found[0].total()

    async def _verified(self) -> list[dict[str, Any]]:
        return await self.fleet.verified()
