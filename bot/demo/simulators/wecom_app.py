"""A WeCom app: tokens that end, members with limits, errcodes under HTTP 200, and call-backs sealed as the vendor does.

Sources of the rules: the vendor's pages path/91039, 90236, 94888, 90454, 90930, 90239, 90240, 90254.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from yarl import URL

from bot.demo.simulators.vendor import (
    Fault,
    Faults,
    Inbox,
    Now,
    OnRefused,
    Received,
    Refused,
    begin,
    lose_answer,
)
from bot.demo.simulators.wecom_app_messages import (
    AppCard,
    Cards,
    Message,
    RefusedError,
    answered,
    element,
    json_body,
    read_message,
)
from channels.wecom.callback_crypto import Seal

_MINUTE, _HOUR = 60_000, 3_600_000
_LIFE = 7200
_MEDIA_LIFE = 3 * 86_400_000
_LONGEST_INTERVAL = 14_400
_TRIES = 3
_PATIENCE = 5.0
_NAME = "烽火"
"""What the app is called in the members' chats."""


@dataclass(frozen=True, slots=True)
class AppAccount:
    """What the vendor's administration page shows of one app."""

    corpid: str
    agentid: int
    secret: str
    callback_token: str
    callback_key: str


class WecomApp:
    """One app of one corporation. A message's address is the member's userid, as the directory writes it.

    ``members`` can be reached, ``unlicensed`` are members without an API licence. ``now`` gives milliseconds;
    ``per_minute`` 0 takes the limits away (for measuring). ``silent`` counts what was dropped without a word, by why.
    ``cards`` are those that members have, ``on_change`` hears of each that is changed.
    While ``throttled``, the app's quota is used up and every send is refused; ``on_refused`` hears of it. ``listed``:
    the caller's address is among those that the app trusts; ``works``: the app is not switched off.
    """

    def __init__(
        self,
        account: AppAccount,
        members: Iterable[str],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        unlicensed: Iterable[str] = (),
        callback_url: str = "",
        per_minute: int = 30,
        per_hour: int = 1000,
        channel: str = "wecom_app",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self.login_faults = Faults()
        self.change_faults = Faults()
        self.media_faults = Faults()
        self.cards = Cards()
        self.on_change: Callable[[AppCard], Awaitable[None]] | None = None
        self.changes = 0
        self._files: dict[str, tuple[bytes, str, int]] = {}
        self.account = account
        self.callback_url = callback_url
        self.logins = 0
        self.silent = {"minute": 0, "hour": 0, "repeat": 0, "cut": 0}
        self.life = _LIFE
        self.throttled = False
        self.listed = self.works = True
        self.on_refused: OnRefused | None = None
        self._members = {each.lower(): each for each in members}
        self._unlicensed = {each.lower(): each for each in unlicensed}
        self._now = now
        self._limits = (("minute", _MINUTE, per_minute), ("hour", _HOUR, per_hour)) if per_minute else ()
        self._channel = channel
        self._tokens: dict[str, int] = {}
        self._sent: dict[str, deque[int]] = {}
        self._seen: dict[bytes, int] = {}

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def revoke(self) -> None:
        """The vendor ends every token before its time."""
        self._tokens.clear()

    def forget(self) -> None:
        """Start anew: nobody has been sent anything."""
        self._sent.clear()
        self._seen.clear()
        self.cards.forget()

    def admit(self, userid: str) -> None:
        """Another member joins."""
        self._members[userid.lower()] = userid

    def app(self) -> web.Application:
        return self.beside(web.Application())

    def expel(self, userid: str) -> None:
        """A member leaves the corporation."""
        self._members.pop(userid.lower(), None)

    def unlicense(self, userid: str) -> None:
        """A member's API licence ends: calls succeed, and leave them out."""
        self._members.pop(userid.lower(), None)
        self._unlicensed[userid.lower()] = userid

    def beside(self, site: web.Application) -> web.Application:
        """Serve the app's paths on a site that serves others too: the vendor's robots and apps have one address."""
        site.router.add_get("/cgi-bin/gettoken", self._gettoken)
        site.router.add_get("/cgi-bin/agent/get", self._agent)
        site.router.add_post("/cgi-bin/message/send", self._send)
        site.router.add_post("/cgi-bin/message/update_template_card", self._change)
        site.router.add_get("/cgi-bin/media/get", self._media)
        return site

    async def check(self, session: aiohttp.ClientSession, echo: str = "1616140317555161061") -> bool:
        """What the administration page does when the call-back address is saved; whether it was content."""
        seal, timestamp, nonce = self._seal(), str(self._now() // 1000), secrets.token_hex(5)
        sealed, signature = seal.close(echo, timestamp, nonce, secrets.token_bytes(16))
        given = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": sealed}
        async with session.get(URL(self.callback_url).with_query(given)) as response:
            return response.status == 200 and await response.read() == echo.encode()

    async def write(
        self, userid: str, text: str, session: aiohttp.ClientSession, message_id: str = "", *, original: str = ""
    ) -> int:
        """A member writes to the app, perhaps quoting an ``original``, which the vendor then sends along in the same
        text. Returns the HTTP status of the hub's door, 0 where nobody answered."""
        identity = message_id or str(secrets.randbelow(10**18))
        if original:
            text = f"「{_NAME}：{original}」\n- - - - - - - - - - - - - - -\n{text}"
        fields = {"MsgType": "text", "Content": text, "MsgId": identity}
        return await self.call(userid, fields, session)

    async def press(self, userid: str, task: str, words: str, session: aiohttp.ClientSession) -> int:
        """A member presses the button with these words on their card. Raises KeyError where there is none (any more);
        the status as of :meth:`write`."""
        return await self.press_key(userid, task, self.cards.cards[userid, task].key(words), session)

    async def press_key(self, userid: str, task: str, key: str, session: aiohttp.ClientSession) -> int:
        """The event of a press with any key, as whoever holds the call-back's secrets could make one."""
        fields = {
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": key,
            "TaskId": task,
            "CardType": "button_interaction",
            "ResponseCode": self.cards.handle(task, self._now()),
        }
        return await self.call(userid, fields, session)

    async def send_picture(
        self, userid: str, body: bytes, session: aiohttp.ClientSession, *, kind: str = "image/jpeg"
    ) -> int:
        """A member sends a picture; the status as of :meth:`write`."""
        media = secrets.token_urlsafe(32)
        self._files[media] = (body, kind, self._now() + _MEDIA_LIFE)
        identity = str(secrets.randbelow(10**18))
        fields = {"MsgType": "image", "PicUrl": "http://127.0.0.1:9/p", "MediaId": media, "MsgId": identity}
        return await self.call(userid, fields, session)

    async def call(self, userid: str, fields: dict[str, str], session: aiohttp.ClientSession) -> int:
        """Deliver a message or event: three times in all where the connection breaks or no answer comes in time."""
        account = self.account
        whole = {
            "ToUserName": account.corpid,
            "FromUserName": userid,
            "CreateTime": str(self._now() // 1000),
            "AgentID": str(account.agentid),
            **fields,
        }
        message = f"<xml>{''.join(element(name, value) for name, value in whole.items())}</xml>"
        for _ in range(_TRIES):
            timestamp, nonce = str(self._now() // 1000), secrets.token_hex(5)
            sealed, signature = self._seal().close(message, timestamp, nonce, secrets.token_bytes(16))
            body = "".join(
                (
                    element("ToUserName", account.corpid),
                    element("AgentID", str(account.agentid)),
                    element("Encrypt", sealed),
                )
            )
            given = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}
            try:
                async with session.post(
                    URL(self.callback_url).with_query(given),
                    data=f"<xml>{body}</xml>".encode(),
                    headers={"Content-Type": "text/xml"},
                    timeout=aiohttp.ClientTimeout(total=_PATIENCE),
                ) as response:
                    await response.read()
                    return response.status
            except (aiohttp.ClientError, TimeoutError):
                continue
        return 0

    def _seal(self) -> Seal:
        return Seal.of(self.account.callback_token, self.account.callback_key, self.account.corpid)

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        self.logins += 1
        fault, code, played = await begin(request, self.login_faults)
        if played is not None:
            return played
        if fault is Fault.REFUSE:
            return answered({"errcode": code, "errmsg": "refused as told"})
        if request.query.get("corpid") != self.account.corpid:
            return answered({"errcode": 40013, "errmsg": "invalid corpid"})
        if request.query.get("corpsecret") != self.account.secret:
            return answered({"errcode": 40001, "errmsg": "invalid credential"})
        now = self._now()
        # One token for everybody who asks while it holds.
        token = next((each for each, until in self._tokens.items() if until > now), None)
        if token is None:
            token = secrets.token_urlsafe(64)
            self._tokens[token] = now + self.life * 1000
        seconds = (self._tokens[token] - now) // 1000
        said = {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": seconds}
        return await lose_answer(request, fault, orjson.dumps(said)) if fault is not None else answered(said)

    async def _agent(self, request: web.Request) -> web.Response:
        """What the app is: told to callers from its listed addresses, while it is on or off."""
        try:
            self._is_known(request.query.get("access_token", ""))
            if not self.listed:
                raise RefusedError(60020, "not allow to access from your ip")
            if request.query.get("agentid") != str(self.account.agentid):
                raise RefusedError(301002, "no permission to access this agent")
        except RefusedError as refused:
            return answered({"errcode": refused.code, "errmsg": refused.words})
        said = {"errcode": 0, "errmsg": "ok", "agentid": self.account.agentid, "name": _NAME}
        return answered({**said, "close": 0 if self.works else 1})

    async def _send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, code, played = await begin(request, self.faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise RefusedError(code, "refused as told")
            said = await self._take(request.query.get("access_token", ""), raw)
        except RefusedError as refused:
            tail = f", hint: [{self._now()}_1_demo], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com"
            return answered({"errcode": refused.code, "errmsg": refused.words + tail})
        if fault is not None:
            return await lose_answer(request, fault, orjson.dumps(said))
        return answered(said)

    def _is_known(self, token: str) -> None:
        if token not in self._tokens:
            raise RefusedError(40014, "invalid access_token")
        if self._tokens[token] <= self._now():
            raise RefusedError(42001, "access_token expired")

    async def _take(self, token: str, raw: bytes) -> dict[str, Any]:
        now = self._now()
        self._is_known(token)
        body = json_body(raw)
        asked, message, interval = self._checked(body)
        await self._check_quota(asked, now)
        invalid = [each for each in asked if each not in self._members and each not in self._unlicensed]
        unlicensed = [each for each in asked if each in self._unlicensed]
        if len(invalid) == len(asked):
            raise RefusedError(81013, "user & party & tag all invalid")
        identity = secrets.token_urlsafe(24)
        said = {"errcode": 0, "errmsg": "ok", "invaliduser": "|".join(invalid), "msgid": identity}
        if unlicensed:
            said["unlicenseduser"] = "|".join(unlicensed)
        if interval:
            if self._seen.get(raw, 0) > now:
                self.silent["repeat"] += 1
                return said
            self._seen[raw] = now + interval * 1000
        there = [self._members[each] for each in asked if each in self._members]
        if message.task:
            said["response_code"] = self.cards.take(message, there, now)
        self.silent["cut"] += message.cut
        for member in there:
            if self._has_room(member.lower(), now):
                await self.inbox.add(Received(self._channel, member, message.text, message.task, now, raw))
        return said

    async def _change(self, request: web.Request) -> web.StreamResponse:
        """Words in the place of a card's buttons."""
        raw = await request.read()
        fault, code, played = await begin(request, self.change_faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise RefusedError(code, "refused as told")
            self._is_known(request.query.get("access_token", ""))
            body = json_body(raw)
            self._is_own(body)
            changed, without = self.cards.change(body, self._now())
        except RefusedError as refused:
            return answered({"errcode": refused.code, "errmsg": refused.words})
        for card in changed:
            self.changes += 1
            if self.on_change is not None:
                await self.on_change(card)
        said = {"errcode": 0, "errmsg": "ok", "invaliduser": without}
        return await lose_answer(request, fault, orjson.dumps(said)) if fault is not None else answered(said)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        """A file that a member sent, for three days."""
        fault, code, played = await begin(request, self.media_faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise RefusedError(code, "refused as told")
            self._is_known(request.query.get("access_token", ""))
            body, kind, until = self._files.get(request.query.get("media_id", ""), (b"", "", 0))
            if until <= self._now():
                raise RefusedError(40007, "invalid media_id")
        except RefusedError as refused:
            return answered({"errcode": refused.code, "errmsg": refused.words})
        if fault is not None:
            return await lose_answer(request, fault, body)
        headers = {"Content-Disposition": 'attachment; filename="picture"'}
        return web.Response(body=body, content_type=kind, headers=headers)

    async def _check_quota(self, asked: list[str], now: int) -> None:
        if not self.throttled:
            return
        refusal = RefusedError(45009, "api freq out of limit")
        for each in asked:
            if self.on_refused is not None:
                name = self._members.get(each, each)
                await self.on_refused(Refused(self._channel, name, refusal.code, refusal.words, now))
        raise refusal

    def _checked(self, body: dict[str, Any]) -> tuple[list[str], Message, int]:
        """Members (in lower case), message, and for how long the same request is dropped. Raises the vendor's
        refusal."""
        self._is_own(body)
        message, to = read_message(body), body.get("touser")
        if not isinstance(to, str) or not to:
            raise RefusedError(40058, "touser is missing")
        asked = list(self._members) if to == "@all" else [each.lower() for each in to.split("|")]
        interval = body.get("duplicate_check_interval", 1800) if body.get("enable_duplicate_check") == 1 else 0
        if not isinstance(interval, int) or not 0 <= interval <= _LONGEST_INTERVAL:
            raise RefusedError(40058, "duplicate_check_interval out of range")
        return asked, message, interval

    def _is_own(self, body: dict[str, Any]) -> None:
        if body.get("agentid") != self.account.agentid or isinstance(body.get("agentid"), bool):
            raise RefusedError(40056, "invalid agentid")

    def _has_room(self, member: str, now: int) -> bool:
        """Whether the member's limits allow one more; what is over is dropped and nobody is told."""
        sent = self._sent.setdefault(member, deque())
        while sent and sent[0] <= now - _HOUR:
            sent.popleft()
        for name, span, most in self._limits:
            if sum(at > now - span for at in sent) >= most:
                self.silent[name] += 1
                return False
        sent.append(now)
        return True
