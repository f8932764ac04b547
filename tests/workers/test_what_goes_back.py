"""What people answered goes back to the source that asked: signed, in order, each once, whatever was down meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from bot.deadletters import DeadLetters
from bot.demo.simulators.vendor import listening
from bot.store.client import Store
from bot.store.supervisor import Supervisor
from channels.standard_webhooks import ID, SIGNATURE, TIMESTAMP
from escalation.event import EventType
from escalation.notice import NoticeKind
from escalation.telling import MOST_NOTICES
from tests.store.real_server import running
from tests.workers.house import HOUR, KEEPER_MAIL, MINUTE, OFFICER, OPERATOR, SECOND, House, house_on

STREAM = "fenghuo:answers"
ANSWERED = ["incident.signed", "incident.verified", "incident.disposed", "incident.clear_requested"]


@dataclass
class Reader:
    """An upstream engineer's receiver: verifies with the standard's own package, and counts repeats by their id."""

    secret: str
    events: list[dict[str, Any]] = field(default_factory=list)
    repeats: int = 0
    down: bool = False
    _known: set[str] = field(default_factory=set)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        return app

    async def _hook(self, request: web.Request) -> web.Response:
        if self.down:
            return web.Response(status=503)
        raw = await request.read()
        identity, at = request.headers[ID], datetime.fromtimestamp(int(request.headers[TIMESTAMP]), UTC)
        # verify() holds the time against the machine's clock; the hub's is pushed.
        expected = Webhook(self.secret).sign(identity, at, raw.decode())
        assert expected in request.headers[SIGNATURE].split(" ")
        event = orjson.loads(raw)
        self.repeats += identity in self._known
        if identity not in self._known:
            self._known.add(identity)
            self.events.append(event)
        return web.Response(status=204)

    def types(self, code: str) -> list[str]:
        return [event["type"] for event in self.events if event["subject"] == code]


@dataclass
class Back:
    house: House
    reader: Reader
    server: Supervisor
    theirs: Store

    async def entries(self) -> list[dict[str, Any]]:
        """What stands in the stream, each entry's event once; its id is the field ``id``."""
        reply: Any = await self.theirs.execute("XRANGE", STREAM, "-", "+")
        found: dict[str, dict[str, Any]] = {}
        for _, flat in reply:
            entry = dict(zip(flat[::2], flat[1::2], strict=True))
            event = orjson.loads(entry[b"event"])
            assert entry[b"id"].decode() == event["id"]
            found.setdefault(event["id"], event)
        return list(found.values())

    async def types(self, code: str) -> list[str]:
        return [event["type"] for event in await self.entries() if event["subject"] == code]


@asynccontextmanager
async def back_on(store: Store, folder: Path) -> AsyncIterator[Back]:
    async with running(folder / "theirs") as (server, theirs):

        def both(text: str) -> str:
            added = f'[channels.answers]\nkind = "redis_stream"\nurl = "unix://{server.socket}"\nstream = "{STREAM}"\n'
            return text.replace('feedback = "upstream"', 'feedback = ["upstream", "answers"]') + f"\n{added}"

        async with house_on(store, folder, both) as house:
            secret = (folder / "county" / "secrets" / "upstream").read_text("utf-8").strip()
            reader = Reader(secret)
            async with listening(reader.app()) as base:
                old = str(house.settings.channels["upstream"].model_dump()["url"])
                house.reload(lambda text: text.replace(old, f"{base}/hook"))
                yield Back(house, reader, server, theirs)


@pytest.fixture
async def back(store: Store, tmp_path: Path) -> AsyncIterator[Back]:
    async with back_on(store, tmp_path) as opened:
        yield opened


async def answers(house: House, code: str) -> None:
    for words in (f"签收 {code}", f"核查 {code} 传感器故障", f"处置 {code} 已更换探头", f"消警 {code} 已恢复"):
        house.push(MINUTE)
        await house.says(OPERATOR, words)


async def test_everything_answered_goes_back_by_both_ways_and_the_close_last(back: Back) -> None:
    house = back.house
    code = await house.alarm()
    await answers(house, code)
    await house.take([house.event(EventType.ALARM_CLEARED, point="DC01-T01")])
    await house.engine.rest()

    assert back.reader.types(code) == [*ANSWERED, "incident.closed"]
    assert await back.types(code) == [*ANSWERED, "incident.closed"]
    verified, closed = back.reader.events[1], back.reader.events[-1]
    assert verified["data"]["deed"]["cause"] == "传感器故障"
    assert closed["data"]["closed_reason"] == "cleared_and_signed"
    assert closed["data"]["closed_by"] is None
    assert all(event["data"]["fed_back"] == [] for event in back.reader.events), "answered is not fed back"


async def test_whoever_closes_is_named(back: Back) -> None:
    house = back.house
    code = await house.alarm()
    await house.take([house.event(EventType.ALARM_CLEARED, point="DC01-T01")])
    house.push(MINUTE)
    await house.says(OFFICER, f"签收 {code}")
    await house.engine.rest()

    assert back.reader.types(code) == ["incident.signed", "incident.closed"]
    assert back.reader.events[-1]["data"]["closed_by"]["name"] == back.reader.events[0]["data"]["deed"]["name"]


async def test_a_receiver_that_is_down_gets_each_once_and_in_order_afterwards(back: Back) -> None:
    house = back.house
    back.reader.down = True
    code = await house.alarm()
    await answers(house, code)
    await house.says(OPERATOR, f"撤回 {code}")
    await house.wait(3 * HOUR)
    assert back.reader.events == []
    assert await back.types(code) == [*ANSWERED, "incident.undone"], "the other way does not wait for it"
    back.reader.down = False
    await house.wait(5 * MINUTE)

    assert back.reader.types(code) == [*ANSWERED, "incident.undone"]
    assert back.reader.repeats == 0
    asked = next(each for each in back.reader.events if each["type"] == "incident.clear_requested")
    assert asked["data"]["deed"]["text"] == "已恢复", "also what was taken back meanwhile is told as it was"


async def test_a_stream_that_is_down_gets_each_once_and_in_order_afterwards(back: Back) -> None:
    house = back.house
    await back.server.stop()
    code = await house.alarm()
    await answers(house, code)
    await house.wait(10 * MINUTE)
    assert back.reader.types(code) == ANSWERED
    await back.server.start()
    await house.wait(5 * MINUTE)

    assert await back.types(code) == ANSWERED
    dead = await house.journal(code, "dead_letter")
    assert not [entry for entry in dead if NoticeKind.FEEDBACK in entry.notice]


async def test_what_waits_outlives_a_crash_and_the_next_raise(back: Back) -> None:
    house = back.house
    back.reader.down = True
    code = await house.alarm()
    await house.says(OPERATOR, f"签收 {code}")
    await house.take([house.event(EventType.ALARM_CLEARED, point="DC01-T01")])
    await house.engine.rest()
    house.push(SECOND)
    assert await house.alarm() == code, "the same code is opened again"
    await house.crash()
    back.reader.down = False
    await house.wait(5 * MINUTE)

    assert back.reader.types(code)[:2] == ["incident.signed", "incident.closed"]


async def test_a_receiver_that_is_down_for_a_day_leaves_dead_letters_that_are_sent_again(back: Back) -> None:
    house, reader = back.house, back.reader
    reader.down = True
    code = await house.alarm()
    await house.says(OPERATOR, f"签收 {code}")
    await house.engine.rest()
    await house.wait(10 * MINUTE)
    house.push(24 * HOUR)
    await house.engine.rest()
    await house.wait(2 * MINUTE)
    desk = DeadLetters(house.engine.ledger, house.engine.rules.context)
    (letter,) = [each for each in (await desk.list()).letters if each.channel == "upstream"]
    assert (letter.incident, letter.result, "503" in letter.why) == (code, "undelivered", True)
    assert reader.types(code) == []

    reader.down = False
    swept = await desk.replay_all("upstream", by="周值守", why="对方已恢复", now=house.clock.now())
    assert (swept.replayed, swept.over) == ([letter.notice], [])
    await house.wait(MINUTE)
    assert reader.types(code) == ["incident.signed"]
    assert (await desk.replay_all("upstream", by="周值守", why="再试", now=house.clock.now())).replayed == []


async def test_more_than_an_incident_can_keep_becomes_dead_letters_that_are_sent_again(back: Back) -> None:
    house = back.house
    back.reader.down = True
    code = await house.alarm()
    said = [f"第{number}次巡查" for number in range(MOST_NOTICES + 6)]
    for words in said:
        await house.says(OPERATOR, f"处置 {code} {words}")
        await house.engine.rest()
    desk = DeadLetters(house.engine.ledger, house.engine.rules.context)
    letters = (await desk.list()).letters
    assert letters
    assert {(each.channel, each.result) for each in letters} == {("upstream", "superseded")}
    back.reader.down = False
    await house.wait(5 * MINUTE)
    assert sum("反馈积压过多" in text for text in house.texts(KEEPER_MAIL)) == 1, "the maintainers hear once"
    for letter in letters:
        done = await desk.replay(letter.notice, by="周值守", why="对方已恢复", now=house.clock.now())
        assert done is not None
        await house.engine.rest()
    assert (await desk.list()).total == 0
    assert {event["data"]["deed"]["text"] for event in back.reader.events} >= set(said)
    assert back.reader.repeats == 0
