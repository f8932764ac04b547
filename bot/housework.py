"""What a hub does by the clock beside its alarms: forgetting, filing, checking its journal, testing its channels."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable

from bot.clock import Clock
from bot.engine import Engine
from bot.inquiry import Inquiry
from bot.rules import Rules
from bot.schedule import FILE_SECONDS, GOOD_SECONDS, NIGHTLY, Schedule
from bot.self_test import SelfTests
from bot.silence import SilentSources
from bot.storehouse import SHARDS, Storehouse
from bot.tally import Tally
from escalation.ledger.filing import Filer
from escalation.ledger.leadership import Leadership
from escalation.ledger.logins import Logins
from escalation.ledger.prune import Pruner
from escalation.ledger.sessions import Sessions

log = logging.getLogger(__name__)


def housework(
    storehouse: Storehouse, clock: Clock, rules: Callable[[], Rules], engine: Callable[[], Engine | None], tally: Tally
) -> Schedule:
    """Forgetting and tests of the channels, on the hub that leads; filing and the nightly check of the journal, whose
    files and anchor are each hub's own, on every one. Raises the store's error where it is not open."""
    door, partitions = storehouse.door(), rules().settings.hub.partitions
    leadership = Leadership(door, f"{os.getpid()}-{secrets.token_hex(4)}")
    filer = Filer(door, partitions, storehouse.journal_folder, hub=storehouse.identity)
    pruner = Pruner(door, partitions, SHARDS)

    async def file() -> None:
        await filer.step(clock.now())

    async def forget() -> None:
        await pruner.step(clock.now())

    async def forget_logins() -> None:
        settings, now = rules().settings, clock.now()
        longest = max((settings.duty_page.longest(each) for each in settings.accounts.values()), default=0)
        await Sessions(door).forget(now - longest)
        await Logins(door).forget(now)

    async def check() -> None:
        if (working := engine()) is not None:
            result = await Inquiry(storehouse, working.meta, rules().directory).verify()
            log.log(logging.INFO if result.ok else logging.CRITICAL, "the nightly check: %s", result.text())

    async def test_itself() -> None:
        if (working := engine()) is not None:
            await SelfTests(working).step(clock.now())

    async def keep_good() -> None:
        if (working := engine()) is not None:
            await working.good.write(tally.good_at)

    schedule = Schedule(lambda: leadership.holds(clock.now()))
    schedule.every(GOOD_SECONDS, "look for silence", SilentSources(engine, clock.now()).step)
    schedule.every(FILE_SECONDS, "file the journal", file, everywhere=True)
    schedule.every(FILE_SECONDS, "test the channels", test_itself)
    schedule.every(GOOD_SECONDS, "keep the last good sends", keep_good, everywhere=True)
    schedule.every(FILE_SECONDS, "forget old inputs", forget)
    schedule.every(FILE_SECONDS, "forget old log-ins", forget_logins)
    schedule.at(NIGHTLY, "check the journal", check, everywhere=True)
    return schedule
