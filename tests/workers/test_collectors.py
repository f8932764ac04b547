"""A vendor that does not call back: what it left is taken once, whenever the hub dies in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.collectors import Collectors, collect_once
from bot.demo.simulators.smstools import Smsd
from bot.quarantine import Desk
from bot.store.client import Store
from bot.store.errors import StoreUnavailableError
from channels.collecting import Collected
from channels.sms.spool import Driver
from escalation.notice import NoticeState
from tests.workers.house import EVENING, KEEPER_MAIL, OFFICER, PARTITIONS, SECOND, House, house_on
from tests.workers.test_unread_calls import ROOM


@pytest.fixture
def clock() -> list[int]:
    return [EVENING]


@pytest.fixture
def smsd(tmp_path: Path, clock: list[int]) -> Smsd:
    return Smsd(tmp_path / "sms", lambda: clock[0])


@pytest.fixture
async def house(store: Store, tmp_path: Path, smsd: Smsd) -> AsyncIterator[House]:
    def by_modem(text: str) -> str:
        was = f'channel = "sms", address = "{OFFICER}"'
        assert was in text
        text = text.replace(was, f'channel = "modem", address = "{OFFICER}"')
        return f'{text}\n[channels.modem]\nkind = "sms_spool"\nspool = "{smsd.spool}"\nlook_seconds = 0.2\n'

    async with house_on(store, tmp_path, by_modem) as opened:
        yield opened


def driver_of(house: House) -> Driver:
    driver = house.engine.rules.channels["modem"]
    assert isinstance(driver, Driver)
    return driver


async def state_of(house: House, code: str) -> NoticeState:
    (found,) = [each for each in (await house.incident(code)).notices.values() if each.contact.channel == "modem"]
    return found.state


def pass_time(house: House, clock: list[int]) -> None:
    house.push(2 * SECOND)
    clock[0] = house.clock.now()


async def test_told_by_modem_delivered_and_signed_by_modem(house: House, smsd: Smsd, clock: list[int]) -> None:
    code = await house.alarm()
    assert await smsd.step() == 1
    assert code in smsd.received[0].text
    smsd.report(0)
    smsd.answer(OFFICER, "1")
    pass_time(house, clock)
    assert await collect_once(driver_of(house), house.engine) == 2
    assert await state_of(house, code) is NoticeState.DELIVERED
    await house.engine.rest()
    assert len(await house.journal(code, "reply_sign")) == 1
    await smsd.step()
    assert "已记录签收" in smsd.received[-1].text
    pass_time(house, clock)
    assert await collect_once(driver_of(house), house.engine) == 0


async def test_a_hub_that_dies_after_keeping_finds_it_again_and_keeps_it_once(
    house: House, smsd: Smsd, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await house.alarm()
    await smsd.step()
    smsd.answer(OFFICER, "1")
    pass_time(house, clock)

    async def die(_self: Driver, _collected: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Driver, "forget", die)
        with pytest.raises(OSError, match="gone"):
            await collect_once(driver_of(house), house.engine)
    await house.crash()
    assert await collect_once(driver_of(house), house.engine) == 1
    await house.engine.rest()
    assert len(await house.journal(code, "reply_sign")) == 1


async def test_what_the_store_does_not_take_stays_where_it_is(house: House, smsd: Smsd, clock: list[int]) -> None:
    code = await house.alarm()
    await smsd.step()
    path = smsd.answer(OFFICER, "1")
    pass_time(house, clock)
    house.door.failing = ["inbox_put"]
    with pytest.raises(StoreUnavailableError):
        await collect_once(driver_of(house), house.engine)
    assert path.exists()
    await collect_once(driver_of(house), house.engine)
    await house.engine.rest()
    assert not path.exists()
    assert len(await house.journal(code, "reply_sign")) == 1


async def test_the_loop_takes_what_comes_and_outlives_a_failure(
    house: House, smsd: Smsd, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.alarm()
    smsd.answer(OFFICER, "1")
    pass_time(house, clock)
    failed, taken = asyncio.Event(), asyncio.Event()
    collect, forget = Driver.collect, Driver.forget

    async def fail_once(self: Driver, at: int) -> object:
        if not failed.is_set():
            failed.set()
            raise OSError("not now")
        return await collect(self, at)

    async def tell(self: Driver, collected: Collected) -> None:
        await forget(self, collected)
        taken.set()

    monkeypatch.setattr(Driver, "collect", fail_once)
    monkeypatch.setattr(Driver, "forget", tell)
    collectors = Collectors(lambda: house.engine.rules, lambda: house.engine, lambda: "")
    running = asyncio.create_task(collectors.run())
    async with asyncio.timeout(40):
        await taken.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert failed.is_set()
    assert list((smsd.spool / "incoming").iterdir()) == []
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("collect ")]


async def test_a_hub_that_is_not_ready_takes_nothing(house: House, smsd: Smsd, clock: list[int]) -> None:
    path = smsd.answer(OFFICER, "1")
    pass_time(house, clock)
    looked = asyncio.Event()

    def not_ready() -> str:
        looked.set()
        return "the store is away"

    running = asyncio.create_task(Collectors(lambda: house.engine.rules, lambda: house.engine, not_ready).run())
    async with asyncio.timeout(40):
        await looked.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert path.exists()


async def test_a_file_that_cannot_be_read_is_in_quarantine_and_told_once(
    house: House, smsd: Smsd, clock: list[int]
) -> None:
    path = smsd.answer(OFFICER, "1")
    odd = path.with_name("GSM1.zzzzzz")
    odd.write_bytes(f"From: \n\n着火了，{OFFICER} 快来人".encode())
    os.utime(odd, ns=(clock[0] * 1_000_000,) * 2)
    pass_time(house, clock)
    house.door.failing.append("commit")
    with pytest.raises(StoreUnavailableError):
        await collect_once(driver_of(house), house.engine)
    assert odd.exists(), "nothing is taken away before it is on disk"
    assert await collect_once(driver_of(house), house.engine) == 1
    await house.engine.rest()
    assert not odd.exists()
    assert (smsd.spool / "fenghuo" / "unreadable" / odd.name).exists()
    (row,) = (
        await Desk(house.door, PARTITIONS, house.engine.rules, house.engine.take, house.clock.now).everything()
    ).rows
    assert (row.source, row.callback) == ("modem", "uplink")
    (entry,) = await house.loose_journal("unreadable")
    assert "GSM1.zzzzzz" in str(entry.detail["why"])
    told = [text for text in house.texts(KEEPER_MAIL) if "渠道 modem 的一条回复无法读取，已隔离" in text]
    assert len(told) == 1
    # Who may have called for help is told of in the duty room, with the number.
    assert any("着火了" in text and OFFICER in text for text in house.texts(ROOM))
    assert await collect_once(driver_of(house), house.engine) == 0


async def test_reports_of_the_modem_that_cannot_be_read_are_the_maintainers(
    house: House, smsd: Smsd, clock: list[int]
) -> None:
    await house.alarm()
    await smsd.step()
    report = smsd.report(0)
    assert report is not None
    report.write_bytes(report.read_bytes().replace(b"Message_id", b"Other_id"))
    os.utime(report, ns=(clock[0] * 1_000_000,) * 2)
    pass_time(house, clock)
    before = len(house.texts(ROOM))
    await collect_once(driver_of(house), house.engine)
    await house.engine.rest()
    (entry,) = await house.loose_journal("unreadable")
    assert entry.detail["callback"] == "report"
    assert len(house.texts(ROOM)) == before
