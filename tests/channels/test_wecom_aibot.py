"""The robot's driver against a strict vendor: what is sent, answered, changed, kept."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from channels.callback import Media
from channels.carrying import NO_CARRIER
from channels.channel import answer_id
from channels.outcome import Outcome, OutcomeKind
from channels.registry import open_channel, parse
from channels.wecom import aibot
from tests.channels.aibot_line import MEMBER, Here, Line, card, driver_for, held, line
from tests.channels.conftest import NIGHT, Clock, a_letter

__all__ = ["line"]


async def test_words_go_as_markdown_and_a_call_to_act_as_a_card(line: Line) -> None:
    assert (await line.send()).kind is OutcomeKind.ACCEPTED
    assert (await line.send(card=card())).kind is OutcomeKind.ACCEPTED
    words, shown = line.vendor.received
    assert (words.address, words.text) == (MEMBER, "【红色】CO 31ppm A0231")
    assert b'"chat_type":1' in words.raw
    assert "［签收］" in shown.text


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("lisi", OutcomeKind.REFUSED_RECIPIENT),
        ("a|b", OutcomeKind.REFUSED_RECIPIENT),
        ("@all", OutcomeKind.REFUSED_RECIPIENT),
    ],
)
async def test_whom_it_cannot_reach(line: Line, address: str, kind: OutcomeKind) -> None:
    assert (await line.send(address=address)).kind is kind
    assert line.vendor.received == []


async def test_a_text_beyond_its_limit_is_not_sent(line: Line) -> None:
    assert (await line.send("警" * 1400)).kind is OutcomeKind.REFUSED_CONTENT
    assert (await line.send(" ")).kind is OutcomeKind.REFUSED_CONTENT
    assert line.vendor.received == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (45009, OutcomeKind.THROTTLED),
        (-1, OutcomeKind.TRANSIENT),
        (40058, OutcomeKind.REFUSED_CONTENT),
        (99999, OutcomeKind.REFUSED_CONTENT),
        (40001, OutcomeKind.MISCONFIGURED),
    ],
)
async def test_what_codes_mean(line: Line, code: int, kind: OutcomeKind) -> None:
    line.vendor.faults.codes["aibot_send_msg"] = [code]
    found = await line.send()
    assert found.kind is kind
    assert str(code) in found.detail


async def test_the_vendors_limit_of_one_chat(line: Line) -> None:
    kinds = [(await line.send()).kind for _ in range(31)]
    assert kinds == [OutcomeKind.ACCEPTED] * 30 + [OutcomeKind.THROTTLED]


async def test_an_answer_that_does_not_come_may_have_arrived(line: Line) -> None:
    line.vendor.faults.deaf.append("aibot_send_msg")
    assert (await line.send(card=card())).kind is OutcomeKind.UNCERTAIN
    # The card is there: its repeat is refused, and known to be one.
    assert (await line.send(card=card(), repeat=True)).kind is OutcomeKind.ACCEPTED
    assert len(line.vendor.received) == 1


async def test_without_a_line_nothing_is_sent_and_nothing_raised(session: aiohttp.ClientSession) -> None:
    driver = driver_for("ws://127.0.0.1:9", session)
    assert (await driver.send(a_letter(address=MEMBER))).kind is OutcomeKind.TRANSIENT
    driver.carrier = None
    assert (await driver.send(a_letter(address=MEMBER))).kind is OutcomeKind.TRANSIENT


async def test_a_text_is_kept_and_answered_in_its_own_frame(line: Line) -> None:
    identity = await line.vendor.write(MEMBER, "签收 A0231")
    (uplink,) = await line.ear.next()
    assert (uplink.text, uplink.sender, uplink.message_id, uplink.at) == ("签收 A0231", MEMBER, identity, NIGHT)
    said = await line.send("已记录签收", id=answer_id("bot", identity))
    assert said.kind is OutcomeKind.ACCEPTED
    (answer,) = line.vendor.answers
    assert (answer["finish"], answer["content"]) == (True, "已记录签收")
    # One frame has one answer; whatever comes later is a message of its own.
    assert (await line.send("另一句", id=answer_id("bot", identity))).kind is OutcomeKind.ACCEPTED
    assert (len(line.vendor.answers), len(line.vendor.received)) == (1, 2)


async def test_an_answer_whose_time_is_over_is_sent_as_a_message(line: Line, clock: Clock) -> None:
    identity = await line.vendor.write(MEMBER, "查询")
    await line.ear.next()
    clock.at += 601_000
    assert (await line.send("迟到的答复", id=answer_id("bot", identity))).kind is OutcomeKind.ACCEPTED
    assert line.vendor.answers == []
    assert [each.text for each in line.vendor.received] == ["迟到的答复"]


async def test_what_cannot_be_kept_is_tried_until_it_is(line: Line) -> None:
    line.ear.refusing = 3
    await line.vendor.write(MEMBER, "签收")
    assert [each.text for each in await line.ear.next()] == ["签收"]


async def test_a_group_is_answered_in_the_group_and_spoken_words_are_words(line: Line) -> None:
    identity = await line.vendor.write(MEMBER, "签收 A0231", group="wrGroup1")
    (uplink,) = await line.ear.next()
    assert uplink.text == "签收 A0231"
    await line.send("已记录", id=answer_id("bot", identity))
    assert line.vendor.answers[0]["chat"] == "wrGroup1"
    await line.vendor.write(MEMBER, "签收。", spoken=True)
    assert [each.text for each in await line.ear.next()] == ["签收。"]


async def test_a_quote_stands_around_the_answer(line: Line) -> None:
    await line.vendor.write(MEMBER, "签收", quote="红色 须处置 A0231「x」")
    (uplink,) = await line.ear.next()
    assert uplink.text == "「红色 须处置 A0231 x」\n签收"


async def test_pictures_are_fetched_and_unsealed_while_their_address_is_good(line: Line, clock: Clock) -> None:
    body = b"\xff\xd8\xff" + b"picture" * 5
    await line.vendor.send_picture(MEMBER, body, words="A0231 现场")
    words, picture = await line.ear.next()
    assert (words.text, words.media) == ("A0231 现场", "")
    assert picture.message_id == f"{words.message_id}/1"
    assert await line.driver.fetch(picture.media, clock()) == Media(body)
    clock.at += 301_000
    late = await line.driver.fetch(picture.media, clock())
    assert isinstance(late, Outcome)
    assert late.kind is OutcomeKind.REFUSED_CONTENT
    assert "过期" in late.detail


async def test_a_picture_that_is_too_large_or_broken_is_none(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with held(session, clock, evidence_bytes=10_000) as line:
        await line.vendor.send_picture(MEMBER, b"\xff\xd8\xff" + b"x" * 20_000)
        (picture,) = await line.ear.next()
        large = await line.driver.fetch(picture.media, clock())
        assert isinstance(large, Outcome)
        assert "10000" in large.detail
        at, _, url = picture.media.split(" ")
        wrong = await line.driver.fetch(f"{at} {'A' * 43} {url}", clock())
        assert isinstance(wrong, Outcome)
        assert wrong.kind is OutcomeKind.REFUSED_CONTENT


async def test_who_comes_in_is_welcomed_within_the_vendors_time(line: Line) -> None:
    await line.vendor.enter(MEMBER)
    (uplink,) = await line.ear.next()
    assert uplink.entered
    await line.vendor.until(lambda: line.vendor.welcomes)
    assert "签收" in line.vendor.welcomes[0]["text"]["content"]


async def test_without_a_welcome_the_answer_takes_its_turn(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with held(session, clock, welcome="") as line:
        await line.vendor.enter(MEMBER)
        (uplink,) = await line.ear.next()
        await line.send("待签收 1 起：A0231", id=answer_id("bot", uplink.message_id))
        assert [each["text"]["content"] for each in line.vendor.welcomes] == ["待签收 1 起：A0231"]


async def test_a_press_is_kept_and_its_card_changed_at_once(line: Line) -> None:
    await line.send(card=card())
    await line.vendor.press(MEMBER, card().id, "签收")
    (uplink,) = await line.ear.next()
    assert uplink.press is not None
    assert (uplink.press.card, uplink.press.code) == (card().id, "sign.x")
    changed = await line.send("张三 08:01 已签收", changes=uplink.press.handle, card=card())
    assert changed.kind is OutcomeKind.ACCEPTED
    shown = line.vendor.cards[MEMBER, card().id].shown
    assert [each["text"] for each in shown["button_list"]] == ["已签收"]
    assert shown["main_title"] == {"title": "红色 须处置 A0231", "desc": "张三 08:01 已签收"}
    assert shown["button_list"][0]["style"] == 4
    # The same handle does not change it twice, and one that nobody pressed none at all.
    for handle in (uplink.press.handle, "unknown"):
        assert (await line.send("x", changes=handle)).kind is OutcomeKind.REFUSED_CONTENT


async def test_a_change_without_its_card_still_says_who_acted(line: Line) -> None:
    await line.send(card=card())
    await line.vendor.press(MEMBER, card().id, "误报")
    (uplink,) = await line.ear.next()
    assert uplink.press is not None
    assert (await line.send("08:20 已关闭", changes=uplink.press.handle)).kind is OutcomeKind.ACCEPTED
    assert line.vendor.cards[MEMBER, card().id].shown["main_title"]["title"] == "08:20 已关闭"


@pytest.mark.parametrize("whose", ["the hub's", "the vendor's"])
async def test_a_change_that_comes_late_is_refused_and_says_why(
    line: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    await line.send(card=card())
    if whose == "the hub's":
        monkeypatch.setattr(aibot, "AT_ONCE", -1.0)
    await line.vendor.press(MEMBER, card().id, "签收")
    (uplink,) = await line.ear.next()
    assert uplink.press is not None
    clock.at += 0 if whose == "the hub's" else 5_001
    late = await line.send("张三 08:01 已签收", changes=uplink.press.handle)
    assert late.kind is OutcomeKind.REFUSED_CONTENT
    assert line.vendor.cards[MEMBER, card().id].changes == 0


async def test_events_that_nobody_knows_are_kept_unread(line: Line) -> None:
    await line.vendor.event(MEMBER, {"eventtype": "something_new"})
    await line.ear.next()
    await line.vendor.push("aibot_new_callback", {"x": 1})
    async with asyncio.timeout(5):
        await line.ear.came.wait()
    (kept,) = [part for each in line.ear.heard for part in each.unreadable]
    assert "aibot_new_callback" in kept.words
    assert '"x":1' in kept.raw
    assert not line.task.done()


async def test_a_group_is_written_to_on_its_robots_line(line: Line, session: aiohttp.ClientSession) -> None:
    table = {"kind": "wecom_aibot_group", "bot": "bot", "chatid": "wrGroup1", "readers": ["town"]}
    group: Any = open_channel("group", parse("group", table), session)
    assert (await group.send(a_letter("x"))).detail == NO_CARRIER
    group.carrier = Here(line.driver)
    assert (await group.send(a_letter("x", address=""))).kind is OutcomeKind.REFUSED_RECIPIENT, (
        "nobody called the robot"
    )
    await line.vendor.write(MEMBER, "帮助", group="wrGroup1")
    assert (await group.send(a_letter("【红色】A0231", address="", card=card()))).kind is OutcomeKind.ACCEPTED
    (shown,) = line.vendor.received
    assert (shown.address, shown.text) == ("wrGroup1", "【红色】A0231"), "no buttons where many read"
    assert b'"chat_type":2' in shown.raw
    assert (await group.send(a_letter("警" * 1400, address=""))).kind is OutcomeKind.REFUSED_CONTENT
    assert not group.abilities.personal
    assert not group.abilities.links
