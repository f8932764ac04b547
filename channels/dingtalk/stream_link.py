"""One connection to DingTalk's gateway: a ticket, a WebSocket, frames in, answers out.

Pings are answered at once. What people said goes to the hub in the order it came, as much at a time as waits, and is
answered when it is on disk; what cannot be kept is not answered, so that the vendor pushes it again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple
from urllib.parse import quote_plus

import aiohttp
import orjson
from yarl import URL

from channels.callback import Heard, Thanks
from channels.dingtalk.api import MINUTE, code_of
from channels.dingtalk.app_errors import meaning
from channels.dingtalk.app_inbound import Hearing, read_pushed
from channels.dingtalk.app_settings import Settings
from channels.dingtalk.stream_frames import LONGEST_FRAME, SUBSCRIPTIONS, Frame, FrameKind, answer_to, read_frame
from channels.exchange import ask, json_object, limits_for
from channels.longline import Ear, LineTrouble
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

log = logging.getLogger(__name__)

MOST_WAITING = 256
"""How many frames may wait for the store; what comes beyond is not answered."""
PATIENCE = 20.0
"""How long a frame waits for a store that is away before it is left to be pushed again, in seconds,"""
AGAIN = 0.5
"""and how long between two tries."""
_TICKET_PATH = "v1.0/gateway/connections/open"
_OPENING = 15.0
_CLOSING = 3.0
_UA = "fenghuo"


class _Held(NamedTuple):
    """A frame that is not answered yet, and until when it is tried to keep it (the loop's time)."""

    frame: Frame
    until: float


class Link:
    """A connection that stands. ``heard_at`` is the loop's time when something of people's came last (or it was
    opened), ``leaving`` is set when the gateway wants us to go elsewhere."""

    def __init__(self, hearing: Hearing, socket: aiohttp.ClientWebSocketResponse, ear: Ear) -> None:
        self._hearing = hearing
        self._socket = socket
        self._ear = ear
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Held] = []
        self._again: list[_Held] = []
        self._held = 0
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.leaving = asyncio.Event()
        self.heard_at = self._loop.time()
        self.opened_at = ear.now()
        self.late = 0
        self.ended = asyncio.create_task(self._run(), name="dingtalk stream")

    async def close(self, grace: float = 0.0) -> None:
        """Hang up, once what has come is on disk and answered, for at most ``grace`` seconds."""
        done = asyncio.create_task(self._idle.wait())
        await asyncio.wait({done, self.ended}, timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        done.cancel()
        self.ended.cancel()
        await asyncio.wait({self.ended})

    async def _run(self) -> None:
        # If one of them ends the line is no good any more, whatever the others could still do.
        parts = (self._read_all, self._keep_all, self._try_again)
        works = {asyncio.create_task(each(), name=each.__name__) for each in parts}
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            for ended in await asyncio.gather(*works, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.error("%s: the stream failed", self._hearing.channel, exc_info=ended)
            try:
                async with asyncio.timeout(_CLOSING):
                    await self._socket.close()
            except (TimeoutError, aiohttp.ClientError, OSError):
                pass

    async def _read_all(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                frame = read_frame(message.data)
            except ValueError as error:
                # There is nothing by which to answer it; what stands in it is kept.
                log.error("%s: a frame of the stream could not be read: %s", self._hearing.channel, error)
                frame = Frame(FrameKind.CALLBACK, "", "", 0, message.data)
            if frame.kind is FrameKind.SYSTEM:
                await self._answer(frame)
                if frame.topic == "disconnect":
                    self.leaving.set()
            elif frame.kind is FrameKind.EVENT:
                await self._answer(frame)
            elif self._held >= MOST_WAITING:
                log.error(
                    "%s: too much waits for the store; a message is left to be pushed again", self._hearing.channel
                )
            else:
                self.heard_at = self._loop.time()
                self.late += 0 < frame.at < self.opened_at - 1000
                self._waiting.append(_Held(frame, self._loop.time() + PATIENCE))
                self._held += 1
                self._idle.clear()
                self._news.set()

    async def _keep_all(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                held, self._waiting = self._waiting, []
                await self._keep(held)

    async def _try_again(self) -> None:
        while True:
            await asyncio.sleep(AGAIN)
            held, self._again = self._again, []
            now = self._loop.time()
            for each in held:
                if each.until <= now:
                    log.error("%s: the message %s is left to come again", self._hearing.channel, each.frame.id[:64])
                    self._let_go(1)
            await self._keep([each for each in held if each.until > now])

    async def _keep(self, held: list[_Held]) -> None:
        """All at once where that can be, else one by one, and later once more: none of them shall hold up another."""
        if not held or await self._kept(held):
            return
        for each in held:
            if len(held) == 1 or not await self._kept([each]):
                self._again.append(each)

    async def _kept(self, held: list[_Held]) -> bool:
        now = self._ear.now()
        frames = [each.frame for each in held]
        heard = [read_pushed(self._hearing, each.topic, each.id, each.data, now) for each in frames]
        items = tuple(item for each in heard for item in each.items)
        unreadable = tuple(part for each in heard for part in each.unreadable)
        if not await self._ear.keep(Heard(items, Thanks(), unreadable)):
            return False
        for frame in frames:
            if frame.id:
                await self._answer(frame)
        self._let_go(len(held))
        return True

    def _let_go(self, count: int) -> None:
        self._held -= count
        if not self._held:
            self._idle.set()

    async def _answer(self, frame: Frame) -> None:
        try:
            await self._socket.send_str(answer_to(frame))
        except (aiohttp.ClientError, OSError):
            # The reader finds the connection gone; what was kept is known when it is pushed again.
            log.debug("%s: an answer found its connection gone", self._hearing.channel)


async def connect(hearing: Hearing, settings: Settings, session: aiohttp.ClientSession, ear: Ear) -> Link:
    """A fresh ticket and a connection with it. Raises :class:`channels.longline.LineTrouble`."""
    secret = settings.client_secret.get_secret_value()
    mask = Masker([secret])
    url = await door(settings, session, mask)
    try:
        async with asyncio.timeout(_OPENING):
            socket = await session.ws_connect(
                url,
                heartbeat=settings.stream_ping,
                autoclose=True,
                max_msg_size=LONGEST_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING),
            )
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # The address holds the ticket.
        raise LineTrouble(f"长连接建立失败：{type(error).__name__} {getattr(error, 'status', '')}".rstrip()) from None
    return Link(hearing, socket, ear)


async def door(settings: Settings, session: aiohttp.ClientSession, mask: Masker) -> URL:
    """Where to connect, with the ticket in it. Raises :class:`channels.longline.LineTrouble`."""
    body = {
        "clientId": settings.client_id,
        "clientSecret": settings.client_secret.get_secret_value(),
        "subscriptions": SUBSCRIPTIONS,
        "ua": _UA,
        "localIp": "127.0.0.1",
    }
    answer = await ask(
        session,
        "POST",
        URL(settings.base_url) / _TICKET_PATH,
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=orjson.dumps(body),
        limits=limits_for(settings.timeout),
        mask=mask,
    )
    if isinstance(answer, Outcome):
        raise LineTrouble(f"取长连接地址失败：{answer.detail}", certain=answer.kind is OutcomeKind.MISCONFIGURED)
    said = json_object(answer.body)
    endpoint, ticket = said.get("endpoint"), said.get("ticket")
    if not isinstance(endpoint, str) or not isinstance(ticket, str) or not ticket:
        code = code_of(said)
        kind = meaning(code, settings.meanings) if code else None
        words = mask(f"取长连接地址失败：HTTP {answer.status} {code} {said.get('message', '')}")
        certain = kind is OutcomeKind.MISCONFIGURED or answer.status in (401, 403)
        raise LineTrouble(words, certain=certain, rest=MINUTE if answer.status == 429 else 0.0)
    secure = settings.base_url.startswith("https://")
    try:
        # Escaped as the vendor's own client does it: "/" too.
        url = URL(f"{endpoint}?ticket={quote_plus(ticket)}", encoded=True)
    except ValueError:
        url = URL()
    if not url.host or url.scheme not in (("wss",) if secure else ("wss", "ws")):
        raise LineTrouble("平台给出的长连接地址不是 wss://", certain=True)
    return url
