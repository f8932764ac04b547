"""An event of a correlation this hub has not met is decided without asking the store: a guess that costs no truth."""

from __future__ import annotations

import msgspec

from bot.engine import Engine
from bot.intake.gate import Conflict, ItemVerdict
from bot.workers.grouping import Met
from escalation.event import Event, EventType
from escalation.vocabulary import Severity, Verdict
from tests.workers.house import House


def raised(house: House) -> Event:
    return house.event(EventType.ALARM_RAISED, point="DC01-T01", severity=Severity.HIGH)


async def verdicts(engine: Engine, *events: Event) -> list[tuple[Verdict, str]]:
    results = await engine.take(list(events))
    assert all(isinstance(result, ItemVerdict) for result in results)
    return [(result.verdict, result.code) for result in results if isinstance(result, ItemVerdict)]


async def test_what_another_hub_opened_is_added_to(house: House) -> None:
    ((_, code),) = await verdicts(house.engine, raised(house))
    other = await house.another()
    assert await verdicts(other, raised(house)) == [(Verdict.MERGED, code)]
    assert (await house.incident(code)).raises == 2
    assert await house.engine.ledger.count_open() == 1


async def test_an_event_that_another_hub_took_is_a_duplicate(house: House) -> None:
    event = raised(house)
    ((_, code),) = await verdicts(house.engine, event)
    other = await house.another()
    assert await verdicts(other, event) == [(Verdict.DUPLICATE, code)]
    third = await house.another()
    (refused,) = await third.take([msgspec.structs.replace(event, body_hash="another body")])
    assert isinstance(refused, Conflict)


async def test_two_events_of_one_new_correlation_share_an_incident(house: House) -> None:
    (first, code), (second, same) = await verdicts(house.engine, raised(house), raised(house))
    assert (first, second, code) == (Verdict.CREATED, Verdict.MERGED, same)


async def test_a_clear_that_another_hub_took_before_the_alarm_is_minded(house: House) -> None:
    late = raised(house)
    house.push(1_000)
    assert await verdicts(house.engine, house.event(EventType.ALARM_CLEARED, point="DC01-T01")) == [(Verdict.STALE, "")]
    other = await house.another()
    ((_, code),) = await verdicts(other, late)
    assert not (await house.incident(code)).active


async def test_the_store_is_asked_only_for_what_was_met(house: House) -> None:
    asked: list[int] = []

    async def loading() -> None:
        asked.append(1)

    house.door.before["load"] = loading
    await verdicts(house.engine, raised(house))
    assert not asked
    await verdicts(house.engine, raised(house))
    assert len(asked) == 1


def test_what_was_met_long_ago_is_forgotten() -> None:
    met = Met(most=2)
    for number in range(9):
        met.add(f"c{number}")
    assert "c8" in met
    assert "c0" not in met
