"""On the real path: beyond the clock, unread, signed by a colleague, and a robot's window shared by two hubs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from channels.channel import ReceiptKind, Report
from escalation.event import EventType
from escalation.notice import NoticeKind
from escalation.vocabulary import Level, Severity
from tests.workers.house import (
    DUST,
    MINUTE,
    OFFICER,
    OFFICER_MAIL,
    OPERATOR,
    SECOND,
    House,
    codes_of,
    house_on,
    with_works,
    works,
)
from tests.workers.test_digests import PER_MINUTE, busiest, without_county_group
from tests.workers.test_outcomes import mail_first


async def hops(house: House, code: str) -> list[tuple[str, object, object]]:
    return [(row.actor, row.detail["why"], row.detail["to"]) for row in await house.journal(code, "next_channel")]


async def first_step(house: House, code: str) -> int:
    """How long until the first step of the incident's clocks (ms)."""
    due = (await house.incident(code)).due_at()
    assert due is not None
    return due - house.clock.now()


async def test_a_throttle_that_outlasts_the_step_sends_the_next_channel_at_once(house: House) -> None:
    """The gateway asks for half a minute, ten seconds before the first step."""
    code = await house.alarm(rest=False)
    house.push(await first_step(house, code) - 10 * SECOND)
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=429)
    await house.engine.rest()
    assert house.vendors.sms.faults.happened[Fault.REFUSE] == 2
    (mail,) = [each for each in house.at(OFFICER_MAIL) if code in each.text]
    assert mail.at == house.clock.now()
    assert await hops(house, code) == [(f"{DUST}/safety_officer/lin", "beyond_clock", "mail")]
    assert not await house.journal(code, "next_person"), "the officer reads mail"
    await house.wait(MINUTE)
    assert [code in text for text in house.texts(OPERATOR)][:1] == [True], "by SMS when it may"


async def test_a_throttle_short_of_the_step_is_waited_for(house: House) -> None:
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=429)
    code = await house.alarm()
    await house.wait(MINUTE)
    assert house.at(OFFICER_MAIL) == []
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]
    assert await hops(house, code) == []


async def test_a_signature_is_heard_once_and_quietly_and_reminders_that_wait_are_not_sent(house: House) -> None:
    code = await house.alarm()
    await house.wait(await first_step(house, code) - SECOND)
    house.vendors.sms.faults.put(Fault.STATUS_500, times=2)
    await house.wait(SECOND)
    waiting = [n for n in (await house.incident(code)).notices.values() if n.kind is NoticeKind.REMIND]
    assert {each.contact.address for each in waiting} == {OPERATOR, OFFICER}
    house.push(SECOND)
    await house.says(OPERATOR, f"签收 {code}")
    await house.wait(5 * MINUTE)
    dropped = {row.notice: row.detail["detail"] for row in await house.journal(code, "receipt_dropped")}
    assert dropped == {each.id: "clock_met_meanwhile" for each in waiting}
    assert ["已记录签收" in text for text in house.texts(OPERATOR)] == [False, True], "the alarm and their answer alone"
    alarm, word = house.texts(OFFICER)
    assert code in alarm
    assert (code in word, "已签收" in word, "须处置" in word) == (True, True, False)
    (quiet,) = [n for n in (await house.incident(code)).notices.values() if n.kind is NoticeKind.SIGNED]
    assert (quiet.urgency, quiet.purpose) == ("normal", "copy")


async def test_who_signs_after_a_rise_is_heard_again(house: House) -> None:
    code = await house.alarm()
    house.push(SECOND)
    await house.says(OPERATOR, f"签收 {code}")
    await house.engine.rest()
    assert [("已签收" in text) for text in house.texts(OFFICER)] == [False, True]
    house.push(MINUTE)
    assert await house.alarm(Severity.HIGH_HIGH) == code
    house.push(SECOND)
    await house.says(OPERATOR, f"签收 {code}")
    await house.engine.rest()
    assert [("已签收" in text) for text in house.texts(OFFICER)] == [False, True, False, True]


async def test_unread_goes_by_the_next_channel_with_the_step_and_read_does_not(store: Store, tmp_path: Path) -> None:
    """Mail that tells of its reading: one officer reads, another incident's mail lies unread."""
    async with house_on(store, tmp_path, mail_first, with_works(1)) as house:
        mail = house.engine.rules.channels["mail"]
        mail.abilities = replace(mail.abilities, receipts=mail.abilities.receipts | {ReceiptKind.READ})
        read, unread = await house.alarm(), await house.alarm(enterprise=works(1)[0], point="P1")
        opened = next(
            each for each in (await house.incident(read)).notices.values() if each.contact.address == OFFICER_MAIL
        )
        await house.engine.report([Report("mail", opened.id, "", ReceiptKind.READ, house.clock.now())])
        assert house.at(OFFICER) == []
        await house.wait(await first_step(house, unread))
        assert codes_of(house.texts(OFFICER)) == [unread]
        assert [row[1:] for row in await hops(house, unread)] == [("unread", "sms")]
        assert await hops(house, read) == []


async def test_two_hubs_share_one_robots_window(store: Store, tmp_path: Path) -> None:
    """Both send as fast as they may: together never more than the robot takes in a minute, and each code arrives."""
    async with house_on(store, tmp_path, with_works(60), without_county_group) as house:
        other = await house.another()
        hubs = [house.engine, other]
        codes: list[str] = []
        for place, each in enumerate(works(60)):
            house.engine = hubs[place % 2]
            codes += await house.take([house.event(EventType.WARNING_ISSUED, each, level=Level.YELLOW)])
            if place % 4 == 3:
                await asyncio.gather(*(hub.rest() for hub in hubs))
                house.push(SECOND)
        for _ in range(5 * 60):
            await asyncio.gather(*(hub.rest() for hub in hubs))
            house.push(SECOND)
        group = house.at("hedong-group")
        assert sorted(codes_of(each.text for each in group)) == sorted(codes), "each once"
        assert busiest(group) <= PER_MINUTE
        assert busiest(group) > PER_MINUTE // 2, "it was a crowd"
        assert not house.vendors.wecom.faults.happened
        for code in codes:
            assert not await house.journal(code, "receipt_throttled")
