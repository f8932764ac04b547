"""A red alarm that nobody signs rings a telephone: a key signs, and whatever else comes of it a person calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from bot.collectors import ask_once
from bot.demo.simulators.aliyun_voice import BUSY, HEARD, NO_KEY, UNANSWERED, AliyunVoice
from bot.demo.simulators.tencent_voice import TencentVoice
from bot.demo.simulators.vendor import Fault, listening
from bot.store.client import Store
from bot.trials import TrialDesk
from channels.callback import Call, Errand, Inbound
from channels.channel import Uplink
from channels.voice.aliyun import Driver
from escalation.deciding.calling import CALL_PATIENCE
from escalation.deciding.phoning import open_tasks
from escalation.notice import Notice, NoticeState
from escalation.vocabulary import Severity, Verb
from tests.workers import voices
from tests.workers.house import DUST, EVENING, MINUTE, OFFICER, OPERATOR, SECOND, House, house_on

STEP = 5 * MINUTE
"""When the profile's step that calls comes."""


@dataclass
class Phones:
    house: House
    vendor: AliyunVoice

    async def ring(self) -> str:
        """A red alarm nobody signs, up to its call; its code."""
        code = await self.house.alarm(Severity.HIGH_HIGH)
        await self.house.wait(STEP - SECOND)
        assert self.vendor.calls == []
        await self.house.wait(SECOND)
        return code

    async def ends(self, status: str, pressed: str = "", *, index: int = 0) -> None:
        """The call ends so, and the vendor pushes it."""
        self.vendor.end(index, status, pressed)
        await self.pushes([self.vendor.row(index)])

    async def pushes(self, rows: object) -> None:
        driver = self.house.engine.rules.channels["voice"]
        assert isinstance(driver, Inbound)
        now = self.house.clock.now()
        heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, orjson.dumps(rows)), now)
        await self.house.engine.answering.take([item for item in heard.items if isinstance(item, Uplink)], now)
        await self.house.engine.rest()

    async def tasks(self, code: str) -> list[str]:
        """Whom the duty room is asked to phone."""
        return list(dict.fromkeys(task.note for task in open_tasks(await self.house.incident(code))))

    async def call(self, code: str) -> Notice:
        return next(each for each in (await self.house.incident(code)).notices.values() if each.spoken)

    async def deeds(self, code: str) -> list[tuple[Verb, str, str, str]]:
        return [(d.verb, d.person, d.channel, d.text) for d in (await self.house.incident(code)).deeds]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in voices.SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def phones(store: Store, tmp_path: Path) -> AsyncIterator[Phones]:
    clock: voices.Clock = [lambda: EVENING]
    vendor = voices.aliyun(clock)
    async with (
        listening(vendor.app()) as url,
        house_on(store, tmp_path, voices.with_aliyun(url, OPERATOR)) as house,
    ):
        clock[0] = house.clock.now
        yield Phones(house, vendor)


async def test_the_telephone_rings_and_key_1_signs(phones: Phones) -> None:
    code = await phones.ring()
    (call,) = phones.vendor.calls
    digits = "，".join(code)
    assert call.phone == OPERATOR
    assert call.text == f"值班电话：高高报，催办，明木家具 1号除尘器灰斗温度，编号{digits}。签收请按1。"
    assert call.keys == ("1",)
    await phones.house.wait(20 * SECOND)
    before = len(phones.house.texts(OPERATOR))
    await phones.ends(HEARD, "1")
    assert await phones.deeds(code) == [(Verb.SIGN, "bai", "voice", "电话按键1")]
    (row,) = await phones.house.journal(code, "reply_sign")
    assert (row.detail["channel"], row.detail["text"]) == ("voice", "电话按键1")
    assert (await phones.call(code)).state is NoticeState.DELIVERED
    said = phones.house.texts(OPERATOR)[before:]
    assert len(said) == 1, "by text message, never by another call"
    assert "已记录签收" in said[0]
    await phones.house.wait(CALL_PATIENCE)
    assert len(phones.vendor.calls) == 1


@pytest.mark.parametrize(
    ("status", "pressed", "words"),
    [
        (UNANSWERED, "", "无人接听"),
        (BUSY, "", "占线"),
        (NO_KEY, "", "未按键"),
        (HEARD, "", "未按键"),
        (HEARD, "5", "不是签收"),
    ],
)
async def test_whatever_is_no_key_1_becomes_a_call_by_hand_and_signs_nothing(
    phones: Phones, status: str, pressed: str, words: str
) -> None:
    code = await phones.ring()
    others = await phones.tasks(code)
    await phones.house.wait(20 * SECOND)
    await phones.ends(status, pressed)
    assert await phones.deeds(code) == []
    assert [each for each in await phones.tasks(code) if each not in others] == ["白木匠"]
    receipts = [
        *await phones.house.journal(code, "receipt_answered"),
        *await phones.house.journal(code, "receipt_undelivered"),
    ]
    assert any(words in str(row.detail["detail"]) for row in receipts)


async def test_a_report_that_comes_again_does_nothing_again(phones: Phones) -> None:
    code = await phones.ring()
    await phones.house.wait(20 * SECOND)
    for _ in range(3):
        await phones.ends(HEARD, "1")
    assert len(await phones.deeds(code)) == 1
    assert len(await phones.house.journal(code, "reply_sign")) == 1
    assert len(await phones.house.journal(code, "receipt_delivered")) == 1
    assert sum("已记录签收" in text for text in phones.house.texts(OPERATOR)) == 1


async def test_calls_under_way_are_no_news(phones: Phones) -> None:
    code = await phones.ring()
    await phones.pushes([{**phones.vendor.row(0), "status_code": "200101"}])
    assert (await phones.call(code)).state is NoticeState.SUBMITTED


async def test_a_report_about_somebody_elses_number_or_another_call_signs_nothing(phones: Phones) -> None:
    code = await phones.ring()
    phones.vendor.end(0, HEARD, "1")
    row = phones.vendor.row(0)
    await phones.pushes([{**row, "callee": OFFICER, "call_id": "1^1"}])
    await phones.pushes([{**row, "out_id": "A9999.1.s4", "call_id": "2^2"}])
    await phones.pushes([{**row, "out_id": f"{code}.1.s99", "call_id": "3^3"}])
    assert await phones.deeds(code) == []
    assert len(await phones.house.loose_journal("reply_key_unknown")) == 3
    assert any("没有对上" in text for text in phones.house.texts(OPERATOR)), (
        "whoever pressed a key hears that it failed"
    )


async def test_a_key_counts_for_the_one_incident_that_its_call_spoke_of(phones: Phones) -> None:
    other = await phones.house.alarm(Severity.HIGH_HIGH, point="DC01-T02")
    code = await phones.ring()
    calls = {call.out_id.partition(".")[0]: place for place, call in enumerate(phones.vendor.calls)}
    assert set(calls) == {other}, "one call a minute"
    await phones.house.wait(20 * SECOND)
    await phones.ends(HEARD, "1", index=calls[other])
    assert (await phones.deeds(other), await phones.deeds(code)) == ([(Verb.SIGN, "bai", "voice", "电话按键1")], [])
    await phones.house.wait(MINUTE)
    assert [call.out_id.partition(".")[0] for call in phones.vendor.calls] == [other, code], "then the other one"


async def test_a_lost_report_is_asked_for(phones: Phones) -> None:
    code = await phones.ring()
    driver = phones.house.engine.rules.channels["voice"]
    assert isinstance(driver, Driver)
    assert driver.abilities.asked_after[:2] == (75, 105)
    await phones.house.wait(30 * SECOND)
    assert await ask_once(driver, phones.house.engine) == 0, "a call has its time first"
    await phones.house.wait(50 * SECOND)
    assert await ask_once(driver, phones.house.engine) == 1
    assert await phones.deeds(code) == [], "it is still under way"
    phones.vendor.end(0, HEARD, "1")
    await phones.house.wait(30 * SECOND)
    assert await ask_once(driver, phones.house.engine) == 1
    await phones.house.engine.rest()
    assert [each[0] for each in await phones.deeds(code)] == [Verb.SIGN]
    await phones.ends(HEARD, "1")
    assert len(await phones.house.journal(code, "reply_sign")) == 1, "the report that comes after all is the same end"
    await phones.house.wait(20 * MINUTE)
    assert await ask_once(driver, phones.house.engine) == 0, "and it is asked for no more"


async def test_without_any_word_a_person_calls_after_some_minutes(phones: Phones) -> None:
    code = await phones.ring()
    others = await phones.tasks(code)
    await phones.house.wait(CALL_PATIENCE - SECOND)
    assert await phones.tasks(code) == others
    await phones.house.wait(SECOND)
    assert [each for each in await phones.tasks(code) if each not in others] == ["白木匠"]


async def test_an_answer_that_was_lost_is_no_second_call_once_the_report_is_there(phones: Phones) -> None:
    phones.vendor.faults.put(Fault.DROP_AFTER)
    code = await phones.ring()
    assert len(phones.vendor.calls) == 1
    await phones.house.wait(20 * SECOND)
    await phones.ends(UNANSWERED)
    assert "白木匠" in await phones.tasks(code)
    await phones.house.wait(10 * MINUTE - STEP)
    assert len(phones.vendor.calls) == 1


async def test_an_answer_that_was_lost_with_its_report_is_one_more_call(phones: Phones) -> None:
    phones.vendor.faults.put(Fault.DROP_AFTER)
    await phones.ring()
    await phones.house.wait(CALL_PATIENCE)
    assert [call.out_id for call in phones.vendor.calls] == [phones.vendor.calls[0].out_id] * 2


async def test_a_hub_killed_between_the_call_and_its_record_still_hears_the_key(phones: Phones) -> None:
    code = await phones.house.alarm(Severity.HIGH_HIGH)
    await phones.house.wait(STEP - SECOND)
    phones.house.push(SECOND)
    now = phones.house.clock.now()
    await phones.house.engine.lapses.step(now)
    await phones.house.engine.fanout.step(now)
    await phones.house.engine.courier.step(now, everywhere=True)
    await phones.house.engine.courier.sender.idle()
    assert len(phones.vendor.calls) == 1
    await phones.house.crash()
    assert (await phones.call(code)).state is NoticeState.QUEUED
    await phones.ends(HEARD, "1")
    assert [each[0] for each in await phones.deeds(code)] == [Verb.SIGN]
    await phones.house.wait(10 * MINUTE)
    assert len(phones.vendor.calls) == 1, "and nobody is called again"


@pytest.mark.parametrize("code", ["isv.AMOUNT_NOT_ENOUGH", "isv.BUSINESS_LIMIT_CONTROL", "isv.MOBILE_NUMBER_ILLEGAL"])
async def test_what_the_vendor_refuses_is_called_by_hand_at_once(phones: Phones, code: str) -> None:
    phones.vendor.refusal = code
    phones.vendor.faults.put(Fault.REFUSE, times=5)
    incident = await phones.ring()
    assert any("白木匠" in each for each in await phones.tasks(incident))


@pytest.mark.parametrize(("status", "pressed", "verdict"), [(HEARD, "1", "delivered"), (UNANSWERED, "", "undelivered")])
async def test_a_test_call_rings_and_its_end_is_told(phones: Phones, status: str, pressed: str, verdict: str) -> None:
    engine = phones.house.engine
    desk, now = TrialDesk(engine.ledger, engine.trials, lambda: engine.rules, engine.hand), phones.house.clock.now()
    asked = await desk.ask(desk.wanted("bai", ["voice"], now), by="tester", now=now)
    await engine.rest()
    (call,) = phones.vendor.calls
    assert (call.phone, call.text) == (OPERATOR, "值班电话：测试，渠道测试，无需处置，编号无。签收请按1。")
    await phones.ends(status, pressed)
    report = await desk.look(asked)
    assert report is not None
    assert [(each.verdict, each.over) for each in report.messages] == [(verdict, True)]
    assert await engine.ledger.dead_letters() == []


async def test_who_signed_before_is_not_called(phones: Phones) -> None:
    code = await phones.house.alarm(Severity.HIGH_HIGH)
    await phones.house.says(OPERATOR, f"签收 {code}")
    await phones.house.wait(30 * MINUTE)
    assert phones.vendor.calls == []


async def test_a_key_counts_for_the_callers_own_unit_alone(phones: Phones) -> None:
    code = await phones.ring()
    await phones.house.wait(20 * SECOND)
    await phones.ends(HEARD, "1")
    signed = {duty.unit: duty.signed is not None for duty in (await phones.house.incident(code)).duties}
    assert signed[DUST]
    assert not any(there for unit, there in signed.items() if unit != DUST)


async def test_the_other_cloud_names_its_calls_itself(store: Store, tmp_path: Path) -> None:
    clock: voices.Clock = [lambda: EVENING]
    vendor: TencentVoice = voices.tencent(clock)
    async with (
        listening(vendor.app()) as url,
        house_on(store, tmp_path, voices.with_tencent(url, OPERATOR)) as house,
    ):
        clock[0] = house.clock.now
        code = await house.alarm(Severity.HIGH_HIGH)
        await house.wait(STEP)
        assert [call.phone for call in vendor.calls] == [f"+86{OPERATOR}"]
        driver = house.engine.rules.channels["vms"]
        assert isinstance(driver, Inbound)
        row = {"callid": vendor.calls[0].call_id, "mobile": OPERATOR, "nationcode": "86"}
        await house.wait(20 * SECOND)
        for body in ({"voicekey_callback": {**row, "keypress": "1"}}, {"voiceprompt_callback": {**row, "result": "0"}}):
            heard = driver.read_call(Call(Errand.REPORT, "POST", "", {}, orjson.dumps(body)), house.clock.now())
            await house.engine.answering.take(
                [item for item in heard.items if isinstance(item, Uplink)], house.clock.now()
            )
        await house.engine.rest()
        assert [(d.verb, d.person) for d in (await house.incident(code)).deeds] == [(Verb.SIGN, "bai")]
