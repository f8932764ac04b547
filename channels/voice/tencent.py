"""腾讯云语音 (Tencent Cloud VMS): a call that reads an approved template aloud.

A call fails by ``Response.Error``; taken, it has a ``CallId``. The vendor has no call that asks what became of one, so
its call-backs alone tell. Sources of the rules: the vendor's pages on SendTtsVoice and its call-backs, API version
2020-09-02, and its library.
"""

from __future__ import annotations

from typing import Any, ClassVar

import aiohttp

from channels.callback import Call, Errand, Heard
from channels.channel import Letter
from channels.exchange import Answer
from channels.greeting import Greeting, Standing
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.sending import patient, why_refused
from channels.sms.tencent import international
from channels.sms.tencent_account import Account
from channels.voice.reference import reference
from channels.voice.tencent_ends import read_call
from channels.voice.tencent_settings import Settings

__all__ = ["Driver", "Settings"]

VERSION = "2020-09-02"
_NOBODY = "+86"
_CALL = "SendTtsVoice"
_NO_SUCH_NUMBER = ("InvalidParameterValue.CalledNumberVerifyFail", "InvalidParameter")


class Driver:
    """Places one call a letter."""

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
        self.abilities = settings.abilities(
            settings.kind, settings.timeout, reports=bool(token), landlines=False, asked_after=()
        )
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = frozenset({Errand.REPORT})
        self._settings = settings
        self._mask = Masker([settings.secret_key.get_secret_value(), settings.secret_id, token])
        self._account = Account(
            session,
            endpoint=settings.endpoint,
            secret_id=settings.secret_id,
            secret_key=settings.secret_key,
            service="vms",
            version=VERSION,
            region=settings.region,
            meanings=settings.meanings,
            mask=self._mask,
            timeout=settings.timeout,
        )

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = international(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        filled = self._settings.filled(letter)
        if filled is None:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "没有用于文字的语音模板（变量填 text）")
        template, values = filled
        refusal = why_refused(letter.text, template.whole(values))
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        wanted = {
            "TemplateId": template.code,
            "CalledNumber": number,
            "VoiceSdkAppid": self._settings.app_id,
            "TemplateParamSet": [values[each.name] for each in template.variables],
            "PlayTimes": self._settings.play_times,
            "SessionContext": reference(letter.id),
        }
        answer = await self._account.call(_CALL, wanted, letter.at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, letter.at)
        return patient(outcome, self._settings.repeat_after)

    async def greet(self, at: int) -> Greeting:
        """Ask for a call to what is no number: signed like a call, and refused before anybody is called."""
        wanted = {
            "TemplateId": self._settings.incident.code,
            "CalledNumber": _NOBODY,
            "VoiceSdkAppid": self._settings.app_id,
            "TemplateParamSet": [],
        }
        asked = await self._account.greet(_CALL, wanted, at)
        if isinstance(asked, Greeting):
            return asked
        hailed, refused = asked
        said = refused.detail if refused is not None else self.read(hailed.answer, at).detail
        if said.startswith("InvalidParameterValue.SdkAppid") or not said.startswith(_NO_SUCH_NUMBER):
            return Greeting(Standing.REFUSED, said)
        return hailed.clock(at) or Greeting(Standing.WELL, "接口认可了密钥，没有呼叫")

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """A key or the end of a call pushed by the vendor. Raises ValueError for rubbish."""
        return read_call(self.name, call, at, self._settings.key, keyed=self._settings.keyed)

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means, its body before the HTTP status; ``at`` in ms."""
        response, refused = self._account.read(answer, at)
        if refused is not None:
            return refused
        status = response.get("SendStatus")
        call_id = status.get("CallId") if isinstance(status, dict) else None
        if not isinstance(call_id, str) or not call_id:
            return self._account.unread(answer, at, "SendStatus")
        return Outcome(OutcomeKind.ACCEPTED, vendor_id=call_id)
