"""The supervised store: one Valkey for one data folder, started, adopted, watched, started again, stopped.

The supervisor never acts on a pid file. server.lock says whether a server runs; the socket's owner says who it is.
All work happens in `step`; `watch` calls it when the server ends, or when a look is due.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

from redis.exceptions import ResponseError

from bot.store import disk, locks, record, recovery, server, texts
from bot.store.admin import Admin, Answer
from bot.store.anchor import Verdict
from bot.store.client import Store
from bot.store.errors import StoreDownError, StoreRefusedError, StoreUnavailableError
from bot.store.lifeline import Lifeline
from bot.store.recovery import Recovery
from bot.store.server import Death, Running
from bot.store.states import Limits, StoreState

Gate = Callable[[Store], Awaitable[Verdict]]
"""Compares a store that has just come up with the anchor."""
Change = Callable[[StoreState, str], None]
"""Told of each new state, with its reason (a Chinese line, an English line)."""


_DYING = 0.3
"""Seconds between the end of a server's sockets and its own."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Supervisor:
    """Keeps the store of one data folder running."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        gate: Gate | None = None,
        on_change: Change | None = None,
        on_recovery: Callable[[Recovery], None] | None = None,
        free_bytes: Callable[[Path], int] = disk.free_bytes,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Nothing happens before `start`.

        folder: the data folder, made when missing. gate: asked each time a server came up, before the state is
        `ready`; a verdict that does not open gives `wiped`. on_change, on_recovery: told at once; a recovery belongs
        into the journal. free_bytes: how the free space of a folder is measured. now: the time for names and reports.
        """
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links into longer paths)
        self.limits = limits
        self.state = StoreState.STOPPED
        self.reason = ""
        self.recoveries: list[Recovery] = []
        self.verdict: Verdict | None = None
        self.adopted = False
        self._gate = gate
        self._on_change = on_change
        self._on_recovery = on_recovery
        self._free_bytes = free_bytes
        self._now = now
        self._hub_lock: locks.HubLock | None = None
        self._socket = self.folder / server.SOCKET
        self._running: Running | None = None
        self._admin: Admin | None = None
        self._lifeline = Lifeline()
        self._torn = False
        self._recovery: Recovery | None = None
        self._pause = 0.0
        self._due = 0.0
        self._ready_at = 0.0
        self._stepping = asyncio.Lock()

    @property
    def socket(self) -> Path:
        """The unix socket of the server; it stays the same over restarts of the server."""
        return self._socket

    @property
    def pid(self) -> int | None:
        """The server's process id, or None while none runs."""
        return self._running.pid if self._running else None

    @property
    def next_start(self) -> float:
        """When a server that ended is started again, by the clock of the event loop."""
        return self._due

    def store(self) -> Store:
        """A client of this store, which connects when it is used and again after each restart."""
        return Store.on_socket(self._socket)

    async def start(self) -> StoreState:
        """Take the folder, then start its server or adopt the one that runs.

        Returns the state reached: `ready`, `wiped`, or, told in `reason`, `no_disk`, `down` or `starting` (it loads);
        `watch` goes on from there. Raises HubRunningError when another hub has the folder; StoreRefusedError when a
        person has to act (damaged files, foreign owner, no binary). After either the folder is free again.
        """
        disk.private_folder(self.folder)
        self._hub_lock = locks.HubLock(self.folder, self._now().isoformat(timespec="seconds"))
        try:
            self._due = 0.0
            self._change(StoreState.STARTING)
            await self._up()
            if self.state is StoreState.RECOVERING:
                await self._up()
        except BaseException:
            await self._shut()
            raise
        return self.state

    async def stop(self) -> None:
        """Stop the server in order and give the folder back.

        Killing it, as the last resort, loses nothing answered for.
        """
        async with self._stepping:
            await self._shut()

    async def _shut(self) -> None:
        if self._running is not None:
            if self._admin is not None:
                await self._admin.shut_down()
            if await self._running.gone(self.limits.stop) or await self._running.end(self.limits.stop):
                self._tidy()
        await self._let_go()

    async def watch(self) -> None:
        """Call `step` for ever: at once when the server ends, else when the next look or start is due."""
        loop = asyncio.get_running_loop()
        while True:
            resting = self._running is not None or self.state in (StoreState.STOPPED, StoreState.REFUSED)
            await self._lifeline.cut(self.limits.look if resting else max(self._due - loop.time(), 0.0))
            await self.step()

    async def step(self) -> StoreState:
        """Look once, and do what is due.

        Note an end, start again, follow a loading server. Never raises for the store's sake.
        """
        async with self._stepping:
            if self.state in (StoreState.STOPPED, StoreState.REFUSED):
                return self.state
            try:
                if self._running is None:
                    if asyncio.get_running_loop().time() >= self._due:
                        await self._up()
                elif not self._running.alive():
                    await self._ended()
                else:
                    await self._look()
            except StoreRefusedError as error:
                await self._quiet()
                self._running = None
                self._change(StoreState.REFUSED, str(error))
            except (StoreUnavailableError, ResponseError, OSError) as error:
                await self._failed(StoreState.DOWN, str(error))
            return self.state

    def open_anyway(self) -> None:
        """An operator's word that the store is right as it is: `wiped` becomes `ready`. Write the new anchor first."""
        if self.state is StoreState.WIPED:
            self._ready()

    async def _up(self) -> None:
        """Adopt or start, once. Leaves a state; raises StoreRefusedError."""
        try:
            lock = locks.take(self.folder / locks.SERVER_LOCK)
            if lock is None:
                await self._adopt()
                return
            try:
                await self._begin(lock)
            finally:
                os.close(lock)
        except (StoreDownError, StoreUnavailableError, ResponseError) as error:
            await self._failed(StoreState.DOWN, str(error))
        except OSError as error:
            if error.errno in disk.FULL:
                await self._failed(StoreState.NO_DISK, self._no_room(str(error)))
            else:
                await self._failed(StoreState.DOWN, texts.not_started(error))

    async def _begin(self, lock: int) -> None:
        recovery.remove_unfinished(self.folder)
        if not await self._has_room():
            await self._failed(StoreState.NO_DISK, self._no_room(""))
            return
        recovery.refuse_orphaned(self.folder)
        if self._torn and self._recovery is None:
            self._recovery = await asyncio.to_thread(recovery.keep_torn, self.folder, self._now())
        known = record.load(self.folder)
        self._socket = server.socket_path(self.folder, Path(known.socket) if known else None)
        # Recorded before the start: an orphan can be found even if the hub dies in the next line.
        record.Record(socket=str(self._socket)).save(self.folder)
        if not self._torn:
            self._change(StoreState.STARTING)
        extra = ("--aof-load-truncated", "yes") if self._torn else ()
        child, log_start = server.spawn(self.folder, self._socket, lock, *extra)
        self.adopted = False
        await self._speak_to(Running(self.folder, child.pid, child, log_start))
        answer = await self._first_answer(self.limits.start)
        if not self._alive():
            await self._ended()
        elif answer is Answer.YES:
            await self._opened()
        elif answer is Answer.NONE:
            await self._end_unheard()
            raise StoreDownError(*texts.unheard(self.folder, child.pid, gone=True))

    async def _adopt(self) -> None:
        """Find the server that runs on this folder though nobody here started it; go on with it once it is proven."""
        deadline = asyncio.get_running_loop().time() + self.limits.start
        known = record.load(self.folder)
        inside = self.folder / server.SOCKET
        places = cycle([Path(known.socket), inside] if known and known.socket != str(inside) else [inside])
        self._change(StoreState.STARTING)
        while locks.is_held(self.folder / locks.SERVER_LOCK):
            found = server.holders(self.folder)
            if found.servers:
                self.adopted = True
                self._socket = next(places)
                await self._speak_to(Running(self.folder, found.servers[0], None, server.log_size(self.folder)))
                answer = await self._first_answer(0.5)
                if answer is Answer.YES:
                    await self._opened()
                if answer is not Answer.NONE:
                    return
                if asyncio.get_running_loop().time() >= deadline:
                    await self._end_unheard()
            for pid in found.rewriters if not found.servers else ():
                await Running(self.folder, pid, None, 0).end(self.limits.stop)
            await asyncio.sleep(0.05)
        # The lock is free: what ran has ended.
        await self._quiet()
        self._running = None
        self._due = 0.0
        await self._up()

    async def _end_unheard(self) -> None:
        """End a server that holds the folder's lock and answers nobody. Raises StoreDownError when it does not end."""
        assert self._running is not None
        if not await self._running.end(self.limits.stop):
            raise StoreDownError(*texts.unheard(self.folder, self._running.pid, gone=False))

    async def _speak_to(self, running: Running) -> None:
        await self._quiet()
        self._running = running
        self._admin = Admin(self._socket, self.limits.answer)

    def _alive(self) -> bool:
        return self._running is not None and self._running.alive()

    async def _first_answer(self, seconds: float) -> Answer:
        """Wait for a server that answers and is proven to be the one of this folder, or is loading.

        NONE when it ended or is mute.
        """
        assert self._running is not None
        assert self._admin is not None
        deadline = asyncio.get_running_loop().time() + seconds
        while self._alive():
            answer = await self._admin.answer()
            if answer is Answer.YES:
                with suppress(StoreUnavailableError):
                    run_id = await self._admin.prove(self.folder, self._running.pid)
                    record.Record(str(self._socket), self._running.pid, run_id).save(self.folder)
                    return answer
            late = asyncio.get_running_loop().time() >= deadline
            if late or (answer is Answer.LOADING and self.adopted):
                return answer if answer is Answer.LOADING else Answer.NONE
            await asyncio.sleep(0.01)
        return Answer.NONE

    async def _opened(self) -> None:
        """It answers: keep its settings safe, listen for its end, ask the gate."""
        assert self._admin is not None
        await self._admin.keep_safe()
        self._recovered()
        await self._lifeline.tie(self._socket)
        if self._gate is not None:
            async with self.store() as store:
                self.verdict = await self._gate(store)
            if not self.verdict.opens:
                self._change(StoreState.WIPED, f"{self.verdict.zh}\n{self.verdict.en}")
                return
        self._ready()

    def _ready(self) -> None:
        self._ready_at = asyncio.get_running_loop().time()
        self._change(StoreState.READY)

    async def _look(self) -> None:
        """At a server that runs: does it still answer? It is never ended for being slow: a slow disk is no reason."""
        assert self._admin is not None
        assert self._running is not None
        answer = await self._admin.answer()
        # A dying process closes its sockets first.
        if answer is Answer.NONE and await self._running.gone(_DYING):
            await self._ended()
        elif answer is Answer.NONE:
            self._change(StoreState.DOWN, texts.mute(self._running.pid))
        elif answer is Answer.LOADING:
            self._change(StoreState.STARTING)
        elif answer is Answer.YES and (
            self.state not in (StoreState.READY, StoreState.WIPED) or not self._lifeline.tied
        ):
            await self._opened()
        elif asyncio.get_running_loop().time() - self._ready_at > self.limits.calm:
            self._pause = 0.0

    async def _ended(self) -> None:
        running = self._running
        assert running is not None
        death, line = server.last_words(server.log_since(self.folder, running.log_start))
        if death is Death.DAMAGED or (death is Death.TORN and self._torn):
            raise recovery.damaged(self.folder, line)
        if death is Death.TORN:
            self._torn = True
            await self._failed(StoreState.RECOVERING, line)
            self._due = 0.0
        elif death is Death.NO_ROOM or not await self._has_room():
            await self._failed(StoreState.NO_DISK, self._no_room(line))
        else:
            code = running.child.returncode if running.child else None
            await self._failed(StoreState.DOWN, texts.ended(code, self.folder / server.LOG, line))

    async def _failed(self, state: StoreState, reason: str) -> None:
        """Say why there is no service, and when the next start is due."""
        if not self._alive():
            await self._quiet()
            self._running = None
        self._pause = min(max(self._pause * 2, self.limits.first_pause), self.limits.longest_pause)
        wait = self.limits.disk_look if state is StoreState.NO_DISK else self._pause
        self._due = asyncio.get_running_loop().time() + wait
        self._change(state, reason)

    async def _has_room(self) -> bool:
        if self._free_bytes(self.folder) < self.limits.room:
            return False
        return await asyncio.to_thread(disk.can_write, self.folder)

    def _no_room(self, detail: str) -> str:
        return texts.no_room(self.folder, self._free_bytes, self.limits.room, detail)

    def _recovered(self) -> None:
        """The tail is cut off for good now; say so."""
        found, self._torn, self._recovery = self._recovery, False, None
        if found is not None:
            self.recoveries.append(found)
            if self._on_recovery is not None:
                self._on_recovery(found)

    def _change(self, state: StoreState, reason: str = "") -> None:
        if (state, reason) == (self.state, self.reason):
            return
        self.state, self.reason = state, reason
        if self._on_change is not None:
            self._on_change(state, reason)

    async def _quiet(self) -> None:
        self._lifeline.untie()
        if self._admin is not None:
            await self._admin.aclose()
            self._admin = None

    def _tidy(self) -> None:
        record.forget(self.folder)
        if self._socket.parent != self.folder:
            with suppress(OSError):
                self._socket.unlink(missing_ok=True)
                self._socket.parent.rmdir()

    async def _let_go(self) -> None:
        await self._quiet()
        self._running = None
        if self._hub_lock is not None:
            self._hub_lock.release()
            self._hub_lock = None
        self._change(StoreState.STOPPED)
