"""Addresses that rest, and channels that are not waited for: what cannot leave goes by the next way at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo.simulators.vendor import Fault
from bot.door import Door
from bot.store.client import Store
from bot.workers.breaker import LOOK, PROBE
from channels.channel import ReceiptKind, Report
from escalation.ledger.breakers import FIRST, LONGEST, STALE, Breakers, Refusals
from escalation.ledger.health import MANY, SPAN
from escalation.ledger.keys import Mailbox
from escalation.notice import NoticeState
from escalation.vocabulary import Level, Severity
from tests.workers.house import MINUTE, OFFICER, OFFICER_MAIL, OPERATOR, SECOND, House, house_on, with_works, works

BOX = Mailbox("sms", OFFICER)


async def why(house: House, code: str) -> str:
    """What the journal says of the officer's refused text message."""
    entries = await house.journal(code, "receipt_refused_recipient")
    (said,) = [str(entry.detail["detail"]) for entry in entries if entry.actor.endswith("/lin")]
    return said


async def delivered(house: House, code: str, kind: ReceiptKind) -> None:
    """The gateway reports what became of the officer's text message."""
    incident = await house.incident(code)
    notice = max(
        (each for each in incident.notices.values() if each.contact.address == OFFICER),
        key=lambda each: each.created_at,
    )
    await house.engine.report([Report("sms", notice.id, "", kind, house.clock.now(), "UNDELIV")])


async def test_after_three_refusals_an_address_rests_and_its_person_hears_by_the_next_way_at_once(
    store: Store, tmp_path: Path
) -> None:
    async with house_on(store, tmp_path, with_works(6)) as house:
        barred = house.vendors.sms.barred
        barred[OFFICER] = 0
        asked: list[int] = []
        code = ""
        for uscc in works(5):
            code = await house.warning(Level.BLUE, enterprise=uscc)
            assert sum(code in text for text in house.texts(OFFICER_MAIL)) == 1, "each is read in the mailbox"
            asked.append(barred[OFFICER])
        assert asked == [1, 2, 3, 3, 3]
        assert (await why(house, code)).startswith("此地址连续 3 次被拒，")

        await house.crash()
        code = await house.warning(Level.BLUE, enterprise=works(6)[5])
        assert (await why(house, code)).startswith("此地址连续"), "a hub that has just started knows it"
        assert barred[OFFICER] == 3
        assert not [row for row in await house.engine.ledger.dead_letters() if row.row.address == OFFICER]


async def test_when_its_rest_is_over_it_is_tried_once_and_rests_twice_as_long(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(6)) as house:
        barred = house.vendors.sms.barred
        barred[OFFICER] = 0
        for uscc in works(3):
            await house.warning(Level.BLUE, enterprise=uscc)
        house.push(FIRST)
        began = house.clock.now()
        for uscc in works(5)[3:]:
            await house.warning(Level.BLUE, enterprise=uscc)
        assert barred[OFFICER] == 4
        resting = (await Breakers(house.door).read(now=began))[BOX]
        assert (resting.refusals, resting.until) == (4, began + 2 * FIRST)


async def test_a_critical_notice_asks_the_vendor_whatever_rests(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(3)) as house:
        barred = house.vendors.sms.barred
        barred[OFFICER] = 0
        for uscc in works(3):
            await house.warning(Level.BLUE, enterprise=uscc)
        await house.alarm(Severity.HIGH_HIGH)
        assert barred[OFFICER] == 4
        barred.clear()
        await house.alarm(Severity.HIGH_HIGH, point="DC01-P01")
        assert len(house.texts(OFFICER)) == 1


async def test_where_deliveries_are_told_only_a_delivery_ends_a_rest(house: House) -> None:
    """A carrier takes messages for numbers that do not exist, and says later that it could not deliver them."""
    codes = [await house.alarm(point=point) for point in ("DC01-T01", "DC01-P01")]
    codes.append(await house.warning(Level.BLUE))
    for code in codes:
        await delivered(house, code, ReceiptKind.UNDELIVERED)
        await delivered(house, code, ReceiptKind.UNDELIVERED)
    known = await Breakers(house.door).read(now=house.clock.now())
    assert known[BOX].until > house.clock.now()
    sent = len(house.texts(OFFICER))
    last = await house.warning(Level.YELLOW, enterprise=house.settings.enterprises[0].uscc)
    assert len(house.texts(OFFICER)) == sent
    assert any(last in text for text in house.texts(OFFICER_MAIL))
    house.push(FIRST)
    code = await house.alarm(Severity.FAULT)
    assert BOX in await Breakers(house.door).read(now=house.clock.now()), "that it was taken says nothing"
    await delivered(house, code, ReceiptKind.DELIVERED)
    assert BOX not in await Breakers(house.door).read(now=house.clock.now())


async def test_a_channel_that_is_silent_is_not_waited_for_and_tried_now_and_then(house: House) -> None:
    sms = house.vendors.sms
    sms.faults.put(Fault.STATUS_500, times=1000)
    await house.alarm()
    await house.wait(SPAN + MINUTE)
    assert sms.faults.happened[Fault.STATUS_500] >= MANY
    before = len(house.texts(OFFICER_MAIL))
    code = await house.warning(Level.BLUE)
    (hop,) = [each for each in await house.journal(code, "next_channel") if each.actor.endswith("/lin")]
    assert (hop.detail["why"], hop.at) == ("channel_broken", house.clock.now()), "before the third try"
    assert len(house.texts(OFFICER_MAIL)) == before + 1
    (barred,) = [each for each in await house.journal(code, "receipt_barred") if each.actor.endswith("/lin")]
    assert "渠道 sms 无法使用" in str(barred.detail["detail"])

    asked = sms.faults.happened[Fault.STATUS_500]
    for _ in range(6):
        house.push(5 * SECOND)
        await house.engine.rest()
    assert sms.faults.happened[Fault.STATUS_500] - asked <= 30 * SECOND // PROBE + 1, "one message at a time asks"
    sms.faults.clear()
    await house.wait(PROBE + MINUTE)
    incident = await house.incident(code)
    (notice,) = [each for each in incident.notices.values() if each.contact.address == OFFICER]
    assert notice.state is NoticeState.SUBMITTED, "when it works again what waited leaves"


async def test_a_silent_channel_is_asked_for_every_critical_notice(house: House) -> None:
    sms = house.vendors.sms
    sms.faults.put(Fault.STATUS_500, times=1000)
    await house.alarm()
    await house.wait(SPAN + MINUTE)
    asked = sms.faults.happened[Fault.STATUS_500]
    code = await house.alarm(Severity.HIGH_HIGH, point="DC01-P01")
    assert sms.faults.happened[Fault.STATUS_500] - asked >= 2, "operator and officer, whatever else was tried just now"
    assert len(await house.journal(code, "receipt_barred")) == len(await house.journal(code, "receipt_transient")) == 2
    sms.faults.clear()
    await house.wait(MINUTE)
    assert any(code in text for text in house.texts(OPERATOR))


@pytest.mark.parametrize("order", ["well last", "refused last"])
async def test_refusals_count_in_a_row(store: Store, order: str) -> None:
    breakers = Breakers(Door(store))
    now = 1_795_000_000_000
    assert await breakers.note([(BOX, Refusals(False, 2, "空号"))], now=now) == {BOX: 0}
    last = Refusals(True, 0, "") if order == "well last" else Refusals(True, 1, "空号")
    assert await breakers.note([(BOX, last)], now=now) == {BOX: 0}
    assert (await breakers.read(now=now)).get(BOX) == (None if order == "well last" else (1, 0, "空号"))


async def test_a_rest_has_a_longest_and_is_forgotten_in_the_end(store: Store) -> None:
    breakers = Breakers(Door(store))
    now = 1_795_000_000_000
    until = 0
    for _ in range(12):
        until = (await breakers.note([(BOX, Refusals(False, 3, ""))], now=now))[BOX]
        assert now + FIRST <= until <= now + LONGEST
        now = until
    assert until - (now - LONGEST) == LONGEST
    assert BOX in await breakers.read(now=now + STALE)
    assert await breakers.read(now=now + STALE + 1 + LOOK) == {}
