"""What Alibaba Cloud pushes: delivery reports (SmsReport) and people's answers (SmsUp), JSON lists by POST. Pure.

Nothing in them is signed. The vendor calls again after 1, 5 and 10 minutes unless ``code`` in the answer is 0.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from channels.callback import Call, Errand, Heard, Thanks, Unread
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.text import plain_number

_RECEIVED = Thanks('{"code":0,"msg":"成功"}'.encode(), "application/json")
_LONGEST_TEXT = 2000
_LONGEST_ID = 256


def read_call(channel: str, call: Call, at: int) -> Heard:
    """Every element of the batch; ``at`` is the hub's time in ms. Raises ValueError where nothing of it is readable."""
    try:
        said = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise ValueError("回调内容不是 JSON") from None
    rows = said if isinstance(said, list) else [said]
    items: list[Uplink | Report] = []
    troubles: list[Unread] = []
    for number, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise ValueError("不是 JSON 对象")
            items.append(_uplink(channel, row, at) if call.errand is Errand.UPLINK else _report(channel, row, at))
        except ValueError as error:
            troubles.append(Unread(f"第 {number + 1} 条：{error}", orjson.dumps(row).decode()))
    if troubles and not items:
        raise ValueError("；".join(trouble.words for trouble in troubles[:3]))
    return Heard(tuple(items), _RECEIVED, tuple(troubles))


def _uplink(channel: str, row: dict[str, Any], at: int) -> Uplink:
    sender = plain_number(_text(row, "phone_number", needed=True))
    content = _text(row, "content")
    text = "".join(" " if mark < " " or mark == "\x7f" else mark for mark in content).strip()
    if not text:
        raise ValueError("缺少 content：短信内容为空")
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"短信内容超过 {_LONGEST_TEXT} 字")
    # A number in the vendor's older page, a string in the newer one: the same message either way.
    message_id = _text(row, "sequence_id")
    if not message_id:
        told = f"{sender}\x00{_text(row, 'send_time') or at}\x00{text}".encode("utf-8", "surrogatepass")
        message_id = "hash-" + hashlib.sha256(told).hexdigest()[:40]
    return Uplink(channel=channel, message_id=_id(message_id), sender=sender, text=text, at=at)


def _report(channel: str, row: dict[str, Any], at: int) -> Report:
    success = row.get("success")
    if success in (True, "true", "True"):
        delivered = True
    elif success in (False, "false", "False"):
        delivered = False
    else:
        raise ValueError("缺少 success：应为 true 或 false")
    code, words = _text(row, "err_code"), _text(row, "err_msg")
    said = "".join(max(mark, " ") for mark in f"{code} {words}")[:120].strip()
    return Report(
        channel=channel,
        letter_id=_id(_text(row, "out_id", needed=True)),
        vendor_id=_text(row, "biz_id")[:_LONGEST_ID],
        kind=ReceiptKind.DELIVERED if delivered else ReceiptKind.UNDELIVERED,
        at=at,
        detail=f"{'已送达' if delivered else '未送达'} {said}".strip(),
    )


def _text(row: dict[str, Any], name: str, *, needed: bool = False) -> str:
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} 不是文字")
    found = (value or "").strip()
    if needed and not found:
        raise ValueError(f"缺少 {name}")
    return found


def _id(value: str) -> str:
    if len(value) > _LONGEST_ID or not value.isprintable():
        raise ValueError(f"编号 {value[:20]!r}… 过长或含有控制字符")
    return value
