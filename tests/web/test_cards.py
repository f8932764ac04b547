"""Cards of the WeCom app on a running hub: pressed, signed, changed; forged, stale, doubled and late presses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.demo.simulators.vendor import Fault
from bot.demo.simulators.wecom_app import WecomApp
from bot.demo.simulators.wecom_app_messages import AppCard
from escalation.deed import Deed
from escalation.incident import Incident, IncidentState
from escalation.notice import Notice, NoticeKind, NoticeState
from escalation.vocabulary import Verb
from tests.demo.house import STEEL, House

MINUTE = 60_000
OFFICER, LEADER, DIRECTOR = "PeiZhuanguan", "HeZhen", "PengZhuren"


def vendor(house: House) -> WecomApp:
    return house.demo.wall.vendors.app


def cards(house: House, member: str = OFFICER) -> list[AppCard]:
    return [card for (whose, _), card in vendor(house).cards.cards.items() if whose == member]


def told(house: House, member: str = OFFICER) -> list[str]:
    return [each.text for each in vendor(house).received if each.address == member]


async def alarm(house: House, minutes: int = 40) -> str:
    """An alarm of the park's steel works that nobody there signs, so that the park's people hear it in the app."""
    code = await house.post("alarm.raised", STEEL)
    await house.engine.advance(house.demo.clock.now() + minutes * MINUTE)
    return code


async def until(house: House, holds: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not holds():
            await house.engine.rest()
            await asyncio.sleep(0.02)


async def press(house: House, words: str, member: str = OFFICER, place: int = -1) -> None:
    card = cards(house, member)[place]
    assert await vendor(house).press(member, card.task, words, house.session) == 200


def changes(incident: Incident) -> list[Notice]:
    return [each for each in incident.notices.values() if each.kind is NoticeKind.CARD]


def signed_by(incident: Incident) -> list[Deed]:
    return [deed for deed in incident.deeds if deed.verb is Verb.SIGN]


async def test_a_card_says_what_and_where_and_has_its_buttons(house: House) -> None:
    code = await alarm(house)
    shown = cards(house)[0].shown
    assert shown["main_title"]["title"].endswith(f"须处置 {code}")
    assert {"数值", "时限"} <= {row["keyname"] for row in shown["horizontal_content_list"]}
    assert [each["text"] for each in shown["button_list"]] == ["签收", "误报", "详情"]
    assert shown["button_list"][2]["url"].startswith(f"{house.demo.url}/a/")
    assert (await house.incident(code)).deeds == []


async def test_pressed_is_signed_and_every_card_of_the_duty_says_so(house: House) -> None:
    code = await alarm(house)
    before = [card for member in (OFFICER, DIRECTOR) for card in cards(house, member) if code in card.task]
    assert len({card.member for card in before}) > 1 or len(before) > 1
    await press(house, "签收")
    incident = await house.until(code, lambda found: bool(found.deeds))
    (deed,) = signed_by(incident)
    assert (deed.person, deed.channel) == ("park-officer", "app")
    own = {card.task for card in before if duty_of(incident, card) == duty_of(incident, cards(house)[-1])}
    await until(house, lambda: all(card.replaced for card in before if card.task in own))
    for card in before:
        if card.task in own:
            assert card.replaced.startswith(deed.name)
            assert card.replaced.endswith("已签收")
    await until(house, lambda: any("已记录签收" in text and code in text for text in told(house)))
    after = await house.incident(code)
    assert {each.state for each in changes(after)} == {NoticeState.SUBMITTED}
    assert not own & {task_of(each) for each in after.cards}


def task_of(notice: str) -> str:
    return notice.replace(".", "@")


def duty_of(incident: Incident, card: AppCard) -> str:
    return next((each.duty for each in incident.notices.values() if card.task.startswith(task_of(each.id) + "@")), "")


async def test_details_are_told_and_sign_nothing(house: House) -> None:
    code = await alarm(house)
    card = cards(house)[-1]
    notice = next(
        each for each in (await house.incident(code)).notices.values() if card.task.startswith(task_of(each.id) + "@")
    )
    key = house.engine._buttons().code(notice, Verb.QUERY)
    assert await vendor(house).press_key(OFFICER, card.task, key, house.session) == 200
    await until(house, lambda: any("上游仍在报警" in text and code in text for text in told(house)))
    assert (await house.incident(code)).deeds == []
    # The card can still be pressed, and changed by what came with this press.
    await press(house, "签收")
    await house.until(code, lambda found: bool(found.deeds))
    await until(house, lambda: bool(card.replaced))


async def test_a_false_alarm_is_a_request_and_closes_nothing(house: House) -> None:
    code = await alarm(house)
    await press(house, "误报")
    incident = await house.until(code, lambda found: bool(found.requests))
    assert incident.state is IncidentState.OPEN
    assert [(each.verb, each.deed.person) for each in incident.requests] == [(Verb.FALSE_ALARM, "park-officer")]
    await until(house, lambda: cards(house)[-1].replaced.endswith("申报误报"))


@pytest.mark.parametrize("how", ["made up", "other verb", "other card", "other member", "unknown card"])
async def test_a_forged_key_does_nothing(house: House, how: str) -> None:
    code = await alarm(house)
    card = cards(house)[-1]
    key, task, member = card.key("签收"), card.task, OFFICER
    if how == "made up":
        key = "sign.AAAAAAAAAAAAAAAAAAAAAA"
    elif how == "other verb":
        key = key.replace("sign.", "false_alarm.")
    elif how == "other card":
        task = task[:-1] + ("0" if task[-1] != "0" else "1")
    elif how == "other member":
        member = DIRECTOR
    else:
        task = "x"
    assert await vendor(house).press_key(member, task, key, house.session) == 200
    await until(house, lambda: any("这个按钮无效" in text for text in told(house, member)))
    assert (await house.incident(code)).deeds == []


async def test_a_stale_card_signs_nothing_and_says_that_there_is_newer_word(house: House) -> None:
    code = await alarm(house)
    old = cards(house)[-1]
    key = old.key("签收")
    await press(house, "签收")
    await house.until(code, lambda found: bool(found.deeds))
    house.demo.clock.push_to(house.demo.clock.now() + MINUTE)
    assert await house.post("alarm.raised", STEEL, value=180, limit=160) == code
    await until(house, lambda: cards(house)[-1].task != old.task and cards(house)[-1].buttons)
    assert await vendor(house).press_key(OFFICER, old.task, key, house.session) == 200
    await until(house, lambda: any("又有新情况，未记录" in text for text in told(house)))
    incident = await house.incident(code)
    assert len(incident.deeds) == 1
    assert not any(duty.signed for duty in incident.duties if duty.open)
    await press(house, "签收")
    await house.until(code, lambda found: any(duty.signed for duty in found.duties if duty.open))


async def test_a_double_press_signs_once(house: House) -> None:
    code = await alarm(house)
    card = cards(house)[-1]
    key = card.key("签收")
    for _ in range(2):
        assert await vendor(house).press_key(OFFICER, card.task, key, house.session) == 200
    await house.until(code, lambda found: bool(found.deeds))
    house.demo.clock.push_to(house.demo.clock.now() + 1500)
    assert await vendor(house).press_key(OFFICER, card.task, key, house.session) == 200
    await until(house, lambda: any("已由" in text and "签收" in text for text in told(house)))
    first, *others = signed_by(await house.incident(code))
    assert [duty.signed for duty in (await house.incident(code)).duties if duty.signed] == [first]
    # Both presses within one second were one; the later one was only answered.
    assert len(others) == 1
    assert sum("已记录签收" in text for text in told(house)) == 1


async def test_a_press_after_the_close_is_told_so(house: House) -> None:
    code = await alarm(house)
    card = cards(house)[-1]
    key = card.key("签收")
    await press(house, "签收")
    await house.until(code, lambda found: bool(found.deeds))
    await house.post("alarm.cleared", STEEL, severity="high_high", value=20, limit=160)
    incident = await house.incident(code)
    if incident.state is IncidentState.OPEN:
        await house.until(code, lambda found: not found.active)
    deeds = len((await house.incident(code)).deeds)
    house.demo.clock.push_to(house.demo.clock.now() + 2000)
    assert await vendor(house).press_key(OFFICER, card.task, key, house.session) == 200
    words = "关闭" if (await house.incident(code)).state is IncidentState.CLOSED else "已由"
    await until(house, lambda: any(words in text and code in text for text in told(house)[-3:]))
    assert len((await house.incident(code)).deeds) == deeds


@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.STATUS_500, Fault.DROP_AFTER])
async def test_a_change_that_fails_is_recorded_and_harms_nothing(house: House, fault: Fault) -> None:
    code = await alarm(house)
    vendor(house).change_faults.put(fault, times=20, code=40058)
    await press(house, "签收")
    await house.until(code, lambda found: bool(found.deeds))
    await until(house, lambda: vendor(house).change_faults.happened[fault] > 0)
    vendor(house).change_faults.clear()
    await house.engine.advance(house.demo.clock.now() + 5 * MINUTE)
    incident = await house.incident(code)
    assert signed_by(incident)
    assert not [each for each in incident.notices.values() if each.state is NoticeState.DEAD]
    assert not [each for each in incident.notices.values() if each.kind is NoticeKind.CARD and each.attempt]
    states = {each.state for each in changes(incident)}
    assert states <= {NoticeState.SUBMITTED, NoticeState.FAILED, NoticeState.UNCERTAIN}
    if fault is Fault.REFUSE:
        assert NoticeState.FAILED in states


async def test_a_change_survives_a_hub_that_dies(house: House) -> None:
    """What is owed to a card stands in outbox and mailbox like every notice: a later engine sends it."""
    code = await alarm(house)
    card = cards(house)[-1]
    vendor(house).change_faults.put(Fault.STATUS_500, times=1)
    await press(house, "签收")
    await house.until(code, lambda found: any(each.kind is NoticeKind.CARD for each in found.notices.values()))
    await until(house, lambda: vendor(house).change_faults.happened[Fault.STATUS_500] > 0)
    await house.engine.advance(house.demo.clock.now() + MINUTE)
    await until(house, lambda: card.replaced.endswith("已签收"))


async def test_the_wall_shows_cards_presses_them_and_sends_a_picture(house: House) -> None:
    code = await alarm(house)
    wall = house.demo.wall
    phone = wall._phones.by_id["park-officer"]
    shown = next(each["card"] for each in reversed(phone.messages) if "card" in each)
    assert (shown["buttons"], shown["replaced"]) == (["签收", "误报"], "")
    headers = {"Origin": house.demo.url}
    pressed = {"phone": phone.id, "task": shown["task"], "words": "签收"}
    async with house.session.post(f"{house.demo.url}/demo/api/card", json=pressed, headers=headers) as response:
        assert response.status == 200, await response.text()
    await house.until(code, lambda found: bool(found.deeds))
    await until(house, lambda: shown["replaced"].endswith("已签收"))
    async with house.session.post(f"{house.demo.url}/demo/api/card", json=pressed, headers=headers) as response:
        assert response.status == 409
    taken = {"phone": phone.id}
    async with house.session.post(f"{house.demo.url}/demo/api/picture", json=taken, headers=headers) as response:
        assert response.status == 200
    await house.until(code, lambda found: bool(found.evidence))
