"""The first story as a program that may be stopped anywhere and told again from its beginning.

An alarm is raised and told, the worker signs by SMS, another alarm goes unsigned until its reminder, and upstream
clears the first. Every input has an id of its own, so the whole story may be told twice: that is what an upstream and a
gateway do that got no answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import aiohttp

from bot.clock import PushedClock
from bot.door import Door
from bot.engine import Engine
from bot.rules import Rules
from bot.settings.load import load
from bot.settings.models import Settings
from bot.store.client import Store
from bot.storehouse import SHARDS
from channels.channel import Uplink
from channels.registry import open_channel
from escalation.event import Event, EventType
from escalation.ledger.keys import Mailbox
from escalation.ledger.meta import open_meta
from escalation.vocabulary import Severity

START = 1_795_000_000_000
"""A Wednesday noon; all of the story's times count from here."""
MINUTE = 60_000
DUST = "91000000DEM0000019"
STEEL = "91000000DEM000002C"
WORKER = "13800130001"


def raised(identity: str, enterprise: str, point: str, at: int, kind: EventType = EventType.ALARM_RAISED) -> Event:
    """A high alarm of a point, or its clear."""
    return Event(
        source="demo",
        id=identity,
        type=kind,
        at=at,
        received_at=at,
        body_hash=f"hash of {identity}",
        enterprise=enterprise,
        point=point,
        severity=Severity.HIGH if kind is EventType.ALARM_RAISED else None,
        value=72.5,
        limit=70.0,
        unit="℃",
    )


@cache
def settings_of(config: Path) -> Settings:
    """The county's configuration, read once for all the forked hubs."""
    settings = load(config).settings
    assert settings is not None
    return settings


@asynccontextmanager
async def engine_on(socket: Path, config: Path, at: int) -> AsyncIterator[Engine]:
    """A fresh engine on the store at ``socket``, its clock standing at ``at``."""
    settings = settings_of(config)
    clock = PushedClock(at)
    async with Store.on_socket(socket) as store, aiohttp.ClientSession() as session:
        door = Door(store)
        meta = await open_meta(door, store_id="story", partitions=4, shards=SHARDS, now=at)
        channels = {name: open_channel(name, table, session) for name, table in settings.channels.items()}
        yield Engine(door, meta, Rules.of(settings, channels), clock, journal_folder=config.parent / "journal")
        for channel in channels.values():
            await channel.close()


async def tell(engine: Engine, accepted: Callable[[str], None], vendors_at: Callable[[int], object]) -> None:
    """The whole story. ``accepted`` hears each promise the hub gave; ``vendors_at`` moves the vendors' clock. The first
    alarm's messages go on with its commit, the second's by fan-out and turn."""
    clock = engine.clock
    assert isinstance(clock, PushedClock)

    base = START
    engine.by_express = True
    await engine.take([raised("e1", DUST, "DC01-T01", base)])
    engine.by_express = False
    accepted("e1")
    await engine.rest()
    code = (await engine.mailboxes.told([Mailbox("sms", WORKER)], since=0))[0][0]
    uplink = Uplink(channel="sms", message_id="m1", sender=WORKER, text=f"签收 {code}", at=base + MINUTE)
    await engine.answering.take([uplink], engine.clock.now())
    accepted("m1")
    await engine.rest()
    await engine.take([raised("e2", STEEL, "BF1-CO-03", base)])
    accepted("e2")
    await engine.rest()
    reminded = max(clock.now(), base + 11 * MINUTE)
    while (following := await engine.next_at()) is not None and following < reminded:
        vendors_at(following)
        await engine.advance(following)
    vendors_at(reminded)
    await engine.advance(reminded)
    await engine.take([raised("e3", DUST, "DC01-T01", base + 5 * MINUTE, EventType.ALARM_CLEARED)])
    accepted("e3")
    await engine.rest()
