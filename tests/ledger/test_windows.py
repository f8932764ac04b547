"""A vendor's windows: the reserve, digests, the overflow, and the pure description that the claim follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.turning import Claim, ClaimKind, Settlement
from escalation.ledger.windows import Limits, Window, next_token, tokens
from escalation.notice import OutboxRow
from tests.ledger.doors import StoreDoor
from tests.ledger.things import MINUTE, NOW, item, row

GROUP = Mailbox("wecom", "")
ROBOT = (Window(5, MINUTE),)
PLAIN = Limits(windows=ROBOT, reserve=2, at_once=10, lease=5000)
DIGEST = Limits(windows=ROBOT, reserve=2, digest=100, at_once=10, lease=5000)


@pytest.fixture
def boxes(door: StoreDoor) -> Mailboxes:
    return Mailboxes(door, 2)


def notices(count: int, *, critical: bool = False, start: int = 0) -> list[OutboxRow]:
    return [
        row(
            f"{'c' if critical else 'n'}{number}",
            f"{'W' if critical else 'A'}{1000 + number}",
            channel="wecom",
            address="",
            critical=critical,
            created=NOW + number,
        )
        for number in range(start, start + count)
    ]


async def put(boxes: Mailboxes, *rows: OutboxRow, now: int = NOW) -> None:
    assert all(await boxes.put([item(one) for one in rows], now=now))


async def done(boxes: Mailboxes, claims: list[Claim], now: int = NOW) -> None:
    assert all(await boxes.settle([Settlement(claim) for claim in claims], now=now))


def sent(claims: list[Claim]) -> list[str]:
    return [one.notice for claim in claims for one in claim.rows]


async def test_the_last_tokens_are_kept_for_critical_notices(boxes: Mailboxes) -> None:
    await put(boxes, *notices(6))
    normal = await boxes.claim([(GROUP, PLAIN)], now=NOW)
    assert sent(normal) == ["n0", "n1", "n2"]
    await put(boxes, *notices(1, critical=True))

    critical = await boxes.claim([(GROUP, PLAIN)], now=NOW + 1)

    assert sent(critical) == ["c0"]
    await done(boxes, normal + critical, NOW + 2)
    assert await boxes.claim([(GROUP, PLAIN)], now=NOW + 2) == []
    assert await boxes.next_at() == NOW + MINUTE
    assert sent(await boxes.claim([(GROUP, PLAIN)], now=NOW + MINUTE)) == ["n3", "n4"]


async def test_the_tightest_of_several_windows_decides(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(100, 1000), Window(2, MINUTE), Window(50, 60 * MINUTE)), at_once=10)
    await put(boxes, *notices(3))

    assert len(await boxes.claim([(GROUP, limits)], now=NOW)) == 2


async def test_a_window_smaller_than_the_reserve_still_lets_normal_notices_go(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(1, MINUTE),), reserve=3, at_once=10)
    await put(boxes, *notices(2))

    assert sent(await boxes.claim([(GROUP, limits)], now=NOW)) == ["n0"]
    assert sent(await boxes.claim([(GROUP, limits)], now=NOW + MINUTE)) == ["n1"]


async def test_what_exceeds_the_tokens_goes_as_one_digest_with_every_notice_in_it(boxes: Mailboxes) -> None:
    await put(boxes, *notices(20), *notices(1, critical=True))

    claims = await boxes.claim([(GROUP, DIGEST)], now=NOW + 30)

    assert [claim.kind for claim in claims] == [ClaimKind.SINGLE, ClaimKind.DIGEST]
    assert sent(claims) == ["c0", *(f"n{number}" for number in range(20))]
    await done(boxes, claims)
    assert await boxes.next_at() is None


async def test_what_the_tokens_suffice_for_goes_one_by_one(boxes: Mailboxes) -> None:
    await put(boxes, *notices(3))

    assert [claim.kind for claim in await boxes.claim([(GROUP, DIGEST)], now=NOW)] == [ClaimKind.SINGLE] * 3


async def test_a_digest_holds_no_more_than_it_may(boxes: Mailboxes) -> None:
    await put(boxes, *notices(20))
    limits = Limits(windows=ROBOT, reserve=2, digest=8, at_once=10)

    (first,) = await boxes.claim([(GROUP, limits)], now=NOW)
    (second,) = await boxes.claim([(GROUP, limits)], now=NOW)

    assert len(first.rows) == len(second.rows) == 8
    assert sent([first, second]) == [f"n{number}" for number in range(16)]


async def test_a_digest_claimed_again_is_the_same_to_the_byte(boxes: Mailboxes) -> None:
    await put(boxes, *notices(8))
    (dead,) = await boxes.claim([(GROUP, DIGEST)], now=NOW)
    assert dead.frozen is None
    assert await boxes.freeze(dead, b"eight alarms", now=NOW) == b"eight alarms"
    await put(boxes, *notices(8, start=8))

    claims = await boxes.claim([(GROUP, DIGEST)], now=dead.until + 1)

    again = claims[0]
    assert (again.member, again.rows, again.frozen, again.lapses) == (dead.member, dead.rows, b"eight alarms", 1)
    assert [claim.kind for claim in claims] == [ClaimKind.DIGEST] * 2
    assert sent(claims[1:]) == [f"n{number}" for number in range(8, 16)]
    assert await boxes.freeze(again, b"nine", now=NOW) == b"eight alarms"
    assert await boxes.freeze(dead, b"nine", now=NOW) is None
    await done(boxes, claims)
    assert await boxes.settle([Settlement(dead)], now=NOW) == [False]
    assert await boxes.next_at() is None


async def test_a_digest_is_no_member_of_another(boxes: Mailboxes) -> None:
    await put(boxes, *notices(8, start=10))
    (dead,) = await boxes.claim([(GROUP, DIGEST)], now=NOW)
    older = notices(8)
    await put(boxes, *older)

    (first,) = await boxes.claim([(GROUP, DIGEST)], now=dead.until + 1)
    (second,) = await boxes.claim([(GROUP, DIGEST)], now=dead.until + 1)

    assert (first.kind, first.rows) == (ClaimKind.DIGEST, older)
    assert (second.member, second.rows) == (dead.member, dead.rows)


async def test_a_digest_that_waits_holds_back_its_incidents_notices_but_nothing_critical(boxes: Mailboxes) -> None:
    await put(boxes, *notices(8))
    (digest,) = await boxes.claim([(GROUP, DIGEST)], now=NOW)
    await put(boxes, row("later", "A1000", channel="wecom", address="", created=NOW + 90))
    await boxes.settle([Settlement(digest, NOW + 10_000)], now=NOW)
    assert await boxes.claim([(GROUP, DIGEST)], now=NOW + 9999) == []
    await put(boxes, row("rose", "A1000", channel="wecom", address="", critical=True), now=NOW + 9999)
    rose = await boxes.claim([(GROUP, DIGEST)], now=NOW + 9999)
    assert sent(rose) == ["rose"]
    await done(boxes, rose)

    (again,) = await boxes.claim([(GROUP, DIGEST)], now=NOW + 10_000)

    assert again.rows == digest.rows
    await done(boxes, [again])
    assert sent(await boxes.claim([(GROUP, DIGEST)], now=NOW + MINUTE)) == ["later"]


async def test_when_the_last_token_meets_many_critical_notices_one_message_lists_them_and_each_stays_due(
    boxes: Mailboxes,
) -> None:
    await put(boxes, *notices(9, critical=True), *notices(3))

    claims = await boxes.claim([(GROUP, PLAIN)], now=NOW)

    assert [claim.kind for claim in claims] == [*[ClaimKind.SINGLE] * 4, ClaimKind.OVERFLOW]
    assert sent(claims[:4]) == ["c0", "c1", "c2", "c3"]
    assert sent(claims[4:]) == ["c4", "c5", "c6", "c7", "c8"]
    await done(boxes, claims)
    assert await boxes.claim([(GROUP, PLAIN)], now=NOW + 1) == []
    later = await boxes.claim([(GROUP, PLAIN)], now=NOW + MINUTE)
    assert [claim.kind for claim in later] == [ClaimKind.SINGLE] * 5
    assert sent(later) == ["c4", "c5", "c6", "c7", "c8"]


async def test_tokens_that_come_back_one_by_one_are_not_all_spent_on_overflows(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(1, 1000),), at_once=10, lease=100)
    await put(boxes, *notices(4, critical=True))
    kinds, told = [], []
    for second in range(5):
        claims = await boxes.claim([(GROUP, limits)], now=NOW + 1000 * second)
        await done(boxes, claims, NOW + 1000 * second)
        kinds += [claim.kind for claim in claims]
        told += sent([claim for claim in claims if claim.kind is ClaimKind.SINGLE])

    assert kinds == [ClaimKind.OVERFLOW, *[ClaimKind.SINGLE] * 4]
    assert told == ["c0", "c1", "c2", "c3"]


async def test_an_overflow_whose_end_nobody_reported_is_made_anew(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(1, 10_000),), at_once=10, lease=100)
    await put(boxes, *notices(3, critical=True))
    (dead,) = await boxes.claim([(GROUP, limits)], now=NOW)

    (again,) = await boxes.claim([(GROUP, limits)], now=NOW + 10_000)

    assert (dead.kind, again.kind) == (ClaimKind.OVERFLOW, ClaimKind.OVERFLOW)
    assert sent([again]) == sent([dead]) == ["c0", "c1", "c2"]
    assert await boxes.settle([Settlement(dead)], now=NOW) == [False]


async def test_an_overflow_given_back_is_made_anew(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(1, 10_000),), at_once=10)
    await put(boxes, *notices(3, critical=True))
    (refused,) = await boxes.claim([(GROUP, limits)], now=NOW)

    assert await boxes.settle([Settlement(refused, NOW + 10_000)], now=NOW) == [True]

    (again,) = await boxes.claim([(GROUP, limits)], now=NOW + 10_000)
    assert again.kind is ClaimKind.OVERFLOW


async def test_critical_notices_that_keep_coming_do_not_turn_every_token_into_an_overflow(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(3, 3000),), at_once=10)
    kinds = []
    for second in range(7):
        await put(boxes, *notices(2 if second > 1 else 1, critical=True, start=10 * second))
        claims = await boxes.claim([(GROUP, limits)], now=NOW + 1000 * second)
        await done(boxes, claims, NOW + 1000 * second)
        kinds.append([str(claim.kind) for claim in claims])

    assert kinds == [["single"], ["single"], ["overflow"], ["single"], ["single"], ["overflow"], ["single"]]


async def test_new_critical_notices_are_listed_in_a_new_overflow_once_a_window_has_passed(boxes: Mailboxes) -> None:
    limits = Limits(windows=(Window(1, 1000),), at_once=10, lease=100)
    await put(boxes, *notices(2, critical=True))
    await done(boxes, await boxes.claim([(GROUP, limits)], now=NOW))
    await put(boxes, *notices(2, critical=True, start=2))

    (second,) = await boxes.claim([(GROUP, limits)], now=NOW + 1000)

    assert (second.kind, sent([second])) == (ClaimKind.OVERFLOW, ["c0", "c1", "c2", "c3"])


times = st.lists(st.integers(0, 300), max_size=20).map(sorted)


@given(st.integers(1, 6), st.integers(1, 100), st.integers(0, 8), times)
def test_taking_only_what_is_left_never_exceeds_a_window(count: int, per: int, reserve: int, wishes: list[int]) -> None:
    window = Window(count, per)
    taken: list[int] = []
    for at in wishes:
        if tokens(window, reserve, taken, at):
            taken.append(at)

    for start in range(-per, 301):
        assert sum(1 for at in taken if start < at <= start + per) <= count


@given(st.integers(1, 6), st.integers(1, 100), st.integers(0, 8), times, st.integers(0, 400))
def test_the_next_token_is_there_at_its_time_and_not_before(
    count: int, per: int, reserve: int, taken: list[int], now: int
) -> None:
    window = Window(count, per)
    taken = [at for at in taken if at <= now]

    at = next_token(window, reserve, taken, now)

    assert at >= now
    assert tokens(window, reserve, taken, at) > 0
    assert at == now or tokens(window, reserve, taken, at - 1) == 0


async def test_what_does_not_stand_in_a_digest_waits_for_a_token_of_its_own(boxes: Mailboxes) -> None:
    await put(boxes, *notices(8))
    (digest,) = await boxes.claim([(GROUP, DIGEST)], now=NOW)
    left = {row.notice for row in digest.rows[5:]}
    assert await boxes.freeze(digest, b"five alarms", now=NOW, left=left) == b"five alarms"

    others = await boxes.claim([(GROUP, DIGEST)], now=NOW)
    assert {row.notice for claim in others for row in claim.rows} == left

    await done(boxes, others)
    (again,) = await boxes.claim([(GROUP, DIGEST)], now=digest.until + 1)
    assert (again.rows, again.frozen) == (digest.rows[:5], b"five alarms")
    await done(boxes, [again])
    assert await boxes.next_at() is None


async def test_further_tokens_are_given_only_where_no_message_waits_for_them(boxes: Mailboxes) -> None:
    await put(boxes, *notices(1))
    limits = Limits(windows=(Window(4, 60_000),), reserve=1, at_once=10)
    (claim,) = await boxes.claim([(GROUP, limits)], now=NOW)
    assert await boxes.more(claim, 1, limits, now=NOW)
    await put(boxes, *notices(1, start=1))
    assert not await boxes.more(claim, 1, limits, now=NOW), "the last but the reserve is for what waits"
    (other,) = await boxes.claim([(GROUP, limits)], now=NOW)
    await put(boxes, *notices(1, start=2))
    assert await boxes.claim([(GROUP, limits)], now=NOW) == [], "all are taken"
    await done(boxes, [claim, other])
    assert not await boxes.more(claim, 1, limits, now=NOW + 60_000), "the claim is over"
