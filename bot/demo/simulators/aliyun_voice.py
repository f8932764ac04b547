"""Alibaba Cloud's voice service: verifies each signature, knows its templates and numbers, keeps the limits of each
number, rings telephones, and tells by push or when asked what became of each call.

Sources of the rules: the vendor's pages on SingleCallByTts, IvrCall, QueryCallDetailByCallId, VoiceReport and codes.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp
import orjson

from bot.demo.simulators.acs3 import (
    LINK,
    VARIABLE,
    Acs3Service,
    RefusedByCode,
    check_limits,
    push,
    time_of,
)
from bot.demo.simulators.vendor import Faults, Now, Received

_NUMBER = re.compile(r"1[3-9][0-9]{9}|0[0-9]{9,11}", re.ASCII)
_LONGEST_VALUES = 250
_LONGEST_OUT_ID = 15
_PRODUCTS = {"IvrCall": "11000000300005", "SingleCallByTts": "11010000138001"}
_CALLS = frozenset(_PRODUCTS)
_WORDS = {
    "200000": "用户听完语音",
    "200001": "用户提前挂机未完整收听",
    "200002": "用户占线",
    "200003": "用户收到呼叫但未接听",
    "200005": "用户无法接通或拒接",
    "200008": "获取按键超时",
    "200010": "关机",
}
HEARD, HUNG_UP, BUSY, UNANSWERED, OUT_OF_REACH, NO_KEY, OFF = _WORDS
"""What a telephone may make of a call."""


@dataclass
class Ringing:
    """One call; ``status`` is '' until it has ended. ``keys`` are those that it takes."""

    phone: str
    out_id: str
    call_id: str
    action: str
    text: str
    at: int
    keys: tuple[str, ...] = ()
    status: str = ""
    pressed: str = ""


@dataclass
class AliyunVoice(Acs3Service):
    """One account. ``templates`` are approved texts by code, ``shown`` the numbers it has bought; ``limits`` are per
    minute, hour and day for each number.

    ``report_url`` is where it pushes to; ``now`` gives milliseconds. ``refusal`` is the code that :attr:`Fault.REFUSE`
    answers with. A message's address is the number called, its subject the call's id.
    """

    key_id: str
    key_secret: str
    templates: Mapping[str, str]
    shown: tuple[str, ...]
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    limits: tuple[int, int, int] = (1, 5, 20)
    report_url: str = ""
    channel: str = "voice_aliyun"
    refusal: str = "isv.AMOUNT_NOT_ENOUGH"
    faults: Faults = field(default_factory=Faults)
    calls: list[Ringing] = field(default_factory=list)
    queries: int = 0

    costly: ClassVar[frozenset[str]] = _CALLS

    def _act(self, action: str, query: Mapping[str, str]) -> tuple[dict[str, Any], Received | None]:
        if action in _CALLS:
            return self._place(action, query)
        if action == "QueryCallDetailByCallId":
            self.queries += 1
            return self._detail(query), None
        raise RefusedByCode("InvalidAction.NotFound", "Specified api is not found.", 404)

    def _place(self, action: str, query: Mapping[str, str]) -> tuple[dict[str, Any], Received]:
        phone, out_id = query.get("CalledNumber", ""), query.get("OutId", "")
        interactive = action == "IvrCall"
        if not _NUMBER.fullmatch(phone):
            raise RefusedByCode("isv.MOBILE_NUMBER_ILLEGAL", f"{phone} 号码格式非法")
        show = query.get("CalledShowNumber", "")
        if (interactive or show) and show not in self.shown:
            raise RefusedByCode("isv.DISPLAY_NUMBER_ILLEGAL", "号显不合法")
        if len(out_id.encode()) > _LONGEST_OUT_ID or query.get("PlayTimes", "3") not in ("1", "2", "3"):
            raise RefusedByCode("isv.INVALID_PARAMETERS", "OutId 或 PlayTimes")
        code, values = ("StartCode", "StartTtsParams") if interactive else ("TtsCode", "TtsParam")
        text = self._spoken(query.get(code, ""), query.get(values, ""))
        keys = tuple(value for name, value in sorted(query.items()) if re.fullmatch(r"MenuKeyMap\.\d+\.Key", name))
        if interactive:
            played = [query.get(f"MenuKeyMap.{place}.Code", "") for place in range(1, len(keys) + 1)]
            if not keys or not all(each in self.templates for each in played):
                raise RefusedByCode("isv.VOICE_FILE_ILLEGAL", "按键播放的语音不存在")
        now = self.now()
        check_limits((each.at for each in self.calls if each.phone == phone), self.limits, now)
        call = Ringing(phone, out_id, f"{now}{len(self.calls):04}^{now}0001", action, text, now, keys)
        self.calls.append(call)
        received = Received(self.channel, phone, text, call.call_id, now, orjson.dumps(dict(query)))
        return {"CallId": call.call_id}, received

    def _spoken(self, code: str, raw: str) -> str:
        template = self.templates.get(code)
        if template is None:
            raise RefusedByCode("isv.TTS_TEMPLATE_ILLEGAL", "TTS模板不合法")
        try:
            values = orjson.loads(raw) if raw else {}
        except orjson.JSONDecodeError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise RefusedByCode("isv.INVALID_PARAMETERS", "变量不是 JSON，或值不是字符串")
        if len(raw) >= _LONGEST_VALUES:
            raise RefusedByCode("isv.PARAM_LENGTH_LIMIT", "变量总长超过限制")
        for name in VARIABLE.findall(template):
            if not values.get(name, "").strip():
                raise RefusedByCode("isv.TEMPLATE_MISSING_PARAMETERS", f"文本转语音模板参数缺失 {name}")
            if LINK.search(values[name]):
                raise RefusedByCode("isv.PARAM_NOT_SUPPORT_URL", "变量不支持URL参数")
        return VARIABLE.sub(lambda found: values[found.group(1)], template)

    def _detail(self, query: Mapping[str, str]) -> dict[str, Any]:
        since = query.get("QueryDate", "")
        if not since.isdigit():
            raise RefusedByCode("isv.INVALID_PARAMETERS", "QueryDate")
        for call in self.calls:
            day = int(since) <= call.at < int(since) + 86_400_000
            if call.call_id == query.get("CallId") and query.get("ProdId") == _PRODUCTS[call.action] and day:
                row = {"callee": call.phone, "gmtCreate": time_of(call.at), "duration": "0"}
                row |= {"state": call.status or "200101", "stateDesc": _WORDS.get(call.status, "正在接通")}
                row |= {"dtmf": call.pressed} if call.pressed else {}
                return {"Data": orjson.dumps(row).decode()}
        return {}

    def end(self, index: int, status: str, pressed: str = "") -> None:
        """Call ``index`` ends so; nothing is pushed."""
        self.calls[index].status, self.calls[index].pressed = status, pressed

    async def report(self, index: int, session: aiohttp.ClientSession) -> tuple[int, bytes]:
        """Push what became of call ``index``, which has ended. The hub's answer."""
        return await push(self.report_url, [self.row(index)], session)

    def row(self, index: int) -> dict[str, Any]:
        """What is pushed of call ``index``."""
        call = self.calls[index]
        answered = call.status in (HEARD, HUNG_UP, NO_KEY)
        row = {
            "call_id": call.call_id,
            "status_code": call.status,
            "status_msg": _WORDS.get(call.status, ""),
            "callee": call.phone,
            "caller": self.shown[0] if self.shown else "",
            "out_id": call.out_id,
            "originate_time": time_of(call.at),
            "ring_time": time_of(call.at + 4000),
            "start_time": time_of(call.at + 9000) if answered else "",
            "end_time": time_of(self.now()),
            "duration": "12" if answered else "0",
            "voice_type": "voice",
            "toll_type": "LOCAL",
        }
        return row | ({"dtmf": call.pressed} if call.pressed else {})
