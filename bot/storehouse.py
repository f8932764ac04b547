"""The store as one hub holds it: supervised or external, compared with the anchor before anything is accepted."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from socket import gethostname

from redis.exceptions import ReadOnlyError, RedisError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from bot.anchorage import Anchorage
from bot.clock import Clock
from bot.door import Door, wait_of, with_password
from bot.settings.models import Settings
from bot.store import disk, external, locks, safety
from bot.store.anchor import Verdict
from bot.store.client import Store
from bot.store.coming_and_going import ComingAndGoing
from bot.store.errors import StoreError, StoreRefusedError, StoreUnavailableError
from bot.store.recovery import Recovery
from bot.store.routes import unavailable
from bot.store.states import StoreState
from bot.store.supervisor import Supervisor
from escalation.ledger.chain import Head
from escalation.ledger.codes import lift_codes
from escalation.ledger.meta import Meta, OtherShapeError, open_meta

log = logging.getLogger(__name__)

PATIENCE = 30.0
"""How long a start waits for an external store that does not answer yet, in seconds."""
SHARDS = 16
"""Into how many parts the mailboxes of a new store are divided."""
LOOK = 5.0
"""Between two looks at an external store, in seconds."""
LOOK_AGAIN = 0.5
"""The same while it is away, or not in order."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened to the store and belongs into its journal; ``text`` is a Chinese and an English line."""

    at: int
    reason: str
    text: str


class Storehouse:
    """Opens the store, watches it, and keeps the anchor. ``ready`` says whether work may be done. ``identity`` names
    this hub's data folder among those of the store, for good.

    ``moved`` says that other servers lead now than before, or that nobody here knows; whoever has seen to that takes it
    back. ``decided`` counts the stores that an operator chose to go on with: what was made on an earlier one is of no
    use. ``notes`` is what happened to the store and no journal holds yet; whoever writes it down takes it off.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._folder = settings.hub.data
        self._anchorage = Anchorage(self._folder, self._note, falls_back=settings.store.url is not None)
        self._supervisor: Supervisor | None = None
        self._store: Store | None = None
        self._external_reason = ""
        self._told = ComingAndGoing()
        self._lock: locks.HubLock | None = None
        self.waits = False
        self.identity = ""
        self._away = asyncio.Event()
        self._servers: frozenset[str] = frozenset()
        self.moved = False
        self.decided = 0
        self.notes: list[Note] = []

    @property
    def journal_folder(self) -> Path:
        """Where sealed segments of the journal are filed."""
        return self._anchorage.journal_folder

    @property
    def socket(self) -> Path | None:
        """Where the supervised store listens; None for an external one."""
        return self._supervisor.socket if self._supervisor is not None else None

    @property
    def owner(self) -> str:
        """Whoever works in this folder, in its claims: one process at a time, by the folder's lock."""
        return f"{self.identity}:{self._folder.resolve()}"

    @property
    def alone(self) -> bool:
        """Whether no other hub can be working on this store: its folder is locked, and it listens to nobody else."""
        return self._supervisor is not None

    @property
    def ready(self) -> bool:
        """Whether the hub may accept and work."""
        if self.strange:
            return False
        if self._supervisor is not None:
            return self._supervisor.state is StoreState.READY
        return self._store is not None and not self._external_reason

    @property
    def state(self) -> str:
        """The store's state in one word."""
        if self._supervisor is not None:
            return self._supervisor.state.value
        return "ready" if self.ready else "unusable"

    @property
    def finding(self) -> str:
        """What the last comparison with the anchor found, in one word."""
        return self.verdict.finding.value if self.verdict is not None else "unknown"

    @property
    def reason(self) -> str:
        """Why not, in Chinese and English lines; '' when ready."""
        if self.ready:
            return ""
        if self.verdict is not None and not self.verdict.opens:
            return f"{self.verdict.zh}\n{self.verdict.en}"
        if self._supervisor is None:
            return self._external_reason or "存储尚未打开\nthe store is not open"
        return self._supervisor.reason or self._supervisor.state.zh

    @property
    def verdict(self) -> Verdict | None:
        """What the last look at the store found by the anchor; None before the first."""
        return self._anchorage.verdict

    @property
    def strange(self) -> bool:
        """Whether the store that answers is not the one the anchor remembers: nothing may go on in it."""
        return self.verdict is not None and not self.verdict.opens

    def is_other(self, decided: int) -> bool:
        """Whether the store is not the one of that count of :attr:`decided`, or is strange now."""
        return self.strange or self.decided != decided

    @property
    def begun(self) -> bool:
        """Whether there is anything to open: an external store, or files of a supervised one."""
        return self._settings.store.url is not None or (self._folder / "store").exists()

    async def open(self) -> None:
        """Start or adopt the supervised store, or connect to the configured one. Raises what the store room raises for
        what a person has to mend; a store that is merely not ready yet is no error: see ``ready`` and ``watch``."""
        disk.private_folder(self._folder)
        self._anchorage.load()
        self.identity = await asyncio.to_thread(_identity, self._folder)
        table = self._settings.store
        if table.url is None:
            told, cut = self._told.changed, partial(self._note, "store_recovered")
            self._supervisor = Supervisor(self._folder / "store", gate=self._gate, on_change=told, on_recovery=cut)
            await self._supervisor.start()
            self._store = self._supervisor.store()
            return
        # Anchor and control socket are this folder's: one hub each, also where the store itself is shared.
        self._lock = locks.HubLock(self._folder, datetime.now(UTC).isoformat(timespec="seconds"))
        address = external.parse(table.url)
        facts = await _patiently(with_password(self._settings), follows=address.kind != "single")
        safety.refuse_unsafe(
            safety.concerns(facts, cluster_address=address.kind == "cluster"), accept_loss=table.accept_loss
        )
        self.waits = table.waitaof and safety.waitaof_possible(facts)
        wait = wait_of(self._settings) if self.waits else None
        self._store = external.connect(with_password(self._settings), wait=wait)
        self._store.keep_to(frozenset())
        await self.look()

    async def look(self) -> None:
        """One look of the watch at an external store: does it answer, is it still the same, is its clock ours?

        A supervised one is watched by its supervisor, and shares our clock."""
        if self._supervisor is not None or self._store is None:
            return
        scout = self._store.scout()
        try:
            verdict = await self._gate(scout)
            skew = await safety.read_skew(scout, lambda: self._clock.now() / 1000)
        except (StoreError, RedisError, OSError) as error:
            self._external_reason = str(error)
            return
        self._store.keep_to(scout.visited)
        self.moved |= bool(scout.visited - self._servers)
        self._servers = scout.visited
        skewed = "" if safety.clocks_agree(skew) else safety.skew_text(skew)
        self._external_reason = skewed if verdict.opens else f"{verdict.zh}\n{verdict.en}"

    async def watch(self) -> None:
        """Keep the store running until cancelled."""
        if self._supervisor is not None:
            await self._supervisor.watch()
            return
        while True:
            self._away.clear()
            await self.look()
            self._told.tell(ready=self.ready, reason=self.reason)
            if not self.ready:
                await asyncio.sleep(LOOK_AGAIN)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._away.wait()

    async def meta(self) -> Meta:
        """The store's identity and shape, made on the first start; the anchor is begun with it.

        Raises StoreRefusedError where it was made with another number of partitions, and the store's error.
        """
        wanted = self._settings.hub.partitions
        try:
            meta = await open_meta(
                self.door(),
                store_id=self._anchorage.store_id or secrets.token_hex(12),
                partitions=wanted,
                shards=SHARDS,
                now=self._clock.now(),
            )
        except OtherShapeError as error:
            zh = f"存储建库时的分区数与配置 hub.partitions = {wanted} 不同：请改回建库时的数，或换用空的存储。"
            raise StoreRefusedError(zh, str(error)) from error
        await lift_codes(self.door(), self._anchorage.given_out(meta.partitions))
        await self._anchorage.begin(meta.store)
        return meta

    def door(self) -> Door:
        """The ledger's door on this store."""
        if self._store is None:
            raise RuntimeError("the storehouse is not open")
        return Door(self._store, self._lost if self._supervisor is None else None)

    def _lost(self, error: StoreUnavailableError) -> None:
        """An external store that was away may come back as another server, which lacks what the former one had: nothing
        is done in it before it was compared with the anchor."""
        self._external_reason = str(error)
        self._away.set()

    def client(self) -> Store:
        """Another client of this store, with connections of its own; whoever asked for it closes it."""
        if self._supervisor is not None:
            return self._supervisor.store()
        return external.connect(with_password(self._settings))

    async def save(self, heads: Mapping[int, Head]) -> None:
        """Anchor the journal's heads outside the store (:class:`escalation.ledger.journal.Anchor`)."""
        await self._anchorage.save(heads)

    async def meet(self, heads: Mapping[int, Head]) -> None:
        """Compare the store, in which others may seal as well, and anchor what they sealed there.

        Raises StoreRefusedError where this is not the store that was promised, the store's error.
        """
        await self._anchorage.meet(self.door(), heads)

    def anchored(self) -> dict[int, Head]:
        """The heads as anchored, for ``verify``."""
        return self._anchorage.anchored()

    async def open_anyway(self) -> Verdict | None:
        """An operator has decided: this store is the right one from now on, whatever the anchor says.

        Returns what was found before; None where there was nothing to decide. Raises the store's error, OSError.
        """
        if self._store is None:
            return None
        found = await self._anchorage.open_anyway(self.door())
        if found is not None:
            self.decided += 1
            self._external_reason = ""
            if self._supervisor is not None:
                self._supervisor.open_anyway()
        return found

    async def close(self) -> None:
        """Close connections and stop the supervised store."""
        if self._store is not None:
            await self._store.aclose()
        if self._supervisor is not None:
            await self._supervisor.stop()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _gate(self, store: Store) -> Verdict:
        """Compare what the store says of itself with the anchor."""
        return await self._anchorage.look(Door(store))

    def _note(self, reason: str, said: Verdict | Recovery) -> None:
        log.critical("%s: %s", reason, said.en)
        self.notes.append(Note(self._clock.now(), reason, f"{said.zh}\n{said.en}"))


async def _patiently(url: str, *, follows: bool) -> list[safety.Facts]:
    """What the servers say of themselves; a store that is started together with the hub may need a moment, and so does
    one that fails over: where the address ``follows`` the one that leads, a replica in its place is soon none."""
    async for attempt in AsyncRetrying(
        stop=stop_after_delay(PATIENCE),
        wait=wait_exponential_jitter(multiplier=0.2, max=5.0),
        retry=retry_if_exception_type(StoreUnavailableError),
        reraise=True,
    ):
        with attempt:
            async with external.connect(url) as probe:
                facts = await safety.read_facts(probe)
            for each in facts if follows else ():
                if not each.writable:
                    raise unavailable(ReadOnlyError("a replica"), each.node, sent=False)
            return facts
    raise AssertionError("retrying ends with a result or an error")


def _identity(folder: Path) -> str:
    """The name of a hub's data folder: a folder that was copied to another machine is another hub's. Raises OSError."""
    path = folder / "hub.id"
    if not path.exists():
        disk.write_atomically(path, secrets.token_hex(4).encode() + b"\n")
    return f"{path.read_text('ascii').strip()}@{gethostname()}"
