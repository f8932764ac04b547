"""Mailboxes as the courier meets them: order, what goes first, leases, holds, what was told."""

from __future__ import annotations

import pytest

from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Claim, ClaimKind, Settlement
from escalation.ledger.windows import Limits, Window
from escalation.notice import OutboxRow
from tests.ledger.doors import Lossy, StoreDoor
from tests.ledger.things import MINUTE, NOW, item, row

SHARDS = 3
PHONE = Mailbox("sms", "13800130001")
FREE = Limits(at_once=10, lease=MINUTE)


@pytest.fixture
def boxes(door: StoreDoor) -> Mailboxes:
    return Mailboxes(door, SHARDS)


async def put(boxes: Mailboxes, *rows: OutboxRow, now: int = NOW) -> None:
    assert all(await boxes.put([item(one) for one in rows], now=now))


def sent(claims: list[Claim]) -> list[str]:
    return [one.notice for claim in claims for one in claim.rows]


async def test_a_notice_is_claimed_and_settled(boxes: Mailboxes) -> None:
    await put(boxes, row("n1", "A0010"))
    assert await boxes.ready(now=NOW) == [PHONE]

    (claim,) = await boxes.claim([(PHONE, FREE)], now=NOW)

    assert (claim.kind, claim.rows, claim.until) == (ClaimKind.SINGLE, [row("n1", "A0010")], NOW + MINUTE)
    assert (claim.tries, claim.lapses, claim.frozen) == (0, 0, None)
    assert await boxes.ready(now=NOW) == []
    assert await boxes.settle([Settlement(claim)], now=NOW) == [True]
    assert await boxes.next_at() is None
    assert await boxes.waiting(now=NOW) == []


async def test_a_row_put_twice_is_sent_once_even_after_it_was_sent(boxes: Mailboxes, door: StoreDoor) -> None:
    lossy = Lossy(door.store)
    lossy.lose = True
    behind = Mailboxes(lossy, SHARDS)
    with pytest.raises(ConnectionError):
        await put(behind, row("n1"))
    await put(boxes, row("n1"))

    claims = await boxes.claim([(PHONE, FREE)], now=NOW)
    await boxes.settle([Settlement(claims[0])], now=NOW)
    await put(boxes, row("n1"))

    assert sent(claims) == ["n1"]
    assert await boxes.claim([(PHONE, FREE)], now=NOW) == []


async def test_critical_goes_first_then_what_was_created_first(boxes: Mailboxes) -> None:
    await put(
        boxes,
        row("late", "A0010", created=NOW + 9),
        row("early", "A0014", created=NOW),
        row("stranger", created=NOW + 3),
        row("critical", "A0018", created=NOW + 20, critical=True),
        now=NOW + 20,
    )

    claims = await boxes.claim([(PHONE, FREE)], now=NOW + 20)

    assert sent(claims) == ["critical", "early", "stranger", "late"]


async def test_one_send_about_an_incident_at_a_time_and_in_order(boxes: Mailboxes) -> None:
    await put(boxes, *(row(f"n{number}", "A0010") for number in range(11)), row("other", "A0014"))

    told = []
    for _ in range(11):
        claims = await boxes.claim([(PHONE, FREE)], now=NOW)
        told += [one for one in sent(claims) if one != "other"]
        assert len(told) <= 11
        assert all(await boxes.settle([Settlement(claim) for claim in claims], now=NOW))

    assert told == [f"n{number}" for number in range(11)]
    assert await boxes.next_at() is None


async def test_a_row_that_has_to_wait_holds_back_its_incident_but_no_other_and_nothing_critical(
    boxes: Mailboxes,
) -> None:
    await put(boxes, row("first", "A0010"), row("second", "A0010"), row("other", "A0014"))
    first, other = await boxes.claim([(PHONE, FREE)], now=NOW)
    await boxes.settle([Settlement(first, NOW + MINUTE), Settlement(other)], now=NOW)
    assert await boxes.claim([(PHONE, FREE)], now=NOW) == []
    assert await boxes.next_at() == NOW + MINUTE

    await put(boxes, row("rose", "A0010", critical=True))
    (rose,) = await boxes.claim([(PHONE, FREE)], now=NOW)

    assert sent([rose]) == ["rose"]
    await boxes.settle([Settlement(rose)], now=NOW)
    (again,) = await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE)
    assert (sent([again]), again.tries, again.lapses) == (["first"], 1, 0)
    await boxes.settle([Settlement(again)], now=NOW)
    assert sent(await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE)) == ["second"]


async def test_a_critical_row_waits_while_its_incident_is_being_told(boxes: Mailboxes) -> None:
    await put(boxes, row("first", "A0010"))
    (first,) = await boxes.claim([(PHONE, FREE)], now=NOW)
    await put(boxes, row("rose", "A0010", critical=True))
    assert await boxes.claim([(PHONE, FREE)], now=NOW) == []

    await boxes.settle([Settlement(first)], now=NOW)

    assert await boxes.ready(now=NOW) == [PHONE]
    assert sent(await boxes.claim([(PHONE, FREE)], now=NOW)) == ["rose"]


async def test_a_claim_that_ran_out_is_claimed_again_as_a_possible_repeat_and_its_late_hand_is_fenced(
    boxes: Mailboxes,
) -> None:
    await put(boxes, row("n1", "A0010"))
    (dead,) = await boxes.claim([(PHONE, FREE)], now=NOW)
    assert await boxes.ready(now=dead.until) == []
    assert await boxes.ready(now=dead.until + 1) == [PHONE]

    (claim,) = await boxes.claim([(PHONE, FREE)], now=dead.until + 1)

    assert (claim.tries, claim.lapses, claim.rows) == (1, 1, dead.rows)
    assert await boxes.settle([Settlement(dead)], now=NOW) == [False]
    assert await boxes.settle([Settlement(dead, NOW)], now=NOW) == [False]
    assert await boxes.settle([Settlement(claim)], now=NOW) == [True]


async def test_a_claim_given_back_untried_counts_no_try(boxes: Mailboxes) -> None:
    await put(boxes, row("n1"))
    (claim,) = await boxes.claim([(PHONE, FREE)], now=NOW)

    await boxes.settle([Settlement(claim, NOW, tried=False)], now=NOW)

    (claim,) = await boxes.claim([(PHONE, FREE)], now=NOW)
    assert claim.tries == 0


async def test_a_row_with_a_time_waits_for_it_also_behind_another(boxes: Mailboxes) -> None:
    await put(boxes, row("now", "A0010"), row("then", "A0010", not_before=NOW + MINUTE), row("too", not_before=NOW + 5))
    (first,) = await boxes.claim([(PHONE, FREE)], now=NOW)
    await boxes.settle([Settlement(first)], now=NOW)

    assert sent([first]) == ["now"]
    assert await boxes.claim([(PHONE, FREE)], now=NOW) == []
    assert await boxes.next_at() == NOW + 5
    assert sent(await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE)) == ["too", "then"]


async def test_no_more_sends_are_under_way_than_the_channel_bears(boxes: Mailboxes) -> None:
    await put(boxes, *(row(f"n{number}", f"A00{number + 10}") for number in range(5)))
    two = Limits(at_once=2, lease=MINUTE)

    first = await boxes.claim([(PHONE, two)], now=NOW)

    assert len(first) == 2
    assert await boxes.claim([(PHONE, two)], now=NOW) == []
    await boxes.settle([Settlement(first[0])], now=NOW)
    assert len(await boxes.claim([(PHONE, two)], now=NOW)) == 1


async def test_a_held_mailbox_rests_and_the_others_go_on(boxes: Mailboxes) -> None:
    other = Mailbox("sms", "13800130002")
    await put(boxes, row("n1", critical=True), row("n2", address=other.address))

    await boxes.hold(PHONE, NOW + MINUTE, now=NOW)

    assert await boxes.ready(now=NOW) == [other]
    assert sent(await boxes.claim([(PHONE, FREE), (other, FREE)], now=NOW)) == ["n2"]
    await put(boxes, row("n3"))
    assert await boxes.ready(now=NOW) == []
    assert await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE - 1) == []
    assert sent(await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE)) == ["n1", "n3"]


async def test_a_hold_can_be_lifted(boxes: Mailboxes) -> None:
    await put(boxes, row("n1"))
    await boxes.hold(PHONE, NOW + MINUTE, now=NOW)

    await boxes.hold(PHONE, 0, now=NOW)

    assert sent(await boxes.claim([(PHONE, FREE)], now=NOW)) == ["n1"]


async def test_the_figures_say_what_waits_and_since_when(boxes: Mailboxes) -> None:
    await put(
        boxes,
        row("n1", "A0010", created=NOW - 50, critical=True),
        row("n2", "A0014", created=NOW - 70, critical=True),
        row("n3", created=NOW - 90),
        row("n4", created=NOW - 20, address="13800130002"),
    )
    (claim,) = await boxes.claim([(PHONE, Limits(at_once=1))], now=NOW)
    assert sent([claim]) == ["n2"]

    first, second = sorted(await boxes.waiting(now=NOW))

    assert first == (PHONE, 2, 1, 1, 0, NOW - 70, NOW - 90)
    assert second == (Mailbox("sms", "13800130002"), 0, 1, 0, 0, None, NOW - 20)


async def test_an_answer_without_a_code_finds_what_its_sender_was_told(boxes: Mailboxes) -> None:
    other = Mailbox("sms", "13800130002")
    await put(boxes, row("n1", "A0010"), row("n2", "A0014"), now=NOW)
    await put(boxes, row("n3", "A0010"), row("n4"), row("n5", "A0018", address=other.address), now=NOW + 5)

    assert await boxes.told([PHONE, other], since=NOW) == [["A0010", "A0014"], ["A0018"]]
    assert await boxes.told([PHONE], since=NOW + 1) == [["A0010"]]
    await boxes.forget([(PHONE, "A0010")])
    assert await boxes.told([PHONE], since=NOW) == [["A0014"]]


async def test_what_was_told_long_ago_is_forgotten(boxes: Mailboxes) -> None:
    await put(boxes, row("n1", "A0010"))

    await put(boxes, row("n2", "A0014"), now=NOW + 36 * 24 * 60 * MINUTE)

    assert await boxes.told([PHONE], since=0) == [["A0014"]]


ROBOT = Limits(windows=(Window(18, MINUTE),), reserve=4, digest=20, unpaced=4, at_once=10, lease=MINUTE)


async def sent_now(boxes: Mailboxes, now: int) -> list[list[str]]:
    """What leaves now, message by message."""
    claims = await boxes.claim([(PHONE, ROBOT)], now=now)
    await boxes.settle([Settlement(claim) for claim in claims], now=now)
    return [[one.notice for one in claim.rows] for claim in claims]


async def test_in_a_flood_each_message_waits_twice_as_long_as_the_one_before(boxes: Mailboxes) -> None:
    for number in range(4):
        await put(boxes, row(f"n{number}", f"A00{number}0"))
        assert await sent_now(boxes, NOW) == [[f"n{number}"]]
    now, number, pauses = NOW, 4, []
    for _ in range(8):
        # Two more come while nothing may leave; they share the next message.
        await put(boxes, row(f"n{number}", f"A0{number}4"), row(f"n{number + 1}", f"A0{number}8"), now=now)
        assert await sent_now(boxes, now) == []
        following = await boxes.next_at()
        assert following is not None
        pauses.append(following - now)
        now = following
        assert await sent_now(boxes, now) == [[f"n{number}", f"n{number + 1}"]]
        number += 2
    assert pauses == [100, 200, 400, 800, 1600, 3200, 5000, 5000]


async def test_what_is_critical_waits_for_no_pause(boxes: Mailboxes) -> None:
    await put(boxes, *(row(f"n{number}", f"A00{number}0") for number in range(6)))
    assert [len(each) for each in await sent_now(boxes, NOW)] == [6], "more than come singly: they share one"
    for number in range(5):
        await put(boxes, row(f"c{number}", f"A01{number}0", critical=True))
        assert await sent_now(boxes, NOW) == [[f"c{number}"]]
    await put(boxes, row("later", "A0300"))
    assert await sent_now(boxes, NOW) == []


async def test_an_address_that_was_quiet_for_a_minute_is_told_at_once_again(boxes: Mailboxes) -> None:
    for number in range(4):
        await put(boxes, row(f"n{number}", f"A00{number}0"))
        await sent_now(boxes, NOW)
    later = NOW + MINUTE
    await put(boxes, row("later", "A0300"), now=later)
    assert await sent_now(boxes, later) == [["later"]]
