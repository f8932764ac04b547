"""The ledger's door on the store's client, and how a process comes to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.settings.models import Settings
from bot.store import external
from bot.store.client import Call as ScriptCall
from bot.store.client import Script, Store
from bot.store.errors import StoreUnavailableError
from bot.store.wire import Result, WaitAof
from escalation.ledger.door import Arg, Call, Command


class Door:
    """The ledger's door (:mod:`escalation.ledger.door`) on the store's client: scripts go by their names.

    A batch whose answer was lost is sent again. The ledger's plain commands read, set, remove or take a code: done
    twice they leave at worst a gap in the codes, or an outage written down twice.
    """

    def __init__(self, store: Store, lost: Callable[[StoreUnavailableError], None] | None = None) -> None:
        """``lost`` hears of every batch of which anything had no answer."""
        self._store = store
        self._scripts: dict[str, Script] = {}
        self._lost = lost

    @property
    def whole(self) -> bool:
        return self._store.whole

    async def execute(self, *args: Arg) -> Any:
        with self._listening():
            return await self._store.execute(*args, again=True)

    async def pipeline(self, commands: list[Command]) -> list[Any]:
        with self._listening():
            return self._heard(await self._store.pipeline(commands, again=True))

    def load_script(self, name: str, lua: str) -> object:
        script = self._scripts[name] = self._store.load_script(name, lua)
        return script

    async def run_scripts(self, calls: list[Call]) -> list[Any]:
        scripts = self._scripts
        with self._listening():
            return self._heard(
                await self._store.run_scripts([ScriptCall(scripts[name], keys, args) for name, keys, args in calls])
            )

    def _heard(self, results: list[Result]) -> list[Any]:
        """In a cluster one server may be away while the others answer."""
        if self._lost is not None:
            away = next((one for one in results if isinstance(one, StoreUnavailableError)), None)
            if away is not None:
                self._lost(away)
        return results

    @contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailableError as error:
            if self._lost is not None:
                self._lost(error)
            raise


def guest_door(settings: Settings, socket: Path | None, *, waitaof: bool) -> Door:
    """A second process's door on the store that a hub has open: on its ``socket``, else on the configured address."""
    if socket is not None:
        return Door(Store.on_socket(socket))
    return Door(external.connect(with_password(settings), wait=wait_of(settings) if waitaof else None))


def wait_of(settings: Settings) -> WaitAof:
    """How many replicas must have a commit on disk before it counts, and how long that may take."""
    table = settings.store
    return WaitAof(replicas=table.waitaof_replicas, milliseconds=table.waitaof_timeout_ms)


def with_password(settings: Settings) -> str:
    """The configured address with its user and password in it."""
    table = settings.store
    return external.with_credentials(
        table.url or "", table.username, table.password.get_secret_value() if table.password is not None else ""
    )
