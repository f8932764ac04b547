"""``GET /metrics`` for Prometheus: what waits and since when, what was done, what state the store is in.

All of it comes from indexes and counters: a scrape costs the same with a hundred thousand open incidents as with one.
Labels are names of the configuration and words of the program; nothing about people.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from bot.engine import Engine
from bot.intake.auth import client_address, listed
from bot.silence import silent
from bot.store.errors import StoreError
from bot.storehouse import Storehouse
from bot.tally import Tally
from bot.web.health import why_not
from bot.web.house import House
from escalation.ledger.breakers import Breakers
from escalation.ledger.figures import Counts
from escalation.ledger.health import Health
from escalation.ledger.keys import Mailbox
from escalation.ledger.marks import Marks, line_mark
from escalation.ledger.windows import Window
from escalation.vocabulary import Level, Urgency

log = logging.getLogger(__name__)

FRESH = 2_000
"""How long one look at the store serves every scrape, in milliseconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsHouse(House, Protocol):
    """The hub as its metrics see it."""

    storehouse: Storehouse
    tally: Tally


@dataclass(frozen=True, slots=True)
class _Look:
    """One look: the hub's time, what the store counted (None: it could not), tokens left, what this process holds."""

    now: int
    ready: bool
    store: str
    anchor: str
    counts: Counts | None = None
    tokens: list[tuple[Mailbox, Window, int]] = field(default_factory=list)
    undecided: int = 0
    under_way: int = 0
    good: Mapping[str, int] = field(default_factory=dict)
    works: Mapping[str, bool] = field(default_factory=dict)
    resting: Counter[str] = field(default_factory=Counter)
    heard: Mapping[str, int] = field(default_factory=dict)
    silent: Mapping[str, bool] = field(default_factory=dict)
    deaf: frozenset[str] = frozenset()


class Metrics:
    """The hub's figures, looked at when they are asked for."""

    def __init__(self, house: MetricsHouse) -> None:
        self._house = house
        self._look: _Look | None = None
        self._looking = asyncio.Lock()

    async def show(self, request: web.Request) -> web.Response:
        """The figures, to the listed networks; nobody else learns that there are any."""
        settings = self._house.rules.settings
        forwarded = request.headers.getall("X-Forwarded-For", [])
        address = client_address(request.remote or "", forwarded, settings.hub.trusted_proxies)
        if not listed(address, settings.metrics.allow):
            raise web.HTTPNotFound
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures(await self._fresh(), self._house.tally))
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return web.Response(body=generate_latest(registry), headers=headers)

    async def _fresh(self) -> _Look:
        async with self._looking:
            now = self._house.clock.now()
            if self._look is None or not 0 <= now - self._look.now < FRESH:
                self._look = await self._ask(now)
            return self._look

    async def _ask(self, now: int) -> _Look:
        house, engine = self._house, self._house.engine
        ready, store, anchor = not why_not(house), house.storehouse.state, house.storehouse.finding
        bare = _Look(now, ready, store, anchor)
        if engine is None or not house.storehouse.ready:
            return bare
        try:
            counts = await engine.counting.counts(now=now)
            tokens = await engine.counting.tokens(_windows(engine), now=now)
            good, fares = await engine.good.read(), await Health(engine.store).watched()
            refused, heard = await Breakers(engine.store).read(now=now), await engine.hearing.read()
            deaf = await Marks(engine.store).failing()
        except (StoreError, RedisError, OSError) as error:
            log.warning("the store could not be counted for the metrics: %s", error)
            return bare
        return _Look(
            now,
            ready,
            store,
            anchor,
            counts,
            tokens,
            engine.undecided,
            engine.courier.under_way + house.tally.under_way,
            good,
            {name: name not in fares or not fares[name].broken for name in engine.rules.channels},
            Counter(box.channel for box, each in refused.items() if each.until > now),
            {name: heard.get(name, 0) for name in engine.rules.settings.sources},
            silent(engine.rules.settings.sources, heard, now),
            frozenset(name for name in engine.rules.channels if {name, line_mark(name)} & set(deaf)),
        )


class _Figures(Collector):
    """One look as Prometheus' families."""

    def __init__(self, look: _Look, tally: Tally) -> None:
        self._look = look
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        look, tally = self._look, self._tally
        yield _gauge("ready", "1 while events are accepted.", look.ready)
        yield _labelled("store_state", "1 for the state the store is in.", ("state",), {(look.store,): 1})
        yield _labelled("anchor", "1 for what the last comparison found.", ("finding",), {(look.anchor,): 1})
        events = CounterMetricFamily("fenghuo_events", "Events answered, by verdict.", labels=("verdict",))
        for verdict, count in sorted(tally.verdicts.items()):
            events.add_metric((verdict,), count)
        yield events
        sends = CounterMetricFamily("fenghuo_sends", "Ends of sends, by result.", labels=("channel", "result"))
        for (channel, result), count in sorted(tally.sends.items()):
            sends.add_metric((channel, result), count)
        yield sends
        names = sorted({*tally.good_at, *look.good})
        good = {(name,): max(tally.good_at.get(name, 0), look.good.get(name, 0)) / 1000 for name in names}
        about = "When a vendor last took a message of any hub, restarts included."
        yield _labelled("last_good_send_timestamp_seconds", about, ("channel",), good)
        if tally.apart is not None:
            yield _gauge("courier_process", "1 while a process of its own sends for this hub.", tally.apart)
        if look.counts is not None:
            yield from self._waiting(look.counts)
            yield from self._kept(look.counts)

    def _waiting(self, counts: Counts) -> Iterator[Metric]:
        look = self._look
        stages = {
            "replies": counts.replies,
            "outbox": counts.outbox,
            "mailbox_critical": counts.mailbox[Urgency.CRITICAL],
            "mailbox_normal": counts.mailbox[Urgency.NORMAL],
        }
        many = {(name,): each.many for name, each in stages.items()}
        many |= {("undecided",): look.undecided, ("receipts",): look.under_way}
        yield _labelled("waiting", "What waits, by stage.", ("stage",), many)
        ages = {(name,): self._age(each.since) for name, each in stages.items()}
        yield _labelled("waiting_seconds", "How long the oldest has waited, by stage.", ("stage",), ages)
        oldest = self._age(counts.mailbox[Urgency.CRITICAL].since)
        yield _gauge("oldest_unsent_critical_seconds", "Age of the oldest critical notice no vendor took.", oldest)
        yield _gauge("clocks_overdue", "Incidents with a clock that is due and not worked off.", counts.overdue.many)
        yield _gauge("clocks_overdue_seconds", "For how long, at most.", self._age(counts.overdue.since))

    def _kept(self, counts: Counts) -> Iterator[Metric]:
        yield _gauge("dead_letters", "Notices that reached nobody and were not settled.", counts.dead)
        yield _gauge("quarantined", "Items that could not be read.", counts.quarantined)
        kinds = {level: "warning" if isinstance(level, Level) else "alarm" for level in counts.open}
        opened = {(kinds[level], level.value if level else "unknown"): count for level, count in counts.open.items()}
        yield _labelled("open_incidents", "Open incidents.", ("kind", "level"), opened)
        tokens = {(box.channel, str(window.per_ms // 1000)): left for box, window, left in self._look.tokens}
        about = "Messages a group's vendor still takes in its window."
        yield _labelled("tokens_left", about, ("channel", "window_seconds"), tokens)
        works = {(name,): well for name, well in self._look.works.items()}
        yield _labelled("channel_works", "0 while a channel is broken.", ("channel",), works)
        hears = {(name,): name not in self._look.deaf for name in self._look.works}
        yield _labelled("channel_hears", "0 while its mailbox or long line cannot be read.", ("channel",), hears)
        resting = {(name,): self._look.resting[name] for name in self._look.works}
        about = "Addresses refused again and again, which rest."
        yield _labelled("addresses_resting", about, ("channel",), resting)
        heard = {(name,): at / 1000 for name, at in self._look.heard.items()}
        yield _labelled(
            "last_event_timestamp_seconds", "When a source was last heard, 0 for never.", ("source",), heard
        )
        about = "1 while a source is silent for longer than its silent_after."
        quiet = {(name,): is_silent for name, is_silent in self._look.silent.items()}
        yield _labelled("source_silent", about, ("source",), quiet)

    def _age(self, since: int | None) -> float:
        return max(self._look.now - since, 0) / 1000 if since is not None else 0.0


def add_metrics(app: web.Application, house: MetricsHouse) -> None:
    """The route."""
    app.router.add_get("/metrics", Metrics(house).show)


def _windows(engine: Engine) -> dict[Mailbox, tuple[Window, ...]]:
    """The windows of channels that are an address themselves. A person's own would name the person."""
    return {
        Mailbox(name, ""): tuple(Window(each.count, each.per * 1000) for each in channel.abilities.windows)
        for name, channel in engine.rules.channels.items()
        if channel.abilities.windows and not channel.abilities.personal
    }


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fenghuo_{name}", about, value=float(value))


def _labelled(name: str, about: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    """A gauge with a value for each tuple of labels."""
    made = GaugeMetricFamily(f"fenghuo_{name}", about, labels=labels)
    for each, value in values.items():
        made.add_metric(each, value)
    return made
