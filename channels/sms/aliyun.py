"""阿里云短信 (Alibaba Cloud Dysms): approved templates out, delivery reports and answers back.

The vendor answers HTTP 200 for success and for refusal alike; only ``Code`` in the body decides. Calls are not
idempotent: after an answer that was lost the vendor is asked what became of the message before it is sent again.
Sources of the rules: the vendor's pages on SendSms, QuerySendDetails and error codes, API version 2017-05-25.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from channels.acs3 import canonical_query, signed_headers
from channels.callback import Call, Heard
from channels.channel import Letter
from channels.cloud import HOUR, MINUTE
from channels.exchange import Answer, ask, limits_for
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.aliyun_inbound import read_call
from channels.sms.aliyun_sent import Sent, days_of, sent_in
from channels.sms.aliyun_settings import Settings
from channels.sms.registered import SENTENCE
from channels.sms.sending import patient, read_status, settled, unasked, why_refused
from channels.sms.text import plain_number

__all__ = ["Driver", "Settings"]

VERSION = "2017-05-25"
_PAGE = 50
_MOST_PAGES = 4
_NOBODY = "13800138000"
_WRONG_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidAccessKeySecret")
_WRONG_CLOCK = ("InvalidTimeStamp", "IllegalTimestamp")
# The vendor says in words which of its windows is full.
_RESTS = (("分钟级", float(MINUTE)), ("小时级", float(HOUR)), ("天级", float(HOUR)))


class Driver:
    """Sends one template message a letter."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_by_topic",
        "_host",
        "_limits",
        "_mask",
        "_meanings",
        "_session",
        "_settings",
        "_url",
        "abilities",
        "callback_addresses",
        "callback_errands",
        "callback_token",
        "name",
    )

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        token = settings.callback_token.get_secret_value()
        self._by_topic = settings.by_topic
        # A repeat asks the vendor first, two days at most, and sends then.
        self.abilities = settings.abilities(settings.kind, settings.timeout * 3)
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = settings.errands
        self._settings = settings
        self._session = session
        self._meanings = settings.meanings
        self._mask = Masker([settings.access_key_secret.get_secret_value(), settings.access_key_id, token])
        self._limits = limits_for(settings.timeout)
        self._url = URL(settings.endpoint.rstrip("/") + "/")
        self._host = self._url.host_port_subcomponent or ""

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = plain_number(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        template = self._by_topic.get(letter.topic if letter.parts else SENTENCE, self._by_topic[SENTENCE])
        values = template.values(letter.text, letter.parts, self._settings.empty)
        refusal = why_refused(letter.text, template.whole(values))
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        if letter.repeat:
            before = await self._asked_before(letter, number)
            if before is not None:
                return before
        extension = self._settings.extension(letter.id)
        query = {
            "PhoneNumbers": number,
            "SignName": template.signature or self._settings.signature,
            "TemplateCode": template.code,
            "TemplateParam": orjson.dumps(values).decode(),
            "OutId": letter.id,
            **({"SmsUpExtendCode": extension} if extension else {}),
        }
        answer = await self._call("SendSms", query, letter.at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, letter.at)
        return patient(outcome, self._settings.query_after)

    async def greet(self, at: int) -> Greeting:
        """Ask what was sent to a number that is nobody's: signed like a send, and sends nothing."""
        query = {"PhoneNumber": _NOBODY, "SendDate": days_of(at)[0], "PageSize": "1", "CurrentPage": "1"}
        headers, url = self._signed("QuerySendDetails", query, at)
        hailed = await hail(self._session, "POST", url, headers=headers, limits=self._limits, mask=self._mask)
        if isinstance(hailed, Greeting):
            return hailed
        outcome = self.read(hailed.answer, at)
        if outcome.detail.startswith(_WRONG_KEY):
            return Greeting(Standing.WRONG_KEY, outcome.detail)
        if outcome.detail.startswith(_WRONG_CLOCK):
            return hailed.clock(at) or Greeting(Standing.CLOCK, outcome.detail)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            return Greeting(Standing.REFUSED, outcome.detail)
        return hailed.clock(at) or Greeting(Standing.WELL, "查询接口认可了密钥")

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Delivery reports or answers pushed by the vendor. Raises ValueError for rubbish."""
        return read_call(self.name, call, at, self._settings.extend_digits)

    async def _asked_before(self, letter: Letter, number: str) -> Outcome | None:
        try:
            async with asyncio.timeout(self._settings.timeout * 2):
                return await self._before(letter, number)
        except TimeoutError:
            return Outcome(OutcomeKind.TRANSIENT, "重发前查询未成：超时")

    async def _before(self, letter: Letter, number: str) -> Outcome | None:
        """What became of an earlier try of this letter; None where the vendor knows of none, so that it may go out.

        Without an answer to the question nothing is sent: it is asked again soon.
        """
        for day in days_of(letter.at):
            for page in range(1, _MOST_PAGES + 1):
                query = {
                    "PhoneNumber": number,
                    "SendDate": day,
                    "PageSize": str(_PAGE),
                    "CurrentPage": str(page),
                }
                answer = await self._call("QuerySendDetails", query, letter.at)
                found = answer if isinstance(answer, Outcome) else self._sent(answer, letter)
                if isinstance(found, Outcome):
                    return unasked(found, self._mask)
                if found.fate is not None:
                    return settled(found.fate, found.words, self._mask)
                if not found.more:
                    break
        return None

    def _sent(self, answer: Answer, letter: Letter) -> Sent | Outcome:
        outcome = self.read(answer, letter.at)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            return outcome
        try:
            return sent_in(orjson.loads(answer.body), letter.id, _PAGE)
        except ValueError as error:
            return Outcome(OutcomeKind.UNCERTAIN, self._mask(error))

    async def _call(self, action: str, query: dict[str, str], at: int) -> Answer | Outcome:
        headers, url = self._signed(action, query, at)
        return await ask(self._session, "POST", url, headers=headers, limits=self._limits, mask=self._mask)

    def _signed(self, action: str, query: dict[str, str], at: int) -> tuple[dict[str, str], URL]:
        headers = signed_headers(
            action=action,
            version=VERSION,
            host=self._host,
            query=query,
            key_id=self._settings.access_key_id,
            key_secret=self._settings.access_key_secret.get_secret_value(),
            at=at,
            nonce=secrets.token_hex(16),
        )
        # What was signed is what leaves: the query is percent-encoded already.
        return headers, URL(f"{self._url}?{canonical_query(query)}", encoded=True)

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means: ``Code`` in the body, and the HTTP status only where there is none.

        ``at`` is the hub's time in ms, for a ``Retry-After`` written as a date.
        """
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        code = said.get("Code") if isinstance(said, dict) else None
        if not isinstance(code, str) or not code:
            return read_status(answer, at, self._mask, "Code")
        words = str(said.get("Message", ""))
        if code == "OK":
            vendor_id = said.get("BizId")
            return Outcome(
                OutcomeKind.ACCEPTED, self._mask(words), vendor_id=vendor_id if isinstance(vendor_id, str) else None
            )
        detail = self._mask(f"{code} {words}")
        kind = self._meaning(code)
        if kind is OutcomeKind.THROTTLED:
            rest = next((rest for mark, rest in _RESTS if mark in words), float(MINUTE))
            return Outcome(kind, detail, retry_after=rest)
        return Outcome(kind, detail)

    def _meaning(self, code: str) -> OutcomeKind:
        known: OutcomeKind | None = self._meanings.get(code)
        if known is not None:
            return known
        if code.startswith("isp."):
            return OutcomeKind.TRANSIENT
        # A rule of the vendor's that is not known here: another channel is surer than this one again.
        return OutcomeKind.REFUSED_CONTENT if code.startswith("isv.") else OutcomeKind.MISCONFIGURED
