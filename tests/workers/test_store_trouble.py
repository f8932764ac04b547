"""The store fails in the middle of a step: nothing is lost, nothing is doubled, nothing waits for a lease."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from bot.workers.decider import StoreFailed
from escalation.decide import decide as decided
from escalation.incident import Incident
from escalation.inputs import Context, Decision, Lapse, Receipt, Reply
from escalation.vocabulary import Level, Severity
from tests.workers.house import (
    MINUTE,
    OFFICER,
    OFFICER_MAIL,
    OPERATOR,
    PARTITIONS,
    SECOND,
    House,
    codes_of,
    house_on,
    with_works,
    works,
)

LEASE = 16 * SECOND


async def recorded_once(house: House, code: str) -> None:
    """Both people heard once, and the journal says so once of each."""
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]
    submitted = await house.journal(code, "receipt_submitted")
    assert len({entry.notice for entry in submitted}) == len(submitted) == 2
    assert [entry.detail["repeat"] for entry in submitted] == [False, False]


@pytest.mark.parametrize("what", ["commit", "mailbox:settle"])
async def test_recording_fails_and_is_done_again(house: House, what: str) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now())
    await house.engine.courier.sender.idle()
    house.door.failing = [what]
    with pytest.raises(StoreUnavailableError):
        await house.record()
    assert house.door.failed == 1
    assert house.engine.courier.under_way == 2, "still owed"
    await house.engine.rest()
    await recorded_once(house, code)
    assert await house.engine.mailboxes.next_at() is None


async def test_loading_fails_after_the_claim_and_the_claims_are_given_back(house: House) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    house.door.failing = ["load"]
    with pytest.raises(StoreUnavailableError):
        await house.engine.courier.step(house.clock.now())
    await house.wait(3 * SECOND)
    await recorded_once(house, code)


async def test_a_step_that_is_cancelled_gives_its_claims_back(house: House) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    house.door.before = {"load": hang}
    step = asyncio.create_task(house.engine.courier.step(house.clock.now()))
    await reached.wait()
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    house.door.before = {}
    await house.record()
    house.engine = await house.another()
    await house.wait(3 * SECOND)
    await recorded_once(house, code)


async def test_the_mailboxes_do_not_answer_the_fan_out(house: House) -> None:
    """The hub still knows what it was given: it need not wait until its own lease has ended."""
    code = await house.alarm(rest=False)
    house.door.failing = ["mailbox:put"]
    with pytest.raises(StoreUnavailableError):
        await house.engine.fanout.step(house.clock.now())
    assert house.engine.fanout.waiting == 2
    await house.engine.rest()
    await recorded_once(house, code)


async def test_the_outbox_does_not_answer_the_fan_out(house: House) -> None:
    """The rows are in their mailboxes; that the outbox was not told puts them nowhere twice."""
    code = await house.alarm(rest=False)
    house.door.failing = ["lines_settle"]
    with pytest.raises(StoreUnavailableError):
        await house.engine.fanout.step(house.clock.now())
    house.engine = await house.another()
    await house.wait(LEASE)
    await recorded_once(house, code)


async def test_rows_left_by_a_hub_that_died_are_swept(house: House) -> None:
    code = await house.alarm(rest=False)
    house.engine = await house.another()
    await house.wait(14 * SECOND)
    assert house.vendors.sms.received == []
    house.push(2 * SECOND)
    await house.engine.rest()
    await recorded_once(house, code)


async def test_rows_behind_a_held_line_are_not_late(house: House) -> None:
    """The alarm rises while the rows of its opening are on their way: whoever holds the line takes the new ones too."""
    await house.alarm(rest=False)
    await house.alarm(Severity.HIGH_HIGH, rest=False)
    await house.engine.rest()
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [2, 2]
    assert {each.at for each in house.vendors.sms.received} == {house.clock.now()}


@pytest.mark.parametrize("what", ["commit", "mailbox_turn"])
async def test_the_answer_of_a_recording_is_lost_after_its_effect(house: House, what: str) -> None:
    """The client sends it again by itself; one fact has one row in the journal."""
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now())
    await house.engine.courier.sender.idle()
    house.door.losing = [what]
    await house.record()
    assert house.door.failed == 1
    await house.engine.rest()
    await recorded_once(house, code)


async def test_one_part_of_the_store_is_away_and_the_others_go_on(store: Store, tmp_path: Path) -> None:
    """Receipts of its incidents wait; those of the others are recorded once, and their next channel is not late."""
    async with house_on(store, tmp_path, with_works(12)) as house:
        codes = [await house.warning(Level.BLUE, enterprise=each, rest=False) for each in works(12)]
        house.vendors.sms.faults.put(Fault.REFUSE, times=16, code=400)
        await house.engine.fanout.step(house.clock.now())
        await house.engine.courier.step(house.clock.now(), everywhere=True)
        await house.engine.courier.sender.idle()
        house.door.away = ("commit", b"p1")
        with pytest.raises(StoreFailed):
            await house.record()
        house.door.away = None
        recorded = {code for code in codes if await house.journal(code, "receipt_refused_recipient")}
        assert {int(code[1:]) % PARTITIONS for code in recorded} == {0, 2, 3}
        await house.engine.rest()
        refused = [entry for code in codes for entry in await house.journal(code, "receipt_refused_recipient")]
        by_vendor = [entry for entry in refused if str(entry.detail["detail"]).startswith("HTTP 400")]
        assert len({entry.notice for entry in refused}) == len(refused)
        assert len(by_vendor) == 16, "the others went to addresses that had been refused three times, and rest"
        by_mail = [entry.incident for entry in refused if entry.actor.endswith("/lin")]
        assert sorted(codes_of(mail.subject for mail in house.at(OFFICER_MAIL))) == sorted(by_mail)
        assert {mail.at for mail in house.at(OFFICER_MAIL)} == {house.clock.now()}


async def test_an_incident_that_cannot_be_decided_stops_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the receipts nor the clocks of the others."""
    broken = await house.alarm(rest=False)

    def decide(incident: Incident, given: Reply | Lapse | Receipt, ctx: Context) -> Decision:
        if incident.code == broken:
            raise ValueError("the rules do not know what to do")
        return decided(incident, given, ctx)

    monkeypatch.setattr("bot.workers.decider.decide", decide)
    monkeypatch.setattr("bot.workers.receipts.decide", decide)
    sound = await house.alarm(point="DC01-P01", rest=False)
    await house.engine.rest()
    assert len(await house.journal(sound, "receipt_submitted")) == 2
    assert await house.journal(broken, "receipt_submitted") == []
    await house.wait(11 * MINUTE)
    assert len(await house.journal(sound, "step_remind")) == 1
    monkeypatch.undo()
    await house.wait(MINUTE)
    assert len(await house.journal(broken, "step_remind")) == 1, "its clocks go on when it can be decided"
