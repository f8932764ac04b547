"""What the metrics count, from indexes that every commit and every mailbox keeps."""

from __future__ import annotations

from escalation.incident import IncidentState
from escalation.ledger.change import Change, Committed
from escalation.ledger.commit import Ledger
from escalation.ledger.figures import Counting, Waiting
from escalation.ledger.keys import Mailbox, partition_keys
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Settlement
from escalation.ledger.windows import Limits, Window
from escalation.notice import DeadLetter
from escalation.vocabulary import Level, Severity, Urgency
from tests.ledger.doors import StoreDoor
from tests.ledger.things import MINUTE, NOW, incident, item, row

N, SHARDS = 4, 8
BOX = Mailbox("sms", "13800130001")
NOTHING = Waiting(0, None)


async def test_an_incident_counts_by_its_level_while_it_is_open(door: StoreDoor) -> None:
    ledger, counting = Ledger(door, N), Counting(door, N, SHARDS)
    codes = await ledger.take_codes([(0, "A"), (1, "A"), (2, "W")])
    states = [incident(code, place, due=NOW + MINUTE) for place, code in enumerate(codes)]
    states[0].severity, states[1].severity, states[2].level = Severity.HIGH, Severity.HIGH, Level.ORANGE
    changes = [Change(partition=each.partition, now=NOW, incident=each) for each in states]
    assert all(isinstance(each, Committed) for each in await ledger.commit(changes))
    found = (await counting.counts(now=NOW)).open
    assert {level: count for level, count in found.items() if count} == {Severity.HIGH: 2, Level.ORANGE: 1}

    states[2].level = Level.RED
    states[0].state = IncidentState.CLOSED
    changes = [Change(partition=each.partition, now=NOW, incident=each, expected_version=1) for each in states]
    assert all(isinstance(each, Committed) for each in await ledger.commit(changes))
    counts = await counting.counts(now=NOW + 2 * MINUTE)
    assert {level: count for level, count in counts.open.items() if count} == {Severity.HIGH: 1, Level.RED: 1}
    assert counts.overdue == Waiting(2, NOW + MINUTE)


async def test_one_that_is_opened_again_counts_again_and_stands_where_it_was_opened(door: StoreDoor) -> None:
    ledger, counting = Ledger(door, N), Counting(door, N, SHARDS)
    state = incident("A0005", 1)
    state.severity = Severity.HIGH

    async def commit(**changes: object) -> None:
        for name, value in changes.items():
            setattr(state, name, value)
        change = Change(partition=1, now=NOW, incident=state, expected_version=state.version)
        assert isinstance((await ledger.commit([change]))[0], Committed)

    async def counted() -> tuple[int, object]:
        found = (await counting.counts(now=NOW)).open[Severity.HIGH]
        return found, await door.execute("ZSCORE", partition_keys(1).open, "A0005")

    await commit()
    assert await counted() == (1, str(NOW).encode())
    await commit(state=IncidentState.CLOSED)
    assert await counted() == (0, None)
    await commit(state=IncidentState.OPEN)
    assert await counted() == (1, str(NOW).encode())
    await commit(opened_at=NOW + 5)
    assert await counted() == (1, str(NOW + 5).encode())
    # As a store has it whose versions were written before they carried more.
    await door.execute("HSET", partition_keys(1).versions, "A0005", state.version)
    await door.execute("ZREM", partition_keys(1).levels, "A0005")
    await commit()
    assert await counted() == (1, str(NOW + 5).encode())


async def test_what_waits_in_mailboxes_has_an_age_until_it_is_settled(door: StoreDoor) -> None:
    boxes, counting = Mailboxes(door, SHARDS), Counting(door, N, SHARDS)
    assert (await counting.counts(now=NOW)).mailbox == {Urgency.CRITICAL: NOTHING, Urgency.NORMAL: NOTHING}
    rows = [
        row("n1", "A0004", created=NOW - 5, critical=True),
        row("n2", "A0008", created=NOW - 9, critical=True, address="13800130002"),
        row("n3", "A0012", created=NOW - 99, not_before=NOW + MINUTE),
        row("n4", "A0016", created=NOW - 7),
    ]
    assert all(await boxes.put([item(each) for each in rows], now=NOW))
    waiting = (await counting.counts(now=NOW)).mailbox
    assert waiting == {Urgency.CRITICAL: Waiting(2, NOW - 9), Urgency.NORMAL: Waiting(2, NOW - 7)}

    limits = Limits(at_once=9, lease=MINUTE)
    claims = await boxes.claim([(Mailbox("sms", each), limits) for each in ("13800130001", "13800130002")], now=NOW)
    assert (await counting.counts(now=NOW)).mailbox == waiting, "under way is not yet sent"
    assert all(await boxes.settle([Settlement(claim) for claim in claims], now=NOW))
    left = (await counting.counts(now=NOW)).mailbox
    assert left == {Urgency.CRITICAL: NOTHING, Urgency.NORMAL: Waiting(1, NOW + MINUTE)}


async def test_tokens_are_counted_as_the_claims_take_them(door: StoreDoor) -> None:
    boxes, counting = Mailboxes(door, SHARDS), Counting(door, N, SHARDS)
    window = Window(20, MINUTE)
    assert all(await boxes.put([item(row(f"n{i}", f"A{i:04d}")) for i in range(3)], now=NOW))
    limits = Limits(windows=(window,), at_once=9, lease=MINUTE)
    assert len(await boxes.claim([(BOX, limits)], now=NOW)) == 3
    assert await counting.tokens({BOX: (window,)}, now=NOW) == [(BOX, window, 17)]
    assert await counting.tokens({BOX: (window,)}, now=NOW + MINUTE) == [(BOX, window, 20)]


async def test_dead_letters_are_kept_until_they_are_buried(door: StoreDoor) -> None:
    ledger, counting = Ledger(door, N), Counting(door, N, SHARDS)
    letter = DeadLetter(row=row("n1", partition=3), at=NOW, result="refused_recipient", why="空号")
    await ledger.commit([Change(partition=3, now=NOW, dead=[letter])])
    assert (await counting.counts(now=NOW)).dead == 1
    assert await ledger.dead_letters() == [letter]
    await ledger.commit([Change(partition=3, now=NOW, buried=["n1"])])
    assert (await counting.counts(now=NOW)).dead == 0
