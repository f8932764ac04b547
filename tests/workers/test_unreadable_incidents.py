"""An incident whose record cannot be read is named wherever incidents are listed, with what to do; nobody is told that
nothing is open."""

from __future__ import annotations

import pytest

from bot.deadletters import DeadLetters, NotDone
from bot.demo.simulators.vendor import Fault
from bot.web.incidents import page_of, read_query
from escalation.event import EventType
from escalation.ledger.watching import Watching
from tests.workers.house import DUST, MINUTE, OPERATOR, STEEL, House
from tests.workers.test_undecidable import mend, spoil


async def test_a_bare_signature_hears_of_it_and_a_named_one_is_kept(house: House) -> None:
    code = await house.alarm()
    raw = await spoil(house, code)
    house.push(MINUTE)
    said = await house.says(OPERATOR, "签收")
    assert "没有未关闭" not in said
    assert f"{code} 的记录暂时无法读取，可能仍须处置" in said
    assert f"请回复“签收 {code}”" in said
    assert "已登记并转告值班室" in await house.says(OPERATOR, f"签收 {code}")
    for question in ("查询", "待办"):
        answer = await house.says(OPERATOR, question)
        assert f"{code} 的记录暂时无法读取" in answer, question
        assert "没有" not in answer, question
    await mend(house, code, raw)
    assert f"{code} 已记录签收" in await house.says(OPERATOR, "签收")


async def test_beside_another_open_one_a_bare_signature_is_asked_back_and_signs_neither(house: House) -> None:
    spoilt, whole = await house.alarm(), await house.alarm(point="DC01-P01")
    await spoil(house, spoilt)
    house.push(MINUTE)
    said = await house.says(OPERATOR, "1")
    assert whole in said
    assert f"{spoilt} 的记录暂时无法读取" in said
    assert (await house.incident(whole)).deeds == []
    assert f"{whole} 已记录签收" in await house.says(OPERATOR, f"签收 {whole}")


async def test_one_that_is_closed_troubles_nobody(house: House) -> None:
    code = await house.alarm()
    await house.says(OPERATOR, f"签收 {code}")
    await house.take([house.event(EventType.ALARM_CLEARED, point="DC01-T01")])
    await house.engine.rest()
    await spoil(house, code)
    house.push(MINUTE)
    assert "目前没有未关闭的警情" in await house.says(OPERATOR, "签收")


async def test_the_list_of_the_api_names_it(house: House) -> None:
    code, other = await house.alarm(), await house.alarm(enterprise=STEEL, point="T1")
    await spoil(house, code)
    for given in ({}, {"enterprise": DUST}, {"limit": "1"}):
        query = read_query(given, frozenset())
        page = await page_of(house.engine, house.settings.directory(), query)
        found, items = list(page.unreadable), list(page.items)
        while page.next:
            page = await page_of(
                house.engine, house.settings.directory(), read_query({**given, "cursor": page.next}, frozenset())
            )
            found, items = [*found, *page.unreadable], [*items, *page.items]
        assert [each.code for each in found] == [code]
        assert f"fenghuo show {code}" in found[0].todo
        assert found[0].why
        assert [each.code for each in items] == ([] if "enterprise" in given else [other])


async def test_whoever_watches_sees_it_until_it_is_mended(house: House) -> None:
    code = await house.alarm()
    watching = Watching(house.door, house.engine.ledger)
    await watching.look()
    assert (set(watching.incidents), watching.damaged) == ({code}, [])
    raw = await spoil(house, code)
    fresh = Watching(house.door, house.engine.ledger)
    assert await fresh.look() == {code}
    assert [each.code for each in fresh.damaged] == [code]
    assert fresh.incidents == {}
    assert await fresh.look() == set(), "the same is no news"
    await mend(house, code, raw)
    assert await fresh.look() == {code}
    assert (set(fresh.incidents), fresh.damaged) == ({code}, [])


async def test_a_dead_letter_of_it_says_why_it_cannot_be_sent_again(house: House) -> None:
    house.vendors.sms.faults.put(Fault.REFUSE, times=2, code=400)
    code = await house.alarm()
    letters = DeadLetters(house.engine.ledger, house.engine.rules.context)
    notice = (await letters.list()).letters[0].notice
    await spoil(house, code)
    with pytest.raises(NotDone, match=f"{code} 的记录无法读取"):
        await letters.replay(notice, by="周值守", why="号码已更正", now=house.clock.now())
    assert await letters.drop(notice, by="周值守", why="已电话通知", now=house.clock.now())
