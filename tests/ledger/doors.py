"""Doors for tests: the real store's client seen as the ledger's door, and a door that loses replies."""

from __future__ import annotations

from typing import Any

from bot.store.client import Call as StoreCall
from bot.store.client import Script, Store
from escalation.ledger.door import Arg, Call, Command


class StoreDoor:
    """The hub's store client as the ledger's door."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._scripts: dict[str, Script] = {}

    @property
    def whole(self) -> bool:
        return self.store.whole

    async def execute(self, *args: Arg) -> Any:
        return await self.store.execute(*args)

    async def pipeline(self, commands: list[Command]) -> list[Any]:
        return await self.store.pipeline(commands)

    def load_script(self, name: str, lua: str) -> None:
        self._scripts[name] = self.store.load_script(name, lua)

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        return await self.store.run_scripts([StoreCall(self._scripts[name], keys, args) for name, keys, args in calls])

    async def dump(self) -> dict[bytes, bytes]:
        """Every key with its serialised value: two equal dumps are two equal stores."""
        keys: list[bytes] = await self.execute("KEYS", "*")
        return dict(zip(keys, await self.pipeline([("DUMP", key) for key in keys]), strict=True))


class Lossy(StoreDoor):
    """Runs scripts, and loses the replies while told to: the effect is there, the caller cannot know."""

    lose = False
    lost = 0

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        replies = await super().run_scripts(calls)
        if not self.lose:
            return replies
        self.lost += 1
        raise ConnectionError("the reply was lost")


class Died(BaseException):
    """The process ends here."""


class Mortal(StoreDoor):
    """Its process dies at the call after ``left`` others: before that one reaches the store, or (``late``) after it."""

    def __init__(self, store: Store, left: int, *, late: bool = False) -> None:
        super().__init__(store)
        self.left = left
        self._late = late

    async def execute(self, *args: Arg) -> Any:
        self._live_or_die(late=False)
        reply = await super().execute(*args)
        self._live_or_die(late=True)
        return reply

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        self._live_or_die(late=False)
        replies = await super().run_scripts(calls)
        self._live_or_die(late=True)
        return replies

    def _live_or_die(self, *, late: bool) -> None:
        if late is self._late:
            if self.left == 0:
                raise Died
            self.left -= 1
