"""One item that cannot be decided, or whose incident cannot be read, fails nobody else, and ends nowhere in silence."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from bot.intake.gate import ItemVerdict, Result
from bot.intake.reading import Unreadable
from escalation.decide import decide as decided
from escalation.decide import decide_event as decided_event
from escalation.event import Event, EventType
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Entry, Lapse, Receipt, Reply
from escalation.ledger.keys import partition_keys, partition_of_code
from escalation.vocabulary import Level, Mode, Severity, Verdict
from tests.workers.house import (
    DUST,
    HOUR,
    KEEPER_MAIL,
    MINUTE,
    OFFICER,
    OPERATOR,
    PARTITIONS,
    SECOND,
    STEEL,
    House,
)

ROOM = "county-group"
WHY = "the rules do not know what to do"


def failing(monkeypatch: pytest.MonkeyPatch, bad: Callable[[Event], bool]) -> None:
    """Decisions about some events raise, after they have changed the state."""

    def decide_event(
        incident: Incident | None, event: Event, ctx: Context, *, code: str, partition: int, tombstone: int | None
    ) -> Decision:
        if bad(event):
            if incident is not None:
                incident.raises, incident.value = 99, -1.0
            raise ZeroDivisionError(f"{WHY} 13800130001")
        return decided_event(incident, event, ctx, code=code, partition=partition, tombstone=tombstone)

    monkeypatch.setattr("bot.workers.decider.decide_event", decide_event)


def failing_for(monkeypatch: pytest.MonkeyPatch, bad: Callable[[Incident, Reply | Lapse | Receipt], bool]) -> None:
    """Decisions about some answers, lapses and receipts raise, after they have changed the state."""

    def decide(incident: Incident, given: Reply | Lapse | Receipt, ctx: Context) -> Decision:
        if bad(incident, given):
            incident.raises = 99
            raise ValueError(WHY)
        return decided(incident, given, ctx)

    monkeypatch.setattr("bot.workers.decider.decide", decide)
    monkeypatch.setattr("bot.workers.receipts.decide", decide)


async def spoil(house: House, code: str) -> bytes:
    """The incident's bytes are no longer an incident; what they were before."""
    key = partition_keys(partition_of_code(code, PARTITIONS)).incidents
    raw: bytes = await house.door.execute("HGET", key, code)
    await house.door.execute("HSET", key, code, raw.replace(b'"plan":', b'"plant":'))
    return raw


async def mend(house: House, code: str, raw: bytes) -> None:
    await house.door.execute("HSET", partition_keys(partition_of_code(code, PARTITIONS)).incidents, code, raw)


async def kept(house: House) -> list[Unreadable]:
    rows = [row for number in range(PARTITIONS) for row in (await house.engine.ledger.quarantined(number)).values()]
    return [msgspec.json.decode(row, type=Unreadable) for row in rows]


def verdicts(results: list[Result]) -> list[tuple[Verdict, str]]:
    return [(each.verdict, each.reason) for each in results if isinstance(each, ItemVerdict)]


def alarm(house: House, point: str, severity: Severity = Severity.HIGH, enterprise: str = DUST) -> Event:
    return house.event(EventType.ALARM_RAISED, enterprise, point=point, severity=severity)


async def stuck(house: House, code: str) -> list[Entry]:
    return await house.journal(code, "incident_stuck")


async def test_an_event_that_cannot_be_decided_is_quarantined_and_its_neighbours_are_decided(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, lambda event: event.point == "bad")
    events = [alarm(house, point) for point in ("DC01-T01", "bad", "DC01-P01")]
    results = await house.engine.take(events)
    created, odd = (Verdict.CREATED, "opened"), (Verdict.QUARANTINED, "undecidable")
    assert verdicts(results) == [created, odd, created]
    (row,) = await kept(house)
    assert row.event is not None
    assert (row.event.id, row.source, row.reason) == (events[1].id, "demo", "undecidable")
    assert "13800130001" not in row.problems[0].detail
    await house.engine.rest()
    assert [len([text for text in house.texts(each) if "无法处理" in text]) for each in (ROOM, KEEPER_MAIL)] == [1, 1]
    assert any("可能是真实报警" in text and "bad" in text for text in house.texts(ROOM))
    (entry,) = await house.loose_journal("undecidable")
    assert entry.detail["event"] == events[1].id
    assert len(house.at(OPERATOR)) == 2, "the neighbours are told as ever"


async def test_the_same_event_again_is_told_once_and_taken_when_it_can_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, lambda event: True)
    event = alarm(house, "DC01-T01")
    assert verdicts(await house.engine.take([event])) == [(Verdict.QUARANTINED, "undecidable")]
    assert verdicts(await house.engine.take([event, event])) == [(Verdict.DUPLICATE, "recorded_quarantined")] * 2
    await house.engine.rest()
    assert len([text for text in house.texts(ROOM) if "可能是真实报警" in text]) == 1
    monkeypatch.undo()
    (row,) = await kept(house)
    assert row.event is not None
    assert verdicts(await house.engine.take([row.event])) == [(Verdict.CREATED, "opened")]


async def test_a_decision_that_fails_midway_leaves_its_incident_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it and behind it, in one batch, others of the same incident are decided."""
    events = [alarm(house, "DC01-T01") for _ in range(5)]
    failing(monkeypatch, lambda event: event.id in (events[1].id, events[3].id))
    results = await house.engine.take(events)
    assert [each for each, _ in verdicts(results)] == [
        Verdict.CREATED,
        Verdict.QUARANTINED,
        Verdict.MERGED,
        Verdict.QUARANTINED,
        Verdict.MERGED,
    ]
    (code,) = {each.code for each in results if isinstance(each, ItemVerdict) and each.code}
    incident = await house.incident(code)
    assert (incident.raises, incident.value, incident.version) == (3, 72.5, 1)
    assert len(await house.journal(code, "opened")) == 1


async def test_a_critical_event_that_cannot_be_decided_rings_the_room_as_critical(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, lambda event: True)
    await house.engine.take([alarm(house, "DC01-T01", Severity.HIGH_HIGH)])
    await house.engine.take([house.event(EventType.WARNING_ISSUED, level=Level.BLUE, mode=Mode.EXERCISE)])
    await house.engine.fanout.step(house.clock.now())
    figures = {each.mailbox.channel: each for each in await house.engine.mailboxes.waiting(now=house.clock.now())}
    assert (figures[ROOM].critical, figures[ROOM].normal) == (1, 1)
    assert figures["mail"].critical == 0
    await house.engine.rest()
    assert any("【演练】" in text for text in house.texts(ROOM))


async def test_a_result_that_cannot_be_written_is_quarantined_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decision succeeds; what it made is no JSON."""

    def decide_event(
        incident: Incident | None, event: Event, ctx: Context, *, code: str, partition: int, tombstone: int | None
    ) -> Decision:
        decision = decided_event(incident, event, ctx, code=code, partition=partition, tombstone=tombstone)
        if event.point == "bad" and decision.incident is not None:
            decision.incident.point_name = "\ud800"
        return decision

    monkeypatch.setattr("bot.workers.decider.decide_event", decide_event)
    results = await house.engine.take([alarm(house, "bad"), alarm(house, "DC01-T01")])
    assert verdicts(results) == [(Verdict.QUARANTINED, "undecidable"), (Verdict.CREATED, "opened")]


async def test_an_incident_that_cannot_be_read_fails_no_other(house: House) -> None:
    """Its events are quarantined, its messages go out in bare words, its answers are kept, its clocks come again."""
    broken = await house.alarm(rest=False)
    raw = await spoil(house, broken)
    events = [
        alarm(house, "DC01-T01", Severity.HIGH_HIGH),
        alarm(house, "DC01-P01"),
        alarm(house, "T", enterprise=STEEL),
    ]
    results = await house.engine.take(events)
    assert [each for each, _ in verdicts(results)] == [Verdict.QUARANTINED, Verdict.CREATED, Verdict.CREATED]
    await house.engine.rest()
    assert [broken in text and "请立即核实" in text for text in house.texts(OPERATOR)][:1] == [True]
    assert len(house.at(OPERATOR)) == 2, "of the broken one and of the sound one"
    assert len(await house.journal(broken, "receipt_undecided")) == 2
    sound = next(each.code for each in results[1:] if isinstance(each, ItemVerdict))
    assert len(await house.journal(sound, "receipt_submitted")) == 2
    answer = await house.says(OPERATOR, f"签收 {broken}")
    assert "没有生效" in answer
    await house.says(OFFICER, f"签收 {sound}")
    assert any(duty.signed for duty in (await house.incident(sound)).duties)
    (reply,) = await house.journal(broken, "reply_undecided")
    assert reply.detail["verb"] == "sign"
    assert "无法读取" in await house.says(OPERATOR, f"查询 {broken}")
    await house.wait(2 * HOUR)
    assert len(await stuck(house, broken)) == 1
    assert len([text for text in house.texts(ROOM) if broken in text and "时" in text and "请人工跟进" in text]) == 1
    assert len([text for text in house.texts(KEEPER_MAIL) if f"警情 {broken} 无法处理" in text]) == 1
    assert any(broken in text and "请人工记录" in text for text in house.texts(ROOM))
    await mend(house, broken, raw)
    await house.wait(MINUTE)
    assert await house.journal(broken, "step_remind"), "its clocks go on when it can be read"


async def test_the_clocks_of_a_broken_incident_do_not_spin_and_are_not_lost(house: House) -> None:
    broken, sound = await house.alarm(), await house.alarm(point="DC01-P01")
    await spoil(house, broken)
    looked = 0

    async def count() -> None:
        nonlocal looked
        looked += 1

    await house.wait(9 * MINUTE)
    house.door.before = {"due_settle": count}
    await house.wait(11 * MINUTE)
    assert 1 <= looked <= 12, "about once a minute"
    assert await house.journal(sound, "step_remind")
    at = await house.door.execute("ZSCORE", partition_keys(partition_of_code(broken, PARTITIONS)).due, broken)
    assert at is not None


async def test_a_rule_that_fails_on_one_receipt_loses_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    code = await house.alarm(rest=False)
    mobile = {
        notice.id for notice in (await house.incident(code)).notices.values() if notice.contact.address == OPERATOR
    }
    failing_for(monkeypatch, lambda _, given: isinstance(given, Receipt) and given.notice in mobile)
    await house.engine.rest()
    assert len(await house.journal(code, "receipt_submitted")) == 1
    (trace,) = await house.journal(code, "receipt_undecided")
    assert (trace.notice in mobile, trace.detail["result"]) == (True, "submitted")
    assert (await house.incident(code)).raises == 1
    assert len(await stuck(house, code)) == 1
    assert len([text for text in house.texts(KEEPER_MAIL) if f"警情 {code} 无法处理" in text]) == 1
    assert await house.engine.mailboxes.next_at() is None, "the sends are settled"


@pytest.mark.parametrize("part", ["commit", "load"])
async def test_the_store_fails_while_the_trace_is_written(house: House, part: str) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await spoil(house, code)
    await house.engine.courier.step(house.clock.now(), everywhere=True)
    await house.engine.courier.sender.idle()
    house.door.losing = [part]
    await house.engine.courier.record(house.clock.now())
    await house.engine.rest()
    await house.wait(MINUTE + SECOND)
    assert len(await house.journal(code, "receipt_undecided")) == 2
    assert len(await stuck(house, code)) == 1


async def test_an_answer_that_cannot_be_decided_is_kept_and_said_so(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await house.alarm()
    failing_for(monkeypatch, lambda _, given: isinstance(given, Reply))
    answer = await house.says(OPERATOR, f"签收 {code}")
    assert "没有生效" in answer
    (entry,) = await house.journal(code, "reply_undecided")
    assert WHY in str(entry.detail["why"])
    incident = await house.incident(code)
    assert (incident.raises, [duty.signed for duty in incident.duties if duty.signed]) == (1, [])
    await house.wait(MINUTE)
    assert any(code in text and "签收" in text and "请人工记录" in text for text in house.texts(ROOM)), house.texts(
        ROOM
    )


async def test_a_part_of_the_store_that_is_away_fails_only_its_own_events(house: House) -> None:
    """Two callers share a batch; the one whose incident lies elsewhere is answered."""
    first, second = alarm(house, "DC01-T01"), alarm(house, "DC01-T01", enterprise=STEEL)
    parts = [house.engine.ledger.partition_of(each.partition_key) for each in (first, second)]
    assert parts[0] != parts[1]
    house.door.away = ("commit", b"p%d" % parts[0])
    results = await house.engine.decider.each_event([first, second], house.clock.now())
    assert isinstance(results[0], Exception)
    assert isinstance(results[1], ItemVerdict)
    house.door.away = None
    assert verdicts(await house.engine.take([first, second])) == [
        (Verdict.CREATED, "opened"),
        (Verdict.DUPLICATE, "recorded_created"),
    ]
