"""Tencent Cloud's voice service: verifies each signature, knows its templates, keeps the limits of each number, rings
telephones, and pushes what became of each call.

Sources of the rules: the vendor's pages on SendTtsVoice and its call-backs, and its library.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
import orjson

from bot.demo.simulators.acs3 import push
from bot.demo.simulators.tc3 import VARIABLE, RefusedByTencent, Tc3Service
from bot.demo.simulators.vendor import Faults, Now, Received

_NUMBER = re.compile(r"\+861[3-9][0-9]{9}", re.ASCII)
_LONGEST_TEXT = 350
_WINDOWS = (60_000, 3_600_000, 86_400_000)
ANSWERED, MISSED = "0", "1"
"""How a call may have ended; any other digit is something else."""
NO_SUCH_NUMBER = (8, "空号")


@dataclass(frozen=True, slots=True)
class Rung:
    """One call."""

    phone: str
    call_id: str
    context: str
    text: str
    at: int


@dataclass
class TencentVoice(Tc3Service):
    """One account with one application. ``templates`` are approved texts by id; ``limits`` are per minute, hour and day
    for each number.

    ``report_url`` is where it pushes to; ``now`` gives milliseconds. ``refusal`` is the code that :attr:`Fault.REFUSE`
    answers with. A message's address is the number called, its subject the call's id.
    """

    secret_id: str
    secret_key: str
    app_id: str
    templates: Mapping[str, str]
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    limits: tuple[int, int, int] = (1, 5, 20)
    report_url: str = ""
    channel: str = "voice_tencent"
    refusal: str = "FailedOperation.InsufficientBalanceInVoicePackage"
    faults: Faults = field(default_factory=Faults)
    calls: list[Rung] = field(default_factory=list)

    service: ClassVar[str] = "vms"
    version: ClassVar[str] = "2020-09-02"
    costly: ClassVar[frozenset[str]] = frozenset({"SendTtsVoice"})

    def _act(self, action: str, asked: Mapping[str, Any], *, refused: bool) -> tuple[dict[str, Any], Received | None]:
        if action != "SendTtsVoice":
            raise RefusedByTencent("InvalidAction", "The action is not found.")
        if refused:
            raise RefusedByTencent(self.refusal, "refused as told")
        return self._place(asked)

    def _place(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], Received]:
        if asked.get("VoiceSdkAppid") != self.app_id:
            raise RefusedByTencent("UnauthorizedOperation.VoiceSdkAppidVerifyFail", "VoiceSdkAppid")
        phone = str(asked.get("CalledNumber", ""))
        if not _NUMBER.fullmatch(phone):
            raise RefusedByTencent("InvalidParameterValue.CalledNumberVerifyFail", "CalledNumber")
        template = self.templates.get(str(asked.get("TemplateId")))
        values = asked.get("TemplateParamSet", [])
        count = len(set(VARIABLE.findall(template or "")))
        fits = isinstance(values, list) and len(values) == count and all(isinstance(each, str) for each in values)
        if template is None or not fits:
            raise RefusedByTencent("FailedOperation.TemplateIncorrectOrUnapproved", "template")
        text = VARIABLE.sub(lambda found: values[int(found[1]) - 1], template)
        if len(text) > _LONGEST_TEXT:
            raise RefusedByTencent("InvalidParameterValue.ContentLengthLimit", "too long")
        if asked.get("PlayTimes", 2) not in (1, 2, 3):
            raise RefusedByTencent("InvalidParameter", "PlayTimes")
        now = self.now()
        for length, limit in zip(_WINDOWS, self.limits, strict=True):
            if limit and sum(1 for each in self.calls if each.phone == phone and each.at > now - length) >= limit:
                raise RefusedByTencent("LimitExceeded.DeliveryFrequencyLimit", "命中频率限制策略")
        call = Rung(phone, str(uuid.uuid4()), str(asked.get("SessionContext", "")), text, now)
        self.calls.append(call)
        received = Received(self.channel, phone.removeprefix("+86"), text, call.call_id, now, orjson.dumps(dict(asked)))
        return {"SendStatus": {"CallId": call.call_id, "SessionContext": call.context}}, received

    async def report(self, index: int, result: str, session: aiohttp.ClientSession) -> tuple[int, bytes]:
        """Push how call ``index`` ended: :data:`ANSWERED`, :data:`MISSED` or another digit. The hub's answer."""
        at = str(self.now() // 1000)
        more = {"result": result, "accept_time": at, "start_calltime": at, "end_calltime": at, "fee": "1"}
        return await self._push("voiceprompt_callback", index, more, session)

    async def fail(
        self, index: int, session: aiohttp.ClientSession, why: tuple[int, str] = NO_SUCH_NUMBER
    ) -> tuple[int, bytes]:
        """Push why call ``index`` reached nobody: a code of the vendor's own and its words. The hub's answer."""
        more = {"failure_code": why[0], "failure_reason": why[1]}
        return await self._push("voice_failure_callback", index, more, session)

    async def press(self, index: int, key: str, session: aiohttp.ClientSession) -> tuple[int, bytes]:
        """Push that a key was pressed in call ``index``. The hub's answer."""
        return await self._push("voicekey_callback", index, {"keypress": key}, session)

    async def _push(
        self, name: str, index: int, more: dict[str, Any], session: aiohttp.ClientSession
    ) -> tuple[int, bytes]:
        call = self.calls[index]
        row = {"callid": call.call_id, "mobile": call.phone.removeprefix("+86"), "nationcode": "86", "call_from": ""}
        return await push(self.report_url, {name: row | more}, session)
