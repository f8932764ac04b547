"""What became of calls, as Tencent Cloud pushes it: one JSON object a POST, whose one name says what it is. Pure.

Nothing is signed, and calls are named by the vendor's id alone. A key, the end and its reason are three calls.
Source of the forms: the vendor's pages on its call-backs.
"""

from __future__ import annotations

from typing import Any

import orjson

from channels.callback import Call, Heard, Thanks
from channels.channel import CallEnd, ReceiptKind, Uplink
from channels.sms.rows import checked_id, one_line, text_of
from channels.sms.tencent_inbound import number_of

RECEIVED = Thanks(b'{"result":0,"errmsg":"OK"}', "application/json")
_STATUS, _KEY, _FAILURE = "voiceprompt_callback", "voicekey_callback", "voice_failure_callback"


def read_call(channel: str, call: Call, at: int, key: str, *, keyed: bool) -> Heard:
    """What a call brings; ``at`` is the hub's time in ms, ``key`` the one that signs where calls are ``keyed``. Raises
    ValueError for what is none of the vendor's."""
    try:
        said = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise ValueError("回调内容不是 JSON") from None
    found = next((name for name in (_STATUS, _KEY, _FAILURE) if isinstance(said, dict) and name in said), None)
    row = said[found] if found is not None else None
    if not isinstance(row, dict):
        raise ValueError(f"应为 {_STATUS}、{_KEY} 或 {_FAILURE}")
    call_id = checked_id(text_of(row, "callid", needed=True))
    kind, detail, pressed, signs = _end(found, row, key, keyed=keyed)
    uplink = Uplink(
        channel=channel,
        message_id=f"{call_id}.{'key' if found == _KEY else 'end'}",
        sender=number_of(row),
        text="",
        at=at,
        call=CallEnd("", call_id, kind, detail, pressed, signs),
    )
    return Heard((uplink,), RECEIVED)


def _end(found: str | None, row: dict[str, Any], key: str, *, keyed: bool) -> tuple[ReceiptKind, str, str, bool]:
    if found == _KEY:
        pressed = text_of(row, "keypress", needed=True)[:8]
        signs = keyed and set(pressed.rstrip("#*")) == {key}
        kind = ReceiptKind.DELIVERED if signs else ReceiptKind.ANSWERED
        return kind, f"已接听，按键 {pressed}{'' if signs else '，不是签收'}", pressed, signs
    if found == _FAILURE:
        said = one_line(text_of(row, "failure_code"), text_of(row, "failure_reason"))
        return ReceiptKind.UNDELIVERED, f"未接通 {said}".strip(), "", False
    match text_of(row, "result", needed=True):
        case "0":
            # A key that was pressed comes in a call of its own, before this one or after it.
            return (ReceiptKind.ANSWERED if keyed else ReceiptKind.DELIVERED), "已接听", "", False
        case "1":
            return ReceiptKind.UNDELIVERED, "未接通 无人接听", "", False
        case _:
            return ReceiptKind.UNDELIVERED, "未接通 呼叫异常", "", False
