"""What several hubs share, and what only one of them does: windows, the calendar's jobs, the clock."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import PushedClock
from bot.demo.county import Addresses
from bot.hub import Hub
from bot.schedule import Schedule
from bot.settings.load import load
from bot.settings.models import Settings
from bot.store.client import Store
from escalation.ledger.keys import LEADER
from escalation.ledger.leadership import LEASE, Leadership
from escalation.vocabulary import Level
from tests.county import secrets_of, write_county
from tests.hubs.sentinels import Server, until
from tests.ledger.doors import StoreDoor
from tests.workers.house import codes_of, house_on, with_works, works
from tests.workers.test_digests import PER_MINUTE, issue, without_county_group

NOW = 1_795_000_000_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "store")
    until(made.answers)
    yield made
    made.close()


def _settings(folder: Path, server: Server) -> Settings:
    nowhere = "http://127.0.0.1:9"
    addresses = Addresses(nowhere, 8080, f"{nowhere}/sms", 2525, nowhere, f"{nowhere}/hook")
    config = write_county(folder, addresses, secrets_of()).config
    text = config.read_text("utf-8")
    config.write_text(text.replace("[pages]", f'[store]\nurl = "redis://127.0.0.1:{server.port}"\n\n[pages]'), "utf-8")
    settings = load(config).settings
    assert settings is not None
    return settings


@pytest.mark.parametrize("seconds", [-5, 5])
async def test_a_hub_whose_clock_is_off_does_no_work_and_says_so(server: Server, tmp_path: Path, seconds: int) -> None:
    hub = Hub(_settings(tmp_path, server), PushedClock(int((time.time() + seconds) * 1000)))
    await hub.open()
    try:
        assert hub.engine is None
        assert "本机时钟与存储相差" in hub.not_ready
        assert f"{-seconds:+d}" in hub.not_ready.replace(".0", "").replace("-4.9", "-5").replace("+4.9", "+5")
    finally:
        await hub.close()


async def test_a_clock_that_goes_wrong_stops_the_work_at_hand(server: Server, tmp_path: Path) -> None:
    clock = PushedClock(int(time.time() * 1000))
    hub = Hub(_settings(tmp_path, server), clock)
    await hub.open()
    try:
        assert hub.engine is not None
        assert hub.engine.turns.may_work()
        clock.push_to(clock.now() + 10_000)
        await hub.storehouse.look()
        assert not hub.engine.turns.may_work()
        assert "本机时钟与存储相差" in hub.not_ready
    finally:
        await hub.close()


async def test_a_job_runs_on_the_hub_that_leads_and_moves_with_it(store: Store) -> None:
    """Three hubs' calendars on one store; when the leader is gone, another leads as soon as its lease has ended."""
    now = NOW
    ran: Counter[str] = Counter()
    own: Counter[str] = Counter()
    turned = asyncio.Condition()
    calendars: dict[str, Schedule] = {}
    for name in ("a", "b", "c"):
        leadership = Leadership(StoreDoor(store), name)

        async def leads(leadership: Leadership = leadership) -> bool:
            return await leadership.holds(now)

        async def lead(name: str = name) -> None:
            ran[name] += 1

        async def each(name: str = name) -> None:
            async with turned:
                own[name] += 1
                turned.notify_all()

        calendar = calendars[name] = Schedule(leads)
        calendar.every(1, "only the leader", lead)
        calendar.every(1, "every hub", each, everywhere=True)
        calendar.start()
    try:
        async with turned:
            await turned.wait_for(lambda: all(own[name] >= 2 for name in calendars))
        (leader,) = ran
        calendars.pop(leader).stop()
        before = ran[leader]
        async with turned:
            await turned.wait_for(lambda: all(own[name] >= 4 for name in calendars))
        assert set(ran) == {leader}, "nobody leads while its lease holds"
        now += LEASE + 1
        async with turned:
            await turned.wait_for(lambda: all(own[name] >= 7 for name in calendars))
        assert len(ran) == 2, ran
        assert ran[leader] == before
        assert await store.execute("HGET", LEADER, "owner") in {name.encode() for name in calendars}
    finally:
        for calendar in calendars.values():
            calendar.stop()


async def test_the_windows_of_a_robot_are_shared(store: Store, tmp_path: Path) -> None:
    """Two hubs at work at the same moment send no more than one may, and everything is told in the end."""
    async with house_on(store, tmp_path, with_works(60), without_county_group) as house:
        other = await house.another()
        codes = await issue(house, Level.YELLOW, works(60))
        for _ in range(3):
            await asyncio.gather(house.engine.rest(), other.rest())
        assert 0 < len(house.texts("hedong-group")) <= PER_MINUTE
        await house.wait(10 * 60_000)
        assert set(codes_of(house.texts("hedong-group"))) >= set(codes)
