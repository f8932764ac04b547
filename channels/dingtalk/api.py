"""Calls of DingTalk's open platform in the name of one app: the access token, one repeat where it is refused, and what
the answers mean.

A success has a body of its own for each call; whatever is not one has ``code`` and ``message`` in its body, mostly
under an HTTP status of 4xx. The body is read before the status. Sources of the rules: the vendor's pages on the access
token and on calling (open.dingtalk.com); what they do not say is a setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
import orjson
from yarl import URL

from channels.access_token import LONGEST_TOKEN, TokenKeeper
from channels.dingtalk.app_errors import meaning, refuses_token
from channels.exchange import Answer, ask, json_object, limits_for, read_status, retry_seconds
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

MINUTE = 60.0
_TOKEN_PATH = "v1.0/oauth2/accessToken"  # noqa: S105 (a path)
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_LOGGING_IN = "取 accessToken："


class Login:
    """Asks for an access token by the app's id and secret."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base: URL,
        keys: tuple[str, str],
        meanings: Mapping[str, OutcomeKind],
        seconds: float,
    ) -> None:
        self._session = session
        self._url = base / _TOKEN_PATH
        self._body = orjson.dumps({"appKey": keys[0], "appSecret": keys[1]})
        self._mask = Masker([keys[1]])
        self._meanings = meanings
        self._limits = limits_for(seconds)

    async def __call__(self) -> tuple[str, int] | Outcome:
        answer = await ask(
            self._session, "POST", self._url, headers=_JSON, body=self._body, limits=self._limits, mask=self._mask
        )
        if isinstance(answer, Outcome):
            # No message has left yet, whatever became of the login.
            kind = OutcomeKind.TRANSIENT if answer.kind is OutcomeKind.UNCERTAIN else answer.kind
            return Outcome(kind, f"{_LOGGING_IN}{answer.detail}")
        return self.read(answer)

    async def greet(self, at: int) -> Greeting:
        """Whether the vendor knows the app."""
        hailed = await hail(
            self._session,
            "POST",
            self._url,
            headers=_JSON,
            body=self._body,
            limits=self._limits,
            mask=self._mask,
        )
        if isinstance(hailed, Greeting):
            return hailed
        found = self.read(hailed.answer)
        if isinstance(found, Outcome):
            wrong = "invalidclient" in found.detail.lower() or hailed.answer.status == 401
            return Greeting(Standing.WRONG_KEY if wrong else Standing.REFUSED, found.detail)
        return hailed.clock(at) or Greeting(Standing.WELL, "已取得 accessToken")

    def read(self, answer: Answer) -> tuple[str, int] | Outcome:
        """The token and for how many seconds it holds, or what the answer means instead."""
        said = json_object(answer.body)
        value, seconds = said.get("accessToken"), said.get("expireIn")
        whole = isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN and value.isascii() and value.isprintable()
        if whole and isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > 0:
            return str(value), seconds
        code = code_of(said)
        words = self._mask(f"{_LOGGING_IN}HTTP {answer.status} {code} {said.get('message', '')}")
        kind = meaning(code, self._meanings) if code else None
        if kind is None:
            kind = OutcomeKind.MISCONFIGURED if 300 <= answer.status < 500 else OutcomeKind.TRANSIENT
        if kind is OutcomeKind.THROTTLED or answer.status == 429:
            return Outcome(OutcomeKind.THROTTLED, words, retry_after=MINUTE, whole_channel=True)
        return Outcome(OutcomeKind.TRANSIENT if kind is OutcomeKind.ACCEPTED else kind, words)


class Api:
    """One app's calls. ``keys`` are its id and secret, ``secrets`` what must be shown as little as these; ``timeout``
    in seconds is for a whole call with its login."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        keys: tuple[str, str],
        meanings: Mapping[str, OutcomeKind],
        timeout: float,
        secrets: Iterable[str] = (),
    ) -> None:
        self._session = session
        self._base = URL(base_url.rstrip("/"))
        self._meanings = meanings
        self._timeout = timeout
        self._secrets = [keys[1], *secrets]
        self.mask = Masker(self._secrets)
        self.login = Login(session, self._base, keys, meanings, timeout / 2)
        self._keeper = TokenKeeper(self.login, name="accessToken", advice="请核对 client_id 与 client_secret")

    async def call(
        self, method: str, path: str, at: int, *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any] | Outcome:
        """The body of a success, or the outcome of anything else. ``at`` is the hub's time in ms. Never raises for
        what vendor and network do; raises TypeError for a body that is no JSON."""
        raw = orjson.dumps(body) if body is not None else None
        url = (self._base / path).with_query(query or {})

        async def asked(token: str, limits: aiohttp.ClientTimeout) -> dict[str, Any] | Outcome | None:
            mask = Masker([token, *self._secrets])
            headers = {**_JSON, "x-acs-dingtalk-access-token": token}
            answer = await ask(self._session, method, url, headers=headers, body=raw, limits=limits, mask=mask)
            if isinstance(answer, Outcome):
                return answer
            code = code_of(json_object(answer.body))
            if refuses_token(code) or (answer.status == 401 and not code):
                return None
            return self.read(answer, at, mask)

        return await self._keeper.use(at, self._timeout, asked)

    def read(self, answer: Answer, at: int, mask: Masker | None = None) -> dict[str, Any] | Outcome:
        """What a whole answer means: the body's ``code`` where it has one, then the HTTP status. ``at`` is the hub's
        time in ms, for a ``Retry-After`` written as a date."""
        said, status = json_object(answer.body), answer.status
        code, mask = code_of(said), mask or self.mask
        if code:
            words = mask(f"HTTP {status} {code} {said.get('message', '')}")
            kind = meaning(code, self._meanings)
            if kind is None:
                kind = OutcomeKind.THROTTLED if status == 429 else OutcomeKind.TRANSIENT
            if kind is OutcomeKind.THROTTLED:
                rest = retry_seconds(answer.retry_after, at, MINUTE)
                return Outcome(kind, words, retry_after=rest, whole_channel=True)
            return Outcome(kind, words)
        if said and 200 <= status < 300:
            return said
        return read_status(answer, at, mask, "code", rest=MINUTE)


def code_of(said: Mapping[str, Any]) -> str:
    """The vendor's error code in a body, '' where there is none."""
    code = said.get("code")
    return code[:200] if isinstance(code, str) else ""
