"""钉钉应用机器人: messages to one member, with buttons where a card is wanted, and answers that come back.

Only members of the app's own corporation can be reached; whoever wrote from outside is answered in their conversation.
A success may still leave somebody out: ``invalidStaffIdList`` and ``flowControlledStaffIdList`` in the body name them.
That a message was read is asked for later and is no signature. Sources of the rules: the vendor's pages on batchSend,
readStatus, createAndDeliver and sessionWebhook (open.dingtalk.com); what they do not say is a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import orjson

from channels.callback import Call, Errand, Heard, Media, NotOursError
from channels.channel import Abilities, Form, Letter, ReceiptKind, Report, Window
from channels.dingtalk.api import MINUTE, Api
from channels.dingtalk.app_inbound import Hearing, is_userid, read_call
from channels.dingtalk.app_media import fetch
from channels.dingtalk.app_messages import LIMITS, ROOM, Body, Shape, body_of, card_of, change_of
from channels.dingtalk.app_settings import Settings, Way
from channels.dingtalk.markdown import plain
from channels.dingtalk.outsiders import PREFIX, Outsiders
from channels.dingtalk.stream import Stream
from channels.dingtalk.stream_link import door
from channels.exchange import ask, json_object, limits_for
from channels.fitting import unfit
from channels.greeting import Greeting, Standing
from channels.longline import Ear, LineTrouble
from channels.outcome import Outcome, OutcomeKind

__all__ = ["Driver", "Settings"]

_SEND = "v1.0/robot/oToMessages/batchSend"
_READ = "v1.0/robot/oToMessages/readStatus"
_CREATE = "v1.0/card/instances/createAndDeliver"
_CHANGE = "v1.0/card/instances"
_LONGEST_KEY = 256
_ID_USED = "outtrackid"


class Driver:
    """Sends an app robot's messages, one member a letter, and hears what members write to it and press."""

    Settings: ClassVar[Any] = Settings

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        secret, token = settings.client_secret.get_secret_value(), settings.callback_token.get_secret_value()
        # Of a card nobody can be asked whether it was read: a call to act would always count as unread.
        asks = () if settings.form is Shape.CARD else settings.read_after
        self.abilities = Abilities(
            kind=settings.kind,
            word="钉钉应用",
            form=Form.MARKDOWN if settings.form is Shape.MARKDOWN else Form.TEXT,
            max_bytes=settings.max_bytes - ROOM,
            personal=True,
            links=True,
            replies=settings.inbound is not Way.NONE,
            windows=(Window(settings.per_minute, int(MINUTE)),),
            reserve=settings.reserve,
            receipts=frozenset({ReceiptKind.READ}) if asks else frozenset(),
            reports_by_id=bool(asks),
            asked_after=asks,
            at_once=settings.at_once,
            timeout=settings.timeout,
            card=LIMITS if settings.form is Shape.CARD else None,
            buttons=settings.form is Shape.CARD,
        )
        self._settings = settings
        self._session = session
        self._api = Api(
            session,
            settings.base_url,
            (settings.client_id, secret),
            settings.meanings,
            settings.timeout,
            [token],
        )
        self._outsiders = Outsiders(secret, settings.session_url)
        self._hearing = Hearing(name, self._outsiders)
        http = settings.inbound is Way.HTTP
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses if http else ()
        self.callback_errands = frozenset({Errand.UPLINK}) if http else frozenset()
        self.line = f"dingtalk:{settings.client_id}" if settings.inbound is Way.STREAM else ""
        self.line_terms: object = settings
        self._stream = Stream(self._hearing, settings, session)

    async def send(self, letter: Letter) -> Outcome:
        if refused := unfit(letter.text):
            return refused
        member = letter.address.strip()
        if member.startswith(PREFIX):
            return await self._answer_outside(letter, member)
        if not is_userid(member):
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._api.mask(f"{member[:30]!r} 不是钉钉成员的 userId"))
        if letter.changes:
            said = await self._api.call("PUT", _CHANGE, letter.at, body=change_of(letter))
            return said if isinstance(said, Outcome) else _of_change(said)
        if letter.card is not None and self._settings.form is Shape.CARD:
            body = card_of(letter.card, member, self._settings.card_template, self._route)
            said = await self._api.call("POST", _CREATE, letter.at, body=body)
            if not isinstance(said, Outcome):
                return of_card(said, letter.card.id)
            if letter.repeat and _ID_USED in said.detail.lower():
                # The try before, whose answer was lost, has arrived: the card is the member's.
                return Outcome(OutcomeKind.ACCEPTED, said.detail, handle=letter.card.id)
            return said
        message = self.message(letter)
        if refused := unfit(message.text, self._settings.max_bytes):
            return refused
        body = {
            "robotCode": self._settings.robot,
            "userIds": [member],
            "msgKey": message.key,
            "msgParam": message.param,
        }
        said = await self._api.call("POST", _SEND, letter.at, body=body)
        return said if isinstance(said, Outcome) else of_send(said, member)

    def message(self, letter: Letter) -> Body:
        """The robot message of a letter that is no card."""
        return body_of(letter, markdown=self._settings.form is Shape.MARKDOWN, name=self.name)

    async def greet(self, at: int) -> Greeting:
        """Ask for an access token, and for the stream's address where answers come that way; keep neither."""
        found = await self._api.login.greet(at)
        if not found.standing.good or not self.line:
            return found
        try:
            await door(self._settings, self._session, self._api.mask)
        except LineTrouble as trouble:
            return Greeting(Standing.REFUSED, str(trouble))
        return Greeting(found.standing, f"{found.detail}，已取得长连接地址")

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Read one HTTP call-back; see :mod:`channels.dingtalk.app_inbound` for what it raises."""
        if self._settings.inbound is not Way.HTTP:
            raise NotOursError(f"渠道 {self.name} 不以 HTTP 接收")
        secret = self._settings.client_secret.get_secret_value()
        return read_call(self._hearing, secret, call, at, self._settings.callback_window)

    async def hold(self, ear: Ear) -> None:
        """Hear by the stream; see :class:`channels.longline.LongLine`."""
        await self._stream.hold(ear)

    async def fetch(self, media: str, at: int) -> Media | Outcome:
        """A picture that a member sent; see :class:`channels.callback.MediaSource`."""
        settings = self._settings
        return await fetch(
            self._api,
            self._session,
            settings.robot,
            media,
            at,
            secure=settings.base_url.startswith("https://"),
            longest=settings.evidence_bytes,
            seconds=settings.timeout,
        )

    async def ask(self, vendor_id: str, at: int) -> tuple[Report, ...] | Outcome:
        """Whether a message was read; see :class:`channels.collecting.Asked`."""
        query = {"robotCode": self._settings.robot, "processQueryKey": vendor_id}
        said = await self._api.call("GET", _READ, at, query=query)
        if isinstance(said, Outcome):
            return said
        found = said.get("messageReadInfoList")
        readers = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        if not any(each.get("readStatus") == "READ" for each in readers):
            return ()
        return (Report(self.name, "", vendor_id, ReceiptKind.READ, at, "已读"),)

    @property
    def _route(self) -> str:
        return self._settings.card_route if self._settings.inbound is Way.HTTP else ""

    async def _answer_outside(self, letter: Letter, address: str) -> Outcome:
        session = self._outsiders.session(address)
        if session is None or session.until <= letter.at:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, "不是本企业成员，临时会话已过期")
        bare = plain(letter.text) if self._settings.form is Shape.MARKDOWN else letter.text
        body = {"msgtype": "text", "text": {"content": bare}}
        answer = await ask(
            self._session,
            "POST",
            session.url,
            headers={"Content-Type": "application/json; charset=utf-8"},
            body=orjson.dumps(body),
            limits=limits_for(self._settings.timeout),
            mask=self._api.mask,
        )
        if isinstance(answer, Outcome):
            return answer
        said = json_object(answer.body)
        if said.get("errcode") == 0:
            return Outcome(OutcomeKind.ACCEPTED, "0")
        if isinstance(said.get("errcode"), int):
            # The conversation is over, or does not want us: there is no other way to whoever wrote.
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._api.mask(f"{said['errcode']} {said.get('errmsg', '')}"))
        found = self._api.read(answer, letter.at)
        return found if isinstance(found, Outcome) else Outcome(OutcomeKind.UNCERTAIN, "应答中没有 errcode")


def of_send(said: Mapping[str, Any], member: str) -> Outcome:
    """What a success says of the one member: it may have left them out."""
    for name, kind, words in (
        ("invalidStaffIdList", OutcomeKind.REFUSED_RECIPIENT, "不是本企业成员或不在机器人可见范围"),
        ("flowControlledStaffIdList", OutcomeKind.THROTTLED, "平台对此人流控"),
    ):
        left_out = said.get(name)
        if isinstance(left_out, list) and member.lower() in {str(each).lower() for each in left_out}:
            rest = MINUTE if kind is OutcomeKind.THROTTLED else None
            return Outcome(kind, f"{name}：{words}", retry_after=rest)
    key = said.get("processQueryKey")
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        return Outcome(OutcomeKind.UNCERTAIN, "应答中没有 processQueryKey")
    return Outcome(OutcomeKind.ACCEPTED, "已提交", vendor_id=key)


def of_card(said: Mapping[str, Any], card: str) -> Outcome:
    """What a success says of a card: it was made, and delivered unless one of its deliveries says otherwise."""
    result = said.get("result")
    deliveries = result.get("deliverResults") if isinstance(result, dict) else None
    for each in deliveries if isinstance(deliveries, list) else []:
        if isinstance(each, dict) and each.get("success") is False:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, f"卡片未投放：{str(each.get('errorMsg', ''))[:120]}")
    if said.get("success") is not True:
        return Outcome(OutcomeKind.REFUSED_CONTENT, "平台没有创建卡片")
    return Outcome(OutcomeKind.ACCEPTED, "卡片已投放", handle=card)


def _of_change(said: Mapping[str, Any]) -> Outcome:
    if said.get("success") is not True:
        return Outcome(OutcomeKind.REFUSED_CONTENT, "平台没有更新卡片")
    return Outcome(OutcomeKind.ACCEPTED, "卡片已更新")
