"""阿里云短信 (Alibaba Cloud Dysms): approved templates out, delivery reports and answers back.

The vendor answers HTTP 200 for success and for refusal alike; only ``Code`` in the body decides. Calls are not
idempotent: after an answer that was lost the vendor is asked what became of the message before it is sent again.
Sources of the rules: the vendor's pages on SendSms, QuerySendDetails and error codes, API version 2017-05-25.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import aiohttp
import orjson

from channels.callback import Call, Heard
from channels.channel import Letter
from channels.exchange import Answer
from channels.greeting import Greeting
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.aliyun_account import Account
from channels.sms.aliyun_inbound import read_call
from channels.sms.aliyun_review import reviewed
from channels.sms.aliyun_sent import Sent, days_of, sent_in
from channels.sms.aliyun_settings import Settings
from channels.sms.sending import of_template, patient, settled, unasked, why_refused
from channels.sms.text import plain_number

__all__ = ["Driver", "Settings"]

VERSION = "2017-05-25"
_PAGE = 50
_MOST_PAGES = 4
_NOBODY = "13800138000"


class Driver:
    """Sends one template message a letter."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_account",
        "_mask",
        "_settings",
        "abilities",
        "callback_addresses",
        "callback_errands",
        "callback_token",
        "name",
    )

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.name = name
        token = settings.callback_token.get_secret_value()
        # A repeat asks the vendor first, two days at most, and sends then.
        self.abilities = settings.abilities(settings.kind, settings.timeout * 3)
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = settings.errands
        self._settings = settings
        self._mask = Masker([settings.access_key_secret.get_secret_value(), settings.access_key_id, token])
        self._account = Account(
            session,
            endpoint=settings.endpoint,
            key_id=settings.access_key_id,
            key_secret=settings.access_key_secret,
            version=VERSION,
            vendor_id="BizId",
            meanings=settings.meanings,
            mask=self._mask,
            timeout=settings.timeout,
        )

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = plain_number(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        template, values = self._settings.filled(letter)
        if refusal := why_refused(letter.text, template.whole(values)):
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
        answer = await self._account.call("SendSms", query, letter.at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, letter.at)
        return patient(of_template(outcome, template, self.name), self._settings.query_after)

    async def greet(self, at: int) -> Greeting:
        """Ask what was sent to a number that is nobody's: signed like a send, and sends nothing. Then ask whether the
        templates and signatures are approved."""
        query = {"PhoneNumber": _NOBODY, "SendDate": days_of(at)[0], "PageSize": "1", "CurrentPage": "1"}
        found = await self._account.greet("QuerySendDetails", query, at, lambda said: said.kind is OutcomeKind.ACCEPTED)
        return await reviewed(self._account, self._settings, found, at) if found.standing.good else found

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
                answer = await self._account.call("QuerySendDetails", query, letter.at)
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

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means, at the hub's time ``at`` (ms)."""
        return self._account.read(answer, at)
