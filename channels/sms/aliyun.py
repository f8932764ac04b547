"""阿里云短信 (Alibaba Cloud Dysms): approved templates out, delivery reports and answers back.

The vendor answers HTTP 200 for success and for refusal alike; only ``Code`` in the body decides. Calls are not
idempotent: after an answer that was lost the vendor is asked what became of the message before it is sent again.
Sources of the rules: the vendor's pages on SendSms, QuerySendDetails and error codes, API version 2017-05-25.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from channels.callback import Call, Errand, Heard
from channels.channel import Abilities, Form, Letter, ReceiptKind, Window
from channels.exchange import Answer, ask, limits_for, rest_given, retry_seconds
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.aliyun_inbound import read_call
from channels.sms.aliyun_sent import Sent, days_of, sent_in
from channels.sms.aliyun_settings import Settings
from channels.sms.aliyun_signing import canonical_query, signed_headers
from channels.sms.registered import SENTENCE, TOPICS, Template
from channels.sms.text import find_link, plain_number, units

__all__ = ["Driver", "Settings"]

VERSION = "2017-05-25"
_PAGE = 50
_MOST_PAGES = 4
# Neutral text grows where one sign becomes two.
_SPARE = 6
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_NOBODY = "13800138000"
_WRONG_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidAccessKeySecret")
_WRONG_CLOCK = ("InvalidTimeStamp", "IllegalTimestamp")
# The vendor says in words which of its windows is full.
_RESTS = (("分钟级", float(_MINUTE)), ("小时级", float(_HOUR)), ("天级", float(_HOUR)))


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
        self.abilities = Abilities(
            kind=settings.kind,
            word="短信",
            form=Form.SMS,
            max_chars=self._by_topic[SENTENCE].room - _SPARE,
            personal=True,
            links=False,
            replies=bool(token) and settings.uplink,
            windows=tuple(
                Window(count, per)
                for count, per in (
                    (settings.per_minute, _MINUTE),
                    (settings.per_hour, _HOUR),
                    (settings.per_day, _DAY),
                )
                if count
            ),
            reserve=settings.reserve,
            receipts=frozenset({ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED}) if token else frozenset(),
            at_once=settings.at_once,
            # A repeat asks the vendor first, two days at most, and sends then.
            timeout=settings.timeout * 3,
            registered=frozenset(topic for topic in TOPICS if not self._by_topic[topic].flows),
        )
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = frozenset({Errand.REPORT, Errand.UPLINK} if settings.uplink else {Errand.REPORT})
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
        refusal = self._refuses(letter.text, template, values)
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        if letter.repeat:
            before = await self._asked_before(letter, number)
            if before is not None:
                return before
        query = {
            "PhoneNumbers": number,
            "SignName": template.signature or self._settings.signature,
            "TemplateCode": template.code,
            "TemplateParam": orjson.dumps(values).decode(),
            "OutId": letter.id,
            **({"SmsUpExtendCode": self._settings.extend_code} if self._settings.extend_code else {}),
        }
        answer = await self._call("SendSms", query, letter.at)
        return self._patient(answer if isinstance(answer, Outcome) else self.read(answer, letter.at))

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
        return read_call(self.name, call, at)

    def _refuses(self, text: str, template: Template, values: Mapping[str, str]) -> str:
        if not text.strip():
            return "文本为空"
        link = find_link(template.whole(values))
        if link:
            return f"短信中不能带链接：{link[:60]}"
        if any("\ud800" <= mark <= "\udfff" for mark in text):
            return "文本含有无法编码的字符"
        return ""

    def _patient(self, outcome: Outcome) -> Outcome:
        """What was taken a moment ago cannot be asked for at once."""
        if outcome.kind is not OutcomeKind.UNCERTAIN:
            return outcome
        return Outcome(outcome.kind, outcome.detail, retry_after=self._settings.query_after)

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
                    if found.kind in (OutcomeKind.MISCONFIGURED, OutcomeKind.REFUSED_RECIPIENT):
                        return found
                    return Outcome(OutcomeKind.TRANSIENT, self._mask(f"重发前查询未成：{found.detail}"))
                if found.fate is not None:
                    return self._settled(found)
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

    def _settled(self, found: Sent) -> Outcome:
        if found.fate is ReceiptKind.UNDELIVERED:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(f"查询：前次已发出，未送达 {found.words}"))
        return Outcome(OutcomeKind.ACCEPTED, self._mask(f"查询：前次已受理，没有重发 {found.words}".strip()))

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
            return self._read_status(answer, at)
        words = str(said.get("Message", ""))
        if code == "OK":
            vendor_id = said.get("BizId")
            return Outcome(
                OutcomeKind.ACCEPTED, self._mask(words), vendor_id=vendor_id if isinstance(vendor_id, str) else None
            )
        detail = self._mask(f"{code} {words}")
        kind = self._meaning(code)
        if kind is OutcomeKind.THROTTLED:
            rest = next((rest for mark, rest in _RESTS if mark in words), float(_MINUTE))
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

    def _read_status(self, answer: Answer, at: int) -> Outcome:
        status = answer.status
        detail = self._mask(f"HTTP {status}，应答中没有 Code：{answer.body[:200].decode('utf-8', 'replace')}")
        if status == 429:
            rest = retry_seconds(answer.retry_after, at, float(_MINUTE))
            return Outcome(OutcomeKind.THROTTLED, detail, retry_after=rest, whole_channel=True)
        if status < 300 or status == 504:
            return Outcome(OutcomeKind.UNCERTAIN, detail)
        if status >= 500 or status in (408, 425):
            return Outcome(OutcomeKind.TRANSIENT, detail, retry_after=rest_given(answer, at))
        return Outcome(OutcomeKind.MISCONFIGURED, detail)


def preview(settings: Settings) -> list[tuple[str, str, int]]:
    """Each template with its longest message and how many characters that has, signature included: for ``check``."""
    found: list[tuple[str, str, int]] = []
    for template in settings.templates:
        sign = f"【{template.signature or settings.signature}】"
        full = template.whole({each.name: "字" * each.cap for each in template.variables})
        found.append((template.code, sign + full, units(sign) + template.longest))
    return found
