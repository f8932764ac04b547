"""A channel that is broken: the maintainers hear it once, and once when it works again, whoever notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from escalation.ledger.health import QUIET
from escalation.vocabulary import Level, Severity
from tests.workers.house import (
    HOUR,
    KEEPER_MAIL,
    MINUTE,
    OFFICER,
    OFFICER_MAIL,
    SECOND,
    STEEL,
    House,
    house_on,
    with_works,
    works,
)

WRONG, RIGHT = 'username = "stranger"', 'username = "fenghuo"'


def told(house: House, what: str) -> list[str]:
    """What the maintainers read of the SMS channel."""
    return [text for text in house.texts(KEEPER_MAIL) if f"渠道 sms {what}" in text]


async def test_a_wrong_password_is_told_once_by_another_channel_however_many_messages_fail(house: House) -> None:
    house.reload(lambda text: text.replace(RIGHT, WRONG))
    codes = [await house.warning(Level.BLUE), await house.alarm()]
    house.push(MINUTE)
    codes.append(await house.alarm(point="DC01-P01"))
    assert house.vendors.sms.received == []
    assert [codes[0] in text for text in house.texts(OFFICER_MAIL)].count(True) == 1
    (word,) = told(house, "无法使用")
    assert "403" in word
    house.push(24 * HOUR)
    await house.crash()
    await house.alarm(Severity.FAULT)
    assert told(house, "无法使用") == [word], "not again the next day, nor by a hub that has just started"
    (row,) = await house.loose_journal("channel_broken")
    assert row.detail["channel"] == "sms"
    house.reload(lambda text: text.replace(WRONG, RIGHT))
    await house.warning(Level.BLUE, enterprise=STEEL)
    await house.wait(MINUTE)
    assert len(told(house, "已恢复")) == 1
    await house.alarm(enterprise=STEEL, point="T1")
    assert len(told(house, "已恢复")) == 1
    assert len(await house.loose_journal("channel_healed")) == 1


async def test_a_gateway_that_answers_nobody_for_some_time_is_told_and_told_when_it_is_back(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=10_000)
    await house.alarm()
    await house.wait(2 * MINUTE)
    assert house.vendors.sms.faults.happened[Fault.STATUS_500] > 5
    assert told(house, "无法使用") == [], "a few minutes are no break"
    await house.wait(2 * MINUTE)
    (word,) = told(house, "无法使用")
    assert "11-18 19:06 起" in word
    assert "500" in word
    await house.wait(10 * MINUTE)
    assert len(told(house, "无法使用")) == 1
    house.vendors.sms.faults.clear()
    await house.wait(2 * MINUTE)
    assert house.at(OFFICER)
    assert len(told(house, "已恢复")) == 1


async def test_failures_with_successes_between_them_are_no_break(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(9)) as house:
        for enterprise in works(9):
            house.vendors.sms.faults.put(Fault.STATUS_500)
            await house.alarm(enterprise=enterprise, point="P1")
            await house.wait(MINUTE)
        assert house.vendors.sms.faults.happened[Fault.STATUS_500] == 9
        assert len(house.at(OFFICER)) >= 9
        assert told(house, "无法使用") == []


async def test_two_hubs_on_one_store_tell_it_once(house: House) -> None:
    house.reload(lambda text: text.replace(RIGHT, WRONG))
    other = await house.another()
    await house.alarm()
    house.push(SECOND)
    first, house.engine = house.engine, other
    await house.alarm(enterprise=STEEL, point="T1")
    assert len(told(house, "无法使用")) == 1
    house.reload(lambda text: text.replace(WRONG, RIGHT))
    await house.warning(Level.BLUE, enterprise=STEEL)
    assert len(told(house, "已恢复")) == 1, "by the hub that did not see it break"
    first.rules, house.engine = other.rules, first
    await house.alarm(Severity.FAULT)
    assert len(told(house, "已恢复")) == 1


async def test_the_store_fails_between_the_word_and_its_mark_and_the_word_is_there_once(house: House) -> None:
    """The word is in the mailbox, and the hub dies before it wrote down that it is."""
    house.reload(lambda text: text.replace(RIGHT, WRONG))
    runs = 0

    async def second_fails() -> None:
        nonlocal runs
        runs += 1
        if runs == 2:
            house.door.failing.append("health")

    house.door.before["health"] = second_fails
    await house.alarm(rest=False)
    with pytest.raises(StoreUnavailableError):
        await house.engine.rest()
    await house.crash()
    assert house.door.failed == 1
    await house.wait(2 * MINUTE)
    await house.alarm(enterprise=STEEL, point="T1")
    assert len(told(house, "无法使用")) == 1
    assert len(await house.loose_journal("channel_broken")) == 1


async def test_a_channel_that_comes_and_goes_is_not_told_each_time(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, with_works(12)) as house:
        places = iter(works(12))

        async def one(edit_from: str, edit_to: str) -> None:
            house.reload(lambda text: text.replace(edit_from, edit_to))
            await house.alarm(enterprise=next(places), point="P1")
            house.push(MINUTE)

        for _ in range(4):
            await one(RIGHT, WRONG)
            await one(WRONG, RIGHT)
        assert (len(told(house, "无法使用")), len(told(house, "已恢复"))) == (1, 1)
        await one(RIGHT, WRONG)
        house.push(QUIET)
        await house.alarm(enterprise=next(places), point="P1")
        assert len(told(house, "无法使用")) == 2, "it is broken for good"


async def test_a_break_that_heals_before_it_was_told_is_told_by_nobody_and_nor_is_its_healing(
    store: Store, tmp_path: Path
) -> None:
    async with house_on(store, tmp_path, with_works(12)) as house:
        places = iter(works(12))

        async def one(edit_from: str, edit_to: str) -> None:
            house.reload(lambda text: text.replace(edit_from, edit_to))
            await house.alarm(enterprise=next(places), point="P1")

        for _ in range(3):
            await one(RIGHT, WRONG)
            house.push(SECOND)
            await one(WRONG, RIGHT)
            house.push(SECOND)
        house.push(QUIET)
        await one(WRONG, RIGHT)
        assert (len(told(house, "无法使用")), len(told(house, "已恢复"))) == (1, 1)
        reasons = [len(await house.loose_journal(reason)) for reason in ("channel_broken", "channel_healed")]
        assert reasons == [1, 1]
        assert await house.engine.health.watched() == {}, "an hour of good sends, and nothing is remembered"
        await one(RIGHT, WRONG)
        assert len(told(house, "无法使用")) == 2, "it is news again"
        await one(WRONG, RIGHT)
        assert len(told(house, "已恢复")) == 2


async def test_a_hub_that_starts_while_it_is_broken_knows_it_and_tells_only_that_it_heals(house: House) -> None:
    faults = house.vendors.sms.faults
    faults.put(Fault.STATUS_500, times=10_000)
    await house.alarm()
    await house.wait(4 * MINUTE)
    assert len(told(house, "无法使用")) == 1
    await house.crash()
    code = await house.warning(Level.BLUE)
    assert any("渠道 sms 无法使用" in str(row.detail["detail"]) for row in await house.journal(code, "receipt_barred"))
    await house.wait(2 * MINUTE)
    await house.crash()
    faults.clear()
    await house.wait(2 * MINUTE)
    assert (len(told(house, "无法使用")), len(told(house, "已恢复"))) == (1, 1)


async def test_two_hubs_that_see_it_break_and_heal_in_the_same_moment_tell_it_once(house: House) -> None:
    """One has noted it and has not told it yet when the other notes it too."""
    first, second = house.engine, await house.another()
    second.rules = first.rules

    async def both(severity: Severity) -> None:
        """The second hub's sends end between what the first one notes and what it tells."""
        house.engine = second
        await house.alarm(severity, enterprise=STEEL, point="T1", rest=False)
        await second.fanout.step(house.clock.now())
        await second.courier.step(house.clock.now(), everywhere=True)
        await second.courier.sender.idle()
        house.engine = first
        notes = 0

        async def other_first() -> None:
            nonlocal notes
            notes += 1
            if notes == 2:
                # The first call notes what happened, the second says that it was told.
                await second.courier.record(house.clock.now())

        house.door.before["health"] = other_first
        await house.alarm(severity)
        del house.door.before["health"]
        assert notes >= 2, "both were at it"
        await second.rest()
        await first.rest()

    house.reload(lambda text: text.replace(RIGHT, WRONG))
    second.rules = first.rules
    await both(Severity.HIGH)
    assert len(told(house, "无法使用")) == 1
    house.push(MINUTE)
    house.reload(lambda text: text.replace(WRONG, RIGHT))
    second.rules = first.rules
    await both(Severity.HIGH_HIGH)
    assert len(told(house, "已恢复")) == 1
    reasons = [len(await house.loose_journal(reason)) for reason in ("channel_broken", "channel_healed")]
    assert reasons == [1, 1]
