"""Leases: due rows, the outbox and the inbox. What one hand holds no other takes, and a late hand changes nothing."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from escalation.incident import Incident
from escalation.ledger.change import Change, Committed, OutboxItem
from escalation.ledger.commit import Ledger
from escalation.ledger.due import Due
from escalation.ledger.inbox import Arrived, Inbox
from escalation.ledger.keys import partition_keys, partition_of
from escalation.ledger.outbox import Outbox
from tests.ledger.doors import StoreDoor
from tests.ledger.things import MINUTE, NOW, incident, opening, row

N = 4
ALL = range(N)
LEASE = 30_000


@pytest.fixture
def ledger(door: StoreDoor) -> Ledger:
    return Ledger(door, N)


@pytest.fixture
def due(door: StoreDoor) -> Due:
    return Due(door, N)


@pytest.fixture
def outbox(door: StoreDoor) -> Outbox:
    return Outbox(door, N)


@pytest.fixture
def inbox(door: StoreDoor) -> Inbox:
    return Inbox(door, N)


async def open_due(ledger: Ledger, code: str, partition: int, at: int) -> None:
    change = opening(code, partition, code, incident=incident(code, partition, due=at))
    assert await ledger.commit([change]) == [Committed(1, [])]


async def test_an_incident_is_due_at_its_minute_and_not_before(ledger: Ledger, due: Due) -> None:
    await open_due(ledger, "A0010", 2, NOW + MINUTE)
    assert await due.next_at() == NOW + MINUTE
    assert await due.claim(ALL, now=NOW + MINUTE - 1, lease=LEASE) == []

    (claim,) = await due.claim(ALL, now=NOW + MINUTE, lease=LEASE)

    assert isinstance(claim.incident, Incident)
    assert (claim.partition, claim.code, claim.incident.version) == (2, "A0010", 1)
    assert await due.claim(ALL, now=NOW + MINUTE, lease=LEASE) == []


async def test_a_lapse_left_by_a_dead_hub_is_claimed_again_and_its_late_hand_is_fenced(
    ledger: Ledger, due: Due
) -> None:
    await open_due(ledger, "A0010", 2, NOW)
    (first,) = await due.claim(ALL, now=NOW, lease=LEASE)
    assert await due.claim(ALL, now=NOW + LEASE, lease=LEASE) == []
    assert await due.next_at() == NOW + LEASE + 1

    (second,) = await due.claim(ALL, now=NOW + LEASE + 1, lease=LEASE)

    assert await due.settle([(first, None)]) == [False]
    assert await due.settle([(second, NOW + 2 * MINUTE)]) == [True]
    assert await due.next_at() == NOW + 2 * MINUTE
    assert await due.settle([(second, None)]) == [False]


async def test_a_commit_after_the_claim_writes_the_next_time_and_ends_the_claim(ledger: Ledger, due: Due) -> None:
    await open_due(ledger, "A0010", 2, NOW)
    (claim,) = await due.claim(ALL, now=NOW, lease=LEASE)
    assert isinstance(claim.incident, Incident)
    claim.incident.duties[0].clocks[0].steps[0].fired_at = NOW
    claim.incident.duties[0].clocks[0].due_at = NOW + MINUTE

    await ledger.commit([Change(partition=2, now=NOW, incident=claim.incident, expected_version=1)])

    assert await due.settle([(claim, None)]) == [False]
    assert await due.next_at() == NOW + MINUTE


async def test_a_token_is_never_met_again_by_a_time_to_wait_for(ledger: Ledger, due: Due) -> None:
    await open_due(ledger, "A0010", 2, NOW)
    (late,) = await due.claim(ALL, now=NOW, lease=LEASE)
    (next_one,) = await due.claim(ALL, now=NOW + LEASE + 1, lease=LEASE)

    assert await due.settle([(next_one, NOW + LEASE)]) == [True]

    assert await due.settle([(late, None)]) == [False]


async def test_a_token_does_not_come_again_though_the_clock_stands_still(ledger: Ledger, due: Due) -> None:
    await open_due(ledger, "A0010", 2, NOW)
    (first,) = await due.claim(ALL, now=NOW, lease=LEASE)
    assert await due.settle([(first, NOW)]) == [True]
    (second,) = await due.claim(ALL, now=NOW, lease=LEASE)

    assert await due.settle([(first, None)]) == [False]
    assert await due.settle([(second, None)]) == [True]


async def test_the_earliest_incidents_are_claimed_first(ledger: Ledger, due: Due) -> None:
    for number, code in enumerate(("A0022", "A0010", "A0014")):
        await open_due(ledger, code, 2, NOW + number)

    claims = await due.claim([2], now=NOW + 10, lease=LEASE, limit=2)

    assert [claim.code for claim in claims] == ["A0022", "A0010"]


async def test_a_part_of_the_store_that_does_not_answer_stops_only_itself(
    ledger: Ledger, due: Due, door: StoreDoor
) -> None:
    await open_due(ledger, "A0010", 2, NOW)
    await door.execute("SET", partition_keys(1).due, "not a zset")

    assert [claim.code for claim in await due.claim(ALL, now=NOW, lease=LEASE)] == ["A0010"]
    with pytest.raises(ResponseError):
        await due.claim([1], now=NOW, lease=LEASE)


def notices(items: list[OutboxItem]) -> list[str]:
    return [item.row.notice for item in items]


async def test_the_outbox_gives_an_incidents_rows_in_the_order_of_its_commits(ledger: Ledger, outbox: Outbox) -> None:
    await ledger.commit([opening("A0010", 2, "1", outbox=[row("z", "A0010"), row("b", "A0010")])])
    later = [row(f"a{number}", "A0010") for number in range(12)]
    await ledger.commit([Change(partition=2, now=NOW, incident=incident("A0010", 2), expected_version=1, outbox=later)])

    items = await outbox.claim(ALL, now=NOW, lease=LEASE)

    assert notices(items) == ["z", "b", *(f"a{number}" for number in range(12))]
    assert items[0].row == row("z", "A0010")
    assert (await outbox.acknowledge(items, now=NOW)).held == [True] * 14
    assert await outbox.claim(ALL, now=NOW + MINUTE, lease=LEASE) == []


async def test_rows_of_an_incident_in_another_hand_wait_for_that_hand(ledger: Ledger, outbox: Outbox) -> None:
    await ledger.commit([opening("A0010", 2, "1", outbox=[row("first", "A0010")])])
    held = await outbox.claim(ALL, now=NOW, lease=LEASE)

    (outcome,) = await ledger.commit(
        [
            Change(
                partition=2,
                now=NOW,
                incident=incident("A0010", 2),
                expected_version=1,
                outbox=[row("second", "A0010")],
                claimed_until=NOW + LEASE,
            )
        ]
    )

    assert outcome == Committed(2, [])
    assert await outbox.claim(ALL, now=NOW, lease=LEASE) == []
    assert await outbox.acknowledge(held, now=NOW) == ([True], {2})
    assert notices(await outbox.claim([2], now=NOW, lease=LEASE)) == ["second"]


async def test_the_rows_of_a_dead_hand_come_back_before_those_that_followed(ledger: Ledger, outbox: Outbox) -> None:
    (outcome,) = await ledger.commit(
        [opening("A0010", 2, "1", outbox=[row("first", "A0010")], claimed_until=NOW + LEASE)]
    )
    assert isinstance(outcome, Committed)
    assert notices(outcome.claimed) == ["first"]
    await ledger.commit(
        [
            Change(
                partition=2,
                now=NOW,
                incident=incident("A0010", 2),
                expected_version=1,
                outbox=[row("second", "A0010")],
            )
        ]
    )
    assert await outbox.claim(ALL, now=NOW + LEASE, lease=LEASE) == []

    items = await outbox.claim(ALL, now=NOW + LEASE + 1, lease=LEASE)

    assert notices(items) == ["first", "second"]
    assert (await outbox.acknowledge(outcome.claimed, now=NOW)).held == [False]
    assert (await outbox.acknowledge(items, now=NOW)).held == [True, True]


async def test_rows_born_claimed_are_acknowledged_without_a_claim(
    ledger: Ledger, outbox: Outbox, door: StoreDoor
) -> None:
    rows = [row("n1", "A0010"), row("n2", "A0010"), row("to a stranger"), row("n3", "A0010")]

    (outcome,) = await ledger.commit([opening("A0010", 2, "1", outbox=rows, claimed_until=NOW + LEASE)])

    assert isinstance(outcome, Committed)
    assert [item.row for item in outcome.claimed] == rows
    assert await outbox.claim(ALL, now=NOW, lease=LEASE) == []
    assert (await outbox.acknowledge(outcome.claimed[:3], now=NOW)).held == [True, True, True]
    assert notices(await outbox.claim(ALL, now=NOW, lease=LEASE)) == ["n3"]
    left = [key for key in await door.dump() if b"outbox" in key]
    assert len(left) == 3


async def test_the_outbox_of_one_incident_does_not_hold_up_another(ledger: Ledger, outbox: Outbox) -> None:
    await ledger.commit(
        [
            opening("A0010", 2, "1", outbox=[row("a", "A0010")]),
            opening("A0014", 2, "2", outbox=[row("b", "A0014")]),
            opening("A0013", 1, "3", outbox=[row("c", "A0013")]),
        ]
    )
    first = await outbox.claim([2], now=NOW, lease=LEASE, limit=1)

    second = await outbox.claim(ALL, now=NOW, lease=LEASE)

    assert sorted(notices(first) + notices(second)) == ["a", "b", "c"]
    assert len(first) == 1


def arrived(message: str, sender: str = "13800130001", text: bytes = b"1") -> Arrived:
    return Arrived("sms", message, sender, text)


async def test_a_reply_is_kept_once_however_often_the_vendor_calls(inbox: Inbox) -> None:
    assert await inbox.put([arrived("m1"), arrived("m2")], now=NOW) == [True, True]
    assert await inbox.put([arrived("m2"), arrived("m3"), arrived("m3")], now=NOW) == [False, True, False]

    held = await inbox.claim(ALL, now=NOW, lease=LEASE)
    assert [one.member.rpartition("\x1f")[2] for one in held] == ["m1", "m2", "m3"]
    assert await inbox.settle(held, now=NOW) == [True] * 3

    assert await inbox.put([arrived("m1")], now=NOW + MINUTE) == [False]
    assert await inbox.claim(ALL, now=NOW + MINUTE, lease=LEASE) == []


async def test_one_senders_replies_keep_their_order_and_stay_in_one_hand(inbox: Inbox) -> None:
    messages = [arrived(f"m{12 - number}", text=str(number).encode()) for number in range(12)]
    for message in messages[:6]:
        await inbox.put([message], now=NOW)
    held = await inbox.claim(ALL, now=NOW, lease=LEASE)
    await inbox.put(messages[6:], now=NOW)
    assert await inbox.claim(ALL, now=NOW, lease=LEASE) == []

    assert await inbox.settle(held[:5], now=NOW) == [True] * 5

    rest = await inbox.claim(ALL, now=NOW, lease=LEASE)
    assert [one.body for one in [*held[:5], *rest]] == [message.row for message in messages]


async def test_a_reply_whose_worker_died_comes_again(inbox: Inbox) -> None:
    await inbox.put([arrived("m1")], now=NOW)
    dead = await inbox.claim(ALL, now=NOW, lease=LEASE)

    (held,) = await inbox.claim(ALL, now=NOW + LEASE + 1, lease=LEASE)

    assert await inbox.settle(dead, now=NOW) == [False]
    assert await inbox.keep(dead, again_at=NOW) == [False]
    assert await inbox.keep([held], again_at=NOW + 5 * MINUTE) == [True]
    assert await inbox.claim(ALL, now=NOW + 5 * MINUTE - 1, lease=LEASE) == []
    assert [one.body for one in await inbox.claim(ALL, now=NOW + 5 * MINUTE, lease=LEASE)] == [b"1"]


async def test_a_reply_lies_in_the_partition_of_its_sender(inbox: Inbox) -> None:
    senders = [f"1380013{number:04d}" for number in range(20)]
    await inbox.put([arrived(sender, sender) for sender in senders], now=NOW)

    held = await inbox.claim(ALL, now=NOW, lease=LEASE)

    assert {one.line: one.partition for one in held} == {sender: partition_of(sender, N) for sender in senders}
