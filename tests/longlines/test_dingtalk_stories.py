"""The DingTalk app at the edge: told by card, signed by button or words, pictures, strangers, read and not signed."""

from __future__ import annotations

import pytest

from bot.demo.simulators.vendor import Fault
from channels.dingtalk.outsiders import PREFIX
from escalation.ledger.quarantine import Quarantine
from escalation.notice import NoticeState
from tests.channels.conftest import a_letter
from tests.longlines.conftest import CAO, LIN, Line
from tests.workers.house import KEEPER_MAIL, OFFICER_MAIL, PARTITIONS, SECOND

JPEG = b"\xff\xd8\xff\xe0" + bytes(600)
COUNTY_ROOM = "county-group"


async def test_a_card_is_pressed_signed_once_and_the_others_cards_say_so(line: Line) -> None:
    line.hold()
    code = await line.alarm()
    mine, others = line.cards(LIN)[-1], line.cards(CAO)[-1]
    assert code in mine.text
    assert set(mine.buttons) == {"签收", "误报", "详情"}
    await line.press(LIN, "签收")
    (deed,) = await line.signatures(code)
    assert (deed.person, deed.channel) == ("lin", "ding")
    await line.until(lambda: bool(mine.replaced and others.replaced))
    assert mine.replaced.endswith("已签收")
    assert (others.replaced, others.buttons) == (mine.replaced, {})
    assert any("已记录签收" in text for text in line.told(LIN))


async def test_details_are_told_and_sign_nothing(line: Line) -> None:
    line.hold()
    code = await line.alarm()
    await line.press(LIN, "详情")
    assert await line.signatures(code) == []
    assert any("上游仍在报警" in text for text in line.told(LIN))


@pytest.mark.parametrize("how", ["another's", "made up", "other card"])
async def test_a_value_that_is_not_ours_for_them_signs_nothing(line: Line, how: str) -> None:
    line.hold()
    code = await line.alarm()
    card = line.cards(LIN)[-1]
    value, member = card.code("签收"), LIN
    if how == "another's":
        member = CAO
    elif how == "made up":
        value = "sign.AAAAAAAAAAAAAAAAAAAAAA"
    identity = card.id[:-1] + ("0" if card.id[-1] != "0" else "1") if how == "other card" else card.id
    await line.vendor.press_code(member, identity, value, line.house._session)
    await line.heard()
    assert await line.signatures(code) == []
    assert any("这个按钮无效" in text for text in line.told(member))


async def test_words_sign_once_however_often_they_are_pushed(line: Line) -> None:
    line.hold()
    code = await line.alarm()
    said = line.vendor.message(LIN, "text", text={"content": f" 签收 {code}"})
    for _ in range(2):
        # The vendor pushes the same message under another frame.
        await line.vendor.say(said, line.house._session)
        await line.heard()
    assert len(await line.signatures(code)) == 1
    assert sum("已记录签收" in text for text in line.told(LIN)) == 1


async def test_a_picture_becomes_evidence(line: Line) -> None:
    line.hold()
    code = await line.alarm()
    line.vendor.media_faults.put(Fault.STATUS_500)
    await line.vendor.send_picture(LIN, JPEG, line.house._session)
    await line.heard()
    for _ in range(3):
        line.house.push(30 * SECOND)
        await line.house.engine.rest()
    (kept,) = (await line.house.incident(code)).evidence
    assert kept.file is not None
    assert (line.house.folder / kept.file.path).read_bytes() == JPEG


async def test_what_is_no_text_is_told_and_what_is_unreadable_is_kept(line: Line) -> None:
    line.hold()
    code = await line.alarm()
    await line.vendor.say(line.vendor.message(LIN, "video", content={"downloadCode": "x"}), line.house._session)
    await line.heard()
    assert any("收到视频" in text for text in line.told(LIN))
    broken = {**line.vendor.message(LIN, "richText"), "content": {"richText": "A0231 爆炸"}}
    await line.vendor.say(broken, line.house._session)
    await line.heard()
    (row,) = await Quarantine(line.house.door, PARTITIONS).rows()
    assert "A0231 爆炸".encode() in row.body
    assert any("爆炸" in text for text in [*line.house.texts(COUNTY_ROOM), *line.house.texts(KEEPER_MAIL)])
    assert await line.signatures(code) == []


async def test_a_stranger_who_cries_fire_is_heard_and_answered_in_the_conversation(line: Line) -> None:
    line.hold()
    origin = line.driver()._settings.session_url
    said = line.vendor.message("x1", "text", origin=origin, outside=True, text={"content": "车间着火了"})
    await line.vendor.say(said, line.house._session)
    await line.heard()
    assert any("着火" in text for text in line.house.texts(COUNTY_ROOM))
    (answers,) = line.vendor.sessions.values()
    assert any("不代替事故报告" in text for text in answers)
    shown = f"{await line.house.loose_journal('reply_unknown_sender')}"
    assert said["sessionWebhook"].partition("session=")[2] not in shown


async def test_after_the_conversation_has_ended_nobody_can_be_answered(line: Line) -> None:
    said = line.vendor.message("x1", "text", origin=line.driver()._settings.session_url, outside=True)
    address = line.driver()._outsiders.address(said["senderId"], said["sessionWebhook"], line.house.clock.now())
    assert address.startswith(PREFIX)
    outcome = await line.driver().send(a_letter("您好", address=address, at=line.house.clock.now()))
    assert outcome.kind == "refused_recipient"


@pytest.mark.parametrize("form", ["card", "markdown"])
async def test_who_is_left_out_hears_by_mail(line: Line, form: str) -> None:
    line.house.reload(lambda text: text.replace('form = "card"\ncard_template', f'form = "{form}"\ncard_template'))
    line.vendor.members.discard(LIN)
    code = await line.alarm()
    assert any(code in text for text in line.house.texts(OFFICER_MAIL))
    assert line.told(LIN) == []
    assert any(code in text for text in line.told(CAO))


async def test_an_expired_token_is_renewed_once_for_all(line: Line) -> None:
    first = await line.alarm()
    assert line.vendor.logins == 1
    line.vendor.revoke()
    await line.house.alarm(point="DC01-T02")
    assert line.vendor.logins == 2
    assert any(first not in card.text for card in line.cards(LIN))


async def test_read_is_asked_for_until_it_is_so_and_signs_nothing(line: Line) -> None:
    line.house.reload(lambda text: text.replace('form = "card"\ncard_template', "card_template"))
    code = await line.alarm()
    assert await line.ask() == 0
    line.house.push(60 * SECOND)
    asked = await line.ask()
    assert asked > 0
    assert line.vendor.asked == asked
    line.vendor.read.add(LIN)
    line.house.push(240 * SECOND)
    await line.ask()
    notices = (await line.house.incident(code)).notices.values()
    states = {each.contact.address: each.state for each in notices if each.contact.channel == "ding"}
    assert states == {LIN: NoticeState.READ, CAO: NoticeState.SUBMITTED}
    assert await line.signatures(code) == []
    before = line.vendor.asked
    line.house.push(1800 * SECOND)
    await line.ask()
    assert line.vendor.asked == before + 1


async def test_a_vendor_that_does_not_say_is_asked_again_at_the_next_time(line: Line) -> None:
    line.house.reload(lambda text: text.replace('form = "card"\ncard_template', "card_template"))
    code = await line.alarm()
    line.vendor.read.update((LIN, CAO))
    line.house.push(60 * SECOND)
    line.vendor.throttled = True
    assert await line.ask() > 0
    line.vendor.throttled = False
    assert await line.ask() == 0
    line.house.push(240 * SECOND)
    assert await line.ask() > 0
    notices = (await line.house.incident(code)).notices.values()
    assert all(each.state is NoticeState.READ for each in notices if each.contact.channel == "ding")
