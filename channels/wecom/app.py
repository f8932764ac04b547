"""企业微信自建应用: messages to one member, with buttons or a link to their own page, and answers that come back.

Only members of the app's own corporation can be reached. Success and refusal both come as HTTP 200: ``errcode`` in the
body decides, and even with 0 the lists ``invaliduser`` and ``unlicenseduser`` name those who were left out. What is
over a member's 30 a minute or 1000 an hour the vendor drops without a word, so the hub counts itself (``windows``).
Sources of the rules: the vendor's pages path/90236 (send), 94888 (change of a card), 90454 (limits), 91039 (token),
90930 (call-back).
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from channels.access_token import TokenKeeper
from channels.callback import Call, Heard, Media, NotOursError
from channels.channel import Abilities, Form, Letter, Window
from channels.exchange import Answer, ask, json_object, number_in, read_status
from channels.fitting import unfit
from channels.greeting import Greeting
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.wecom.app_errors import TASK_USED, TOKEN_REFUSED
from channels.wecom.app_inbound import read_call
from channels.wecom.app_media import read_file
from channels.wecom.app_messages import LIMITS, TEXT_BYTES, Shape, change, message
from channels.wecom.app_settings import Settings
from channels.wecom.app_token import Login
from channels.wecom.callback_crypto import Seal

__all__ = ["Driver", "Settings"]

MINUTE, HOUR = 60, 3600
LONGEST_HANDLE = 256
"""No handle of the vendor's is longer, in characters; what is, is none."""
_SEND, _CHANGE = "send", "update_template_card"
PATIENCE = 4.0
"""The vendor waits 5 seconds for the answer to a call-back."""
# One member and nobody else: neither several ("a|b") nor everybody ("@all").
_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_@.-]{0,63}", re.ASCII)


class Driver:
    """Sends an app's messages, one member a letter, and reads what members write to it and press."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_keeper",
        "_login",
        "_mask",
        "_meanings",
        "_media",
        "_seal",
        "_secrets",
        "_session",
        "_settings",
        "_shape",
        "_urls",
        "abilities",
        "listens",
        "name",
        "patience",
    )

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        token = settings.callback_token.get_secret_value()
        self.abilities = Abilities(
            kind=settings.kind,
            word="企业微信应用",
            form=Form.MARKDOWN if settings.shape is Shape.MARKDOWN else Form.TEXT,
            max_bytes=TEXT_BYTES,
            personal=True,
            links=True,
            replies=bool(token),
            windows=(Window(settings.per_minute, MINUTE), Window(settings.per_hour, HOUR)),
            reserve=settings.reserve,
            at_once=settings.at_once,
            timeout=settings.timeout,
            card=LIMITS.get(settings.shape),
            buttons=settings.shape is Shape.CARD,
        )
        secret, key = settings.secret.get_secret_value(), settings.callback_key.get_secret_value()
        self._settings = settings
        self._session = session
        self._secrets = [secret, token, key]
        self._mask = Masker(self._secrets)
        self._meanings = settings.meanings
        base = URL(settings.base_url.rstrip("/"))
        self._media = base / "cgi-bin/media/get"
        self._shape = settings.shape
        self._urls = {name: base / "cgi-bin" / "message" / name for name in (_SEND, _CHANGE)}
        asking = (base / "cgi-bin/gettoken").with_query({"corpid": settings.corpid, "corpsecret": secret})
        self._login = Login(session, asking, self._mask, settings.timeout / 2, self._meanings)
        self._keeper = TokenKeeper(
            self._login, name="access_token", advice="请核对 corpid、secret 与 agentid 是否同一应用"
        )
        self._seal = Seal.of(token, key, settings.corpid) if token else None
        self.listens = self._seal is not None
        self.patience = PATIENCE

    async def send(self, letter: Letter) -> Outcome:
        # The vendor would cut a longer text without a word.
        if refused_text := unfit(letter.text, TEXT_BYTES):
            return refused_text
        member = letter.address.strip()
        if not is_userid(member):
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(f"{member[:30]!r} 不是企业微信成员的 userid"))
        path = _CHANGE if letter.changes else _SEND
        try:
            body = orjson.dumps(self._body(letter, member))
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(str(error)))

        async def post(token: str, limits: aiohttp.ClientTimeout) -> Outcome | None:
            return await self._post(path, body, token, letter, member, limits)

        return await self._keeper.use(letter.at, self._settings.timeout, post)

    async def greet(self, at: int) -> Greeting:
        """Ask for an access token and for the app itself, and keep neither."""
        return await self._login.greet(self._settings.agentid, at)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Read one call-back; see :mod:`channels.wecom.app_inbound` for what it raises."""
        if self._seal is None:
            raise NotOursError(f"渠道 {self.name} 没有写 callback_token")
        return read_call(self._seal, self.name, call, at, self._settings.callback_window)

    async def fetch(self, media: str, at: int) -> Media | Outcome:
        """A picture that a member sent; see :class:`channels.callback.MediaSource`."""

        async def get(token: str, limits: aiohttp.ClientTimeout) -> Media | Outcome | None:
            mask, longest = Masker([token, *self._secrets]), self._settings.evidence_bytes
            url = self._media.with_query({"access_token": token, "media_id": media})
            answer = await ask(self._session, "GET", url, headers={}, limits=limits, mask=mask, longest=longest)
            return read_file(answer, at, mask, self._meanings, longest)

        return await self._keeper.use(at, self._settings.timeout, get)

    def _body(self, letter: Letter, member: str) -> dict[str, Any]:
        if letter.changes:
            return change(letter, member, self._settings.agentid)
        return message(letter, member, self._settings.agentid, self._shape, self._settings.repeat_seconds)

    async def _post(
        self, path: str, body: bytes, token: str, letter: Letter, member: str, limits: aiohttp.ClientTimeout
    ) -> Outcome | None:
        """What became of one request; None where the vendor refuses the token."""
        answer = await ask(
            self._session,
            "POST",
            self._urls[path].with_query({"access_token": token}),
            body=body,
            headers={"Content-Type": "application/json; charset=utf-8"},
            limits=limits,
            mask=Masker([token, *self._secrets]),
        )
        if isinstance(answer, Outcome):
            return answer
        outcome = self.read(answer, letter.at, member, changes=bool(letter.changes))
        if outcome is not None and letter.repeat and outcome.detail.startswith(f"{TASK_USED} "):
            # The try before, whose answer was lost, has arrived: its card is the member's, only its handle is lost.
            return Outcome(OutcomeKind.ACCEPTED, outcome.detail)
        return outcome

    def read(self, answer: Answer, at: int, member: str, *, changes: bool = False) -> Outcome | None:
        """What the vendor's whole answer means for ``member``: the body's ``errcode``, and the HTTP status only where
        there is none; None where it refuses the token. ``at`` is the hub's time in ms. With ``changes`` it answers a
        card's change: whatever is not known to pass is final then, since its handle is good for one try."""
        said = json_object(answer.body)
        code = number_in(said, "errcode")
        if code is None:
            return read_status(answer, at, self._mask, "errcode", rest=float(MINUTE))
        if code in TOKEN_REFUSED:
            return None
        detail = self._mask(f"{code} {said.get('errmsg', '')}")
        kind = self._meanings.get(code, OutcomeKind.REFUSED_CONTENT if changes else OutcomeKind.TRANSIENT)
        if kind is OutcomeKind.THROTTLED:
            # The vendor says so of the app's or the corporation's calls; of one member's limit it says nothing.
            return Outcome(kind, detail, retry_after=float(MINUTE), whole_channel=True)
        if kind is OutcomeKind.ACCEPTED:
            for name, words in (
                ("invaliduser", "不是本企业成员或不在应用可见范围"),
                ("unlicenseduser", "没有接口许可"),
            ):
                if member.lower() in _members(said.get(name)):
                    return Outcome(OutcomeKind.REFUSED_RECIPIENT, f"{code} {name}：{words}")
            vendor_id, handle = said.get("msgid"), said.get("response_code")
            return Outcome(
                kind,
                detail,
                vendor_id=vendor_id[:128] if isinstance(vendor_id, str) else None,
                handle=handle if isinstance(handle, str) and len(handle) <= LONGEST_HANDLE else "",
            )
        return Outcome(kind, detail)


def is_userid(address: str) -> bool:
    """Whether ``address`` names one member: not several (``a|b``), nobody but a member (``@all``)."""
    return _USERID.fullmatch(address) is not None


def _members(said: Any) -> set[str]:
    """Names come back in lower case, whatever they are; in one text from a send, in a list from a change."""
    names = said.split("|") if isinstance(said, str) else said if isinstance(said, list) else []
    return {each.strip().lower() for each in names if isinstance(each, str)}
