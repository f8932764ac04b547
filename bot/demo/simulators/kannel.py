"""A text message gateway like Kannel's smsbox: ``sendsms`` by GET and POST, reports, answers from phones."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from urllib.parse import quote_plus

import aiohttp
from aiohttp import web
from yarl import URL

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, begin, lose_answer
from channels.sms.text import PART_UNITS, SINGLE_UNITS

_NUMBER_MARKS = frozenset("0123456789 +-")
_ESCAPE = re.compile(r"%(.)", re.DOTALL)
_PARAMETERS = ("username", "password", "to", "from", "coding", "smsc", "dlr-mask", "dlr-url", "charset")
_CODING_UCS2 = 2


@dataclass(frozen=True, slots=True)
class _Submitted:
    id: str
    to: str
    sender: str
    dlr_mask: int
    dlr_url: str


class _RefusedError(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


class KannelGateway:
    """One gateway with one user. A message's address is the number it goes to.

    ``uplink_url`` is the ``get-url`` pattern that answers are delivered to; ``now`` gives milliseconds;
    ``max_messages`` is how many parts a long message may have: the gateway silently drops what is beyond.
    """

    def __init__(
        self,
        username: str,
        password: str,
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        uplink_url: str = "",
        default_sender: str = "10690000",
        max_messages: int = 10,
        channel: str = "sms_kannel",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self.barred: dict[str, int] = {}
        self.uplink_url = uplink_url
        self._user = (username, password)
        self._now = now
        self._default_sender = default_sender
        self._max_messages = max_messages
        self._channel = channel
        self._submitted: list[_Submitted] = []

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/cgi-bin/sendsms", self._send)
        app.router.add_post("/cgi-bin/sendsms", self._send)
        return app

    async def report(self, index: int, status: int, session: aiohttp.ClientSession, words: str = "") -> int | None:
        """Tell the sender of message ``index`` what became of it: ``status`` is 1, 2, 4, 8 or 16.

        Returns the HTTP status of the hub's answer, None where the sender did not ask to be told.
        """
        message = self._submitted[index]
        if not message.dlr_url or not message.dlr_mask & status:
            return None
        url = self._filled(message.dlr_url, d=str(status), F=message.id, A=words, p=message.sender, P=message.to)
        return await _get(url, session)

    async def answer(self, number: str, text: str, session: aiohttp.ClientSession, message_id: str = "") -> int:
        """A phone sends ``text``. Returns the HTTP status of the hub's answer."""
        raw = text.encode("utf-8")
        url = self._filled(
            self.uplink_url,
            p=number,
            P=self._default_sender,
            b=raw,
            a=raw,
            I=message_id or str(uuid.uuid4()),
            C="UTF-8",
        )
        return await _get(url, session)

    async def _send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, code, played = await begin(request, self.faults)
        if played is not None:
            return played
        try:
            if fault is Fault.REFUSE:
                raise _RefusedError(code or 403, "Not routable. Do not try again.")
            message, submitted = self._checked(request, raw)
        except _RefusedError as refused:
            return web.Response(status=refused.status, text=refused.words, content_type="text/html")
        self._submitted.append(submitted)
        await self.inbox.add(message)
        if fault is not None:
            return await lose_answer(request, fault, b"0: Accepted for delivery")
        return web.Response(status=202, text="0: Accepted for delivery", content_type="text/html")

    def _checked(self, request: web.Request, raw: bytes) -> tuple[Received, _Submitted]:
        params, body = _parameters(request, raw)
        user = (params.get("username", ""), params.get("password", ""))
        if not all(compare_digest(said.encode(), right.encode()) for said, right in zip(user, self._user, strict=True)):
            raise _RefusedError(403, "Authorization failed for sendsms")
        if "to" not in params:
            raise _RefusedError(400, "Missing receiver(s) number(s), rejected")
        if not params["to"].strip():
            raise _RefusedError(400, "Empty receiver number not allowed, rejected")
        if params["to"] in self.barred:
            self.barred[params["to"]] += 1
        if params["to"] in self.barred or not set(params["to"]) <= _NUMBER_MARKS:
            raise _RefusedError(400, "Number(s) has/have been denied by white- and/or black-lists.")
        sender = params.get("from") or self._default_sender
        if not sender:
            raise _RefusedError(400, "Sender missing and no global set, rejected")
        dlr_url = params.get("dlr-url", "")
        if dlr_url and not dlr_url.lower().startswith(("http://", "https://")):
            raise _RefusedError(400, "DLR-URL field misformed, rejected")
        dlr_mask = _number(params, "dlr-mask", -1, 63, "DLR-Mask")
        coding = _number(params, "coding", -1, 2, "Coding")
        text = self._decoded(body, params.get("charset", ""), coding)
        now = self._now()
        message = Received(self._channel, params["to"], text, "", now, raw or request.raw_path.encode())
        return message, _Submitted(str(uuid.uuid4()), params["to"], sender, max(dlr_mask, 0), dlr_url)

    def _decoded(self, body: bytes, charset: str, coding: int) -> str:
        """What a phone would show: in another coding than UCS-2 a Chinese text becomes question marks."""
        try:
            text = body.decode(charset or "utf-8")
            wide = text.encode("utf-16-be")
        except (LookupError, UnicodeError):
            raise _RefusedError(400, "Charset or body misformed, rejected") from None
        if coding != _CODING_UCS2:
            return text.encode("ascii", "replace").decode("ascii")
        if len(wide) > SINGLE_UNITS * 2:
            wide = wide[: self._max_messages * PART_UNITS * 2]
        return wide.decode("utf-16-be", "replace")

    def _filled(self, pattern: str, **values: str | bytes) -> str:
        """``pattern`` with the gateway's escapes filled in; unknown ones stay as they are, ``%%`` is a percent sign."""
        known: dict[str, str | bytes] = {"T": str(self._now() // 1000), **values}

        def fill(found: re.Match[str]) -> str:
            mark = found.group(1)
            if mark == "%":
                return "%"
            return quote_plus(known[mark]) if mark in known else found.group()

        return _ESCAPE.sub(fill, pattern)


def _parameters(request: web.Request, raw: bytes) -> tuple[Mapping[str, str], bytes]:
    if request.method == "GET":
        return request.query, request.query.get("text", "").encode()
    if request.content_type == "text/html":
        raise _RefusedError(415, "Unsupported content-type, rejected")
    if request.content_type not in ("text/plain", "application/octet-stream"):
        raise _RefusedError(400, "Invalid content-type")
    found = {"charset": request.charset or ""}
    for name in _PARAMETERS:
        value = request.headers.get(f"X-Kannel-{name}")
        if value is not None:
            found[name] = value
    return found, raw


def _number(params: Mapping[str, str], name: str, least: int, most: int, word: str) -> int:
    try:
        value = int(params.get(name, "-1"))
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise _RefusedError(400, f"{word} field misformed, rejected")
    return value


async def _get(url: str, session: aiohttp.ClientSession) -> int:
    # The URL is whole as it stands: the escapes were filled in percent-encoded.
    async with session.get(URL(url, encoded=True)) as response:
        await response.read()
        return response.status
