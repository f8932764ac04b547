"""阿里云语音 (Alibaba Cloud Dyvms): a call that reads a template aloud, and takes a key where it is interactive.

The vendor answers HTTP 200 for success and for refusal alike; only ``Code`` in the body decides. A call cannot be asked
for before its id is known, so a repeat after a lost answer waits until its report would have come: with the report the
repeat is needed no more. Sources of the rules: the vendor's pages on SingleCallByTts, IvrCall, QueryCallDetailByCallId
and error codes, API version 2017-05-25.
"""

from __future__ import annotations

from typing import Any, ClassVar

import aiohttp
import orjson

from channels.callback import Call, Errand, Heard
from channels.channel import Letter, Report, Uplink
from channels.cloud import HOUR
from channels.exchange import Answer
from channels.greeting import Greeting
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms.aliyun_account import Account
from channels.sms.sending import patient, why_refused
from channels.sms.text import plain_number
from channels.voice.aliyun_ends import asked, read_call
from channels.voice.aliyun_settings import Settings
from channels.voice.reference import reference

__all__ = ["Driver", "Settings"]

VERSION = "2017-05-25"
_IVR, _TTS = "11000000300005", "11010000138001"
"""What the vendor calls the two sorts of calls when it is asked about one."""
_NOBODY = "100000000000^100000000000"
_NO_RIGHT = ("isp.RAM_PERMISSION_DENY", "isv.PRODUCT", "isv.ACCOUNT", "isv.OUT_OF_SERVICE", "Forbidden", "NoPermission")


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
            settings.kind,
            settings.timeout,
            reports=bool(token) or settings.ask_after > 0,
            landlines=True,
            asked_after=settings.asked_after,
        )
        self.callback_token = settings.callback_token
        self.callback_addresses = settings.callback_addresses
        self.callback_errands = frozenset({Errand.REPORT})
        self._settings = settings
        self._mask = Masker([settings.access_key_secret.get_secret_value(), settings.access_key_id, token])
        self._account = Account(
            session,
            endpoint=settings.endpoint,
            key_id=settings.access_key_id,
            key_secret=settings.access_key_secret,
            version=VERSION,
            vendor_id="CallId",
            meanings=settings.meanings,
            mask=self._mask,
            timeout=settings.timeout,
        )

    async def send(self, letter: Letter) -> Outcome:
        try:
            number = called_number(letter.address)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        filled = self._settings.filled(letter)
        if filled is None:
            return Outcome(OutcomeKind.REFUSED_CONTENT, "没有用于文字的语音模板（变量填 text）")
        template, values = filled
        refusal = why_refused(letter.text, template.whole(values))
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        named = reference(letter.id)
        query = {
            "CalledNumber": number,
            "PlayTimes": str(self._settings.play_times),
            **({"CalledShowNumber": self._settings.show_number} if self._settings.show_number else {}),
            **({"OutId": named} if named else {}),
        }
        value = orjson.dumps(values).decode()
        action = "IvrCall" if self._settings.keyed else "SingleCallByTts"
        if self._settings.keyed:
            query |= {
                "StartCode": template.code,
                "StartTtsParams": value,
                "MenuKeyMap.1.Key": self._settings.key,
                "MenuKeyMap.1.Code": self._settings.signed_code,
                "Timeout": str(int(self._settings.key_wait * 1000)),
                **({"ByeCode": self._settings.bye_code} if self._settings.bye_code else {}),
            }
        else:
            query |= {
                "TtsCode": template.code,
                "TtsParam": value,
                "Volume": str(self._settings.volume),
                "Speed": str(self._settings.speed),
            }
        answer = await self._account.call(action, query, letter.at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, letter.at)
        return patient(outcome, self._settings.repeat_after)

    async def greet(self, at: int) -> Greeting:
        """Ask about a call that nobody made: signed like a call, and calls nobody."""
        query = {"CallId": _NOBODY, "ProdId": self._product, "QueryDate": str(at)}
        return await self._account.greet("QueryCallDetailByCallId", query, at, _accepts)

    async def close(self) -> None:
        """Nothing to give back: the connections belong to the shared session."""

    def read_call(self, call: Call, at: int) -> Heard:
        """Ends of calls pushed by the vendor. Raises ValueError for rubbish."""
        return read_call(self.name, call, at, self._settings.key, keyed=self._settings.keyed)

    async def ask(self, vendor_id: str, at: int) -> tuple[Report | Uplink, ...] | Outcome:
        """What became of a call (:class:`channels.collecting.Asked`): its end, under the same id as its report; nothing
        while it is under way, or not known."""
        # The vendor looks through the day that begins at this time.
        query = {"CallId": vendor_id, "ProdId": self._product, "QueryDate": str(at - HOUR * 1000)}
        answer = await self._account.call("QueryCallDetailByCallId", query, at)
        outcome = answer if isinstance(answer, Outcome) else self.read(answer, at)
        if isinstance(answer, Outcome) or outcome.kind is not OutcomeKind.ACCEPTED:
            return outcome
        try:
            said = orjson.loads(answer.body)
            end = asked(self.name, said, vendor_id, at, self._settings.key, keyed=self._settings.keyed)
        except ValueError as error:
            return Outcome(OutcomeKind.UNCERTAIN, self._mask(error))
        return (end,) if end is not None else ()

    @property
    def _product(self) -> str:
        return _IVR if self._settings.keyed else _TTS

    def read(self, answer: Answer, at: int) -> Outcome:
        """What the vendor's whole answer means, at the hub's time ``at`` (ms)."""
        return self._account.read(answer, at)


def _accepts(said: Outcome) -> bool:
    """A call that nobody made is not found, by whoever may ask."""
    known = said.kind is OutcomeKind.ACCEPTED or said.detail.startswith("isv.")
    return known and not said.detail.startswith(_NO_RIGHT)


def called_number(address: str) -> str:
    """A mobile, or a landline with its area code, as the vendor wants it: digits alone. Raises ValueError for what is
    neither."""
    bare = plain_number(address)
    mobile = len(bare) == 11 and bare.startswith("1")
    if mobile or (bare.startswith("0") and 10 <= len(bare) <= 12):
        return bare
    raise ValueError(f"{address[:30]!r} 不是手机号码，也不是带区号的座机号码")
