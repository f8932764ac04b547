"""Tried log-ins and sessions on a real store: counted before the password is looked at, held for a while, never for
ever."""

from __future__ import annotations

import asyncio

import pytest

from escalation.ledger.keys import LOGINS, SESSIONS
from escalation.ledger.logins import DECAY, KNOWN, MINUTE, OF_ACCOUNT, OF_ADDRESS, Door, Logins
from escalation.ledger.sessions import MOST_OF_ONE, Session, Sessions, name_of
from tests.ledger.doors import StoreDoor
from tests.ledger.things import NOW

HOME, AWAY = "10.0.0.8", "203.0.113.9"


async def failures(logins: Logins, door: Door, count: int, now: int) -> list[int]:
    return [await logins.begin(door, now) for _ in range(count)]


async def test_the_fifth_failure_of_an_account_at_an_address_waits_half_a_minute_then_twice_that(
    door: StoreDoor,
) -> None:
    logins, who = Logins(door), Door("duty", HOME)
    assert await failures(logins, who, 6, NOW) == [0, 0, 0, 0, 0, 30_000]
    assert await logins.begin(who, NOW + 29_999) == 1
    now = NOW
    for wait in (60_000, 120_000, 240_000, 480_000, 900_000, 900_000):
        now += 1_000_000
        assert await failures(logins, who, 2, now) == [0, wait]


async def test_trying_while_held_makes_nobody_wait_longer(door: StoreDoor) -> None:
    logins, who = Logins(door), Door("duty", HOME)
    await failures(logins, who, 5, NOW)
    assert set(await failures(logins, who, 50, NOW + 1)) == {29_999}
    assert await logins.begin(who, NOW + 30_000) == 0


async def test_many_tries_at_once_are_counted_each(door: StoreDoor) -> None:
    logins = Logins(door)
    waits = await asyncio.gather(*(logins.begin(Door("duty", HOME), NOW) for _ in range(40)))
    assert sum(wait == 0 for wait in waits) == 5


async def test_one_address_cannot_try_every_account(door: StoreDoor) -> None:
    logins = Logins(door)
    waits = [await logins.begin(Door(f"account-{number}", AWAY), NOW) for number in range(30)]
    assert waits[: OF_ADDRESS[0]] == [0] * OF_ADDRESS[0]
    assert all(waits[OF_ADDRESS[0] :])
    assert await logins.begin(Door("account-29", HOME), NOW) == 0


async def test_whoever_hammers_an_account_never_holds_up_the_duty_rooms_own_machine(door: StoreDoor) -> None:
    logins, home = Logins(door), Door("duty", HOME)
    assert await logins.begin(home, NOW) == 0
    await logins.succeed(home, NOW)
    now = NOW
    for number in range(200):
        now += 20 * 1000
        await logins.begin(Door("duty", f"203.0.113.{number}"), now)
    assert await logins.begin(Door("duty", "198.51.100.1"), now) > 0, "another machine waits"
    assert await logins.begin(home, now) == 0
    assert await logins.begin(Door("duty", "198.51.100.1"), now + OF_ACCOUNT[1]) == 0, "and not for ever"
    assert await logins.begin(home, now + KNOWN) == 0


async def test_the_right_password_wipes_the_slate_and_so_does_half_a_day(door: StoreDoor) -> None:
    logins, who = Logins(door), Door("duty", HOME)
    await failures(logins, who, 4, NOW)
    await logins.succeed(who, NOW)
    assert await failures(logins, who, 5, NOW) == [0] * 5
    assert await failures(logins, who, 5, NOW + DECAY + MINUTE) == [0] * 5


async def test_what_no_longer_counts_is_forgotten(door: StoreDoor) -> None:
    logins = Logins(door)
    await failures(logins, Door("duty", AWAY), 3, NOW)
    await logins.succeed(Door("duty", HOME), NOW)
    assert await logins.forget(NOW + DECAY) == 0
    assert await logins.forget(NOW + DECAY + 1) == 2, "the log-in wiped the account's own row"
    assert await logins.forget(NOW + KNOWN) == 1
    assert await door.execute("EXISTS", LOGINS) == 0


def session(used: int = NOW, account: str = "duty") -> Session:
    return Session(account=account, proof="p", opened_at=NOW, used_at=used)


async def test_a_session_is_known_by_the_hash_of_its_id(door: StoreDoor) -> None:
    sessions = Sessions(door)
    await sessions.open("the-id", session())
    assert await sessions.find("the-id") == session()
    assert await sessions.find(name_of("the-id")) is None, "what the store holds opens nothing"
    assert await door.execute("HKEYS", SESSIONS) == [name_of("the-id").encode()]


async def test_what_was_ended_stays_ended_however_it_is_used(door: StoreDoor) -> None:
    sessions = Sessions(door)
    await sessions.open("one", session())
    await sessions.touch("one", NOW + 5)
    assert await sessions.find("one") == session(NOW + 5)
    await asyncio.gather(sessions.touch("one", NOW + 9), sessions.end("one"))
    await sessions.touch("one", NOW + 10)
    assert await sessions.find("one") is None


async def test_an_account_has_so_many_sessions_and_loses_the_longest_unused(door: StoreDoor) -> None:
    sessions = Sessions(door)
    await sessions.open("other", session(NOW - 1, "other"))
    for number in range(MOST_OF_ONE + 3):
        await sessions.open(f"s{number}", session(NOW + number))
    left = [number for number in range(MOST_OF_ONE + 3) if await sessions.find(f"s{number}")]
    assert left == list(range(3, MOST_OF_ONE + 3))
    assert await sessions.find("other") is not None
    assert await sessions.forget(NOW + MOST_OF_ONE) == MOST_OF_ONE - 3 + 1


@pytest.mark.parametrize("given", ["", "x" * 10_000, "\ud800", "a\nb"])
async def test_any_text_may_be_asked_for(door: StoreDoor, given: str) -> None:
    assert await Sessions(door).find(given) is None
