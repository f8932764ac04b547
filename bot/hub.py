"""The one place that ties the house together: store, rules, channels, engine, pages, and the loops around them."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

import aiohttp
from aiohttp import web
from redis.exceptions import RedisError

from bot.clock import Clock
from bot.clock_watch import ClockWatch
from bot.collectors import Collectors
from bot.door import Door
from bot.engine import Engine
from bot.gate import HubGate
from bot.housework import housework
from bot.intake.door import ROUTE, RUNNER_OPTIONS, DoorLimits, events_handler
from bot.logs import trail
from bot.longlines import LongLines
from bot.mailroom.readers import MailboxReaders
from bot.relay.first import Forked
from bot.relay.frames import Begin
from bot.relay.parent import MODULE, CourierProcess
from bot.retiring import Retiring
from bot.rules import Rules
from bot.sessions import open_channels, vendor_session
from bot.settings.models import Settings
from bot.store.errors import NotDurableError, StoreError, StoreUnavailableError
from bot.storehouse import Storehouse
from bot.streams.readers import StreamReaders
from bot.tally import Tally
from bot.web.links import links_of
from bot.web.metrics import add_metrics
from bot.web.routes import add_routes
from channels.channel import Channel
from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed, Taken
from escalation.ledger.journal import Sealer
from escalation.ledger.keys import US
from escalation.ledger.meta import Meta
from escalation.ledger.presence import SILENCE, Outage, Presence
from escalation.ledger.release import release_claims, release_sends
from escalation.notice import Notice

log = logging.getLogger(__name__)

SEAL = 0.5
"""How often the journal's new rows are sealed, in seconds; the bargain says within a second."""
BEAT = 1.0
LOOK = 0.2
"""How often a hub without a store looks whether it is back, in seconds."""


class Hub:
    """One hub process. ``open``, then ``run`` until cancelled; ``engine`` is None while the store is not ready."""

    courier_module = MODULE

    def __init__(
        self, settings: Settings, clock: Clock, *, config: Path | None = None, first: Forked | None = None
    ) -> None:
        """``config`` is the configuration's file, for a courier process of its own; ``first`` is the
        first such process, forked already."""
        self._first = first
        self.clock = clock
        self.storehouse = Storehouse(settings, clock)
        self.engine: Engine | None = None
        self.outage: Outage | None = None
        self.session: aiohttp.ClientSession | None = None
        self._settings = settings
        self._rules: Rules | None = None
        self._seal_trouble = ""
        self._config = config
        self._courier: CourierProcess | None = None
        self._released = False
        self._retiring = Retiring()
        self.links = links_of(settings)
        self.gate = HubGate(lambda: self.rules, lambda: self.engine, lambda: self.not_ready)
        self.changed: list[Callable[[], None]] = []
        self._streams = StreamReaders(lambda: self.rules, lambda: self.engine, self.gate, self.storehouse.client)
        self._mailboxes = MailboxReaders(lambda: self.rules, lambda: self.engine)
        self._collectors = Collectors(lambda: self.rules, lambda: self.engine, lambda: self.not_ready)
        self._lines = LongLines(lambda: self.rules, lambda: self.engine)
        self.clock_watch = ClockWatch(lambda: self.engine, clock)
        self.tally = Tally()
        self.stopping = False

    @property
    def rules(self) -> Rules:
        """The configuration in force. Raises RuntimeError before ``open``."""
        if self._rules is None:
            raise RuntimeError("the hub is not open")
        return self._rules

    @property
    def not_ready(self) -> str:
        """Why nothing is accepted, in a Chinese and an English line; '' when all is well."""
        if self.stopping:
            return "正在停止\nthe hub is stopping"
        return self.storehouse.reason or self._seal_trouble

    async def open(self) -> None:
        """Open channels and store, and make the engine if the store is ready. Raises what a person has to mend."""
        self.session = vendor_session()
        self._rules = Rules.of(self._settings, self._open_channels(self._settings))
        await self.storehouse.open()
        if self.storehouse.ready:
            try:
                await self._make_engine()
            except (NotDurableError, StoreUnavailableError) as error:
                # A replica that is waited for, or the store itself, is away at this moment: `run` goes on trying.
                log.warning("the store could not be opened yet: %s", error)

    def _open_channels(self, settings: Settings) -> dict[str, Channel]:
        if self.session is None:
            raise RuntimeError("the hub is not open")
        return open_channels(settings, self.session)

    async def _make_engine(self) -> Engine:
        meta = await self.storehouse.meta()
        door = self.storehouse.door()
        presence, now = Presence(door), self.clock.now()
        if (last := await presence.last()) > now:
            self.clock_watch.found(now, now - last)
        self.outage = await presence.begin(now) or self.outage
        if self.outage is not None:
            log.warning("no hub worked for %d s before this start", (self.outage.end - self.outage.start) // 1000)
        if not self._released:
            held = await self._release(door, meta)
            self._released = True
            if held:
                log.warning("%d rows that a former hub had in its hand are taken up again", held)
        folder = self.storehouse.journal_folder
        engine = Engine(
            door,
            meta,
            self.rules,
            self.clock,
            journal_folder=folder,
            link_for=self._link_for,
            tally=self.tally,
            owner=self.storehouse.owner,
        )
        engine.ledger.told = trail
        await self._write_notes(engine)
        engine.turns.changed = self._tell_changed
        # A store that is not the one we know, or a clock that is off: no work at all, not only no intake.
        engine.turns.may_work = lambda: self.storehouse.ready
        self.engine = engine
        return engine

    async def _release(self, door: Door, meta: Meta) -> int:
        """Free what the former hub of this folder had in its hand; how many rows. A courier process outlives its hub
        while it ends its sends: those are not in nobody's hand."""
        now, shards = self.clock.now(), meta.shards
        apart = self._settings.hub.courier_process
        held = 0
        if self.storehouse.alone:
            held = await release_claims(door, partitions=meta.partitions, shards=shards, now=now, sends=not apart)
        if apart or not self.storehouse.alone:
            held += await release_sends(door, self.storehouse.owner, shards=shards, now=now)
        return held

    def _link_for(self, incident: Incident, notice: Notice) -> str:
        """A person's own page, by the secret in force."""
        return self.links.link_for(incident, notice)

    async def _write_notes(self, engine: Engine) -> None:
        """What happened to the store belongs into its journal; what cannot be written now is written later."""
        notes = self.storehouse.notes
        while notes:
            note, now = notes[0], self.clock.now()
            entry = Entry(at=note.at, reason=note.reason, actor="hub", detail={"text": note.text})
            taken = Taken(f"n{US}{note.reason}{US}{note.at}", "", b"")
            (outcome,) = await engine.ledger.commit([Change(partition=0, now=now, takes=[taken], entries=[entry])])
            if isinstance(outcome, Failed):
                raise outcome.error
            notes.pop(0)

    def _tell_changed(self) -> None:
        for told in self.changed:
            told()

    def reload(self, settings: Settings) -> None:
        """Put a checked configuration in force, whole; incidents keep the plans they were opened with."""
        before = self.rules.channels
        self._settings = settings
        self.links = links_of(settings)
        self._rules = Rules.of(settings, self._open_channels(settings))
        if self.engine is not None:
            self.engine.rules = self._rules
            self.engine.carrying.give(self._rules.channels.values())
        if self._courier is not None:
            self._courier.restart()
        self._retiring.retire(before.values())

    def application(self) -> web.Application:
        """The web application: the intake door and the pages."""
        table = self._settings.hub.intake
        app = web.Application(client_max_size=table.max_body_bytes)
        limits = DoorLimits(body=table.max_body_bytes, inflated=4 * table.max_body_bytes, items=table.max_batch)
        app.router.add_post(ROUTE, events_handler(self.gate, limits))
        add_routes(app, self)
        add_metrics(app, self)
        return app

    async def listen(self, app: web.Application, tls: ssl.SSLContext | None = None) -> web.AppRunner:
        """Serve ``app`` on the configured address; the caller cleans the runner up."""
        runner = web.AppRunner(app, access_log=None, handle_signals=False, **RUNNER_OPTIONS)
        await runner.setup()
        site = web.TCPSite(runner, self._settings.hub.listen, self._settings.hub.port, ssl_context=tls)
        await site.start()
        return runner

    async def run(self) -> None:
        """Keep everything going until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.storehouse.watch(), name="store watch")
            group.create_task(self._keep_engine(), name="engine")
            group.create_task(self._streams.run(), name="streams")
            group.create_task(self._mailboxes.run(), name="mailboxes")
            group.create_task(self._collectors.run(), name="collectors")
            group.create_task(self._lines.run(), name="lines")

    async def _keep_engine(self) -> None:
        """Run an engine while the store is the one that the anchor remembers; a store that only fails slows it."""
        while True:
            if not self.storehouse.ready:
                await asyncio.sleep(LOOK)
                continue
            try:
                decided, engine = self.storehouse.decided, self.engine or await self._make_engine()
            except (StoreError, RedisError, OSError):
                log.exception("the store is ready but could not be opened")
                await asyncio.sleep(BEAT)
                continue
            work = asyncio.create_task(self._work(engine), name="work")
            try:
                while not (await asyncio.wait({work}, timeout=LOOK))[0] and not self.storehouse.is_other(decided):
                    if self.storehouse.notes and self.storehouse.ready:
                        await self._try_notes(engine)
                    if self.storehouse.moved and self.storehouse.ready:
                        await self._try_refill(engine)
            finally:
                work.cancel()
                ended = (await asyncio.gather(work, return_exceptions=True))[0]
            self.engine = None
            if not self.storehouse.is_other(decided):
                raise ended if isinstance(ended, Exception) else RuntimeError("the workers ended by themselves")
            log.critical("this is not the store that was promised; nothing is done until an operator decides")

    async def _try_notes(self, engine: Engine) -> None:
        try:
            await self._write_notes(engine)
        except (StoreError, RedisError, OSError) as error:
            log.warning("a note about the store could not be written yet: %s", error)

    async def _try_refill(self, engine: Engine) -> None:
        self.storehouse.moved = False
        try:
            count = await engine.refill.step(self.clock.now())
        except (StoreError, RedisError, OSError) as error:
            self.storehouse.moved = True
            log.warning("what a fail-over may have lost could not be looked for yet: %s", error)
            return
        if count:
            log.critical("%d notices were in no mailbox after a fail-over, and are put there again", count)
            engine.stir()

    async def _work(self, engine: Engine) -> None:
        schedule = housework(self.storehouse, self.clock, lambda: self.rules, lambda: self.engine, self.tally)
        schedule.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(engine.run(), name="workers")
                group.create_task(self._seal(), name="sealer")
                group.create_task(self._beat(), name="beat")
                if self._config is not None and self._settings.hub.courier_process:
                    group.create_task(self._send_apart(engine, self._config), name="courier process")
        finally:
            schedule.stop()

    async def _send_apart(self, engine: Engine, config: Path) -> None:
        """Keep a process that sends for this hub."""

        def begin() -> Begin:
            house = self.storehouse
            return Begin(str(config), str(house.socket or ""), house.waits)

        ready, module = lambda: self.storehouse.ready, self.courier_module
        # It lives once: the next engine's is started afresh.
        first, self._first = self._first, None
        courier = CourierProcess(begin, ready, engine.move, self.tally, module=module, first=first)
        self._courier = engine.relay = courier
        try:
            await courier.run()
        finally:
            self._courier = engine.relay = None

    async def _seal(self) -> None:
        """Chain and anchor new journal rows. A journal that cannot be anchored stops intake, loudly."""
        partitions = self.rules.settings.hub.partitions
        sealer = Sealer(self.storehouse.door(), partitions, self.storehouse, pause=SEAL / 50)
        while True:
            try:
                more = (await sealer.step(self.clock.now())).more
                self._seal_trouble = ""
                await asyncio.sleep(0 if more else SEAL)
            except StoreUnavailableError:
                # The store says for itself that it is away; when it is back, nothing keeps events out any longer.
                await asyncio.sleep(SEAL)
            except Exception as error:
                said = f"台账无法封存：{error}\nthe journal cannot be sealed: {error}"
                if said != self._seal_trouble:
                    log.exception("the journal could not be sealed")
                self._seal_trouble = said
                await asyncio.sleep(SEAL)

    async def _beat(self) -> None:
        """Say every second that a hub works; after a silence (the store was gone) the outage is written down first."""
        presence = Presence(self.storehouse.door())
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while True:
            if self.storehouse.ready:
                silent = (loop.time() - heard) * 1000 > SILENCE
                try:
                    await (presence.begin if silent else presence.beat)(self.clock.now())
                    heard = loop.time()
                    if self.engine is not None:
                        await self.engine.hearing.write(self.clock.now())
                except (StoreError, RedisError, OSError):
                    log.warning("the store did not take the hub's beat")
            await asyncio.sleep(BEAT)

    async def close(self) -> None:
        """Close channels, session and store."""
        await self._retiring.close()
        for channel in self._rules.channels.values() if self._rules else ():
            await channel.close()
        if self.session is not None:
            await self.session.close()
        await self.storehouse.close()
