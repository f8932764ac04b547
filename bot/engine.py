"""The workers on one store, tied together: ``serve`` loops them, ``replay`` runs them to rest.

The engine owns no truth. Whatever it keeps in memory is a hint about rows that are on disk; a new engine on the same
store goes on where the last one was stopped, wherever that was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Protocol

from bot.buttons import Buttons, buttons_of
from bot.carrying import Carrying
from bot.chat.answering import Answering
from bot.chat.calls import Calls
from bot.chat.collecting import Collecting
from bot.chat.showing import Showing
from bot.clock import Clock, PushedClock
from bot.intake.batcher import Batcher
from bot.intake.gate import Result
from bot.intake.reading import Unreadable
from bot.rendering.renderer import Renderer
from bot.rules import Rules
from bot.tally import Tally
from bot.workers.courier import GATHER, Courier
from bot.workers.decider import Decider
from bot.workers.express import Express
from bot.workers.fanout import FanOut
from bot.workers.lapses import Lapses
from bot.workers.letters import Letters
from bot.workers.refill import Refill
from bot.workers.reports import Reports
from bot.workers.turns import Turns
from channels.channel import Report
from escalation.event import Event
from escalation.incident import Incident
from escalation.inputs import Context
from escalation.ledger.breakers import Breakers
from escalation.ledger.change import OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.door import Store
from escalation.ledger.due import Due
from escalation.ledger.evidence import Pictures
from escalation.ledger.figures import Counting
from escalation.ledger.good import GoodSends
from escalation.ledger.health import Health
from escalation.ledger.hearing import Hearing
from escalation.ledger.inbox import Inbox
from escalation.ledger.journal import Journal
from escalation.ledger.listing import Listing
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.meta import Meta
from escalation.ledger.outbox import Outbox
from escalation.ledger.presence import Presence
from escalation.ledger.rests import Rests
from escalation.ledger.trials import Trials
from escalation.ledger.vendor_ids import VendorIds
from escalation.notice import Notice

BATCH = 256
"""How many events share one decision round."""
GRACE = 10.0
"""How long sends under way may take when the hub stops, in seconds."""
ROOM = 256
"""While so many rows wait for their mailboxes, clocks wait before they add to them."""
YIELD, YIELDS = 0.01, 50
"""How long clocks wait before they look again, in seconds, and how often at most."""
SWEEP = 5.0
"""How often rows left behind by a crash are looked for, in seconds."""


class Part(Enum):
    """Which of an engine's workers run: all, or those that only send what others have decided."""

    ALL = "all"
    SENDING = "sending"


class Relay(Protocol):
    """Another process that sends for this engine."""

    @property
    def ready(self) -> bool:
        """Whether it is there and well."""

    def give(self, items: list[OutboxItem]) -> bool:
        """Hand rows over; False where they are still the caller's."""


class Engine:
    """All workers of one hub on one store. While its ``relay`` is ready, that one sends."""

    def __init__(
        self,
        store: Store,
        meta: Meta,
        rules: Rules,
        clock: Clock,
        *,
        journal_folder: Path,
        link_for: Callable[[Incident, Notice], str] | None = None,
        tally: Tally | None = None,
        owner: str = "",
    ) -> None:
        """``owner`` names the hub among those of the store, for the one that comes after it in the same folder too."""
        self.store = store
        self.tally = tally or Tally()
        self.rules = rules
        self.clock = clock
        self.meta = meta
        self.partitions = meta.partitions
        self.ledger = Ledger(store, meta.partitions)
        self.mailboxes = Mailboxes(store, meta.shards, owner)
        self.journal = Journal(store, meta.partitions, journal_folder)
        self.presence = Presence(store)
        self.listing = Listing(store, meta.partitions)
        self.counting = Counting(store, meta.partitions, meta.shards)
        self.hearing = Hearing(store)
        self.health = Health(store)
        self._due = Due(store, meta.partitions)
        outbox = Outbox(store, meta.partitions)
        self.refill = Refill(self.ledger, outbox, self.mailboxes)
        self.fanout = FanOut(outbox, self.mailboxes, meta.partitions, self.ledger.unheard)
        self.decider = Decider(self.ledger, self._context, self.hand)
        self.decider.companion = self._express
        self.lapses = Lapses(self._due, self.decider, meta.partitions)
        hub = rules.settings.hub
        self.trials, self.good = Trials(store), GoodSends(store)
        self.carrying = Carrying(store)
        self.carrying.give(rules.channels.values())
        vendor_ids = VendorIds(store)
        self.renderer = Renderer(lambda: self.rules.directory, link_for, source=hub.public_url, buttons=self._buttons)
        self.courier = Courier(
            ledger=self.ledger,
            mailboxes=self.mailboxes,
            rests=Rests(store),
            health=self.health,
            breakers=Breakers(store),
            trials=self.trials,
            vendor_ids=vendor_ids,
            decider=self.decider,
            letters=Letters(self.renderer),
            channels=lambda: self.rules.channels,
            directory=lambda: self.rules.directory,
            maintainers=lambda: self.rules.settings.hub.maintainers,
            now=clock.now,
            tally=self.tally,
        )
        showing = Showing(self.ledger, self._context, self.hand, Pictures(store, meta.partitions, owner))
        self.collecting = Collecting(showing, lambda: self.rules.channels, self.mailboxes, journal_folder.parent)
        self._reports = Reports(self.ledger, self.decider, self.trials, self.courier.breaker, vendor_ids)
        self.answering = Answering(
            ledger=self.ledger,
            mailboxes=self.mailboxes,
            inbox=Inbox(store, meta.partitions),
            decider=self.decider,
            directory=lambda: self.rules.directory,
            emergency=hub.emergency,
            buttons=self._buttons,
            showing=showing,
            calls=Calls(self.ledger, vendor_ids, self.trials, self._reports.take),
        )
        self._intake: Batcher[Event | Unreadable, Result] = Batcher(self._decide, BATCH, hub.intake.queue_limit)
        self._stirred = asyncio.Event()
        self.turns = Turns()
        self.relay: Relay | None = None
        self.by_express = False
        """Whether what new incidents have to say goes on with their commits; so it does while the workers loop."""

    @property
    def room(self) -> int:
        """How many more events would be taken now."""
        return self._intake.room

    @property
    def undecided(self) -> int:
        """How many events wait for their decision."""
        return self._intake.waiting

    def has_room(self, count: int) -> bool:
        """Whether ``count`` more events would be taken now."""
        return self._intake.has_room(count)

    async def take(self, items: Sequence[Event | Unreadable]) -> list[Result]:
        """Decide and commit; returns when all are on disk. Raises what the store or the batcher raise."""
        return await self._intake.submit(items)

    async def report(self, reports: Sequence[Report]) -> int:
        """Delivery reports of a vendor, each tied to its notice; how many belonged to this hub."""
        taken = await self._reports.take(reports, self.clock.now())
        self.stir()
        return taken

    def stir(self) -> None:
        """There is something to do: whoever waits for work looks now."""
        self._stirred.set()
        self.turns.changed()

    async def rest(self) -> None:
        """Work until nothing more can be done at this moment of the clock."""
        while await self._once():
            pass

    async def advance(self, to: int) -> None:
        """Let time pass up to ``to`` on a pushed clock: from one due minute to the next, at rest in between.

        Raises TypeError where the clock is the machine's.
        """
        if not isinstance(self.clock, PushedClock):
            raise TypeError("only a pushed clock can be moved")
        await self.rest()
        while (following := await self.next_at()) is not None and following <= to:
            self.clock.push_to(following)
            await self.rest()
        self.clock.push_to(to)
        await self.rest()

    async def next_at(self) -> int | None:
        """The next moment at which anything is owed, in milliseconds; never the present one once the engine rests."""
        times = [at for at in (await self._due.next_at(), await self.mailboxes.next_at()) if at is not None]
        now = self.clock.now()
        return min((max(at, now + 1) for at in times), default=None)

    async def _once(self) -> int:
        now = self.clock.now()
        done = await self.answering.step(now)
        await self.fanout.find(now)
        done += await self.fanout.step(now)
        done += await self.fanout.sweep(now)
        done += await self.courier.step(now, everywhere=True)
        await self.courier.sender.idle()
        done += await self.courier.record(self.clock.now())
        done += await self.lapses.step(now)
        done += await self.collecting.step(now)
        if done:
            self.turns.changed()
        return done

    async def run(self, part: Part = Part.ALL) -> None:
        """Loop the workers until cancelled; then finish or give back what is held."""
        sending = (self._move, self._record, self._sweep)
        workers = sending if part is Part.SENDING else (*sending, self._lapse, self._answer, self._collect)
        loops = [asyncio.create_task(each(), name=each.__name__) for each in workers]
        self.by_express = True
        try:
            done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._stop(loops)

    async def _stop(self, loops: Sequence[asyncio.Task[None]]) -> None:
        """No step is cut off in its middle: what it had claimed would wait for the end of a lease."""
        self.by_express = False
        await self._intake.close()
        for bell in (self.turns.halt, self._stirred, self.courier.news, self.collecting.news):
            bell.set()
        await asyncio.wait(loops, timeout=GRACE)
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        try:
            await self.fanout.step(self.clock.now())
        finally:
            await self.courier.sender.stop(GRACE)
            await self.courier.record(self.clock.now())
            await self.courier.settle(self.clock.now())
        # What was committed last would wait in the outbox until this hub's lease on it has ended.
        await self.fanout.step(self.clock.now())

    async def _move(self) -> None:
        async def step() -> int:
            if self._relayed:
                return 0
            now = self.clock.now()
            await self.fanout.find(now)
            given = self.fanout.batch()
            try:
                there, claimed = await self.courier.turn(given, now)
            except BaseException:
                self.fanout.keep(given)
                raise
            return self.fanout.moved(given, there) + claimed

        await self.turns.repeat(step, self._stirred)

    async def _record(self) -> None:
        async def step() -> int:
            await self.courier.gather()
            now = self.clock.now()
            # What is in its mailbox the outbox may forget: not beside the turns, which new alarms wait for.
            recorded, forgotten = await asyncio.gather(
                self.courier.record(now), self.fanout.acknowledge(now), return_exceptions=True
            )
            if self.fanout.waiting or self.courier.pressed:
                # A mailbox sends so many at once; now it may go on.
                self._stirred.set()
            elif recorded:
                # The express of the next alarm may say so by the way.
                asyncio.get_running_loop().call_later(GATHER, self._settle)
            if isinstance(recorded, BaseException):
                raise recorded
            if isinstance(forgotten, BaseException):
                raise forgotten
            return recorded + forgotten

        await self.turns.repeat(step, self.courier.news)

    def _settle(self) -> None:
        if self.courier.owes:
            self._stirred.set()

    async def _lapse(self) -> None:
        async def step() -> int:
            # The rows of new events queue behind those of the clocks: a flood of these must not fill the way. A store
            # that moves none of them holds no clock up for long.
            for _ in range(YIELDS):
                if self.fanout.waiting < ROOM:
                    break
                await asyncio.sleep(YIELD)
            return await self.lapses.step(self.clock.now())

        await self.turns.repeat(step, None)

    async def _answer(self) -> None:
        await self.turns.repeat(lambda: self.answering.step(self.clock.now()), None)

    async def _collect(self) -> None:
        await self.turns.repeat(lambda: self.collecting.step(self.clock.now()), self.collecting.news)

    async def _sweep(self) -> None:
        async def step() -> int:
            return 0 if self._relayed else await self.fanout.sweep(self.clock.now())

        await self.turns.repeat(step, None, idle=SWEEP)

    @property
    def _relayed(self) -> bool:
        """Whether there is nothing here to send: the relay does it, and what this process had begun is done."""
        return self._sends_elsewhere and not self.fanout.waiting and not self.courier.under_way

    def _express(self, now: int) -> Express | None:
        """What goes along with new incidents: nothing where another process sends, or several servers share the store,
        or whoever steps this engine has every step to himself."""
        if not self.by_express or self._sends_elsewhere or not self.store.whole or not self.turns.may_work():
            return None
        return Express(self.mailboxes, self.courier, self.stir, now)

    @property
    def _sends_elsewhere(self) -> bool:
        return self.relay is not None and self.relay.ready

    async def _decide(self, items: list[Event | Unreadable]) -> list[Result | Exception]:
        results = await self.decider.each_event(items, self.clock.now())
        self.tally.took([result for result in results if not isinstance(result, Exception)])
        return results

    def _buttons(self) -> Buttons:
        return buttons_of(self.rules.settings)

    def _context(self, now: int) -> Context:
        return self.rules.context(now)

    def hand(self, items: list[OutboxItem]) -> None:
        """Rows that a commit leased to this hub: whoever sends for it moves them."""
        if not items:
            return
        if self.relay is not None and self.relay.give(items):
            self.turns.changed()
        else:
            self.move(items)

    def move(self, items: list[OutboxItem]) -> None:
        """Put these rows, leased to this hub, into their mailboxes."""
        self.fanout.give(items)
        self.stir()
