"""Cards of the chat apps on the wall's phones: what they show, what a press does, and a picture from the spot."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

import msgspec

from bot.demo.controls import Refusal
from bot.demo.county import ROBOTS_MEMBERS
from bot.demo.phones import CALL, Phone, Phones
from bot.demo.simulators.dingtalk_cards import DingCard
from bot.demo.simulators.wecom_aibot import BotCard
from bot.demo.simulators.wecom_app_messages import AppCard
from bot.demo.telephone import HUNG_UP, LEFT
from bot.demo.vendors import Vendors
from bot.web.stream import Stream

_SIDE = 96


class CardPressed(msgspec.Struct):
    """``/demo/api/card``: a button that a person presses on their phone."""

    phone: str
    task: str
    words: str


class PictureTaken(msgspec.Struct):
    """``/demo/api/picture``: a person takes a picture and sends it in the app."""

    phone: str


class WallCards:
    """What the phones do besides writing. ``stream`` tells the pages."""

    def __init__(self, phones: Phones, vendors: Vendors, stream: Stream) -> None:
        self._phones = phones
        self._vendors = vendors
        self._stream = stream
        vendors.app.on_change = vendors.robot.on_change = self.changed
        vendors.ding.on_change = self.changed_ding
        vendors.telephone.over = self.hung_up

    async def changed(self, card: AppCard | BotCard) -> None:
        """The vendor put words in the place of a card's buttons."""
        phones = [each for each in self._phones.by_id.values() if each.member == card.member]
        self._replaced(phones, card.task, card.replaced)

    async def changed_ding(self, card: DingCard) -> None:
        """The same of a DingTalk card."""
        phones = [each for each in self._phones.by_id.values() if each.ding == card.member]
        self._replaced(phones, card.id, card.replaced)

    async def hung_up(self, call_id: str, words: str) -> None:
        """A call rings no more."""
        self._replaced(self._phones.by_id.values(), call_id, words)

    def _replaced(self, phones: Iterable[Phone], task: str, words: str) -> None:
        for phone in phones:
            for message in phone.messages:
                if message.get("card", {}).get("task") == task:
                    message["card"]["replaced"] = words
                    self._stream.send("card", {"phone": phone.id, "card": message["card"]})

    async def press(self, pressed: CardPressed) -> str:
        """Press a button as the card's owner, or take a call. Raises :class:`Refusal`."""
        if self._is_call(pressed):
            return await self._take(pressed)
        phone = self._owner(pressed.phone)
        vendors = self._vendors
        try:
            if pressed.task in vendors.ding.cards.cards:
                status = await vendors.ding.press(phone.ding, pressed.task, pressed.words, vendors.session)
            elif phone.member in ROBOTS_MEMBERS:
                status = await vendors.robot.heard(vendors.robot.press(phone.member, pressed.task, pressed.words))
            else:
                status = await vendors.app.press(phone.member, pressed.task, pressed.words, vendors.session)
        except KeyError:
            raise Refusal("这张卡片上没有这个按钮了") from None
        if not 200 <= status < 300:
            raise Refusal(f"没有送到（HTTP {status}）")
        return f"已按“{pressed.words}”"

    def _is_call(self, pressed: CardPressed) -> bool:
        phone = self._phones.by_id.get(pressed.phone)
        messages = phone.messages if phone is not None else []
        return any(each["by"] == CALL and each["card"]["task"] == pressed.task for each in messages)

    async def _take(self, pressed: CardPressed) -> str:
        try:
            status = await self._vendors.telephone.press(pressed.task, pressed.words)
        except KeyError:
            raise Refusal("这个电话已经不响了") from None
        if not 200 <= status < 300:
            raise Refusal(f"没有送到（HTTP {status}）")
        return {LEFT: "没有接", HUNG_UP: "挂断了"}.get(pressed.words, f"已{pressed.words}")

    async def picture(self, taken: PictureTaken) -> str:
        """Send a picture from the spot. Raises :class:`Refusal`."""
        phone = self._owner(taken.phone)
        vendors = self._vendors
        if phone.ding:
            status = await vendors.ding.send_picture(phone.ding, sample(), vendors.session)
        elif phone.member in ROBOTS_MEMBERS:
            status = await vendors.robot.heard(vendors.robot.send_picture(phone.member, sample()))
        else:
            status = await vendors.app.send_picture(phone.member, sample(), vendors.session, kind="image/png")
        if not 200 <= status < 300:
            raise Refusal(f"没有送到（HTTP {status}）")
        return "图片已发出"

    def _owner(self, identity: str) -> Phone:
        phone = self._phones.by_id.get(identity)
        if phone is None or not (phone.member or phone.ding):
            raise Refusal("这部手机没有企业微信或钉钉应用")
        return phone


def sample() -> bytes:
    """A picture of nothing: a small square of one colour, as a PNG."""
    row = b"\x00" + bytes((214, 132, 48)) * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(row * _SIDE)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
