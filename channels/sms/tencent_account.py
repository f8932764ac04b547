"""A secret key at one of Tencent Cloud's products: requests signed and sent, answers read, templates as it writes them.

A whole call fails by ``Response.Error``, whatever the HTTP status. Sources of the rules: the vendor's pages on
signature version 3 and on common error codes, and its library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from channels.cloud import MINUTE
from channels.exchange import Answer, ask, json_object, limits_for, read_status
from channels.greeting import Greeting, Hailed, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.registered import Variable
from channels.tc3 import signed_headers

MARKS = re.compile(r"\{([0-9]{1,2})\}")
"""How a template's text shows a variable."""
_WRONG_KEY = ("AuthFailure", "InternalError.SigVerificationFail")
_WRONG_CLOCK = ("AuthFailure.SignatureExpire", "InternalError.RequestTimeException")
# In this order: the first that a code begins with.
_FAMILIES = (
    ("LimitExceeded", OutcomeKind.THROTTLED),
    ("RequestLimitExceeded", OutcomeKind.TRANSIENT),
    ("InternalError", OutcomeKind.TRANSIENT),
    ("FailedOperation", OutcomeKind.REFUSED_CONTENT),
    ("InvalidParameter", OutcomeKind.REFUSED_CONTENT),
)


class Account:
    """``service`` and ``version`` are the product's; ``meanings`` are the outcomes of its codes, ``rests`` for how long
    (s) a number rests by what it is told of its limits, ``mask`` hides what must not be shown."""

    __slots__ = ("_host", "_key", "_limits", "_mask", "_meanings", "_product", "_rests", "_session", "_url")

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        endpoint: str,
        secret_id: str,
        secret_key: SecretStr,
        service: str,
        version: str,
        region: str,
        meanings: Mapping[str, OutcomeKind],
        mask: Masker,
        timeout: float,
        rests: Mapping[str, float] | None = None,
    ) -> None:
        self._session = session
        self._key = secret_id, secret_key
        self._product = service, version, region
        self._meanings = meanings
        self._rests = rests or {}
        self._mask = mask
        self._limits = limits_for(timeout)
        self._url = URL(endpoint.rstrip("/") + "/")
        self._host = self._url.host_port_subcomponent or ""

    async def call(self, action: str, asked: Mapping[str, Any], at: int) -> Answer | Outcome:
        """One request at the hub's time ``at`` (ms): the whole answer, or why there is none."""
        body, headers = self._signed(action, asked, at)
        return await ask(
            self._session, "POST", self._url, body=body, headers=headers, limits=self._limits, mask=self._mask
        )

    async def greet(self, action: str, asked: Mapping[str, Any], at: int) -> tuple[Hailed, Outcome | None] | Greeting:
        """Ask for something that changes nothing: the answer, with what its error means where it has one; or the
        verdict where key or clock are wrong, or nobody is there."""
        body, headers = self._signed(action, asked, at)
        hailed = await hail(
            self._session, "POST", self._url, body=body, headers=headers, limits=self._limits, mask=self._mask
        )
        if isinstance(hailed, Greeting):
            return hailed
        _, refused = self.read(hailed.answer, at)
        if refused is not None and refused.detail.startswith(_WRONG_CLOCK):
            return hailed.clock(at) or Greeting(Standing.CLOCK, refused.detail)
        if refused is not None and refused.detail.startswith(_WRONG_KEY):
            which = "secret_id" if refused.detail.startswith("AuthFailure.SecretIdNotFound") else "secret_key"
            return Greeting(Standing.WRONG_KEY, refused.detail, (which,))
        return hailed, refused

    def read(self, answer: Answer, at: int) -> tuple[dict[str, Any], Outcome | None]:
        """The vendor's ``Response``, and what its ``Error`` (or that there is no response) means; ``at`` in ms."""
        response = json_object(answer.body).get("Response")
        if not isinstance(response, dict):
            return {}, self.unread(answer, at, "Response")
        error = response.get("Error")
        if isinstance(error, dict):
            return response, self.meant(str(error.get("Code", "")), str(error.get("Message", "")))
        return response, None

    def unread(self, answer: Answer, at: int, missing: str) -> Outcome:
        """What an answer means in which ``missing`` is not."""
        return read_status(answer, at, self._mask, missing)

    def meant(self, code: str, words: str) -> Outcome:
        """What a code that is no success means, wherever it stands."""
        detail = self._mask(f"{code} {words}")
        kind = self._meanings.get(code) or next(
            (kind for family, kind in _FAMILIES if code.startswith(family)), OutcomeKind.MISCONFIGURED
        )
        if kind is OutcomeKind.THROTTLED:
            return Outcome(kind, detail, retry_after=self._rests.get(code, float(MINUTE)))
        return Outcome(kind, detail)

    def _signed(self, action: str, asked: Mapping[str, Any], at: int) -> tuple[bytes, dict[str, str]]:
        body = orjson.dumps(asked)
        service, version, region = self._product
        secret_id, secret_key = self._key
        headers = signed_headers(
            action=action,
            version=version,
            region=region,
            service=service,
            host=self._host,
            body=body,
            key_id=secret_id,
            key=secret_key.get_secret_value(),
            at=at,
        )
        return body, headers


def check_counted(code: str, variables: Sequence[Variable]) -> None:
    """The variables of a template are 1, 2, … in their order. Raises ValueError where they are not."""
    names = [each.name for each in variables]
    if names != [str(number) for number in range(1, len(names) + 1)]:
        raise ValueError(f"模板 {code}：变量应依次是 {{1}}、{{2}}……，从 1 起不缺号")
