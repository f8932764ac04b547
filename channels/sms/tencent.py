"""腾讯云短信 (Tencent Cloud SMS): approved templates out, delivery reports and answers back.

The vendor answers HTTP 200 for success and for refusal alike: a whole call fails by ``Response.Error``, a number by its
``Code``, which is "Ok" where it was taken. Calls are not idempotent, so an answer that was lost is asked for before
anything is sent again. Sources of the rules: the vendor's pages on SendSms and its call-backs, API version 2021-01-11,
and its library.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import aiohttp

from channels.callback import Call, Heard
from channels.channel import Letter, ReceiptKind
from channels.cloud import DAY, MINUTE
from channels.exchange import Answer
from channels.greeting import Greeting, Standing
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.sending import of_template, patient, settled, unasked, why_refused
from channels.sms.tencent_account import Account
from channels.sms.tencent_inbound import read_call
from channels.sms.tencent_review import reviewed
from channels.sms.tencent_settings import OK, RESTS, Settings
from channels.sms.text import plain_number

__all__ = ["Driver", "Settings"]

VERSION = "2021-01-11"
_MOST_ASKED = 100
_NOBODY = "+8613800138000"
_ASK = "PullSmsSendStatusByPhoneNumber"
_WRONG_APP = ("InvalidParameterValue.SdkAppIdNotExist", "UnauthorizedOperation.SmsSdkAppIdVerifyFail")
_FATES = {"SUCCESS": ReceiptKind.DELIVERED, "FAIL": ReceiptKind.UNDELIVERED}


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
        # A repeat asks the vendor first, and sends then.
        self.abilities = settings.abilities(settings.kind, settings.timeout * 2, reports_by_id=True)
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = settings.errands
        self._settings = settings
        token = settings.callback_token.get_secret_value()
        self._mask = Masker([settings.secret_key.get_secret_value(), settings.secret_id, token])
        self._account = Account(
            session,
            endpoint=settings.endpoint,
            secret_id=settings.secret_id,
            secret_key=settings.secret_key,
            service="sms",
            version=VERSION,
            region=settings.region,
            meanings=settings.meanings,
            rests=RESTS,
            mask=self._mask,
            timeout=settings.timeout,
        )

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = international(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        template, values = self._settings.filled(letter)
        if refusal := why_refused(letter.text, template.whole(values)):
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        if letter.repeat and self._settings.ask_first:
            before = await self._asked_before(letter, number)
            if before is not None:
                return before
        asked = {
            "PhoneNumberSet": [number],
            "SmsSdkAppId": self._settings.app_id,
            "TemplateId": template.code,
            "SignName": template.signature or self._settings.signature,
            "TemplateParamSet": [values[each.name] for each in template.variables],
            "ExtendCode": self._settings.extension(letter.id),
            "SessionContext": letter.id,
        }
        answer = await self._account.call("SendSms", asked, letter.at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, letter.at)
        return patient(of_template(outcome, template, self.name), self._settings.query_after)

    async def greet(self, at: int) -> Greeting:
        """Ask what was sent to a number that is nobody's: signed like a send, and sends nothing. Then ask whether the
        templates and signatures are approved."""
        found = await self._known(at)
        return await reviewed(self._account, self._settings, found, at) if found.standing.good else found

    async def _known(self, at: int) -> Greeting:
        asked = await self._account.greet(_ASK, self._question(_NOBODY, at), at)
        if isinstance(asked, Greeting):
            return asked
        hailed, refused = asked
        if refused is None:
            return hailed.clock(at) or Greeting(Standing.WELL, "查询接口认可了密钥")
        if self._settings.ask_first or refused.detail.startswith(_WRONG_APP):
            return Greeting(Standing.REFUSED, refused.detail)
        # The table says that this account cannot ask; whether it can send, only a message would tell.
        return hailed.clock(at) or Greeting(Standing.REACHED, f"账号不能查询：{refused.detail}")

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Delivery reports or an answer pushed by the vendor. Raises ValueError for rubbish."""
        return read_call(self.name, call, at, self._settings.extend_digits)

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer to a send means, its body before the HTTP status; ``at`` in ms."""
        response, refused = self._account.read(answer, at)
        if refused is not None:
            return refused
        rows = response.get("SendStatusSet")
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        code = row.get("Code")
        if not isinstance(code, str) or not code:
            return self._account.unread(answer, at, "SendStatusSet")
        if code == OK:
            serial = row.get("SerialNo")
            words = self._mask(row.get("Message", ""))
            return Outcome(OutcomeKind.ACCEPTED, words, vendor_id=serial if isinstance(serial, str) else None)
        return self._account.meant(code, str(row.get("Message", "")))

    async def _asked_before(self, letter: Letter, number: str) -> Outcome | None:
        """What became of an earlier try of this letter; None where the vendor tells of none, so that it may go out."""
        asked = self._question(number, letter.at)
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._account.call(_ASK, asked, letter.at)
        except TimeoutError:
            return Outcome(OutcomeKind.TRANSIENT, "重发前查询未成：超时")
        if isinstance(answer, Outcome):
            return unasked(answer, self._mask)
        response, refused = self._account.read(answer, letter.at)
        if refused is not None:
            return unasked(refused, self._mask)
        rows = response.get("PullSmsSendStatusSet")
        for row in rows if isinstance(rows, list) else []:
            # The vendor's older answers do not say whose a row is.
            if isinstance(row, dict) and row.get("SessionContext") == letter.id:
                fate = _FATES.get(str(row.get("ReportStatus")), ReceiptKind.SUBMITTED)
                return settled(fate, str(row.get("Description", ""))[:60], self._mask)
        return None

    def _question(self, number: str, at: int) -> dict[str, Any]:
        """What was sent to this number in the last day."""
        return {
            "BeginTime": at // 1000 - DAY,
            "EndTime": at // 1000 + MINUTE,
            "Offset": 0,
            "Limit": _MOST_ASKED,
            "PhoneNumber": number,
            "SmsSdkAppId": self._settings.app_id,
        }


def international(number: str) -> str:
    """A mobile number with its country code. Raises ValueError for what is none."""
    bare = plain_number(number)
    if bare.startswith("+"):
        return bare
    if len(bare) == 11 and bare.startswith("1"):
        return f"+86{bare}"
    raise ValueError(f"{number[:30]!r} 不是手机号码")
