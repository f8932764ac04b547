"""A DingTalk app and its robot: tokens that end, string codes under 4xx, partial failures under 200, cards, pictures,
read states, the conversations' temporary addresses; what members say goes out by the gateway or by a signed call.

Sources of the rules: the vendor's pages on the access token, batchSend, groupMessages/send, readStatus, cards, robots
that receive messages, and sessionWebhook.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot.demo.simulators.dingtalk_cards import DingCard, DingCards, RefusedError
from bot.demo.simulators.dingtalk_gateway import Gateway
from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, OnRefused, Received, Refused, begin, lose_answer

MESSAGES = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
CORPORATION = "dingdemo0000000001"
_LIFE = 7200
_SESSION_LIFE = 5_400_000
_MOST_USERS = 20
_LONGEST_PARAM = 15_000
_FIELDS = {"sampleText": ("content",), "sampleMarkdown": ("title", "text")}


class DingtalkApp:
    """One app of one corporation. A message's address is the member's userid, or the group's conversation.

    ``keys`` are the app's id and secret, ``members`` who can be reached. ``now`` gives milliseconds. ``controlled`` are
    members whom the vendor's flow control leaves out at present; ``read`` those who have read all they got.
    ``callback_url`` is where it calls by HTTP; without one what members say goes out by the ``gateway``.
    """

    def __init__(
        self,
        keys: tuple[str, str],
        members: Iterable[str],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        groups: Iterable[str] = (),
        templates: Iterable[str] = (),
        callback_url: str = "",
        channel: str = "dingtalk_app",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults, self.login_faults, self.change_faults, self.media_faults = (Faults() for _ in range(4))
        self.keys = keys
        self.gateway = Gateway(keys, now)
        self.cards = DingCards(templates)
        self.on_change: Callable[[DingCard], Awaitable[None]] | None = None
        self.on_refused: OnRefused | None = None
        self.members = set(members)
        self.groups = set(groups)
        self.controlled: set[str] = set()
        self.read: set[str] = set()
        self.logins = self.asked = self.changes = 0
        self.life = _LIFE
        self.throttled = False
        self.callback_url = callback_url
        self.sessions: dict[str, list[str]] = {}
        self._until: dict[str, int] = {}
        self._channel = channel
        self._now = now
        self._tokens: dict[str, int] = {}
        self._sent: dict[str, tuple[str, ...]] = {}
        self._files: dict[str, bytes] = {}

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def revoke(self) -> None:
        """The vendor ends every token before its time."""
        self._tokens.clear()

    def forget(self) -> None:
        """Start anew: no card is on a phone."""
        self.cards.forget()

    def app(self) -> web.Application:
        return self.beside(web.Application())

    def beside(self, site: web.Application) -> web.Application:
        """Serve the app's paths, and its gateway's, on a site that serves others too."""
        route = site.router
        route.add_post("/v1.0/oauth2/accessToken", self._login)
        route.add_post("/v1.0/robot/oToMessages/batchSend", self._call(self._batch, self.faults))
        route.add_post("/v1.0/robot/groupMessages/send", self._call(self._group, self.faults))
        route.add_get("/v1.0/robot/oToMessages/readStatus", self._call(self._read, Faults()))
        route.add_post("/v1.0/card/instances/createAndDeliver", self._call(self._card, self.faults))
        route.add_put("/v1.0/card/instances", self._call(self._change, self.change_faults))
        route.add_post("/v1.0/robot/messageFiles/download", self._call(self._file, self.media_faults))
        route.add_get("/files/{code}", self._download)
        route.add_post("/robot/sendBySession", self._by_session)
        return self.gateway.beside(site)

    def message(
        self, member: str, kind: str, *, origin: str = "", outside: bool = False, group: str = "", **part: Any
    ) -> dict[str, Any]:
        """A message to the robot as the vendor describes it: of a member, perhaps in a ``group`` where they called it,
        or of somebody from ``outside`` in a group. ``origin`` is where the vendor's old address is, for the
        conversation's temporary one."""
        session = secrets.token_hex(8)
        self.sessions[session] = []
        self._until[session] = self._now() + _SESSION_LIFE
        return {
            "conversationId": group or "cidDEMO==",
            "chatbotCorpId": CORPORATION,
            "chatbotUserId": "$:LWCP_v1:$bot",
            "msgId": f"msg{secrets.token_hex(8)}==",
            "senderNick": "示例",
            "isAdmin": False,
            "senderId": f"$:LWCP_v1:${member}",
            "senderCorpId": "dingother" if outside else CORPORATION,
            **({} if outside else {"senderStaffId": member}),
            "sessionWebhook": f"{origin}/robot/sendBySession?session={session}",
            "sessionWebhookExpiredTime": self._until[session],
            "createAt": self._now(),
            "conversationType": "2" if outside or group else "1",
            **({"isInAtList": True, "conversationTitle": "群"} if group else {}),
            "robotCode": self.keys[0],
            "msgtype": kind,
            **part,
        }

    async def write(self, member: str, text: str, session: aiohttp.ClientSession, **more: Any) -> int:
        """A member writes to the robot, in a ``group`` by calling it; the HTTP status of the hub's door, 200 where that
        is pushed."""
        return await self.say(self.message(member, "text", text={"content": f" {text} "}, **more), session)

    async def send_picture(self, member: str, body: bytes, session: aiohttp.ClientSession) -> int:
        """A member sends a picture; the status as of :meth:`write`."""
        return await self.say(self.message(member, "picture", content={"downloadCode": self.keep(body)}), session)

    def keep(self, body: bytes) -> str:
        """Keep a file that a member sent; its download code."""
        code = secrets.token_urlsafe(24)
        self._files[code] = body
        return code

    async def say(self, said: dict[str, Any], session: aiohttp.ClientSession) -> int:
        """A whole message goes to whoever hears the robot; the status as of :meth:`write`."""
        if not self.callback_url:
            await self.gateway.push(MESSAGES, said)
            return 200
        stamp = str(self._now())
        digest = hmac.digest(self.keys[1].encode(), f"{stamp}\n{self.keys[1]}".encode(), hashlib.sha256)
        headers = {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}
        async with session.post(self.callback_url, data=orjson.dumps(said), headers=headers) as response:
            await response.read()
            return response.status

    async def press(self, member: str, card: str, words: str, session: aiohttp.ClientSession) -> int:
        """A member presses the button with these words on their card. Raises KeyError where there is none (any
        more); the status as of :meth:`write`."""
        return await self.press_code(member, card, self.cards.cards[card].code(words), session)

    async def press_code(self, member: str, card: str, code: str, session: aiohttp.ClientSession) -> int:
        """The call-back of a press with any value, as whoever could call might make one."""
        content = {"cardPrivateData": {"actionIds": ["button"], "params": {"code": code}}}
        said = {
            "extension": "{}",
            "corpId": CORPORATION,
            "type": "actionCallback",
            "outTrackId": card,
            "content": orjson.dumps(content).decode(),
            "userId": member,
        }
        if not self.callback_url:
            await self.gateway.push(CARDS, said)
            return 200
        async with session.post(self.callback_url, data=orjson.dumps(said)) as response:
            await response.read()
            return response.status

    async def _login(self, request: web.Request) -> web.StreamResponse:
        self.logins += 1
        fault, code, played = await begin(request, self.login_faults)
        if played is not None:
            return played
        body = _json(await request.read())
        if fault is Fault.REFUSE:
            return _error(RefusedError("unknownError", "refused as told", code or 400))
        if (body.get("appKey"), body.get("appSecret")) != self.keys:
            return _error(RefusedError("invalidClientIdOrSecret", "无效的clientId或者clientSecret"))
        now = self._now()
        token = next((each for each, until in self._tokens.items() if until > now), None)
        if token is None:
            token = secrets.token_hex(16)
            self._tokens[token] = now + self.life * 1000
        said = orjson.dumps({"accessToken": token, "expireIn": (self._tokens[token] - now) // 1000})
        if fault is not None:
            return await lose_answer(request, fault, said)
        return web.Response(body=said, content_type="application/json")

    def _call(
        self, handler: Callable[[web.Request, dict[str, Any]], Awaitable[dict[str, Any]]], faults: Faults
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            raw = await request.read()
            fault, code, played = await begin(request, faults)
            if played is not None:
                return played
            try:
                if fault is Fault.REFUSE:
                    raise RefusedError("unknownError", "refused as told", code or 400)
                token = request.headers.get("x-acs-dingtalk-access-token", "")
                if self._tokens.get(token, 0) <= self._now():
                    raise RefusedError("InvalidAuthentication", "不合法的access_token", 401)
                if self.throttled:
                    raise RefusedError("Throttling.Api", "请求被限流", 429)
                said = orjson.dumps(await handler(request, _json(raw) if request.method != "GET" else {}))
            except RefusedError as refused:
                await self._tell_refused(raw, refused)
                return _error(refused)
            if fault is not None:
                return await lose_answer(request, fault, said)
            return web.Response(body=said, content_type="application/json")

        return serve

    async def _tell_refused(self, raw: bytes, refused: RefusedError) -> None:
        try:
            users = orjson.loads(raw).get("userIds", [])
        except (orjson.JSONDecodeError, AttributeError):
            users = []
        for each in users if isinstance(users, list) and self.on_refused is not None else []:
            if self.on_refused is not None:
                await self.on_refused(Refused(self._channel, str(each), refused.status, refused.code, self._now()))

    async def _batch(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        users = body.get("userIds")
        if not isinstance(users, list) or not 1 <= len(users) <= _MOST_USERS:
            raise RefusedError("invalidParameter.userIds.size", "userIds")
        text = self._said(body)
        invalid = [each for each in users if each not in self.members]
        controlled = [each for each in users if each in self.controlled and each in self.members]
        there = tuple(each for each in users if each in self.members and each not in self.controlled)
        key = secrets.token_urlsafe(24)
        self._sent[key] = there
        for each in there:
            await self.inbox.add(Received(self._channel, each, text[1], text[0], self._now(), orjson.dumps(body)))
        return {"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": controlled}

    async def _group(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        group = str(body.get("openConversationId", ""))
        if group not in self.groups:
            raise RefusedError("invalidParameter.openConversationId.invalid", "openConversationId")
        title, text = self._said(body)
        await self.inbox.add(Received(self._channel, group, text, title, self._now(), orjson.dumps(body)))
        return {"processQueryKey": secrets.token_urlsafe(24)}

    def _said(self, body: dict[str, Any]) -> tuple[str, str]:
        """Title and text of a robot message."""
        if body.get("robotCode") != self.keys[0]:
            raise RefusedError("invalidParameter.robotCode.invalid", "robotCode")
        fields, given = _FIELDS.get(str(body.get("msgKey"))), body.get("msgParam")
        if fields is None or not isinstance(given, str):
            raise RefusedError("invalidParameter.msgKey.invalid", "msgKey or msgParam")
        part = _json(given.encode())
        if len(given.encode()) > _LONGEST_PARAM or any(not isinstance(part.get(name), str) for name in fields):
            raise RefusedError("invalidParameter.msgParam.invalid", "msgParam")
        if not part[fields[-1]].strip():
            raise RefusedError("invalidParameter.msgParam.invalid", "msgParam is empty")
        return (part[fields[0]] if len(fields) > 1 else ""), part[fields[-1]]

    async def _read(self, request: web.Request, _: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        users = self._sent.get(request.query.get("processQueryKey", ""))
        if users is None or request.query.get("robotCode") != self.keys[0]:
            raise RefusedError("invalidParameter.processQueryKey.invalid", "processQueryKey")
        states = [
            {"userId": each, "name": each, "readStatus": "READ" if each in self.read else "UNREAD"} for each in users
        ]
        return {"sendStatus": "SUCCESS", "messageReadInfoList": states}

    async def _card(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        card = self.cards.create(body, self.members)
        result = {"spaceType": "IM_ROBOT", "spaceId": card.member, "success": not card.lost}
        if card.lost:
            result["errorMsg"] = "the user is not in the organization"
        else:
            at, raw = self._now(), orjson.dumps(body)
            await self.inbox.add(Received(self._channel, card.member, card.text, card.id, at, raw))
        return {"success": True, "result": {"outTrackId": card.id, "deliverResults": [result]}}

    async def _change(self, _: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        card = self.cards.change(body)
        self.changes += 1
        if self.on_change is not None:
            await self.on_change(card)
        return {"success": True, "result": True}

    async def _file(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        code = str(body.get("downloadCode", ""))
        if body.get("robotCode") != self.keys[0] or code not in self._files:
            raise RefusedError("invalidParameter.downloadCode.invalid", "downloadCode")
        return {"downloadUrl": f"http://{request.host}/files/{code}"}

    async def _download(self, request: web.Request) -> web.Response:
        body = self._files.get(request.match_info["code"])
        return web.Response(body=body, content_type="image/jpeg") if body is not None else web.Response(status=404)

    async def _by_session(self, request: web.Request) -> web.Response:
        session = request.query.get("session", "")
        body = _json(await request.read())
        if self._until.get(session, 0) <= self._now():
            return web.json_response({"errcode": 300005, "errmsg": "session 不存在"})
        text = body.get("text", {}).get("content", "") if body.get("msgtype") == "text" else ""
        if not text:
            return web.json_response({"errcode": 40035, "errmsg": "缺少参数"})
        self.sessions[session].append(text)
        return web.json_response({"errcode": 0, "errmsg": "ok"})


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError("invalidParameter", "body is no JSON object")
    return body


def _error(refused: RefusedError) -> web.Response:
    said = {"code": refused.code, "message": str(refused), "requestid": secrets.token_hex(8)}
    return web.json_response(said, status=refused.status)
