"""腾讯云语音 (Tencent Cloud VMS): a call that reads an approved template aloud.

A call fails by ``Response.Error``; taken, it has a ``CallId``. The vendor has no call that asks what became of one, so
its call-backs alone tell. Sources of the rules: the vendor's pages on SendTtsVoice and its call-backs, API version
2020-09-02, and its library.
"""

from __future__ import annotations

from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from channels.callback import Call, Errand, Heard
from channels.channel import Letter
from channels.cloud import MINUTE
from channels.exchange import Answer, ask, limits_for
from channels.greeting import Greeting, Standing, hail
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.sending import patient, read_status, why_refused
from channels.sms.tencent import international
from channels.tc3 import signed_headers
from channels.voice.reference import reference
from channels.voice.tencent_ends import read_call
from channels.voice.tencent_settings import Settings

__all__ = ["Driver", "Settings"]

VERSION = "2020-09-02"
_NOBODY = "+86"
_WRONG_KEY = ("AuthFailure", "InternalError.SigVerificationFail")
_WRONG_CLOCK = ("AuthFailure.SignatureExpire", "InternalError.RequestTimeException")
_NO_SUCH_NUMBER = ("InvalidParameterValue.CalledNumberVerifyFail", "InvalidParameter")


class Driver:
    """Places one call a letter."""

    Settings: ClassVar[Any] = Settings

    __slots__ = (
        "_host",
        "_limits",
        "_mask",
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
        self.abilities = settings.abilities(
            settings.kind, settings.timeout, reports=bool(token), landlines=False, asked_after=()
        )
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = frozenset({Errand.REPORT})
        self._settings = settings
        self._session = session
        self._mask = Masker([settings.secret_key.get_secret_value(), settings.secret_id, token])
        self._limits = limits_for(settings.timeout)
        self._url = URL(settings.endpoint.rstrip("/") + "/")
        self._host = self._url.host_port_subcomponent or ""

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
        body, headers = self._signed(wanted, letter.at)
        answer = await ask(
            self._session, "POST", self._url, body=body, headers=headers, limits=self._limits, mask=self._mask
        )
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
        body, headers = self._signed(wanted, at)
        hailed = await hail(
            self._session, "POST", self._url, body=body, headers=headers, limits=self._limits, mask=self._mask
        )
        if isinstance(hailed, Greeting):
            return hailed
        said = self.read(hailed.answer, at).detail
        if said.startswith(_WRONG_CLOCK):
            return hailed.clock(at) or Greeting(Standing.CLOCK, said)
        if said.startswith(_WRONG_KEY):
            return Greeting(Standing.WRONG_KEY, said)
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
        try:
            said = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            said = None
        response = said.get("Response") if isinstance(said, dict) else None
        error = response.get("Error") if isinstance(response, dict) else None
        if isinstance(error, dict):
            code = str(error.get("Code", ""))
            kind = self._settings.meaning(code)
            rest = float(MINUTE) if kind is OutcomeKind.THROTTLED else None
            return Outcome(kind, self._mask(f"{code} {error.get('Message', '')}"), retry_after=rest)
        status = response.get("SendStatus") if isinstance(response, dict) else None
        call_id = status.get("CallId") if isinstance(status, dict) else None
        if not isinstance(call_id, str) or not call_id:
            return read_status(answer, at, self._mask, "SendStatus")
        return Outcome(OutcomeKind.ACCEPTED, vendor_id=call_id)

    def _signed(self, wanted: dict[str, Any], at: int) -> tuple[bytes, dict[str, str]]:
        body = orjson.dumps(wanted)
        headers = signed_headers(
            action="SendTtsVoice",
            version=VERSION,
            region=self._settings.region,
            service="vms",
            host=self._host,
            body=body,
            key_id=self._settings.secret_id,
            key=self._settings.secret_key.get_secret_value(),
            at=at,
        )
        return body, headers
