"""How a WeCom app logs in for its access token, and is asked whether it is there.

Sources of the rules: the vendor's pages path/91039 (token) and 90227 (the app).
"""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from yarl import URL

from channels.access_token import LONGEST_TOKEN
from channels.exchange import Answer, ask, json_object, limits_for, number_in
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

# Secret, corpid, and what stands for either.
_WRONG_KEY = (40001, 40013, 40056, 40091, 41002, 41004)
_NO_CORPORATION = "40013"
# Known from hearsay: the app is another's, or there is none of this number.
_WRONG_AGENT = (40056, 301002)


class Login:
    """Asks ``/cgi-bin/gettoken`` by corpid and secret; ``meanings`` are the classes of the vendor's codes."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: URL,
        mask: Masker,
        seconds: float,
        meanings: Mapping[int, OutcomeKind],
    ) -> None:
        self._session = session
        self._url = url
        self._mask = mask
        self._limits = limits_for(seconds)
        self._meanings = meanings

    async def __call__(self) -> tuple[str, int] | Outcome:
        answer = await ask(self._session, "GET", self._url, headers={}, limits=self._limits, mask=self._mask)
        if isinstance(answer, Outcome):
            # No message has left yet, whatever became of the login.
            kind = OutcomeKind.TRANSIENT if answer.kind is OutcomeKind.UNCERTAIN else answer.kind
            return Outcome(kind, f"取 access_token：{answer.detail}")
        return self.read(answer)

    async def greet(self, agentid: int, at: int) -> Greeting:
        """Whether the vendor knows corporation and secret, and then the app: its number, whether it is on, and whether
        this machine's address is among those it trusts, of which a token says nothing."""
        hailed = await hail(self._session, "GET", self._url, limits=self._limits, mask=self._mask)
        if isinstance(hailed, Greeting):
            return hailed
        found = self.read(hailed.answer)
        if isinstance(found, Outcome):
            code = found.detail.removeprefix("取 access_token：").partition(" ")[0]
            if code.isdigit() and int(code) in _WRONG_KEY:
                return Greeting(Standing.WRONG_KEY, found.detail, ("corpid" if code == _NO_CORPORATION else "secret",))
            return Greeting(Standing.REFUSED, found.detail)
        return hailed.clock(at) or await self._greet_app(agentid, found[0])

    async def _greet_app(self, agentid: int, token: str) -> Greeting:
        url = self._url.with_path("/cgi-bin/agent/get").with_query({"access_token": token, "agentid": str(agentid)})
        hailed = await hail(self._session, "GET", url, limits=self._limits, mask=Masker([token]))
        if isinstance(hailed, Greeting):
            return hailed
        said = json_object(hailed.answer.body)
        code = number_in(said, "errcode")
        if code is None:
            # A way through that lets only some calls pass.
            return Greeting(Standing.WELL, "已取得 access_token，应用没有核对")
        if code:
            about = ("agentid",) if code in _WRONG_AGENT else ()
            return Greeting(Standing.REFUSED, self._mask(f"{code} {said.get('errmsg', '')}"), about)
        if number_in(said, "close"):
            return Greeting(Standing.REFUSED, "应用在企业微信后台已停用", ("agentid",))
        return Greeting(Standing.WELL, "已取得 access_token，应用已核对")

    def read(self, answer: Answer) -> tuple[str, int] | Outcome:
        """The token in the vendor's whole answer, or what the answer means instead."""
        said = json_object(answer.body)
        code, seconds = number_in(said, "errcode"), number_in(said, "expires_in") or 0
        if code == 0:
            value = said.get("access_token")
            if isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN and value.isascii() and seconds > 0:
                return value, seconds
        elif code is not None:
            kind = self._meanings.get(code, OutcomeKind.MISCONFIGURED)
            words = self._mask(f"取 access_token：{code} {said.get('errmsg', '')}")
            throttled = kind is OutcomeKind.THROTTLED
            return Outcome(kind, words, retry_after=60.0 if throttled else None, whole_channel=throttled)
        kind = OutcomeKind.MISCONFIGURED if 300 <= answer.status < 500 else OutcomeKind.TRANSIENT
        return Outcome(kind, f"取 access_token：HTTP {answer.status}，应答中没有 access_token")
