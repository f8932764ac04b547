"""Alibaba Cloud's text message service: verifies each signature from the request's own bytes, knows its signatures and
templates, keeps the limits of each number, answers its codes under HTTP 200, and pushes reports and answers.

Sources of the rules: the vendor's pages on SendSms, QuerySendDetails, signature version 3 and its pushes.
"""

from __future__ import annotations

import re
import uuid
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
    day_of,
    push,
    time_of,
)
from bot.demo.simulators.vendor import Faults, Now, Received

_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_SPECIAL = re.compile("[【】①②③★※→←↑↓]")
_LONGEST_VALUE = 35


@dataclass(frozen=True, slots=True)
class _Message:
    phone: str
    out_id: str
    biz_id: str
    sign: str
    text: str
    at: int


@dataclass
class AliyunSms(Acs3Service):
    """One account. ``templates`` are texts by code; ``limits`` are per minute, hour and day for each number.

    ``reviews`` say why templates and signatures are not approved: their state (0 not yet, 2 refused) and the reason.

    ``report_url`` and ``uplink_url`` are where it pushes to; ``now`` gives milliseconds. ``refusal`` is the code that
    :attr:`Fault.REFUSE` answers with. A message's address is the number it goes to.
    """

    key_id: str
    key_secret: str
    signs: tuple[str, ...]
    templates: Mapping[str, str]
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    limits: tuple[int, int, int] = (1, 5, 10)
    report_url: str = ""
    uplink_url: str = ""
    channel: str = "sms_aliyun"
    refusal: str = "isv.AMOUNT_NOT_ENOUGH"
    faults: Faults = field(default_factory=Faults)
    sent: list[_Message] = field(default_factory=list)
    reviews: dict[str, tuple[int, str]] = field(default_factory=dict)
    queries: int = 0

    costly: ClassVar[frozenset[str]] = frozenset({"SendSms"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fates: dict[str, tuple[int, str]] = {}

    def _act(self, action: str, query: Mapping[str, str]) -> tuple[dict[str, Any], Received | None]:
        if action == "SendSms":
            return self._send(query)
        if action == "QuerySendDetails":
            self.queries += 1
            return self._details(query), None
        if action == "GetSmsTemplate":
            return self._template(query.get("TemplateCode", "")), None
        if action == "GetSmsSign":
            return self._sign(query.get("SignName", "")), None
        raise RefusedByCode("InvalidAction.NotFound", "Specified api is not found.", 404)

    def _send(self, query: Mapping[str, str]) -> tuple[dict[str, Any], Received]:
        phone, sign = query.get("PhoneNumbers", ""), query.get("SignName", "")
        if not _MOBILE.fullmatch(phone):
            raise RefusedByCode("isv.MOBILE_NUMBER_ILLEGAL", f"{phone}invalid mobile number")
        if sign not in self.signs or sign in self.reviews:
            raise RefusedByCode("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
        template = self.templates.get(query.get("TemplateCode", ""))
        if template is None or query["TemplateCode"] in self.reviews:
            raise RefusedByCode("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        text = f"【{sign}】{_filled(template, query.get('TemplateParam', ''))}"
        if len(text) > 500:
            raise RefusedByCode("isv.PARAM_LENGTH_LIMIT", "短信内容超长")
        now = self.now()
        check_limits((each.at for each in self.sent if each.phone == phone), self.limits, now)
        biz_id = f"{now}{len(self.sent):04}^0"
        self.sent.append(_Message(phone, query.get("OutId", ""), biz_id, sign, text, now))
        received = Received(self.channel, phone, text, "", now, orjson.dumps(dict(query)))
        return {"BizId": biz_id}, received

    def _details(self, query: Mapping[str, str]) -> dict[str, Any]:
        size, page = int(query.get("PageSize", "0")), int(query.get("CurrentPage", "0"))
        if not 1 <= size <= 50 or page < 1:
            raise RefusedByCode("isv.INVALID_PARAMETERS", "PageSize or CurrentPage")
        rows = [
            each
            for each in self.sent
            if each.phone == query.get("PhoneNumber") and day_of(each.at) == query["SendDate"]
        ]
        shown = rows[::-1][(page - 1) * size : page * size]
        details = []
        for each in shown:
            status, code = self._fates.get(each.biz_id, (1, ""))
            details.append(
                {"PhoneNum": each.phone, "OutId": each.out_id, "SendStatus": status, "ErrCode": code}
                | {"Content": each.text, "SendDate": time_of(each.at)}
            )
        holder = {"SmsSendDetailDTO": details}
        return {"TotalCount": len(rows), "SmsSendDetailDTOs": holder}

    def _template(self, code: str) -> dict[str, Any]:
        """What the vendor tells of a template."""
        if code not in self.templates:
            raise RefusedByCode("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        state, reason = self.reviews.get(code, (1, ""))
        told = {"TemplateCode": code, "TemplateContent": self.templates[code], "TemplateStatus": str(state)}
        return {**told, "AuditInfo": {"RejectInfo": reason}}

    def _sign(self, name: str) -> dict[str, Any]:
        """What the vendor tells of a signature."""
        if name not in self.signs:
            raise RefusedByCode("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
        state, reason = self.reviews.get(name, (1, ""))
        return {"SignName": name, "SignStatus": state, "AuditInfo": {"RejectInfo": reason}}

    async def report(self, index: int, session: aiohttp.ClientSession, *, failure: str = "") -> tuple[int, bytes]:
        """Push what became of message ``index``: delivered, or failed by the code ``failure``. The hub's answer."""
        each = self.sent[index]
        self._fates[each.biz_id] = (2, failure) if failure else (3, "DELIVERED")
        row = {
            "phone_number": each.phone,
            "send_time": time_of(each.at),
            "report_time": time_of(self.now()),
            "success": not failure,
            "err_code": failure or "DELIVERED",
            "err_msg": "用户接收失败" if failure else "用户接收成功",
            "sms_size": str(1 if len(each.text) <= 70 else -(-len(each.text) // 67)),
            "biz_id": each.biz_id,
            "out_id": each.out_id,
        }
        return await push(self.report_url, [row], session)

    async def answer(self, number: str, text: str, session: aiohttp.ClientSession, sequence: str = "") -> int:
        """A phone sends ``text``. The HTTP status of the hub's answer, 500 where it does not say that it took it."""
        row = {
            "phone_number": number,
            "content": text,
            "send_time": time_of(self.now()),
            "dest_code": "90999",
            "sequence_id": sequence or str(uuid.uuid4().int)[:16],
        }
        status, body = await push(self.uplink_url, [row], session)
        return status if status >= 300 or taken_as_received(body) else 500


def taken_as_received(body: bytes) -> bool:
    """Whether the vendor takes an answer for "received": ``code`` is the number 0."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    code = said.get("code") if isinstance(said, dict) else None
    return code == 0 and not isinstance(code, bool)


def _filled(template: str, raw: str) -> str:
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RefusedByCode("isv.INVALID_JSON_PARAM", "JSON参数不合法") from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise RefusedByCode("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值")
    for name in VARIABLE.findall(template):
        value = values.get(name, "")
        if not value.strip():
            raise RefusedByCode("isv.TEMPLATE_MISSING_PARAMETERS", f"模板缺少变量 {name}")
        if len(value) > _LONGEST_VALUE:
            raise RefusedByCode("isv.PARAM_LENGTH_LIMIT", f"参数 {name} 超出长度限制")
        if LINK.search(value):
            raise RefusedByCode("isv.PARAM_NOT_SUPPORT_URL", "不支持URL")
        if _SPECIAL.search(value):
            raise RefusedByCode("isv.SMS_CONTENT_ILLEGAL", "变量中含有不支持的符号")
    return VARIABLE.sub(lambda found: values[found.group(1)], template)
