"""Two providers for one phone, in order: the second is used where the first fails, and only there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.simulators.tencent import TencentSms
from bot.demo.simulators.vendor import Fault, listening
from bot.store.client import Store
from channels.channel import ReceiptKind, Report, Uplink
from escalation.vocabulary import Severity
from tests.workers.clouds import SECRETS, tencent, with_tencent
from tests.workers.house import EVENING, MINUTE, OPERATOR, SECOND, House, house_on


def in_order(text: str) -> str:
    return f'{text}\n[backup]\nsms = ["tencent"]\n'


@pytest.fixture
async def second(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[TencentSms, str]]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    vendor = tencent([EVENING])
    async with listening(vendor.app()) as url:
        yield vendor, url


@pytest.fixture
async def house(store: Store, tmp_path: Path, second: tuple[TencentSms, str]) -> AsyncIterator[House]:
    async with house_on(store, tmp_path, with_tencent(second[1]), in_order) as opened:
        yield opened


def texts(vendor: TencentSms, number: str = OPERATOR) -> list[str]:
    return [each.text for each in vendor.received if each.address == number]


async def test_while_the_first_works_the_second_sends_nothing_not_even_for_critical(
    house: House, second: tuple[TencentSms, str]
) -> None:
    code = await house.alarm(Severity.HIGH_HIGH)
    assert [code in text for text in house.texts(OPERATOR)] == [True]
    assert texts(second[0]) == []


@pytest.mark.parametrize(("fault", "code"), [(Fault.REFUSE, 403), (Fault.REFUSE, 404)])
async def test_a_first_that_is_misconfigured_or_refuses_is_followed_at_once(
    house: House, second: tuple[TencentSms, str], fault: Fault, code: int
) -> None:
    house.vendors.sms.faults.put(fault, times=6, code=code)
    incident = await house.alarm()
    assert [incident in text for text in texts(second[0])] == [True]
    hops = [(row.detail["from"], row.detail["to"]) for row in await house.journal(incident, "next_channel")]
    assert ("sms", "tencent") in hops
    assert not await house.journal(incident, "next_person")
    assert not await house.journal(incident, "dead_letter")


async def test_critical_waits_for_no_limit_of_the_first(house: House, second: tuple[TencentSms, str]) -> None:
    house.vendors.sms.faults.put(Fault.REFUSE, times=8, code=429)
    code = await house.alarm(Severity.HIGH_HIGH)
    assert [code in text for text in texts(second[0])] == [True]


async def test_a_first_that_is_down_is_tried_three_times(house: House, second: tuple[TencentSms, str]) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=40)
    code = await house.alarm()
    assert texts(second[0]) == []
    await house.wait(MINUTE)
    assert [code in text for text in texts(second[0])] == [True]


async def test_what_the_first_could_not_deliver_the_second_sends(house: House, second: tuple[TencentSms, str]) -> None:
    code = await house.alarm()
    (notice,) = [n for n in (await house.incident(code)).notices.values() if n.contact.address == OPERATOR]
    report = Report("sms", notice.id, "", ReceiptKind.UNDELIVERED, house.clock.now(), "关机")
    await house.engine.report([report])
    await house.engine.rest()
    assert [code in text for text in texts(second[0])] == [True]


async def test_an_answer_by_the_second_is_the_same_persons(house: House, second: tuple[TencentSms, str]) -> None:
    house.vendors.sms.faults.put(Fault.REFUSE, times=6, code=403)
    code = await house.alarm()
    house.push(SECOND)
    uplink = Uplink("tencent", "m1", OPERATOR, "1", house.clock.now())
    assert code in await house.engine.answering.answer(uplink, house.clock.now())
    assert len(await house.journal(code, "reply_sign")) == 1
