"""What became of calls, as Alibaba Cloud tells it: pushed (VoiceReport, a JSON list by POST) and when it is asked
(QueryCallDetailByCallId). Pure.

Nothing in a push is signed. The vendor calls again after 1, 5 and 10 minutes where it was not answered within 700 ms.
Source of the codes: the vendor's page on carriers' receipts.
"""

from __future__ import annotations

from typing import Any

import orjson

from channels.callback import Call, Heard, Thanks
from channels.channel import CallEnd, ReceiptKind, Uplink
from channels.sms.rows import LONGEST_ID, checked_id, one_line, read_rows, text_of
from channels.sms.text import plain_number

RECEIVED = Thanks('{"code":0,"msg":"接收成功"}'.encode(), "application/json")

_ANSWERED = ("200000", "200001", "200008", "200100")
"""Heard to the end, hung up before, no key in time, ended."""
_UNDER_WAY = ("200101", "200102", "200103", "300000")
_WORDS = {
    "200000": "听完",
    "200001": "未听完就挂断",
    "200002": "占线",
    "200003": "无人接听",
    "200004": "号码不合法",
    "200005": "无法接通或拒接",
    "200006": "语音播放失败",
    "200007": "不在服务区",
    "200008": "没有按键",
    "200010": "关机",
    "200011": "停机",
    "200121": "超过并发数",
}


def read_call(channel: str, call: Call, at: int, key: str, *, keyed: bool) -> Heard:
    """Every ended call of the batch; ``at`` is the hub's time in ms, ``key`` the one that signs where calls are
    ``keyed``. Calls under way are no news. Raises ValueError where nothing of it is readable."""
    items, troubles = read_rows(call, lambda row: _pushed(channel, row, at, key, keyed=keyed))
    ended = tuple(item for item in items if isinstance(item, Uplink) and item.call is not None)
    return Heard(ended, RECEIVED, troubles)


def asked(channel: str, said: Any, call_id: str, at: int, key: str, *, keyed: bool) -> Uplink | None:
    """The end of a call in the answer to a question; None while it is under way, or not known. Raises ValueError for
    what is no such answer."""
    data = said.get("Data") if isinstance(said, dict) else None
    try:
        row = orjson.loads(data) if isinstance(data, str) and data else data
    except orjson.JSONDecodeError:
        raise ValueError("查询应答中的 Data 不是 JSON") from None
    if not isinstance(row, dict) or not text_of(row, "state"):
        return None
    end = _end(text_of(row, "state"), text_of(row, "stateDesc"), text_of(row, "dtmf"), key, keyed=keyed)
    return _uplink(channel, text_of(row, "callee", needed=True), "", call_id, end, at) if end else None


def _pushed(channel: str, row: dict[str, Any], at: int, key: str, *, keyed: bool) -> Uplink:
    call_id = checked_id(text_of(row, "call_id", needed=True))
    status = text_of(row, "status_code", needed=True)
    end = _end(status, text_of(row, "status_msg"), text_of(row, "dtmf"), key, keyed=keyed)
    if end is None:
        return Uplink(channel=channel, message_id=call_id, sender="", text="", at=at)
    reference = text_of(row, "out_id")[:LONGEST_ID]
    return _uplink(channel, text_of(row, "callee", needed=True), reference, call_id, end, at)


def _end(status: str, words: str, pressed: str, key: str, *, keyed: bool) -> tuple[ReceiptKind, str, str, bool] | None:
    """Kind, words, the key pressed and whether it signs; None while the call is under way."""
    if status in _UNDER_WAY and not pressed:
        return None
    said = one_line(status, _WORDS.get(status, words))
    digits = pressed.rstrip("#*")
    if pressed:
        signs = keyed and set(digits) == {key}
        detail = f"已接听，按键 {pressed[:8]}{'' if signs else '，不是签收'} {said}"
        return (ReceiptKind.DELIVERED if signs else ReceiptKind.ANSWERED), detail, pressed[:8], signs
    if status in _ANSWERED:
        kind = ReceiptKind.ANSWERED if keyed else ReceiptKind.DELIVERED
        return kind, f"已接听{'，未按键' if keyed else ''} {said}", "", False
    return ReceiptKind.UNDELIVERED, f"未接通 {said}", "", False


def _uplink(
    channel: str, callee: str, reference: str, call_id: str, end: tuple[ReceiptKind, str, str, bool], at: int
) -> Uplink:
    kind, detail, pressed, signs = end
    return Uplink(
        channel=channel,
        # The same however often it is told, and whoever tells it.
        message_id=f"{call_id}.end",
        sender=plain_number(callee),
        text="",
        at=at,
        call=CallEnd(reference, call_id, kind, detail.strip(), pressed, signs),
    )
