"""Each class of outcome end to end: what the vendor says, what people hear, what the journal keeps."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from bot.demo.simulators.vendor import Fault
from bot.store.client import Store
from escalation.event import EventType
from escalation.notice import NoticeState
from escalation.vocabulary import Level, Mode, Severity
from tests.workers.house import (
    DUST,
    HOUR,
    KEEPER_MAIL,
    MINUTE,
    OFFICER,
    OFFICER_MAIL,
    OPERATOR,
    SECOND,
    STEEL,
    House,
    codes_of,
    house_on,
)


def mail_first(text: str) -> str:
    """明木家具's safety officer reads mail before SMS."""
    sms, mail = '{ channel = "sms", address = "13800130003" }', '{ channel = "mail", address = "lin@example.cn" }'
    assert f"{sms}, {mail}" in text
    return text.replace(f"{sms}, {mail}", f"{mail}, {sms}")


async def test_accepted_is_submitted_once(house: House) -> None:
    code = await house.alarm()
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER, OFFICER_MAIL)] == [1, 1, 0]
    notices = (await house.incident(code)).notices.values()
    assert {notice.state for notice in notices} == {NoticeState.SUBMITTED}
    submitted = await house.journal(code, "receipt_submitted")
    assert sorted(entry.notice for entry in submitted) == sorted(notice.id for notice in notices)


async def test_a_throttled_group_rests_and_is_told_when_the_rest_is_over(house: House) -> None:
    """45009: nothing more is asked of this robot for a minute, then both warnings arrive."""
    house.vendors.wecom.faults.put(Fault.REFUSE, times=2, code=45009)
    codes = [await house.warning(enterprise=DUST)]
    assert house.vendors.wecom.received == []
    codes.append(await house.warning(enterprise=STEEL))
    await house.wait(59 * SECOND)
    assert [each.address for each in house.vendors.wecom.received] == ["park-group"], "only the throttled ones rest"
    await house.wait(2 * SECOND)
    assert [codes[0] in text for text in house.texts("hedong-group")] == [True]
    assert sorted(codes_of(house.texts("county-group"))) == sorted(codes)
    said = [str(entry.detail["detail"]) for entry in await house.journal(codes[0], "receipt_throttled")]
    assert [text.startswith("45009") for text in said] == [True, True]


async def test_a_critical_notice_does_not_wait_for_a_throttled_channel(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_429, times=10)
    code = await house.alarm(Severity.HIGH_HIGH)
    assert house.at(OFFICER) == []
    (mail,) = house.at(OFFICER_MAIL)
    assert mail.at == house.clock.now()
    assert code in mail.text
    house.vendors.sms.faults.clear()
    await house.wait(8 * SECOND)
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER, OFFICER_MAIL)] == [1, 1, 1]


async def test_transient_is_repeated_with_back_off_until_it_is_taken(house: House) -> None:
    house.vendors.sms.faults.put(Fault.STATUS_500, times=4)
    code = await house.alarm()
    await house.wait(1 * SECOND)
    assert house.vendors.sms.received == []
    await house.wait(10 * SECOND)
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER)] == [1, 1]
    submitted = await house.journal(code, "receipt_submitted")
    assert [entry.detail["tries"] for entry in submitted] == [3, 3]
    assert not any(entry.detail["repeat"] for entry in submitted)


async def test_after_three_tries_the_next_channel_is_used_as_well(house: House) -> None:
    """The SMS gateway is down: by mail it arrives at once after the third try, by SMS when the gateway is back."""
    house.vendors.sms.faults.put(Fault.STATUS_500, times=1000)
    code = await house.alarm()
    await house.wait(2 * SECOND)
    assert house.at(OFFICER_MAIL) == []
    await house.wait(6 * SECOND)
    assert [code in mail.text for mail in house.at(OFFICER_MAIL)] == [True]
    house.vendors.sms.faults.clear()
    await house.wait(2 * MINUTE)
    assert [len(house.at(each)) for each in (OPERATOR, OFFICER, OFFICER_MAIL)] == [1, 1, 1]


async def test_what_nobody_takes_for_a_day_is_a_dead_letter_and_the_next_tower_is_lit(
    store: Store, tmp_path: Path
) -> None:
    """No phone of the enterprise answers for 24 h: the ladder has long gone up, and what waited ends visibly."""
    async with house_on(store, tmp_path) as house:
        house.reload(lambda text: re.sub(r'url = "http://127.0.0.1:\d+/cgi', 'url = "http://127.0.0.1:9/cgi', text))
        code = await house.alarm()
        notice = next(
            each for each in (await house.incident(code)).notices.values() if each.contact.address == OPERATOR
        )
        await house.wait(2 * MINUTE)
        assert "未连上" in str((await house.journal(code, "receipt_transient"))[0].detail["detail"])
        await house.wait(3 * HOUR)
        assert any(code in text for text in house.texts("hedong-group"))
        house.push(21 * HOUR)
        await house.wait(MINUTE)
        dead = [entry.notice for entry in await house.journal(code, "dead_letter")]
        assert notice.id in dead
        assert any("无法送达" in text for text in house.texts(KEEPER_MAIL))


async def test_a_lost_answer_is_repeated_once_and_marked_as_a_possible_repeat(house: House) -> None:
    house.vendors.sms.faults.put(Fault.DROP_AFTER, times=1)
    code = await house.warning(Level.BLUE)
    await house.wait(MINUTE)
    assert len(house.at(OFFICER)) == 2
    assert len(set(house.texts(OFFICER))) == 1
    marks = {each.actor: each.detail["repeat"] for each in await house.journal(code, "receipt_submitted")}
    assert [who for who, mark in marks.items() if mark] == [f"{DUST}/safety_officer/lin"]


async def test_a_second_lost_answer_counts_as_sent(house: House) -> None:
    house.vendors.sms.faults.put(Fault.DROP_AFTER, times=9)
    code = await house.warning(Level.BLUE)
    await house.wait(MINUTE)
    assert len(house.at(OFFICER)) == 2
    states = [each.state for each in (await house.incident(code)).notices.values() if each.contact.address == OFFICER]
    assert states == [NoticeState.UNCERTAIN]


async def test_a_lost_answer_after_refusals_is_repeated_all_the_same(house: House) -> None:
    """Nothing of the earlier tries was accepted, so this one is the first that may have arrived."""
    house.vendors.sms.faults.put(Fault.STATUS_500, times=2)
    house.vendors.sms.faults.put(Fault.GARBAGE)
    code = await house.warning(Level.BLUE)
    await house.wait(MINUTE)
    assert house.vendors.sms.faults.happened == {Fault.STATUS_500: 2, Fault.GARBAGE: 1}
    assert [code in text for text in house.texts(OFFICER)] == [True]


async def test_an_address_the_mail_server_refuses_falls_to_the_next_channel(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, mail_first) as house:
        house.vendors.mail.refuses[OFFICER_MAIL] = "550 5.1.1 no such user"
        code = await house.warning(Level.BLUE)
        assert [code in text for text in house.texts(OFFICER)] == [True]
        assert await house.journal(code, "dead_letter") == []


async def test_nobody_of_the_duty_can_be_reached_and_the_leader_hears(house: House) -> None:
    """Every number of the shop floor is refused, the second operator's too: visible dead letters, the leader, and the
    maintainers."""
    house.vendors.sms.faults.put(Fault.REFUSE, times=3, code=400)
    house.vendors.mail.refuses[OFFICER_MAIL] = "550 5.1.1 no such user"
    code = await house.alarm()
    dead = await house.journal(code, "dead_letter")
    assert {entry.detail["channel"] for entry in dead} == {"sms", "mail"}
    assert len(await house.journal(code, "next_person")) == 2
    assert not await house.journal(code, "unreachable_goes_up"), "somebody of the enterprise can be reached"
    assert any(code in text for text in house.texts("13800130004")), "穆厂长 leads there"
    assert any("无法送达" in text and code in text for text in house.texts(KEEPER_MAIL))


async def test_a_text_the_vendor_refuses_leaves_in_its_plainest_form(house: House) -> None:
    house.vendors.wecom.faults.put(Fault.REFUSE, times=2, code=40058)
    code = await house.warning()
    (text,) = house.texts("hedong-group")
    assert code in text
    assert "黄色" in text
    assert "明木家具" in text
    assert len(text) < 60


async def test_a_drill_is_a_drill_in_its_plainest_form_too(house: House) -> None:
    house.vendors.wecom.faults.put(Fault.REFUSE, times=2, code=40058)
    await house.take([house.event(EventType.WARNING_ISSUED, level=Level.YELLOW, mode=Mode.EXERCISE)])
    await house.engine.rest()
    for group in ("hedong-group", "county-group"):
        (text,) = house.texts(group)
        assert text.startswith("【演练】")


async def test_a_text_refused_twice_falls_to_the_next_channel(store: Store, tmp_path: Path) -> None:
    async with house_on(store, tmp_path, mail_first) as house:
        house.vendors.mail.faults.put(Fault.REFUSE, times=2, code=554)
        code = await house.warning(Level.BLUE)
        assert house.at(OFFICER_MAIL) == []
        assert [code in text for text in house.texts(OFFICER)] == [True]
        (refused,) = await house.journal(code, "receipt_refused_content")
        assert refused.detail["detail"] == "554 refused as told"


async def test_a_channel_that_is_gone_after_a_reload_is_told_and_gone_around(house: House) -> None:
    """What waits for a robot that the administrator took away falls to the people's other ways."""
    code = await house.warning(Level.BLUE, rest=False)
    house.engine.rules = replace(
        house.engine.rules,
        channels={name: each for name, each in house.engine.rules.channels.items() if name != "sms"},
    )
    await house.engine.rest()
    assert house.vendors.sms.received == []
    assert [code in text for text in house.texts(OFFICER_MAIL)] == [True]
    assert len([text for text in house.texts(KEEPER_MAIL) if "渠道 sms 无法使用" in text]) == 1
    said = {entry.detail["detail"] for entry in await house.journal(code, "receipt_misconfigured")}
    assert said == {"channel sms is not configured"}
