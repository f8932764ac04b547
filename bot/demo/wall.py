"""The wall of phones: what it shows, and the buttons on it. Everything it does goes through the hub's own doors."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

import msgspec
import orjson

from bot.clock import PushedClock
from bot.demo import board
from bot.demo.cards import WallCards
from bot.demo.controls import Asked, Controls, Refusal
from bot.demo.phones import APP, MAIL, Phones
from bot.demo.simulators.vendor import Received
from bot.demo.vendors import Vendors
from bot.hub import Hub
from bot.rendering import words
from bot.rendering.neutral import mask, visible
from bot.web.stream import Stream

log = logging.getLogger(__name__)

SETTLE = 0.15
"""How long changes are gathered before the incidents are read again, in seconds."""
_KEPT = 40
_MINUTE = 60_000
_MOST_TEXT = 300
_FARTHEST = 24 * 60
"""How far one press may move the clock, in minutes."""


class Answer(msgspec.Struct):
    """``/demo/api/answer``: what a person writes on their phone: a text message, in the WeCom app, or a mail."""

    phone: str
    text: str


class Passing(msgspec.Struct):
    """``/demo/api/time``: so many minutes, or to the next moment at which something is due."""

    minutes: int = 0
    due: bool = False


class Wall:
    """The state behind ``/demo``. ``vendors`` are set once they run."""

    def __init__(self, hub: Hub, clock: PushedClock, phones: Phones, controls: Controls, vendors: Vendors) -> None:
        self._hub = hub
        self._clock = clock
        self._phones = phones
        self._controls = controls
        self.vendors = vendors
        self._incidents: list[dict[str, Any]] = []
        self._known: set[str] = set()
        self._upstream: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._moving = asyncio.Lock()
        self._stirred = asyncio.Event()
        self.stream = Stream(self.snapshot, self.beat)
        self.cards = WallCards(phones, vendors, self.stream)
        hub.changed.append(self._stirred.set)

    def snapshot(self) -> dict[str, Any]:
        """Everything a page shows."""
        return {
            **self.beat(),
            "phones": [phone.shown() for phone in self._phones.by_id.values()],
            "targets": self._controls.targets(),
            "incidents": self._incidents,
            "upstream": list(self._upstream),
        }

    def beat(self) -> dict[str, Any]:
        """The clock, who is on duty by it, and whether the hub works."""
        now = self._clock.now()
        return {
            "now": now,
            "shown": f"{words.local(now):%Y-%m-%d %H:%M:%S}",
            "moving": self._moving.locked(),
            "on_duty": self._phones.on_duty(now),
            "trouble": self._hub.not_ready.partition("\n")[0],
        }

    async def hear(self, message: Received) -> None:
        """A vendor took a message: it shows on its phone, or in upstream's list."""
        found = self._phones.received(message)
        if found is not None:
            phone, shown = found
            self.stream.send("message", {"phone": phone.id, "message": shown})
        elif message.channel == "webhook":
            row = _upstream_row(message)
            self._upstream.append(row)
            self.stream.send("upstream", row)

    async def watch(self) -> None:
        """Read the incidents again whenever something changed, until cancelled."""
        while True:
            await self._stirred.wait()
            await asyncio.sleep(SETTLE)
            self._stirred.clear()
            try:
                await self.refresh()
            except Exception:
                log.exception("the wall could not read the incidents")
                await asyncio.sleep(1.0)
                self._stirred.set()

    async def refresh(self) -> None:
        """Read the incidents and tell the pages when anything about them is different."""
        engine = self._hub.engine
        if engine is None:
            return
        directory = engine.rules.directory
        found = [board.row(each, directory) for each in await board.incidents(engine.ledger, self._known)]
        if found != self._incidents:
            self._incidents = found
            self.stream.send("incidents", found)

    async def press(self, asked: Asked) -> str:
        """Raise, repeat, raise higher, clear. Raises :class:`Refusal`."""
        if asked.do not in ("raise", "repeat", "higher", "clear"):
            raise Refusal("没有这个按钮")
        return await self._controls.press(asked, self._clock.now())

    async def answer(self, answer: Answer) -> str:
        """A person writes on their phone, by the way they were written to last. Raises :class:`Refusal`."""
        phone = self._phones.by_id.get(answer.phone)
        text = visible(answer.text)[:_MOST_TEXT]
        if phone is None or not (phone.number or phone.member or phone.mail):
            raise Refusal("这部电话不能发消息")
        if not text:
            raise Refusal("请先写内容")
        way = phone.way
        if way == APP:
            status = await self.vendors.write_in_app(phone.member, text)
        elif way == MAIL:
            status = await self.vendors.write_mail(phone.mail, text)
        else:
            status = await self.vendors.write(phone.number, text, phone.line)
        if not 200 <= status < 300:
            raise Refusal(f"消息没有送到（HTTP {status}）")
        shown = self._phones.sent(phone, text, self._clock.now(), way)
        self.stream.send("message", {"phone": phone.id, "message": shown})
        return "已发出"

    async def pass_time(self, passing: Passing) -> str:
        """Let time pass: the hub works through everything that falls due on the way. Raises :class:`Refusal`."""
        engine = self._hub.engine
        if engine is None or self._hub.not_ready:
            raise Refusal("系统尚未就绪")
        if not passing.due and not 0 < passing.minutes <= _FARTHEST:
            raise Refusal(f"一次最多 {_FARTHEST} 分钟")
        async with self._moving:
            now = self._clock.now()
            to = now + passing.minutes * _MINUTE
            if passing.due:
                await self.refresh()
                times = [each["at"] for row in self._incidents for each in row["next"] if each["at"] > now]
                if not times:
                    raise Refusal("没有待办的时限")
                to = min(times)
            self.stream.send("clock", self.beat())
            await engine.advance(to)
            await self.refresh()
        self.stream.send("clock", self.beat())
        return f"现在是 {words.local(self._clock.now()):%H:%M:%S}"


def _upstream_row(message: Received) -> dict[str, Any]:
    try:
        body = orjson.loads(message.raw)
        kind, said = str(body["type"]), str(body["data"]["text"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        kind, said = "", message.text[:200]
    return {
        "id": message.subject,
        "time": f"{words.local(message.at):%H:%M}",
        "type": kind,
        "text": mask(visible(said)),
    }
