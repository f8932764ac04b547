"""What was claimed by a hub that is gone, or by a call whose answer was lost, is not silent until the lease ends."""

from __future__ import annotations

import pytest

from bot.workers.fanout import FanOut
from escalation.ledger.change import AlreadyTaken
from escalation.ledger.commit import Ledger
from escalation.ledger.due import Due
from escalation.ledger.inbox import Arrived, Inbox
from escalation.ledger.keys import Mailbox
from escalation.ledger.mailbox import Mailboxes
from escalation.ledger.outbox import Outbox
from escalation.ledger.release import release_claims, release_sends
from escalation.ledger.turning import ClaimKind, Settlement
from escalation.ledger.windows import Limits, Window
from tests.ledger.doors import Lossy, StoreDoor
from tests.ledger.things import MINUTE, NOW, incident, item, opening, row

N, SHARDS, LEASE = 4, 3, 30_000
ALL = range(N)
PHONE = Mailbox("sms", "13800130001")
FREE = Limits(at_once=2, lease=MINUTE)


@pytest.fixture
def lossy(door: StoreDoor) -> Lossy:
    return Lossy(door.store)


async def _release(door: StoreDoor, now: int) -> int:
    return await release_claims(door, partitions=N, shards=SHARDS, now=now)


async def test_a_successor_takes_up_what_a_dead_hub_held_in_its_mailboxes(door: StoreDoor) -> None:
    boxes = Mailboxes(door, SHARDS)
    await boxes.put([item(row(f"n{number}", f"A001{number}")) for number in range(4)], now=NOW)
    dead = await boxes.claim([(PHONE, FREE)], now=NOW)
    assert await boxes.claim([(PHONE, FREE)], now=NOW + 1) == []

    await _release(door, NOW + 1)

    assert await boxes.ready(now=NOW + 1) == [PHONE]
    assert await boxes.settle([Settlement(claim) for claim in dead], now=NOW + 1) == [False, False]
    again = await boxes.claim([(PHONE, FREE)], now=NOW + 1)
    assert [claim.rows for claim in again] == [claim.rows for claim in dead]
    assert [(claim.tries, claim.lapses) for claim in again] == [(1, 1), (1, 1)], "it may be a repeat, and says so"


async def test_a_digest_stays_the_same_over_its_hubs_death(door: StoreDoor) -> None:
    boxes = Mailboxes(door, SHARDS)
    limits = Limits(windows=(Window(2, MINUTE),), digest=20, at_once=4, lease=MINUTE)
    await boxes.put([item(row(f"n{number}", f"A001{number}")) for number in range(4)], now=NOW)
    (dead,) = await boxes.claim([(PHONE, limits)], now=NOW)
    assert await boxes.freeze(dead, b"as it was", now=NOW) == b"as it was"

    await _release(door, NOW + 1)

    (again,) = await boxes.claim([(PHONE, limits)], now=NOW + 1)
    assert (again.kind, again.frozen, again.rows) == (ClaimKind.DIGEST, b"as it was", dead.rows)
    assert again.token != dead.token


async def test_a_successor_takes_up_clocks_outbox_and_inbox_and_nothing_that_waits_for_its_time(
    door: StoreDoor,
) -> None:
    ledger, due, outbox, inbox = Ledger(door, N), Due(door, N), Outbox(door, N), Inbox(door, N)
    born = row("born", "A0014", partition=2)
    await ledger.commit(
        [
            opening("A0010", 2, "e1", incident=incident("A0010", 2, due=NOW)),
            opening("A0018", 2, "e2", incident=incident("A0018", 2, due=NOW + MINUTE)),
            opening("A0014", 2, "e3", outbox=[born], claimed_until=NOW + LEASE),
        ]
    )
    await inbox.put([Arrived("sms", "m1", "13800130001", b"1")], now=NOW)
    assert len(await due.claim(ALL, now=NOW, lease=LEASE)) == 1
    assert len(await inbox.claim(ALL, now=NOW, lease=LEASE)) == 1
    assert await outbox.claim(ALL, now=NOW, lease=LEASE) == []

    assert await _release(door, NOW + 1) == 3

    assert [claim.code for claim in await due.claim(ALL, now=NOW + 1, lease=LEASE)] == ["A0010"]
    assert [one.body for one in await inbox.claim(ALL, now=NOW + 1, lease=LEASE)] == [b"1"]
    assert [one.row for one in await outbox.claim(ALL, now=NOW + 1, lease=LEASE)] == [born]
    assert await _release(door, NOW + 2) == 3, "and again, after the next crash"
    assert [claim.code for claim in await due.claim(ALL, now=NOW + MINUTE - 1, lease=LEASE)] == ["A0010"]
    assert [claim.code for claim in await due.claim(ALL, now=NOW + MINUTE, lease=LEASE)] == ["A0018"]


async def test_a_mailbox_gives_the_same_again_when_its_answer_was_lost(door: StoreDoor, lossy: Lossy) -> None:
    boxes = Mailboxes(lossy, SHARDS)
    await boxes.put([item(row(f"n{number}", f"A001{number}")) for number in range(4)], now=NOW)
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await boxes.claim([(PHONE, FREE)], now=NOW)
    lossy.lose = False
    assert boxes.unanswered == [PHONE]

    claims = await boxes.claim([(PHONE, FREE)], now=NOW + 500)

    assert [claim.rows[0].notice for claim in claims] == ["n0", "n1"]
    assert {claim.until for claim in claims} == {NOW + MINUTE}, "the lease is the one that was taken first"
    assert {(claim.tries, claim.lapses) for claim in claims} == {(0, 0)}, "nobody can have sent it"
    assert boxes.unanswered == []
    assert await boxes.settle([Settlement(claim) for claim in claims], now=NOW + 500) == [True, True]
    assert [claim.rows[0].notice for claim in await boxes.claim([(PHONE, FREE)], now=NOW + 500)] == ["n2", "n3"]


async def test_a_lost_answer_is_asked_for_again_whatever_another_hub_claimed_meanwhile(
    door: StoreDoor, lossy: Lossy
) -> None:
    mine, other = Mailboxes(lossy, SHARDS), Mailboxes(door, SHARDS)
    await other.put([item(row(f"n{number}", f"A001{number}")) for number in range(4)], now=NOW)
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await mine.claim([(PHONE, FREE)], now=NOW)
    lossy.lose = False
    more = Limits(at_once=4, lease=MINUTE)
    assert [claim.rows[0].notice for claim in await other.claim([(PHONE, more)], now=NOW + 1)] == ["n2", "n3"]
    assert [claim.rows[0].notice for claim in await mine.claim([(PHONE, FREE)], now=NOW + 2)] == ["n0", "n1"]


async def test_a_successor_on_a_shared_store_takes_up_what_its_own_predecessor_was_sending(door: StoreDoor) -> None:
    dead, alive, like = (Mailboxes(door, SHARDS, owner) for owner in ("hub one", "hub two", "hub one and more"))
    await dead.put([item(row(f"n{number}", f"A001{number}")) for number in range(6)], now=NOW)
    lost = await dead.claim([(PHONE, FREE)], now=NOW)
    kept = await alive.claim([(PHONE, Limits(at_once=4, lease=MINUTE))], now=NOW)
    kept += await like.claim([(PHONE, Limits(at_once=6, lease=MINUTE))], now=NOW)
    assert [len(lost), len(kept)] == [2, 4]

    assert await release_sends(door, "hub one", shards=SHARDS, now=NOW + 1) == 2

    successor = Mailboxes(door, SHARDS, "hub one")
    again = await successor.claim([(PHONE, Limits(at_once=6, lease=MINUTE))], now=NOW + 1)
    assert [claim.rows for claim in again] == [claim.rows for claim in lost]
    assert [claim.lapses for claim in again] == [1, 1], "it may be a repeat, and says so"
    assert await dead.settle([Settlement(claim) for claim in lost], now=NOW + 2) == [False, False]
    assert await alive.settle([Settlement(claim) for claim in kept], now=NOW + 2) == [True] * 4


async def test_an_old_claim_without_an_answer_is_left_to_its_lease(lossy: Lossy) -> None:
    """Too little of it is left for a send."""
    boxes = Mailboxes(lossy, SHARDS)
    await boxes.put([item(row("n1", "A0010"))], now=NOW)
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await boxes.claim([(PHONE, FREE)], now=NOW)
    lossy.lose = False
    assert await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE // 2) == []
    assert len(await boxes.claim([(PHONE, FREE)], now=NOW + MINUTE + 1)) == 1


async def test_lines_and_clocks_give_the_same_again_when_their_answer_was_lost(door: StoreDoor, lossy: Lossy) -> None:
    ledger, due, outbox = Ledger(door, N), Due(lossy, N), Outbox(lossy, N)
    sent = row("n1", "A0010", partition=2)
    await ledger.commit([opening("A0010", 2, "e1", incident=incident("A0010", 2, due=NOW), outbox=[sent])])
    lossy.lose = True
    for queue in (due, outbox):
        with pytest.raises(ConnectionError):
            await queue.claim(ALL, now=NOW, lease=LEASE)
    lossy.lose = False

    (claim,) = await due.claim(ALL, now=NOW + 1, lease=LEASE)
    (held,) = await outbox.claim(ALL, now=NOW + 1, lease=LEASE)

    assert (claim.code, held.row) == ("A0010", sent)
    assert await due.settle([(claim, None)]) == [True]
    assert (await outbox.acknowledge([held], now=NOW + 1)).held == [True]
    assert await outbox.claim(ALL, now=NOW + LEASE + 2, lease=LEASE) == []


async def test_a_commit_without_an_answer_leaves_its_rows_to_its_own_hub_at_once(door: StoreDoor, lossy: Lossy) -> None:
    """It is run again, finds itself recorded, and cannot say what it was given."""
    ledger, outbox, boxes = Ledger(lossy, N), Outbox(door, N), Mailboxes(door, SHARDS)
    fanout = FanOut(outbox, boxes, N, ledger.unheard)
    changes = [
        opening(code, 2, code, outbox=[row(f"n-{code}", code, partition=2)], claimed_until=NOW + LEASE)
        for code in ("A0010", "A0014")
    ]
    lossy.lose = True
    with pytest.raises(ConnectionError):
        await ledger.commit(changes)
    lossy.lose = False
    assert all(isinstance(outcome, AlreadyTaken) for outcome in await ledger.commit(changes))
    assert await outbox.claim(ALL, now=NOW + 1, lease=LEASE) == [], "its lease keeps everybody else away"

    await fanout.find(NOW + 1)
    assert await fanout.step(NOW + 1) == 2

    assert [claim.rows[0].notice for claim in await boxes.claim([(PHONE, FREE)], now=NOW + 1)] == ["n-A0010", "n-A0014"]
    assert await outbox.claim(ALL, now=NOW + LEASE + 2, lease=LEASE) == []
    assert ledger.unheard == []


async def test_a_commit_that_really_came_second_has_nothing_to_find(door: StoreDoor) -> None:
    first, second, outbox = Ledger(door, N), Ledger(door, N), Outbox(door, N)
    sent = row("n1", "A0010", partition=2)
    for ledger in (first, second):
        await ledger.commit([opening("A0010", 2, "e1", outbox=[sent], claimed_until=NOW + LEASE)])

    assert (len(first.unheard), len(second.unheard)) == (0, 1)
    assert await outbox.held(second.unheard, now=NOW + 1) == [], "the first one's hub has them in its hand"
