"""China Mobile's cloud MAS: opens the base64 body, checks the seal field by field, knows its sign codes and templates,
answers ``rspcod`` under HTTP 200, and pushes reports and answers.

Source of the rules: several public implementations that agree.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, begin, lose_answer

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_VARIABLE = re.compile(r"\$?\{\w+\}")
_PLAIN = ("mobiles", "content", "sign", "addSerial")
_BY_TEMPLATE = ("templateId", "mobiles", "params", "sign", "addSerial")
_CHINA = timezone(timedelta(hours=8))
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class _Message:
    phone: str
    group: str
    serial: str
    text: str
    at: int


class _RefusedError(Exception):
    """``rspcod`` of a refusal."""


@dataclass
class MasPlatform:
    """One interface account. ``signs`` are signatures by their code, ``templates`` approved texts by id; ``number`` is
    where messages come from before the sub-code.

    ``report_url`` and ``uplink_url`` are where it pushes to; ``now`` gives milliseconds. ``refusal`` is what
    :attr:`Fault.REFUSE` answers with. A message's address is the number it goes to.
    """

    ec_name: str
    ap_id: str
    secret_key: str
    signs: Mapping[str, str]
    now: Now
    templates: Mapping[str, str] = field(default_factory=dict)
    on_message: Callable[[Received], Awaitable[None]] | None = None
    number: str = "1065000000"
    report_url: str = ""
    uplink_url: str = ""
    channel: str = "sms_mas"
    refusal: str = "InvalidUsrOrPwd"
    faults: Faults = field(default_factory=Faults)
    sent: list[_Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.on_message)

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/sms/norsubmit", self._serve)
        app.router.add_post("/sms/tmpsubmit", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, _, played = await begin(request, self.faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise _RefusedError(self.refusal)
            received = self._submit(raw, by_template=request.path.endswith("tmpsubmit"))
        except _RefusedError as refused:
            return web.json_response({"msgGroup": "", "rspcod": str(refused), "success": False})
        await self.inbox.add(received)
        body = orjson.dumps({"msgGroup": self.sent[-1].group, "rspcod": "success", "success": True})
        if fault is not None:
            return await lose_answer(request, fault, body)
        return web.Response(body=body, content_type="application/json")

    def _submit(self, raw: bytes, *, by_template: bool) -> Received:
        said = _opened(raw)
        order = _BY_TEMPLATE if by_template else _PLAIN
        if set(said) != {"ecName", "apId", "mac", *order} or not all(isinstance(each, str) for each in said.values()):
            raise _RefusedError("InvalidMessage")
        if (said["ecName"], said["apId"]) != (self.ec_name, self.ap_id):
            raise _RefusedError("InvalidUsrOrPwd")
        whole = said["ecName"] + said["apId"] + self.secret_key + "".join(said[name] for name in order)
        right = hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(right, said["mac"]):
            raise _RefusedError("IllegalMac")
        if not said["sign"]:
            raise _RefusedError("NoSignId")
        if said["sign"] not in self.signs:
            raise _RefusedError("IllegalSignId")
        phone, serial = said["mobiles"], said["addSerial"]
        fits = serial == "" or (serial.isdigit() and len(self.number + serial) <= _MOST_DIGITS)
        if not _MOBILE.fullmatch(phone) or not fits:
            raise _RefusedError("InvalidMessage")
        body = self._filled(said) if by_template else said["content"]
        if not body:
            raise _RefusedError("InvalidMessage")
        text, now = f"【{self.signs[said['sign']]}】{body}", self.now()
        stamp = datetime.fromtimestamp(now // 1000, UTC).astimezone(_CHINA)
        group = f"{stamp:%m%d%H%M%S}{len(self.sent):012}"
        self.sent.append(_Message(phone, group, serial, text, now))
        return Received(self.channel, phone, text, "", now, orjson.dumps(said))

    def _filled(self, said: Mapping[str, str]) -> str:
        template = self.templates.get(said["templateId"])
        try:
            values = orjson.loads(said["params"])
        except orjson.JSONDecodeError:
            values = None
        if template is None or not isinstance(values, list) or len(values) != len(_VARIABLE.findall(template)):
            raise _RefusedError("InvalidMessage")
        left = iter(values)
        return _VARIABLE.sub(lambda _: str(next(left)), template)

    async def report(self, index: int, session: aiohttp.ClientSession, *, failure: str = "") -> int:
        """Push what became of message ``index``: delivered, or failed by the code ``failure``."""
        each, stamp = self.sent[index], f"{datetime.fromtimestamp(self.now() // 1000, _CHINA):%Y%m%d%H%M%S}"
        row = {
            "reportStatus": failure or "DELIVRD",
            "mobile": each.phone,
            "submitDate": stamp,
            "receiveDate": stamp,
            "errorCode": failure or "DELIVRD",
            "msgGroup": each.group,
        }
        return await _push(self.report_url, [row], session)

    async def answer(self, number: str, text: str, session: aiohttp.ClientSession, serial: str = "") -> int:
        """A phone sends ``text``, to the sub-code ``serial``. The HTTP status of the hub's answer."""
        stamp = f"{datetime.fromtimestamp(self.now() // 1000, _CHINA):%Y-%m-%d %H:%M:%S}"
        row = {"mobile": number, "smsContent": text, "sendTime": stamp, "addSerial": serial}
        return await _push(self.uplink_url, row, session)


def _opened(raw: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(base64.b64decode(raw, validate=True))
    except (binascii.Error, ValueError):
        raise _RefusedError("InvalidMessage") from None
    if not isinstance(said, dict):
        raise _RefusedError("InvalidMessage")
    return said


async def _push(url: str, body: object, session: aiohttp.ClientSession) -> int:
    async with session.post(url, json=body) as response:
        await response.read()
        return response.status
