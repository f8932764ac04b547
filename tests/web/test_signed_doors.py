"""The WeCom app on a running hub: told with a link, answered in the app, whatever the vendor and the store do."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

import pytest
from yarl import URL

from bot.demo.simulators.wecom_app import WecomApp
from bot.quarantine import Desk
from bot.web import doors
from channels.callback import Listener
from channels.channel import Uplink
from channels.wecom.callback_crypto import Seal
from escalation.notice import NoticeState
from escalation.vocabulary import Verb
from tests.demo.house import STEEL, House

MINUTE = 60_000
OFFICER = "PeiZhuanguan"


def vendor(house: House) -> WecomApp:
    return house.demo.wall.vendors.app


async def alarm(house: House) -> str:
    """An alarm of the park's steel works that nobody there signs, so that the park's officer hears it in the app."""
    code = await house.post("alarm.raised", STEEL)
    await house.engine.advance(house.demo.clock.now() + 40 * MINUTE)
    return code


def told(house: House, member: str = OFFICER) -> list[str]:
    return [each.text for each in vendor(house).received if each.address == member]


async def until_told(house: House, *words: str, member: str = OFFICER) -> str:
    async with asyncio.timeout(40):
        while True:
            for text in told(house, member):
                if all(word in text for word in words):
                    return text
            count = len(vendor(house).received)
            await house.engine.rest()
            if len(vendor(house).received) == count:
                await asyncio.sleep(0.02)


async def test_the_address_is_checked_as_the_vendor_does(house: House) -> None:
    assert await vendor(house).check(house.session)


async def test_an_officer_is_told_with_a_link_and_answers_in_the_app(house: House) -> None:
    code = await alarm(house)
    text = await until_told(house, code, "/a/")
    link = re.search(re.escape(house.demo.url) + r"/a/\S+", text)
    assert link is not None
    assert (await house.get(link.group().removeprefix(house.demo.url)))[0] == 200
    assert await vendor(house).write(OFFICER, f"签收 {code}", house.session, "m1") == 200
    incident = await house.until(code, lambda found: bool(found.deeds))
    assert [(deed.verb, deed.person, deed.channel) for deed in incident.deeds] == [(Verb.SIGN, "park-officer", "app")]
    await until_told(house, "已记录签收", code)
    answers = len(told(house))
    # The vendor's repeat of the same message is the same message.
    assert await vendor(house).write(OFFICER, f"签收 {code}", house.session, "m1") == 200
    await house.engine.rest()
    assert len((await house.incident(code)).deeds) == 1
    assert len(told(house)) == answers


async def test_what_is_no_text_is_answered_and_acts_on_nothing(house: House) -> None:
    code = await alarm(house)
    fields = {
        "MsgType": "location",
        "Location_X": "30",
        "Location_Y": "120",
        "Label": f"签收 {code} 爆炸",
        "MsgId": "8",
    }
    assert await vendor(house).call(OFFICER, fields, house.session) == 200
    await until_told(house, "收到位置", "只能识别文字")
    assert await vendor(house).call(OFFICER, {"MsgType": "event", "Event": "enter_agent"}, house.session) == 200
    await house.engine.rest()
    assert (await house.incident(code)).deeds == []


@pytest.mark.parametrize("how", ["left", "unlicensed"])
async def test_whoever_the_vendor_leaves_out_is_told_by_the_next_way(house: House, how: str) -> None:
    """Refused as a whole (81013), or left out of a success (``unlicenseduser`` beside errcode 0)."""
    (vendor(house).expel if how == "left" else vendor(house).unlicense)(OFFICER)
    code = await alarm(house)
    incident = await house.incident(code)
    ways = {
        (notice.contact.channel, notice.state)
        for notice in incident.notices.values()
        if notice.to.person == "park-officer"
    }
    assert ("app", NoticeState.FAILED) in ways
    assert {channel for channel, state in ways if state.reached_vendor} == {"cloud"}
    assert told(house) == []
    assert all(who != OFFICER for who, _ in vendor(house).cards.cards)


async def test_one_member_is_never_sent_more_than_the_vendor_takes(house: House) -> None:
    """What is over 30 a minute the vendor drops and says ok: the hub counts for itself, and nothing is lost."""
    asked = [vendor(house).write(OFFICER, "帮助", house.session, f"many{number}") for number in range(45)]
    assert set(await asyncio.gather(*asked)) == {200}
    await until_told(house, "回复“1”")
    now = house.demo.clock.now()
    for minute in range(1, 4):
        await house.engine.advance(now + minute * MINUTE + 1000)
    assert vendor(house).silent == {"minute": 0, "hour": 0, "repeat": 0, "cut": 0}
    assert sum(text.count("回复“1”或“签收”即签收") for text in told(house)) == 45


async def test_a_stranger_of_the_corporation_is_told_so(house: House) -> None:
    vendor(house).admit("Stranger")
    assert await vendor(house).write("Stranger", "签收", house.session) == 200
    await until_told(house, "未登记", member="Stranger")


async def test_a_store_that_is_away_is_waited_for_and_else_the_vendor_hears_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor calls again after silence, and never after an error."""
    code = await alarm(house)
    driver = house.demo.hub.rules.channels["app"]
    assert isinstance(driver, Listener)
    driver.patience = 0.3
    real, failing = house.engine.answering.take, [True]

    async def take(uplinks: Sequence[Uplink], now: int) -> list[bool]:
        if failing:
            raise ConnectionError("the store is away")
        return await real(uplinks, now)

    monkeypatch.setattr(house.engine.answering, "take", take)
    assert await vendor(house).write(OFFICER, f"签收 {code}", house.session, "m1") == 0
    driver.patience = 4.0
    asked = asyncio.create_task(vendor(house).write(OFFICER, f"签收 {code}", house.session, "m1"))
    await asyncio.sleep(doors.AGAIN)
    failing.clear()
    assert await asked == 200
    await house.until(code, lambda found: bool(found.deeds))


async def test_the_answer_comes_in_time_under_load(house: House) -> None:
    """Three hundred messages at once, and the vendor's five seconds."""
    started = time.monotonic()
    statuses = await asyncio.gather(
        *(vendor(house).write(OFFICER, "查询", house.session, f"m{number}") for number in range(300))
    )
    assert set(statuses) == {200}
    assert time.monotonic() - started < 5 * 3


@pytest.mark.parametrize("channel", ["sms", "nothing", "hedong-group"])
async def test_only_channels_that_listen_have_such_a_door(house: House, channel: str) -> None:
    async with house.session.post(f"{house.demo.url}/callback/{channel}", data=b"x") as response:
        assert response.status == 404


async def test_what_is_not_the_vendors_is_not_let_in(house: House, caplog: pytest.LogCaptureFixture) -> None:
    account = vendor(house).account
    now = house.demo.clock.now() // 1000
    right = Seal.of(account.callback_token, account.callback_key, account.corpid)
    fields = {"FromUserName": OFFICER, "MsgType": "text", "Content": "签收", "MsgId": "9"}
    message = f"<xml>{''.join(f'<{name}>{value}</{name}>' for name, value in fields.items())}</xml>"
    cases = [
        (Seal.of("other", account.callback_key, account.corpid), now, message, 403),
        (Seal.of(account.callback_token, account.callback_key, "wwother"), now, message, 403),
        (right, now - 301, message, 403),
    ]
    for seal, timestamp, plain, status in cases:
        sealed, signature = seal.close(plain, str(timestamp), "n", b"0123456789abcdef")
        query = {"msg_signature": signature, "timestamp": str(timestamp), "nonce": "n"}
        url = URL(f"{house.demo.url}/callback/app").with_query(query)
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
        async with house.session.post(url, data=body.encode()) as response:
            assert response.status == status
            assert "of app from 127.0.0.1 was not let in" in caplog.text
            assert account.callback_token not in await response.text()
    for raw, status in ((b"x" * 300_000, 400), (b"", 400), (b"\xff\xfe", 400)):
        async with house.session.post(f"{house.demo.url}/callback/app?timestamp=1", data=raw) as response:
            assert response.status == status
    assert await house.engine.answering.step(house.demo.clock.now()) == 0


async def test_an_event_that_nobody_knows_is_in_quarantine_and_told_once_an_hour(house: House) -> None:
    fields = {"MsgType": "event", "Event": "licence_expires"}
    for key in ("1", "2"):
        assert await vendor(house).call(OFFICER, {**fields, "EventKey": key}, house.session) == 200
    await house.engine.rest()
    rows = (
        await Desk(
            house.engine.store, house.engine.partitions, house.engine.rules, house.engine.take, house.engine.clock.now
        ).everything()
    ).rows
    assert [(row.source, row.callback) for row in rows] == [("app", "event")] * 2
    mails = [each.text for each in house.demo.wall.vendors.mail.received if "licence_expires" in each.text]
    assert len(mails) == 1
    assert "渠道 app 的一条平台事件无法读取，已隔离" in mails[0]
    assert "可能有人求助" not in " ".join(each.text for each in house.demo.wall.vendors.gateway.received)
