"""Tencent Cloud's text message service: verifies each signature from the request's own bytes, knows its signatures and
templates, keeps the limits of each number, answers its codes under HTTP 200, and pushes reports and answers.

Sources of the rules: the vendor's pages on SendSms, signature version 3 and its call-backs, and its library.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

import aiohttp
import orjson

from bot.demo.simulators.acs3 import push
from bot.demo.simulators.tc3 import VARIABLE, RefusedByTencent, Tc3Service
from bot.demo.simulators.vendor import Faults, Now, Received

_MOBILE = re.compile(r"\+861[3-9][0-9]{9}", re.ASCII)
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_CHINA = timezone(timedelta(hours=8))
_WINDOWS = (("ThirtySecond", 30_000), ("OneHour", 3_600_000), ("Daily", 86_400_000))
_MOST_ASKED = 100
_KEPT = 7 * 86_400


@dataclass(frozen=True, slots=True)
class _Message:
    phone: str
    context: str
    serial: str
    extension: str
    text: str
    at: int


@dataclass
class TencentSms(Tc3Service):
    """One account with one application. ``templates`` are texts by id; ``limits`` are per 30 seconds, hour and day for
    each number (0: none).

    ``reviews`` say why templates and signatures are not approved: their state (1 not yet, -1 refused) and the reason.

    ``report_url`` and ``uplink_url`` are where it pushes to; ``now`` gives milliseconds. ``refusal`` is the code that
    :attr:`Fault.REFUSE` answers with for the number. A message's address is the number it goes to.
    """

    secret_id: str
    secret_key: str
    app_id: str
    signs: tuple[str, ...]
    templates: Mapping[str, str]
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    limits: tuple[int, int, int] = (1, 5, 10)
    report_url: str = ""
    uplink_url: str = ""
    channel: str = "sms_tencent"
    refusal: str = "FailedOperation.InsufficientBalanceInSmsPackage"
    faults: Faults = field(default_factory=Faults)
    sent: list[_Message] = field(default_factory=list)
    reviews: dict[str, tuple[int, str]] = field(default_factory=dict)
    queries: int = 0

    service: ClassVar[str] = "sms"
    version: ClassVar[str] = "2021-01-11"
    costly: ClassVar[frozenset[str]] = frozenset({"SendSms"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fates: dict[str, tuple[str, str]] = {}

    def _act(self, action: str, asked: Mapping[str, Any], *, refused: bool) -> tuple[dict[str, Any], Received | None]:
        if action == "DescribeSmsTemplateList":
            return self._templates(asked), None
        if action == "DescribeSmsSignList":
            return self._signs(asked), None
        if asked.get("SmsSdkAppId") != self.app_id:
            raise RefusedByTencent("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "SmsSdkAppId verification fails.")
        if action == "SendSms":
            return self._send(asked, refused=refused)
        if action == "PullSmsSendStatusByPhoneNumber":
            self.queries += 1
            return self._statuses(asked), None
        raise RefusedByTencent("InvalidAction", "The action is not found.")

    def _send(self, asked: Mapping[str, Any], *, refused: bool) -> tuple[dict[str, Any], Received | None]:
        numbers, context = asked.get("PhoneNumberSet"), str(asked.get("SessionContext", ""))
        if not isinstance(numbers, list) or len(numbers) != 1:
            raise RefusedByTencent("MissingParameter.EmptyPhoneNumberSet", "PhoneNumberSet")
        number = str(numbers[0])
        if len(context.encode()) >= 512:
            raise RefusedByTencent("InvalidParameter", "SessionContext is too long")
        row = {"PhoneNumber": number, "SessionContext": context, "IsoCode": "CN", "SerialNo": "", "Fee": 0}
        code = self.refusal if refused else self._why_not(number, asked)
        if code:
            return {"SendStatusSet": [{**row, "Code": code, "Message": f"refused: {code}"}]}, None
        now, sign = self.now(), asked["SignName"]
        values = asked["TemplateParamSet"]
        text = f"【{sign}】" + VARIABLE.sub(
            lambda found: values[int(found[1]) - 1], self.templates[asked["TemplateId"]]
        )
        serial = f"5000:{now}{len(self.sent):04}"
        phone = number.removeprefix("+86")
        self.sent.append(_Message(phone, context, serial, str(asked.get("ExtendCode", "")), text, now))
        taken = {**row, "SerialNo": serial, "Fee": 1, "Code": "Ok", "Message": "send success"}
        return {"SendStatusSet": [taken]}, Received(self.channel, phone, text, "", now, orjson.dumps(dict(asked)))

    def _why_not(self, number: str, asked: Mapping[str, Any]) -> str:
        if not _MOBILE.fullmatch(number):
            return "InvalidParameterValue.IncorrectPhoneNumber"
        if asked.get("SignName") not in self.signs or asked["SignName"] in self.reviews:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        template = self.templates.get(str(asked.get("TemplateId")))
        if template is None or asked["TemplateId"] in self.reviews:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        values = asked.get("TemplateParamSet")
        if not isinstance(values, list) or len(values) != len(VARIABLE.findall(template)):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        if not all(isinstance(value, str) and value for value in values):
            return "InvalidParameterValue.TemplateParameterFormatError"
        if any(_LINK.search(value) for value in values):
            return "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
        if len(template) + sum(map(len, values)) > 500:
            return "InvalidParameterValue.ContentLengthLimit"
        phone, now = number.removeprefix("+86"), self.now()
        for (word, length), limit in zip(_WINDOWS, self.limits, strict=True):
            if limit and sum(1 for each in self.sent if each.phone == phone and each.at > now - length) >= limit:
                return f"LimitExceeded.PhoneNumber{word}Limit"
        return ""

    def _statuses(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        begin, limit = asked.get("BeginTime"), asked.get("Limit")
        if not isinstance(begin, int) or begin < self.now() // 1000 - _KEPT or asked.get("Offset") != 0:
            raise RefusedByTencent("InvalidParameterValue.BeginTimeVerifyFail", "BeginTime or Offset")
        if not isinstance(limit, int) or not 1 <= limit <= _MOST_ASKED:
            raise RefusedByTencent("InvalidParameterValue.LimitVerifyFail", "Limit")
        number = str(asked.get("PhoneNumber"))
        rows = []
        for each in self.sent:
            status, words = self._fates.get(each.serial, ("", ""))
            if number == f"+86{each.phone}" and each.at // 1000 >= begin and status:
                rows.append(
                    {"CountryCode": "86", "SubscriberNumber": each.phone, "PhoneNumber": number, "Description": words}
                    | {"SerialNo": each.serial, "ReportStatus": status, "SessionContext": each.context}
                )
        return {"PullSmsSendStatusSet": rows[-limit:]}

    def _templates(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        wanted = asked.get("TemplateIdSet")
        if asked.get("International") != 0 or not isinstance(wanted, list) or not wanted:
            raise RefusedByTencent("InvalidParameter", "International or TemplateIdSet")
        rows = []
        for code in map(str, wanted):
            if code in self.templates:
                state, reason = self.reviews.get(code, (0, ""))
                row = {"TemplateId": int(code), "International": 0, "StatusCode": state, "ReviewReply": reason}
                rows.append({**row, "TemplateName": "预警", "TemplateContent": self.templates[code]})
        return {"DescribeTemplateStatusSet": rows}

    def _signs(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        limit, offset = asked.get("Limit"), asked.get("Offset")
        if asked.get("International") != 0 or not isinstance(limit, int) or not 1 <= limit <= 100 or offset != 0:
            raise RefusedByTencent("InvalidParameter", "International, Limit or Offset")
        rows = []
        for number, name in enumerate(self.signs[:limit]):
            state, reason = self.reviews.get(name, (0, ""))
            row = {"SignId": number + 1, "International": 0, "StatusCode": state, "ReviewReply": reason}
            rows.append({**row, "SignName": name})
        return {"DescribeSignListStatusSet": rows}

    def fate(self, index: int, failure: str = "") -> None:
        """The carrier's word about message ``index``: delivered, or failed for this reason."""
        self._fates[self.sent[index].serial] = ("FAIL", failure) if failure else ("SUCCESS", "用户短信送达成功")

    async def report(self, index: int, session: aiohttp.ClientSession, *, failure: str = "") -> tuple[int, bytes]:
        """Push what became of message ``index``. The hub's answer."""
        self.fate(index, failure)
        each = self.sent[index]
        status, words = self._fates[each.serial]
        row = {
            "user_receive_time": f"{datetime.fromtimestamp(self.now() // 1000, _CHINA):%Y-%m-%d %H:%M:%S}",
            "nationcode": "86",
            "mobile": each.phone,
            "report_status": status,
            "errmsg": "DELIVRD" if status == "SUCCESS" else failure,
            "description": words,
            "sid": each.serial,
        }
        return await push(self.report_url, [row], session)

    async def answer(self, number: str, text: str, session: aiohttp.ClientSession, extend: str = "") -> int:
        """A phone sends ``text``. The HTTP status of the hub's answer, 500 where it does not say that it took it."""
        row = {
            "extend": extend,
            "mobile": number,
            "nationcode": "86",
            "sign": self.signs[0],
            "text": text,
            "time": self.now() // 1000,
        }
        status, body = await push(self.uplink_url, row, session)
        return status if status >= 300 or taken_by_tencent(body) else 500


def taken_by_tencent(body: bytes) -> bool:
    """Whether the vendor takes an answer for "received": ``result`` is the number 0."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    result = said.get("result") if isinstance(said, dict) else None
    return result == 0 and not isinstance(result, bool)
