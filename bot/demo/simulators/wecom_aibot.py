"""A WeCom intelligent robot's side of the long connection: one connection for each robot, acknowledged frames, turns
that end, sealed pictures.

Strict where the vendor is: who has not spoken to the robot cannot be written to, a text is refused, an answer needs the
``req_id`` of a frame the vendor sent, welcome and change are late after five seconds. Sources of the rules: the
vendor's pages path/101463, 100719, 101027, 101031-101033.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.demo.simulators.vendor import Inbox, Now, Received
from bot.demo.simulators.wecom_app_messages import Message, RefusedError, read_message

_MINUTE, _HOUR = 60_000, 3_600_000
AT_ONCE = 5_000
"""How long welcome and change may take, in ms."""
_ANSWER_LIFE = 600_000
_MEDIA_LIFE = 300_000
LONGEST = 20_480
BAD_REQ_ID, OVER, NEVER_SPOKE, BAD_SECRET, FREQUENCY, TASK_USED = 846605, 846608, 93006, 40001, 45009, 42014
_BLOCK = 32


@dataclass(slots=True)
class _Turn:
    kind: str
    chat: str
    at: int
    task: str = ""
    used: bool = False


@dataclass(slots=True)
class BotCard:
    """A card on a member's phone, as it is shown now, and how often it was changed."""

    task: str
    member: str
    shown: dict[str, Any]
    changes: int = 0

    @property
    def replaced(self) -> str:
        """What a change says; '' for a card as it was sent."""
        return str(self.shown["main_title"].get("desc", "")) if self.changes else ""

    def key(self, words: str) -> str:
        """The key below these words. Raises KeyError where there is no such button."""
        found = [each["key"] for each in self.shown["button_list"] if each["text"] == words and "key" in each]
        if not found:
            raise KeyError(words)
        return str(found[0])


@dataclass(slots=True)
class BotFaults:
    """What goes wrong next: ``deaf`` frames are taken and never acknowledged, ``codes`` are answered to the frames of a
    command instead of taking them, and a ``mute`` vendor answers no heartbeat."""

    deaf: list[str] = field(default_factory=list)
    codes: dict[str, list[int]] = field(default_factory=dict)
    mute: bool = False


class WecomAibot:
    """One robot. ``spoken`` are the userids and chatids that may be written to; ``now`` gives milliseconds.

    ``most_connections`` in a minute are taken, then a subscription is refused (45009); 0: any number.
    """

    def __init__(
        self,
        bot_id: str,
        secret: str,
        now: Now,
        spoken: Iterable[str] = (),
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        per_minute: int = 30,
        per_hour: int = 1000,
        most_connections: int = 0,
        channel: str = "wecom_aibot",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults = BotFaults()
        self.cards: dict[tuple[str, str], BotCard] = {}
        self.answers: list[dict[str, Any]] = []
        self.welcomes: list[dict[str, Any]] = []
        self.subscribed = 0
        self.displaced = 0
        self.pings = 0
        self.standing = asyncio.Event()
        self.url = ""
        self.on_change: Callable[[BotCard], Awaitable[None]] | None = None
        self.account = (bot_id, secret)
        self._now = now
        self._spoken = {each.lower() for each in spoken}
        self._limits = ((_MINUTE, per_minute), (_HOUR, per_hour)) if per_minute else ()
        self._most_connections = most_connections
        self._channel = channel
        self._connections: deque[int] = deque()
        self._socket: web.WebSocketResponse | None = None
        self._transports: set[asyncio.Transport] = set()
        self._turns: dict[str, _Turn] = {}
        self._sent: dict[str, deque[int]] = {}
        self._tasks: set[str] = set()
        self._files: dict[str, tuple[bytes, int]] = {}
        self._changed = asyncio.Condition()

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        site = web.Application()
        site.router.add_get("/", self._connect)
        site.router.add_get("/media/{name}", self._media)
        return site

    def silence(self, chat: str) -> None:
        """As if this member or group had never spoken to the robot."""
        self._spoken.discard(chat.lower())

    async def drop(self) -> None:
        """Break the connection, as a net does."""
        self.standing.clear()
        for transport in self._transports:
            transport.abort()

    # What members do.

    async def heard(self, said: Awaitable[object]) -> int:
        """Whether what a member does reached the hub, as an HTTP door would say it: 200, or 0 where no line stands."""
        try:
            await said
        except (RuntimeError, ConnectionError):
            return 0
        return 200

    async def write(
        self, userid: str, text: str, *, message_id: str = "", group: str = "", quote: str = "", spoken: bool = False
    ) -> str:
        """A member writes, in a ``group`` by calling the robot, perhaps quoting; by voice with ``spoken``. Gives the
        message's id."""
        kind = "voice" if spoken else "text"
        body: dict[str, Any] = {"msgtype": kind, kind: {"content": f"@烽火 {text}" if group else text}}
        if quote:
            body["quote"] = {"msgtype": "text", "text": {"content": quote}}
        return await self.say(userid, body, message_id=message_id, group=group)

    async def send_picture(self, userid: str, body: bytes, words: str = "", *, message_id: str = "") -> str:
        """A member sends a picture, with ``words`` around it as one mixed message. Gives the message's id."""
        image = self.picture(body)
        if words:
            items = [{"msgtype": "text", "text": {"content": words}}, {"msgtype": "image", "image": image}]
            return await self.say(userid, {"msgtype": "mixed", "mixed": {"msg_item": items}}, message_id=message_id)
        return await self.say(userid, {"msgtype": "image", "image": image}, message_id=message_id)

    def picture(self, body: bytes) -> dict[str, str]:
        """A sealed file at an address that is good for five minutes."""
        key, name = secrets.token_bytes(_BLOCK), secrets.token_hex(8)
        self._files[name] = (sealed(body, key), self._now() + _MEDIA_LIFE)
        address = self.url.replace("ws://", "http://", 1)
        return {"url": f"{address}/media/{name}", "aeskey": base64.b64encode(key).decode()}

    async def say(self, userid: str, part: dict[str, Any], *, message_id: str = "", group: str = "") -> str:
        """Push a message of any kind."""
        self._spoken |= {userid.lower(), *([group.lower()] if group else [])}
        identity = message_id or secrets.token_hex(12)
        body = {"msgid": identity, "aibotid": self.account[0], "from": {"userid": userid}, **part}
        body |= {"chattype": "group", "chatid": group} if group else {"chattype": "single"}
        await self.push("aibot_msg_callback", body, _Turn("message", group or userid, self._now()))
        return identity

    async def enter(self, userid: str) -> None:
        """A member opens the chat for the first time today."""
        self._spoken.add(userid.lower())
        await self.event(userid, {"eventtype": "enter_chat"}, _Turn("enter", userid, self._now()))

    async def press(self, userid: str, task: str, words: str) -> None:
        """A member presses a button of a card. Raises KeyError where there is no such card or button."""
        await self.press_key(userid, task, self.cards[userid, task].key(words))

    async def press_key(self, userid: str, task: str, key: str) -> None:
        """The event of a press with any key."""
        inner = {"card_type": "button_interaction", "event_key": key, "task_id": task}
        event = {"eventtype": "template_card_event", "template_card_event": inner}
        await self.event(userid, event, _Turn("press", userid, self._now(), task))

    async def event(self, userid: str, event: dict[str, Any], turn: _Turn | None = None) -> None:
        """Push an event of any kind."""
        body = {
            "msgid": secrets.token_hex(12),
            "create_time": self._now() // 1000,
            "aibotid": self.account[0],
            "chattype": "single",
            "from": {"userid": userid},
            "msgtype": "event",
            "event": event,
        }
        await self.push("aibot_event_callback", body, turn)

    async def push(self, cmd: str, body: dict[str, Any], turn: _Turn | None = None) -> None:
        """Push a frame. Raises RuntimeError where no robot is connected: what is pushed then is lost, as there."""
        socket = self._socket
        if socket is None or socket.closed:
            raise RuntimeError("no robot is connected")
        req_id = secrets.token_hex(8)
        if turn is not None:
            self._turns[req_id] = turn
        await socket.send_str(orjson.dumps({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}).decode())

    async def until(self, holds: Callable[[], object]) -> None:
        """As soon as ``holds`` after a frame of the hub."""
        async with self._changed:
            await self._changed.wait_for(holds)

    # The connection.

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=400, text="this is a websocket")
        socket = web.WebSocketResponse(autoping=True, max_msg_size=1024 * 1024)
        await socket.prepare(request)
        transport = request.transport
        if transport is not None:
            self._transports.add(transport)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._frame(socket, orjson.loads(message.data))
        finally:
            if transport is not None:
                self._transports.discard(transport)
            if self._socket is socket:
                self._socket = None
                self.standing.clear()
        return socket

    async def _frame(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        """Take a frame of the hub's and acknowledge it."""
        cmd, req_id = str(frame.get("cmd")), str(frame.get("headers", {}).get("req_id", ""))
        code, words = 0, "ok"
        try:
            if cmd == "ping":
                self.pings += 1
            elif cmd == "aibot_subscribe":
                await self._subscribe(socket, frame.get("body") or {})
            elif self._socket is not socket:
                raise RefusedError(40014, "not subscribed")
            else:
                await self._take(cmd, req_id, frame.get("body") or {})
        except RefusedError as refused:
            code, words = refused.code, refused.words
        if cmd in self.faults.deaf:
            self.faults.deaf.remove(cmd)
        elif cmd != "ping" or not self.faults.mute:
            said = {"headers": {"req_id": req_id}, "errcode": code, "errmsg": words}
            await socket.send_str(orjson.dumps(said).decode())
        if cmd == "aibot_subscribe" and not code:
            self.standing.set()
        async with self._changed:
            self._changed.notify_all()

    async def _subscribe(self, socket: web.WebSocketResponse, body: dict[str, Any]) -> None:
        self._played("aibot_subscribe")
        now = self._now()
        while self._connections and self._connections[0] <= now - _MINUTE:
            self._connections.popleft()
        self._connections.append(now)
        if 0 < self._most_connections < len(self._connections):
            raise RefusedError(FREQUENCY, "api freq out of limit")
        if (body.get("bot_id"), body.get("secret")) != self.account:
            raise RefusedError(BAD_SECRET, "invalid bot_id or secret")
        former, self._socket = self._socket, socket
        self.subscribed += 1
        if former is not None and former is not socket and not former.closed:
            self.displaced += 1
            event = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}
            frame = {"cmd": "aibot_event_callback", "headers": {"req_id": secrets.token_hex(8)}, "body": event}
            await former.send_str(orjson.dumps(frame).decode())
            await former.close()

    def _played(self, cmd: str) -> None:
        codes = self.faults.codes.get(cmd)
        if codes:
            raise RefusedError(codes.pop(0), "refused as told")

    async def _take(self, cmd: str, req_id: str, body: dict[str, Any]) -> None:
        self._played(cmd)
        match cmd:
            case "aibot_send_msg":
                await self._message(body)
            case "aibot_respond_msg":
                turn = self._turn(req_id, "message", _ANSWER_LIFE)
                self._say(turn.chat)
                stream = body.get("stream")
                if body.get("msgtype") != "stream" or not isinstance(stream, dict) or not stream.get("id"):
                    raise RefusedError(40008, "invalid message type")
                text = str(stream.get("content", ""))
                if not text or len(text.encode()) > LONGEST:
                    raise RefusedError(40058, "stream.content is empty or too long")
                turn.used = bool(stream.get("finish"))
                self.answers.append({"req_id": req_id, "chat": turn.chat, **stream})
                await self._received(turn.chat, text, body)
            case "aibot_respond_welcome_msg":
                turn = self._turn(req_id, "enter", AT_ONCE)
                self._say(turn.chat)
                if body.get("msgtype") not in ("text", "template_card"):
                    raise RefusedError(40008, "invalid message type")
                turn.used = True
                self.welcomes.append(body)
                await self._received(turn.chat, str(body.get("text", {}).get("content", "")), body)
            case "aibot_respond_update_msg":
                await self._change(self._turn(req_id, "press", AT_ONCE), body)
            case _:
                raise RefusedError(40003, "unknown cmd")

    def _turn(self, req_id: str, kind: str, life: int) -> _Turn:
        turn = self._turns.get(req_id)
        if turn is None or turn.kind != kind:
            raise RefusedError(BAD_REQ_ID, "invalid req_id")
        if turn.used or self._now() > turn.at + life:
            raise RefusedError(OVER, "stream message expired")
        return turn

    async def _message(self, body: dict[str, Any]) -> None:
        chat, kind = str(body.get("chatid", "")), body.get("msgtype")
        if body.get("chat_type") not in (0, 1, 2) or kind not in ("markdown", "template_card"):
            raise RefusedError(40008, "invalid message type")
        if chat.lower() not in self._spoken:
            # The vendor's own code for this is not documented.
            raise RefusedError(NEVER_SPOKE, "invalid chatid")
        if kind == "markdown":
            content = body.get("markdown", {}).get("content")
            if not isinstance(content, str) or not content or len(content.encode()) > LONGEST:
                raise RefusedError(40058, "markdown.content is empty or too long")
            message = Message(content)
        else:
            message = read_message(body)
            if message.task in self._tasks:
                raise RefusedError(TASK_USED, "task_id has been used")
        self._say(chat)
        if message.task:
            self._tasks.add(message.task)
            self.cards[chat, message.task] = BotCard(message.task, chat, message.card)
        await self._received(chat, message.text, body, message.task)

    async def _change(self, turn: _Turn, body: dict[str, Any]) -> None:
        if body.get("response_type") != "update_template_card":
            raise RefusedError(40058, "response_type is missing")
        changed = read_message({"msgtype": "template_card", "template_card": body.get("template_card")})
        if changed.task != turn.task:
            raise RefusedError(40058, "task_id is another card's")
        for member in body.get("userids") or [turn.chat]:
            card = self.cards.get((str(member), turn.task))
            if card is not None:
                card.shown, card.changes = changed.card, card.changes + 1
                if self.on_change is not None:
                    await self.on_change(card)
        turn.used = True

    def _say(self, chat: str) -> None:
        """Count one more message of this chat. Raises the refusal where there were too many."""
        now, sent = self._now(), self._sent.setdefault(chat.lower(), deque())
        while sent and sent[0] <= now - _HOUR:
            sent.popleft()
        for span, most in self._limits:
            if sum(at > now - span for at in sent) >= most:
                raise RefusedError(FREQUENCY, "api freq out of limit")
        sent.append(now)

    async def _received(self, chat: str, text: str, body: dict[str, Any], subject: str = "") -> None:
        raw = orjson.dumps(body)
        await self.inbox.add(Received(self._channel, chat, text, subject, self._now(), raw))

    async def _media(self, request: web.Request) -> web.Response:
        body, until = self._files.get(request.match_info["name"], (b"", 0))
        if until <= self._now():
            return web.Response(status=403, text="expired")
        return web.Response(body=body, headers={"Content-Disposition": 'attachment; filename="picture"'})


def sealed(body: bytes, key: bytes) -> bytes:
    """A file as the vendor gives it out."""
    missing = _BLOCK - len(body) % _BLOCK
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return encryptor.update(body + bytes([missing]) * missing) + encryptor.finalize()
