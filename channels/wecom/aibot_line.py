"""The connection of a WeCom intelligent robot: subscription, heartbeat, frames that wait for their acknowledgement.

The vendor's own frames have a ``cmd``, acknowledgements have none: these are known by the ``req_id`` of what they
acknowledge, so frames of one ``req_id`` leave one after the other. Source of the rules: the vendor's page path/101463.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import aiohttp
import orjson

from channels.longline import LineTrouble
from channels.masking import Masker
from channels.wecom.aibot_errors import FREQUENCY
from channels.wecom.aibot_messages import subscription
from channels.wecom.aibot_settings import Settings

LONGEST_FRAME = 1024 * 1024
MOST_WAITING = 512
"""How many of the vendor's frames may wait to be kept; beyond that nothing more is read."""
_ROOM = 0.05
"""How long is waited for room, in seconds."""
_MISSED = 2
"""So many heartbeats without an answer, and the connection is dead."""


class Ack(NamedTuple):
    """What the vendor says to a frame; ``words`` are masked."""

    code: int
    words: str


class LostError(Exception):
    """The frame left, and nobody knows what became of it."""


class NotSentError(Exception):
    """The frame did not leave."""


class Line:
    """One connection: ``open``, then ``next`` until it is gone, and ``ask`` meanwhile."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings, mask: Masker) -> None:
        self._session = session
        self._settings = settings
        self._mask = mask
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._waiting: dict[str, asyncio.Future[Ack]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._came: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._why = "连接已断开"
        self._missed = 0

    async def open(self) -> None:
        """Connect and subscribe. Raises :class:`channels.longline.LineTrouble`."""
        patience = self._settings.ack_timeout
        try:
            async with asyncio.timeout(2 * patience):
                self._socket = await self._session.ws_connect(
                    self._settings.url, max_msg_size=LONGEST_FRAME, autoping=True
                )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise LineTrouble(self._mask(f"连不上 {self._settings.url}：{type(error).__name__} {error}")) from error
        self._tasks.append(asyncio.create_task(self._read(self._socket), name="aibot reads"))
        secret = self._settings.secret.get_secret_value()
        try:
            said = await self.ask("aibot_subscribe", new_id("subscribe"), subscription(self._settings.bot_id, secret))
        except (LostError, NotSentError) as error:
            raise LineTrouble(f"订阅没有得到应答：{error}") from error
        if said.code == FREQUENCY:
            raise LineTrouble(f"订阅太频繁：{said.words}", rest=self._settings.frequency_rest)
        if said.code:
            raise LineTrouble(f"平台拒绝订阅，请核对 bot_id 和 secret：{said.words}", certain=said.code > 0)
        self._tasks.append(asyncio.create_task(self._beat(), name="aibot beats"))

    @property
    def stands(self) -> bool:
        """Whether frames may leave on it."""
        return self._socket is not None and not self._socket.closed

    async def next(self) -> Mapping[str, Any]:
        """The next of the vendor's own frames. Raises :class:`channels.longline.LineTrouble` at the end of the line."""
        frame = await self._came.get()
        if frame is None:
            raise LineTrouble(self._why)
        return frame

    async def ask(self, cmd: str, req_id: str, body: Mapping[str, Any] | None = None) -> Ack:
        """Send a frame and wait for its acknowledgement. Raises :class:`NotSentError` or :class:`LostError`."""
        lock = self._turns.setdefault(req_id, asyncio.Lock())
        async with lock:
            frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
            if body is not None:
                frame["body"] = body
            said: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
            self._waiting[req_id] = said
            try:
                await self._send(frame)
                async with asyncio.timeout(self._settings.ack_timeout):
                    return await said
            except TimeoutError:
                raise LostError(f"{self._settings.ack_timeout:g} 秒内没有应答") from None
            finally:
                self._waiting.pop(req_id, None)

    async def _send(self, frame: Mapping[str, Any]) -> None:
        if self._socket is None or self._socket.closed:
            raise NotSentError("长连接已断开，消息未发出")
        try:
            await self._socket.send_str(orjson.dumps(frame).decode())
        except (aiohttp.ClientError, OSError) as error:
            raise LostError(f"连接断开：{type(error).__name__}") from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                frame = _parsed(message.data)
                req_id = str(frame["headers"].get("req_id", ""))
                if frame.get("cmd"):
                    self._came.put_nowait(frame)
                    while self._came.qsize() >= MOST_WAITING:  # noqa: ASYNC110 (a queue tells nobody of its room)
                        await asyncio.sleep(_ROOM)
                elif (said := self._waiting.get(req_id)) is not None and not said.done():
                    said.set_result(_ack(frame, self._mask))
            self._why = f"连接被对方关闭（{socket.close_code}）"
        finally:
            for said in self._waiting.values():
                if not said.done():
                    said.set_exception(LostError(self._why))
            self._came.put_nowait(None)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._settings.heartbeat)
            self._missed += 1
            with suppress(LostError, NotSentError):
                await self.ask("ping", new_id("ping"))
                self._missed = 0
            if self._missed >= _MISSED:
                # A dead peer closes nothing: nobody waits for it.
                self._why = f"连续 {self._missed} 次心跳没有应答"
                self._came.put_nowait(None)
                return

    async def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._socket.close()


def new_id(what: str) -> str:
    """A ``req_id`` of the hub's own."""
    return f"{what}_{secrets.token_hex(8)}"


def _parsed(text: str) -> dict[str, Any]:
    """A frame; what is none stands under a ``cmd`` that nobody knows, so that it is kept."""
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        frame = None
    if not isinstance(frame, dict):
        return {"cmd": "?", "headers": {}, "body": {"raw": text[:2000]}}
    if not isinstance(frame.get("headers"), dict):
        frame["headers"] = {}
    return frame


def _ack(frame: Mapping[str, Any], mask: Masker) -> Ack:
    code = frame.get("errcode", 0)
    known = isinstance(code, int) and not isinstance(code, bool)
    number = code if known and isinstance(code, int) else -1
    return Ack(number, mask(f"{number} {frame.get('errmsg', '')}"))
