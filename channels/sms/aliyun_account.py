"""An access key at one of Alibaba Cloud's products: requests signed and sent, and answers read.

The vendor answers HTTP 200 for success and for refusal alike; only ``Code`` in the body decides. Sources of the rules:
the vendor's pages on signature version 3 and on error codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

import aiohttp
from pydantic import SecretStr
from yarl import URL

from channels.acs3 import canonical_query, signed_headers
from channels.cloud import HOUR, MINUTE
from channels.exchange import Answer, ask, json_object, limits_for, read_status
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

_WRONG_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidAccessKeySecret")
_WRONG_CLOCK = ("InvalidTimeStamp", "IllegalTimestamp")
# The vendor says in words which of its windows is full.
_RESTS = (("分钟级", float(MINUTE)), ("小时级", float(HOUR)), ("天级", float(HOUR)))


class Account:
    """``version`` is the product's, ``vendor_id`` the name under which it answers with the id of what it took;
    ``meanings`` are the outcomes of its codes, ``mask`` hides what must not be shown."""

    __slots__ = ("_host", "_key", "_limits", "_mask", "_meanings", "_session", "_url", "_vendor_id", "_version")

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        endpoint: str,
        key_id: str,
        key_secret: SecretStr,
        version: str,
        vendor_id: str,
        meanings: Mapping[str, OutcomeKind],
        mask: Masker,
        timeout: float,
    ) -> None:
        self._session = session
        self._key = key_id, key_secret
        self._version = version
        self._vendor_id = vendor_id
        self._meanings = meanings
        self._mask = mask
        self._limits = limits_for(timeout)
        self._url = URL(endpoint.rstrip("/") + "/")
        self._host = self._url.host_port_subcomponent or ""

    async def call(self, action: str, query: Mapping[str, str], at: int) -> Answer | Outcome:
        """One request at the hub's time ``at`` (ms): the whole answer, or why there is none."""
        headers, url = self._signed(action, query, at)
        return await ask(self._session, "POST", url, headers=headers, limits=self._limits, mask=self._mask)

    async def greet(
        self, action: str, query: Mapping[str, str], at: int, is_known: Callable[[Outcome], bool]
    ) -> Greeting:
        """Ask for something that changes nothing; ``is_known`` says whether the product's answer accepts the key."""
        headers, url = self._signed(action, query, at)
        hailed = await hail(self._session, "POST", url, headers=headers, limits=self._limits, mask=self._mask)
        if isinstance(hailed, Greeting):
            return hailed
        outcome = self.read(hailed.answer, at)
        if outcome.detail.startswith(_WRONG_KEY):
            which = "access_key_id" if outcome.detail.startswith("InvalidAccessKeyId") else "access_key_secret"
            return Greeting(Standing.WRONG_KEY, outcome.detail, (which,))
        if outcome.detail.startswith(_WRONG_CLOCK):
            return hailed.clock(at) or Greeting(Standing.CLOCK, outcome.detail)
        if not is_known(outcome):
            return Greeting(Standing.REFUSED, outcome.detail)
        return hailed.clock(at) or Greeting(Standing.WELL, "查询接口认可了密钥")

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means: ``Code`` in the body, and the HTTP status only where there is none.

        ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
        """
        said = json_object(answer.body)
        code = said.get("Code")
        if not isinstance(code, str) or not code:
            return read_status(answer, at, self._mask, "Code")
        words = str(said.get("Message", ""))
        if code == "OK":
            found = said.get(self._vendor_id)
            return Outcome(OutcomeKind.ACCEPTED, self._mask(words), vendor_id=found if isinstance(found, str) else None)
        detail = self._mask(f"{code} {words}")
        kind = self._meaning(code)
        if kind is OutcomeKind.THROTTLED:
            rest = next((rest for mark, rest in _RESTS if mark in words), float(MINUTE))
            return Outcome(kind, detail, retry_after=rest)
        return Outcome(kind, detail)

    def _signed(self, action: str, query: Mapping[str, str], at: int) -> tuple[dict[str, str], URL]:
        key_id, key_secret = self._key
        headers = signed_headers(
            action=action,
            version=self._version,
            host=self._host,
            query=query,
            key_id=key_id,
            key_secret=key_secret.get_secret_value(),
            at=at,
            nonce=secrets.token_hex(16),
        )
        # What was signed is what leaves: the query is percent-encoded already.
        return headers, URL(f"{self._url}?{canonical_query(query)}", encoded=True)

    def _meaning(self, code: str) -> OutcomeKind:
        known = self._meanings.get(code)
        if known is not None:
            return known
        if code.startswith("isp."):
            return OutcomeKind.TRANSIENT
        # A rule of the vendor's that is not known here: another way is surer than this one again.
        return OutcomeKind.REFUSED_CONTENT if code.startswith("isv.") else OutcomeKind.MISCONFIGURED
