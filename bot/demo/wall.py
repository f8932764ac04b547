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
from bot.demo.night import ENTERPRISE, POINT, Night, moment_after
from bot.demo.phones import APP, DING, MAIL, Phone, Phones
from bot.demo.simulators.vendor import Received, Refused
from bot.demo.storm import Storm, events_of, post_all
from bot.demo.vendors import Vendors
from bot.engine import Engine
from bot.hub import Hub
from bot.rendering import words
from bot.rendering.neutral import mask, visible
from bot.web.stream import Stream
from escalation.vocabulary import Mode, Severity

log = logging.getLogger(__name__)

SETTLE = 0.15
"""How long changes are gathered before the incidents are read again, in seconds."""
FEEDBACK = {"webhook": "接口", "redis_stream": "流"}
"""What carries answers back to the upstream system, in the wall's words."""
_KEPT = 40
_MINUTE = 60_000
_MOST_TEXT = 300
_FARTHEST = 24 * 60
"""How far one press may move the clock, in minutes."""


class Answer(msgspec.Struct):
    """``/demo/api/answer``: what a person writes on their phone: a text message, in the WeCom app, or a mail."""

    phone: str
    text: str
    quote: int = 0
    """The number of the message that is quoted; 0: none."""
    speaker: str = ""
    """In a group that the robot hears: the phone of the member who speaks."""


class Passing(msgspec.Struct):
    """``/demo/api/time``: so many minutes, or to the next moment at which something is due."""

    minutes: int = 0
    due: bool = False


class Trouble(msgspec.Struct):
    """``/demo/api/trouble``: a vendor (see :class:`bot.demo.troubles.Troubles`) that fails, or works again."""

    name: str
    on: bool


class Blow(msgspec.Struct):
    """``/demo/api/storm``: nothing to say."""


class Emptying(msgspec.Struct):
    """``/demo/api/night``: nobody at the post at night, or everybody back."""

    on: bool


class Wall:
    """The state behind ``/demo``. ``vendors`` are set once they run."""

    def __init__(
        self, hub: Hub, clock: PushedClock, phones: Phones, controls: Controls, vendors: Vendors, night: Night
    ) -> None:
        self._hub = hub
        self._clock = clock
        self._phones = phones
        self._controls = controls
        self.vendors = vendors
        self._night = night
        self._storm: Storm | None = None
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
            "storm": self._storm.shown() if self._storm else None,
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
            "troubles": self.vendors.troubles.shown(self._phones.rooms()),
            "night": self._night.empty,
        }

    async def hear(self, message: Received) -> None:
        """A vendor took a message: it shows on its phone, or in upstream's list."""
        found = self._phones.received(message)
        if found is not None:
            phone, shown = found
            self.stream.send("message", {"phone": phone.id, "message": shown})
            if self._storm is not None:
                self._storm.hear(phone.id, phone.name, shown.get("subject") or message.text)
                self._stirred.set()
        elif message.channel in FEEDBACK:
            self._upstream_heard(_upstream_row(message))

    def _upstream_heard(self, row: dict[str, Any]) -> None:
        """Upstream was told: once more by another way is the same row."""
        known = next((each for each in self._upstream if each["id"] == row["id"]), None)
        if known is None:
            self._upstream.append(row)
        else:
            known["ways"] = sorted({*known["ways"], *row["ways"]})
        self.stream.send("upstream", known or row)

    def refused(self, message: Refused) -> None:
        """A vendor did not take a message: that shows where it should have come."""
        found = self._phones.refused(message)
        if found is not None:
            phone, shown = found
            self.stream.send("message", {"phone": phone.id, "message": shown})

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
        if self._storm is not None:
            self.stream.send("storm", self._storm.shown())
        rules = engine.rules
        words_of = {name: channel.abilities.word for name, channel in rules.channels.items()}
        found = [
            board.row(each, rules.directory, words_of) for each in await board.incidents(engine.ledger, self._known)
        ]
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
        if phone is None or not phone.answers:
            raise Refusal("这部电话不能发消息")
        if not text:
            raise Refusal("请先写内容")
        if phone.speakers:
            return await self._speak(phone, answer.speaker, text)
        original = self._phones.original(phone, answer.quote)
        way = APP if original else phone.way
        if way == APP:
            status = await self.vendors.write_in_app(phone.member, text, original)
        elif way == DING:
            status = await self.vendors.ding.write(phone.ding, text, self.vendors.session)
        elif way == MAIL:
            status = await self.vendors.write_mail(phone.mail, text)
        else:
            status = await self.vendors.write(phone.number, text, phone.line)
        _arrived(status)
        shown = self._phones.sent(phone, text, self._clock.now(), way, original)
        self.stream.send("message", {"phone": phone.id, "message": shown})
        return "已发出"

    async def _speak(self, phone: Phone, speaker: str, text: str) -> str:
        userid = phone.speakers.get(speaker)
        if userid is None:
            raise Refusal("请选择由群里的谁来说")
        _arrived(await self.vendors.write_in_group(userid, text, phone.chat))
        shown = self._phones.spoken(phone, speaker, text, self._clock.now())
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
            return await self._move(engine, to)

    async def _move(self, engine: Engine, to: int) -> str:
        """To a moment, at which everything due before has been done; only while :attr:`_moving` is held."""
        self.stream.send("clock", self.beat())
        await engine.advance(to)
        await self.refresh()
        self.stream.send("clock", self.beat())
        return f"现在是 {words.local(self._clock.now()):%H:%M:%S}"

    async def storm(self, _blow: Blow) -> str:
        """Three hundred events at once. Raises :class:`Refusal`."""
        storm = self._storm = Storm()
        events = events_of(self._hub.rules.directory, self._clock.now())
        said = await post_all(storm, self._controls.url, self._controls.token, events, self.vendors.session)
        self._stirred.set()
        return said

    async def trouble(self, trouble: Trouble) -> str:
        """A vendor fails, or works again. Raises :class:`Refusal`."""
        await self.vendors.troubles.set(trouble.name, on=trouble.on)
        self.stream.send("clock", self.beat())
        return "已生效，看接下来的消息怎样走" if trouble.on else "已恢复"

    async def night(self, emptying: Emptying) -> str:
        """Nobody stands at the post at night, and at 02:00 an alarm comes; or everybody is put back. Raises
        :class:`Refusal`."""
        engine = self._hub.engine
        if engine is None or self._hub.not_ready:
            raise Refusal("系统尚未就绪")
        if not emptying.on:
            self._night.end()
            self.stream.send("clock", self.beat())
            return "值班表已恢复并生效"
        async with self._moving:
            said = self._night.begin()
            await self._move(engine, moment_after(self._clock.now()))
            alarm = Asked("raise", ENTERPRISE, POINT, Severity.HIGH_HIGH.value, Mode.ACTUAL)
            raised = await self._controls.press(alarm, self._clock.now())
        self.stream.send("clock", self.beat())
        return f"02:00，夜班无人。{raised}。改值班表时已提醒：{said}"


def _arrived(status: int) -> None:
    if not 200 <= status < 300:
        raise Refusal(f"消息没有送到（{f'HTTP {status}' if status else '对方不应答'}）")


def _upstream_row(message: Received) -> dict[str, Any]:
    """What upstream was told; ``id`` is the same by whichever way it came."""
    try:
        body = orjson.loads(message.raw)
        kind, said, when = str(body["type"]), str(body["data"]["text"]), str(body["time"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        kind, said, when = "", message.text[:200], message.subject
    return {
        "id": f"{when} {kind} {said}",
        "time": f"{words.local(message.at):%H:%M}",
        "type": kind,
        "text": mask(visible(said)),
        "ways": [FEEDBACK[message.channel]],
    }
