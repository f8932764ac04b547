"""Our stream client against a gateway that keeps what is not answered, and against the vendor's recorded frames."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from bot.demo.simulators.dingtalk_app import MESSAGES, DingtalkApp
from bot.demo.simulators.dingtalk_gateway import Gateway
from bot.demo.simulators.vendor import Fault, listening
from channels.callback import Heard
from channels.channel import Uplink
from channels.dingtalk import stream_link
from channels.dingtalk.app import Driver
from channels.dingtalk.stream_frames import answer_to, read_frame
from channels.exchange import Answer
from channels.longline import LineTrouble
from channels.masking import Masker
from tests.channels.conftest import Clock, closed_port
from tests.channels.ding import KEYS, a_driver, settings_of
from tests.store.real_server import eventually

RECORDED = json.loads((Path(__file__).parent / "vectors" / "dingtalk_stream.json").read_text("utf-8"))


@dataclass
class Desk:
    """The hub's end of a line: what it has on disk, and whether its disk is there."""

    clock: Clock
    kept: list[Heard] = field(default_factory=list)
    away: bool = False
    stood: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> int:
        return self.clock()

    async def keep(self, heard: Heard) -> bool:
        self.asked.set()
        if self.away:
            return False
        self.kept.append(heard)
        return True

    async def well(self) -> None:
        self.stood += 1

    @property
    def texts(self) -> list[str]:
        return [item.text for heard in self.kept for item in heard.items if isinstance(item, Uplink)]


@dataclass
class Room:
    vendor: DingtalkApp
    gateway: Gateway
    driver: Driver
    desk: Desk
    clock: Clock
    session: aiohttp.ClientSession
    url: str
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def hold(self, **settings: object) -> None:
        """Let the line stand."""
        driver = a_driver(self.session, self.url, inbound="stream", **settings) if settings else self.driver
        before = self.gateway.opened
        task = asyncio.create_task(driver.hold(self.desk))
        self.tasks.append(task)
        await self.gateway.until(lambda: self.gateway.opened > before or task.done())

    @property
    def line(self) -> asyncio.Task[None]:
        """The newest one that was held."""
        return self.tasks[-1]

    async def write(self, text: str) -> None:
        assert await self.vendor.write("user123", text, self.session) == 200


@pytest.fixture
async def room(session: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Room]:
    vendor = DingtalkApp(KEYS, ["user123"], clock)
    async with asyncio.timeout(9), listening(vendor.app()) as url:
        here = Room(vendor, vendor.gateway, a_driver(session, url, inbound="stream"), Desk(clock), clock, session, url)
        try:
            yield here
        finally:
            for task in here.tasks:
                task.cancel()
            await asyncio.gather(*here.tasks, return_exceptions=True)


def test_the_recorded_frames_are_answered_as_the_vendors_client_does() -> None:
    answers = {each["for"]: each["frame"] for each in RECORDED["client_ack"]}
    for pushed in RECORDED["server_push"]:
        frame = read_frame(json.dumps(pushed))
        ours, theirs = json.loads(answer_to(frame)), answers[frame.id]
        assert json.loads(ours.pop("data")) == json.loads(theirs.pop("data"))
        assert ours == theirs


async def test_the_recorded_frames_are_answered_over_the_wire(room: Room) -> None:
    await room.hold()
    (line,) = room.gateway.lines
    for pushed in RECORDED["server_push"]:
        await line.socket.send_str(json.dumps(pushed))
    wanted = {each["for"] for each in RECORDED["client_ack"]}
    await room.gateway.until(lambda: wanted <= set(line.answers))
    assert room.desk.texts == ["签收 A-0001"]
    assert [len(heard.unreadable) for heard in room.desk.kept if heard.unreadable] == [1]
    await room.gateway.until(lambda: room.gateway.opened == 2)


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("", "JSON"),
        ("[]", "headers"),
        ("{}", "headers"),
        ('{"headers":{}}', "messageId"),
        ('{"headers":{"messageId":"x","topic":"y"},"type":"?"}', "FrameKind"),
    ],
)
def test_what_is_no_frame_is_none(raw: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_frame(raw)


async def test_a_message_is_answered_when_it_is_on_disk(room: Room) -> None:
    await room.hold()
    room.desk.away = True
    await room.write("签收 A0231")
    await room.desk.asked.wait()
    assert room.gateway.answered == {}
    room.desk.away = False
    await room.gateway.until(lambda: room.gateway.answered)
    assert room.desk.texts == ["签收 A0231"]
    assert room.gateway.unanswered == {}


async def test_a_message_that_was_not_answered_comes_again_on_the_next_connection(room: Room) -> None:
    await room.hold()
    room.desk.away = True
    await room.write("签收 A0231")
    await room.desk.asked.wait()
    room.line.cancel()
    await asyncio.gather(room.line, return_exceptions=True)
    room.desk.away = False
    await room.hold()
    await room.gateway.until(lambda: room.gateway.answered)
    assert room.desk.texts == ["签收 A0231"]


async def test_one_that_cannot_be_kept_holds_up_no_other(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_link, "AGAIN", 0.01)
    keep = room.desk.keep

    async def picky(heard: Heard) -> bool:
        if any(isinstance(each, Uplink) and each.text == "毒" for each in heard.items):
            return False
        return await keep(heard)

    monkeypatch.setattr(room.desk, "keep", picky)
    await room.hold()
    for text in ("签收", "毒", "误报"):
        await room.write(text)
    await room.gateway.until(lambda: len(room.gateway.answered) == 2)
    await room.write("核查")
    await room.gateway.until(lambda: len(room.gateway.answered) == 3)
    assert sorted(room.desk.texts) == ["核查", "签收", "误报"]
    assert len(room.gateway.unanswered) == 1


async def test_what_cannot_be_kept_for_long_is_left_to_come_again(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stream_link, "AGAIN", 0.01)
    monkeypatch.setattr(stream_link, "PATIENCE", 0.1)
    await room.hold()
    room.desk.away = True
    await room.write("签收")

    async def left() -> bool:
        return "is left to come again" in caplog.text

    await eventually(left)
    room.desk.away = False
    assert len(room.gateway.unanswered) == 1
    await room.gateway.push_again()
    await room.gateway.until(lambda: room.gateway.answered)
    assert room.desk.texts == ["签收"]


async def test_a_ping_is_answered_with_its_data_and_an_event_is_let_go(room: Room) -> None:
    await room.hold()
    identity = await room.gateway.ping()
    (line,) = room.gateway.lines
    await room.gateway.until(lambda: identity in line.answers)
    assert "opaque" in json.loads(line.answers[identity]["data"])
    assert room.desk.kept == []


async def test_what_cannot_be_read_is_kept_and_answered(room: Room) -> None:
    await room.hold()
    await room.gateway.push(MESSAGES, {"msgtype": "text"})
    await room.gateway.until(lambda: room.gateway.answered)
    assert [part.raw for heard in room.desk.kept for part in heard.unreadable] == ['{"msgtype":"text"}']


async def test_a_frame_that_is_none_is_kept_and_the_line_goes_on(room: Room) -> None:
    await room.hold()
    (line,) = room.gateway.lines
    await line.socket.send_str('{"data":"爆炸了"}')
    await room.write("签收")
    await room.gateway.until(lambda: room.gateway.answered)
    assert [part.raw for heard in room.desk.kept for part in heard.unreadable] == ['{"data":"爆炸了"}']
    assert room.desk.texts == ["签收"]


async def test_a_line_whose_keeping_fails_is_no_line(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_heard: Heard) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr(room.desk, "keep", broken)
    await room.hold()
    await room.write("签收")
    with pytest.raises(LineTrouble, match="断开"):
        await room.line
    assert room.gateway.unanswered


async def test_before_the_gateway_goes_a_new_connection_stands(room: Room) -> None:
    await room.hold()
    await room.gateway.leave()
    await room.gateway.until(lambda: room.gateway.opened == 2)
    assert room.gateway.most_at_once == 2
    await room.gateway.until(lambda: room.gateway.closed == 1)
    await room.write("签收")
    await room.gateway.until(lambda: room.gateway.answered)
    assert (room.desk.texts, len(room.gateway.lines), room.desk.stood) == (["签收"], 1, 2)


async def test_what_came_on_the_old_connection_is_still_answered_there(room: Room) -> None:
    await room.hold()
    (old,) = room.gateway.lines
    room.desk.away = True
    await room.write("签收")
    await room.desk.asked.wait()
    await room.gateway.leave()
    await room.gateway.until(lambda: room.gateway.opened == 2)
    room.desk.away = False
    await room.gateway.until(lambda: room.gateway.closed == 1)
    assert any(each["data"] == '{"response":"OK"}' for each in old.answers.values())


async def test_while_no_other_can_be_had_the_old_one_is_kept(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    await room.hold()
    room.gateway.faults.put(Fault.STATUS_500)
    await room.gateway.leave()
    await room.gateway.faults.wait_for(Fault.STATUS_500)
    await room.write("签收")
    await room.gateway.until(lambda: room.gateway.answered)
    assert (room.gateway.opened, room.line.done()) == (1, False)
    await room.gateway.until(lambda: room.gateway.opened == 2)
    assert "no other stream could be had" in caplog.text


async def test_a_connection_that_answers_no_ping_is_broken(room: Room) -> None:
    room.gateway.mute = True
    settings = settings_of(room.url, inbound="stream").model_copy(update={"stream_ping": 0.2})
    with pytest.raises(LineTrouble, match="断开"):
        await Driver("ding", settings, room.session).hold(room.desk)
    assert room.gateway.opened == 1


async def test_a_broken_connection_is_told(room: Room) -> None:
    await room.hold()
    await room.gateway.cut()
    with pytest.raises(LineTrouble, match="断开"):
        await room.line


async def test_a_connection_that_pings_and_delivers_nothing_is_replaced(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.dingtalk.stream.LOOK", 0.05)
    monkeypatch.setattr("channels.dingtalk.stream.MOST", 0.5)
    await room.hold(stream_quiet=1, stream_ping=5)
    (line,) = room.gateway.lines
    line.deaf = True
    await room.write("签收 A0231")
    identity = await room.gateway.ping()
    await room.gateway.until(lambda: identity in line.answers)
    assert room.desk.texts == []
    room.clock.at += 60_000
    await room.gateway.until(lambda: room.gateway.answered)
    assert room.desk.texts == ["签收 A0231"]
    assert line not in room.gateway.lines or room.gateway.most_at_once == 2
    await room.gateway.until(lambda: room.gateway.opened == 3)
    assert "delivered nothing; 1 messages" in caplog.text


@pytest.mark.parametrize("how", ["secret", "away", "busy", "garbage"])
async def test_a_line_that_cannot_be_made_says_why(room: Room, how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings: dict[str, object] = {"stream_ping": 30.0}
    if how == "secret":
        settings["client_secret"] = "canary/4711"
    elif how == "away":
        settings["base_url"] = f"http://127.0.0.1:{closed_port()}"
    else:
        room.gateway.faults.put(Fault.STATUS_429 if how == "busy" else Fault.GARBAGE)
    base = str(settings.pop("base_url", room.url))
    driver = a_driver(room.session, base, inbound="stream", **settings)
    with pytest.raises(LineTrouble) as caught:
        await driver.hold(room.desk)
    trouble = caught.value
    assert (trouble.certain, trouble.rest > 0) == (how == "secret", how == "busy")
    assert "4711" not in f"{trouble} {caplog.text}"


@pytest.mark.parametrize(
    ("base", "endpoint", "fine"), [("https", "ws", False), ("https", "wss", True), ("http", "ws", True)]
)
async def test_no_ticket_goes_over_a_bare_connection(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, base: str, endpoint: str, fine: bool
) -> None:
    said = {"endpoint": f"{endpoint}://gate.example.cn/connect", "ticket": RECORDED["open_response"]["ticket"]}

    async def asked(*_: object, **__: object) -> Answer:
        return Answer(200, json.dumps(said).encode())

    monkeypatch.setattr(stream_link, "ask", asked)
    settings = settings_of(f"{base}://api.example.cn", inbound="stream")
    if not fine:
        with pytest.raises(LineTrouble, match="wss"):
            await stream_link.door(settings, session, Masker(()))
        return
    url = await stream_link.door(settings, session, Masker(()))
    assert url.raw_path_qs == RECORDED["ws_path"]


async def test_greeting_asks_for_the_lines_address_too(room: Room) -> None:
    now = time.time_ns() // 1_000_000
    room.clock.at = now
    greeting = await room.driver.greet(now)
    assert (greeting.standing, greeting.detail) == ("well", "已取得 accessToken，已取得长连接地址")
    room.gateway.closed_for_now = True
    refused = await room.driver.greet(now)
    assert refused.standing == "refused"
    assert "长连接" in refused.detail
    assert room.gateway.opened == 0
