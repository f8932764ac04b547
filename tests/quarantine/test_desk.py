"""A row of the quarantine is decided once, or dropped with a reason, whoever tries and wherever it breaks off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from bot.gate import source_rules
from bot.intake.body import parse
from bot.intake.gate import ItemVerdict, Result
from bot.intake.items import read_items
from bot.intake.reading import Unreadable
from bot.quarantine import Desk, QuarantineWorked
from bot.streams.entries import EntryLimits, StreamEntry, read_entry
from bot.workers.undecidable import undecidable_event
from escalation.event import Event, EventType
from escalation.ledger.quarantine import Quarantine
from escalation.vocabulary import Severity, Verdict
from tests.streams.harness import alarm
from tests.workers.house import OPERATOR, PARTITIONS, House

ITEM = {"devId": "DC01-T01", "alarmState": 1, "alarmLevel": 1, "alarmTime": "2026-11-18 19:06:30"}
WRONG: dict[str, Any] = {"items": [{**{k: v for k, v in ITEM.items() if k != "devId"}, "device": "DC01-T01"}]}


def desk(house: House, take: Any = None) -> Desk:
    engine = house.engine
    return Desk(house.door, PARTITIONS, engine.rules, take or engine.take, engine.clock.now)


async def keep(house: House, document: Any, source: str = "gateway") -> str:
    """Have the hub take what it cannot read; its id in quarantine."""
    rules = source_rules(source, house.settings.sources[source], house.settings)
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    items = read_items(parse(raw, 100), source, rules.reading, house.clock.now())
    assert all(isinstance(item, Unreadable) for item in items)
    return await kept(house, items)


async def kept(house: House, items: Sequence[Any]) -> str:
    before = {row.id for row in (await desk(house).everything()).rows}
    await house.engine.take(items)
    (new,) = {row.id for row in (await desk(house).everything()).rows} - before
    return new


def mend(house: House) -> None:
    house.reload(
        lambda text: text.replace('id = ["devId", "alarmTime"]', 'id = ["device", "alarmTime"]').replace(
            'point = "devId"', 'point = "device"'
        )
    )


async def codes(house: House) -> list[str]:
    return [code for number in range(PARTITIONS) for code in await house.engine.ledger.open_codes(number)]


async def retried(house: House, row: str, take: Any = None) -> QuarantineWorked:
    found = await desk(house, take).retry(row, "吴六", "补了映射")
    assert found is not None
    return found


async def test_retry_decides_by_todays_mapping_once_and_says_who(house: House) -> None:
    row = await keep(house, WRONG)
    still = await retried(house, row)
    assert (still.done, still.problems[0].pointer) == (False, "/items/0/devId")
    mend(house)
    house.push(3 * 3_600_000)
    done = await retried(house, row[:5])
    (event,) = done.events
    assert (done.done, event.verdict, event.flags) == (True, "created", ["late"])
    assert await codes(house) == [event.code]
    await house.engine.rest()
    assert any(event.code in text for text in house.texts(OPERATOR))
    (entry,) = await house.loose_journal("quarantine_retried")
    assert (entry.actor, entry.detail["why"], entry.detail["codes"]) == ("吴六", "补了映射", event.code)
    assert await desk(house).retry(row, "吴六", "") is None
    assert (await desk(house).everything()).rows == []


async def test_broken_off_after_the_decision_it_is_decided_no_second_time(house: House) -> None:
    row = await keep(house, WRONG)
    mend(house)

    async def dying(events: Sequence[Event]) -> Sequence[Result]:
        await house.engine.take(events)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await retried(house, row, dying)
    (code,) = await codes(house)
    again = await retried(house, row)
    assert (again.done, again.events[0].verdict, again.events[0].code) == (True, "duplicate", code)
    assert (await house.incident(code)).raises == 1


async def test_two_people_at_once(house: House) -> None:
    row = await keep(house, WRONG)
    mend(house)
    both = await asyncio.gather(retried(house, row), desk(house).retry(row, "孙三", ""))
    assert len([one for one in both if one is not None and one.done]) == 1
    assert len(await codes(house)) == 1
    assert len(await house.loose_journal("quarantine_retried")) == 1


async def test_a_release_whose_answer_was_lost_is_run_again(house: House) -> None:
    row = await keep(house, WRONG)
    house.door.losing.append("quarantine_release")
    worked = await desk(house).drop(row, "吴六", "测试报文")
    assert worked is not None
    assert worked.done
    assert house.door.failed == 1
    (entry,) = await house.loose_journal("quarantine_dropped")
    assert entry.detail["why"] == "测试报文"
    assert await codes(house) == []
    quarantine = Quarantine(house.door, PARTITIONS)
    assert await quarantine.rows() == []


async def test_a_drop_without_a_reason_is_refused(house: House) -> None:
    row = await keep(house, WRONG)
    with pytest.raises(ValueError, match="--why"):
        await desk(house).drop(row, "吴六", "  ")
    assert len((await desk(house).everything()).rows) == 1
    assert await desk(house).drop("zz", "吴六", "x") is None
    assert await desk(house).show("") is None


async def test_what_cannot_be_decided_again_says_why_and_stays(house: House) -> None:
    long = await keep(house, {"items": [{"x": "长" * 70_000}]})
    twice = await keep(house, b'{"items":[{"devId":"a","devId":"b","alarmState":1,"alarmTime":"2026-11-18 19:06:30"}]}')
    for row, words in ((long, "只保存了开头"), (twice, "不止一次")):
        said = await retried(house, row)
        assert (said.done, said.events) == (False, [])
        assert words in said.why_not
    shown = await desk(house).show(long)
    assert shown is not None
    assert shown.row.cut
    house.reload(lambda text: text.replace("[sources.gateway", "[sources.other"))
    assert "不在配置中" in (await retried(house, twice)).why_not
    assert len((await desk(house).everything()).rows) == 2


async def test_an_id_that_another_event_has_taken_meanwhile_stays(house: House) -> None:
    row = await keep(house, WRONG)
    mend(house)
    other = {"items": [{**WRONG["items"][0], "alarmLevel": 2}]}
    rules = source_rules("gateway", house.settings.sources["gateway"], house.settings)
    await house.engine.take(
        read_items(parse(json.dumps(other).encode(), 5), "gateway", rules.reading, house.clock.now())
    )
    said = await retried(house, row)
    assert (said.done, said.events[0].verdict) == (False, "conflict")


async def test_an_entry_whose_field_was_configured_wrongly(house: House) -> None:
    rules = source_rules("monitor", house.settings.sources["monitor"], house.settings)
    entry = StreamEntry("monitor:alarms", "1-1", {b"payload": json.dumps(alarm("e1")).encode()})
    row = await kept(house, read_entry(entry, "event", rules, EntryLimits(5000, 10), house.clock.now()).items)
    assert "event" in (await retried(house, row)).why_not
    house.reload(lambda text: text.replace('"monitor:warnings"]', '"monitor:warnings"], field = "payload"'))
    done = await retried(house, row)
    assert (done.done, done.events[0].id) == (True, "e1")


async def test_an_event_that_could_not_be_decided_is_taken_as_it_was_read(house: House) -> None:
    event = house.event(EventType.ALARM_RAISED, point="DC01-T01", severity=Severity.HIGH)
    row = await kept(house, [undecidable_event(event, "a fault that nobody foresaw")])

    async def failing(events: Sequence[Event]) -> Sequence[Result]:
        return [ItemVerdict(one.id, Verdict.DUPLICATE, reason="recorded_quarantined") for one in events]

    still = await retried(house, row, failing)
    assert (still.done, len((await desk(house).everything()).rows)) == (False, 1)
    done = await retried(house, row)
    assert (done.done, done.events[0].verdict) == (True, "created")
    assert await codes(house) == [done.events[0].code]
