"""Reports that name a send by the vendor's id alone, before and after the hub has recorded it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import listening
from bot.store.client import Store
from bot.trials import TrialDesk
from channels.callback import Call, Errand
from channels.channel import Report
from channels.sms.tencent import Driver
from escalation.ledger.breakers import Breakers
from escalation.ledger.keys import Mailbox
from escalation.notice import Notice, NoticeState
from tests.workers.clouds import SECRETS, tencent, with_tencent
from tests.workers.house import EVENING, OFFICER, OFFICER_MAIL, OPERATOR, House, house_on

LIN = "lin"


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[TencentSms, str]]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    vendor = tencent([EVENING])
    async with listening(vendor.app()) as url:
        yield vendor, url


@pytest.fixture
async def house(store: Store, tmp_path: Path, cloud: tuple[TencentSms, str]) -> AsyncIterator[House]:
    async with house_on(store, tmp_path, with_tencent(cloud[1], instead_for=OFFICER)) as opened:
        yield opened


def pushed(house: House, vendor: TencentSms, index: int, failure: str = "") -> list[Report]:
    """What the vendor's push about its message ``index`` says, as the door reads it."""
    row = {"nationcode": "86", "mobile": OFFICER, "sid": vendor.sent[index].serial, "errmsg": failure or "DELIVRD"}
    body = orjson.dumps([{**row, "report_status": "FAIL" if failure else "SUCCESS"}])
    driver = house.engine.rules.channels["tencent"]
    assert isinstance(driver, Driver)
    heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, body), house.clock.now())
    return [item for item in heard.items if isinstance(item, Report)]


async def of_officer(house: House, code: str) -> Notice:
    (found,) = [each for each in (await house.incident(code)).notices.values() if each.contact.channel == "tencent"]
    return found


async def test_a_report_finds_its_notice_by_the_vendors_id(house: House, cloud: tuple[TencentSms, str]) -> None:
    code = await house.alarm()
    assert [each.text.count(code) for each in cloud[0].received] == [1]
    assert (await of_officer(house, code)).state is NoticeState.SUBMITTED
    another = await house.another()
    assert await another.report(pushed(house, cloud[0], 0)) == 1, "whichever hub takes it"
    assert (await of_officer(house, code)).state is NoticeState.DELIVERED
    await house.engine.report(pushed(house, cloud[0], 0))
    assert len(await house.journal(code, "receipt_delivered")) == 1


async def test_a_report_that_comes_before_the_send_is_recorded_is_kept(
    house: House, cloud: tuple[TencentSms, str]
) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now(), everywhere=True)
    await house.engine.courier.sender.idle()
    assert await house.engine.report(pushed(house, cloud[0], 0)) == 0, "nothing is known of it yet"
    await house.engine.rest()
    assert (await of_officer(house, code)).state is NoticeState.DELIVERED
    (delivered,) = await house.journal(code, "receipt_delivered")
    assert delivered.detail["vendor_id"] == cloud[0].sent[0].serial


async def test_what_the_carrier_could_not_deliver_goes_another_way(house: House, cloud: tuple[TencentSms, str]) -> None:
    code = await house.alarm()
    assert house.at(OFFICER_MAIL) == []
    await house.engine.report(pushed(house, cloud[0], 0, "空号"))
    await house.engine.rest()
    assert [code in each.text for each in house.at(OFFICER_MAIL)] == [True]
    assert len(house.at(OPERATOR)) == 1


@pytest.mark.parametrize("early", [False, True])
async def test_a_report_of_failure_counts_of_its_address_whenever_it_comes(
    house: House, cloud: tuple[TencentSms, str], early: bool
) -> None:
    code = await house.alarm(rest=False)
    await house.engine.fanout.step(house.clock.now())
    await house.engine.courier.step(house.clock.now(), everywhere=True)
    await house.engine.courier.sender.idle()
    if not early:
        await house.engine.rest()
    await house.engine.report(pushed(house, cloud[0], 0, "空号"))
    await house.engine.rest()
    refused = await Breakers(house.door).read(now=house.clock.now())
    assert {box: each.refusals for box, each in refused.items()} == {Mailbox("tencent", OFFICER): 1}
    assert [code in each.text for each in house.at(OFFICER_MAIL)] == [True]


@pytest.mark.parametrize("early", [False, True])
async def test_a_test_message_hears_that_it_was_delivered(
    house: House, cloud: tuple[TencentSms, str], early: bool
) -> None:
    desk = TrialDesk(house.engine.ledger, house.engine.trials, lambda: house.engine.rules, house.engine.hand)
    now = house.clock.now()
    asked = await desk.ask(desk.wanted(LIN, ["tencent"], now), by="tester", now=now)
    if early:
        await house.engine.fanout.step(now)
        await house.engine.courier.step(now, everywhere=True)
        await house.engine.courier.sender.idle()
        assert await house.engine.report(pushed(house, cloud[0], 0)) == 0
        await house.engine.rest()
    else:
        await house.engine.rest()
        assert await house.engine.report(pushed(house, cloud[0], 0)) == 1
    told = await desk.look(asked)
    assert told is not None
    assert [(line.verdict, line.well, line.over) for line in told.messages] == [("delivered", True, True)]


async def test_reports_of_others_on_the_same_account_are_nobodys(house: House) -> None:
    driver = house.engine.rules.channels["tencent"]
    assert isinstance(driver, Driver)
    body = orjson.dumps([{"mobile": OFFICER, "sid": "5000:1", "report_status": "FAIL"}])
    heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, body), house.clock.now())
    assert await house.engine.report([item for item in heard.items if isinstance(item, Report)]) == 0
