"""The robot's driver on its long connection, against a strict vendor: what is sent, answered, refused, lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.demo.simulators.vendor import listening
from bot.demo.simulators.wecom_aibot import WecomAibot
from channels.callback import Heard, Media
from channels.channel import Button, Card, Letter, Uplink, answer_id
from channels.longline import LineTrouble
from channels.outcome import Outcome, OutcomeKind
from channels.registry import open_channel, parse
from channels.wecom.aibot import Driver
from tests.channels.conftest import NIGHT, Clock, a_letter

BOT, SECRET = "demo-bot-0001", "fake-bot-secret"
MEMBER = "zhangsan"


class Here:
    """A carrier in a process that holds the line itself."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def carry(self, channel: str, letter: Letter, timeout: float) -> Outcome:
        assert channel == self._driver.name
        assert timeout > 0
        return await self._driver.deliver(letter)


@dataclass
class Ear:
    """The hub's end, which a test may hold shut."""

    clock: Clock
    heard: list[Heard] = field(default_factory=list)
    stands: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    refusing: int = 0

    def now(self) -> int:
        return self.clock()

    async def keep(self, heard: Heard) -> bool:
        if self.refusing:
            self.refusing -= 1
            return False
        self.heard.append(heard)
        self.came.set()
        return True

    async def well(self) -> None:
        self.stands.set()

    async def next(self) -> list[Uplink]:
        async with asyncio.timeout(5):
            await self.came.wait()
        self.came.clear()
        found, self.heard = self.heard, []
        return [item for each in found for item in each.items if isinstance(item, Uplink)]


@dataclass
class Line:
    vendor: WecomAibot
    driver: Driver
    ear: Ear
    task: asyncio.Task[None]

    async def send(self, text: str = "【红色】CO 31ppm A0231", **more: Any) -> Outcome:
        return await self.driver.send(a_letter(text, **({"address": MEMBER} | more)))


def driver_for(url: str, session: aiohttp.ClientSession, **more: Any) -> Driver:
    table = {"kind": "wecom_aibot", "bot_id": BOT, "secret": SECRET, "url": url, "ack_timeout": 1.0, **more}
    made = open_channel("bot", parse("bot", table), session)
    assert isinstance(made, Driver)
    made.carrier = Here(made)
    return made


@asynccontextmanager
async def held(session: aiohttp.ClientSession, clock: Clock, **more: Any) -> AsyncIterator[Line]:
    vendor = WecomAibot(BOT, SECRET, clock, [MEMBER])
    async with listening(vendor.app()) as url:
        vendor.url = url.replace("http://", "ws://")
        driver, ear = driver_for(vendor.url, session, **more), Ear(clock)
        task = asyncio.create_task(driver.hold(ear))
        async with asyncio.timeout(5):
            await asyncio.wait({task, asyncio.ensure_future(ear.stands.wait())}, return_when="FIRST_COMPLETED")
        assert not task.done(), task.exception()
        try:
            yield Line(vendor, driver, ear, task)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, LineTrouble):
                await task


@pytest.fixture
async def line(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Line]:
    async with held(session, clock) as made:
        yield made


def card(task: str = "A0231@n1@1795197600000") -> Card:
    buttons = (Button("签收", "sign.x"), Button("误报", "false_alarm.y"), Button("详情", link="https://a.example.cn/1"))
    return Card(task, "红色 须处置 A0231", "明木家具 1号", "请按“签收”。", (("数值", "31"),), buttons)


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


async def test_a_change_that_comes_late_is_refused_and_says_why(line: Line, clock: Clock) -> None:
    await line.send(card=card())
    await line.vendor.press(MEMBER, card().id, "签收")
    (uplink,) = await line.ear.next()
    assert uplink.press is not None
    clock.at += 5_001
    late = await line.send("张三 08:01 已签收", changes=uplink.press.handle)
    assert late.kind is OutcomeKind.REFUSED_CONTENT


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


async def test_the_displaced_connection_gives_way(line: Line, session: aiohttp.ClientSession) -> None:
    other = driver_for(line.vendor.url, session)
    ear = Ear(line.ear.clock)
    task = asyncio.create_task(other.hold(ear))
    async with asyncio.timeout(5):
        with pytest.raises(LineTrouble) as trouble:
            await line.task
    assert trouble.value.displaced
    assert trouble.value.certain
    assert trouble.value.rest >= 60
    assert (await line.send()).kind is OutcomeKind.TRANSIENT
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_wrong_secret_is_certain_and_the_secret_is_not_said(
    session: aiohttp.ClientSession, clock: Clock
) -> None:
    vendor = WecomAibot(BOT, "another", clock)
    async with listening(vendor.app()) as url:
        driver = driver_for(url.replace("http", "ws"), session)
        with pytest.raises(LineTrouble) as trouble:
            await driver.hold(Ear(clock))
    assert trouble.value.certain
    assert SECRET not in str(trouble.value)


async def test_connections_in_quick_succession_rest(session: aiohttp.ClientSession, clock: Clock) -> None:
    vendor = WecomAibot(BOT, SECRET, clock, most_connections=1)
    async with listening(vendor.app()) as url:
        driver = driver_for(url.replace("http", "ws"), session, frequency_rest=45)
        ear = Ear(clock)
        first = asyncio.create_task(driver.hold(ear))
        await ear.stands.wait()
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        with pytest.raises(LineTrouble) as trouble:
            await driver.hold(Ear(clock))
    assert (trouble.value.rest, trouble.value.certain) == (45, False)


async def test_nobody_there_is_a_trouble_that_passes(session: aiohttp.ClientSession, clock: Clock) -> None:
    with pytest.raises(LineTrouble) as trouble:
        await driver_for("ws://127.0.0.1:9", session).hold(Ear(clock))
    assert not trouble.value.certain


async def test_a_vendor_that_answers_no_heartbeat_is_dead(session: aiohttp.ClientSession, clock: Clock) -> None:
    async with held(session, clock) as line:
        line.vendor.faults.mute = True
        line.driver.settings = line.driver.settings.model_copy(update={"heartbeat": 0.05, "ack_timeout": 0.1})
        line.task.cancel()
        with suppress(asyncio.CancelledError):
            await line.task
        async with asyncio.timeout(5):
            with pytest.raises(LineTrouble, match="心跳"):
                await line.driver.hold(Ear(clock))
    assert line.vendor.pings == 2


async def test_a_line_that_breaks_says_so_and_what_waits_is_uncertain(line: Line) -> None:
    line.vendor.faults.deaf.append("aibot_send_msg")
    sending = asyncio.create_task(line.send())
    await line.vendor.inbox.wait_for(1)
    await line.vendor.drop()
    assert (await sending).kind is OutcomeKind.UNCERTAIN
    with pytest.raises(LineTrouble):
        await line.task


async def test_greeting_takes_the_line_from_nobody(line: Line) -> None:
    found = await line.driver.greet(time.time_ns() // 1_000_000)
    assert found.standing.good
    assert (line.vendor.subscribed, line.vendor.displaced) == (1, 0)
