"""What Tencent Cloud pushes: delivery reports (a JSON list) and people's answers (one JSON object), by POST. Pure.

Nothing in them is signed, and an answer has no id of its own. Reports name the vendor's number of the send alone.
"""

from __future__ import annotations

from typing import Any

from channels.callback import Call, Errand, Heard, Thanks
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.extension import incident_of
from channels.sms.rows import checked_id, hashed, one_line, read_rows, text_of, written
from channels.sms.text import plain_number

_RECEIVED = Thanks(b'{"result":0,"errmsg":"OK"}', "application/json")
_KINDS = {"SUCCESS": ReceiptKind.DELIVERED, "FAIL": ReceiptKind.UNDELIVERED}


def read_call(channel: str, call: Call, at: int, digits: int) -> Heard:
    """What a call brings; ``at`` is the hub's time in ms. The last ``digits`` of an answer's extension name its
    incident. Raises ValueError where nothing of it is readable."""
    if call.errand is Errand.UPLINK:
        items, troubles = read_rows(call, lambda row: _uplink(channel, row, at, digits))
    else:
        items, troubles = read_rows(call, lambda row: _report(channel, row, at))
    return Heard(items, _RECEIVED, troubles)


def number_of(row: dict[str, Any]) -> str:
    """The phone a row is about, as the directory writes it. Raises ValueError where it is none."""
    bare, nation = text_of(row, "mobile", needed=True), text_of(row, "nationcode") or "86"
    return plain_number(bare if bare.startswith("+") else f"+{nation}{bare}")


def _uplink(channel: str, row: dict[str, Any], at: int, digits: int) -> Uplink:
    sender = number_of(row)
    text = written(text_of(row, "text"), "text")
    message_id = hashed(sender, text_of(row, "time") or at, text)
    about = incident_of(text_of(row, "extend"), digits)
    return Uplink(channel=channel, message_id=message_id, sender=sender, text=text, at=at, about=about)


def _report(channel: str, row: dict[str, Any], at: int) -> Report:
    kind = _KINDS.get(text_of(row, "report_status"))
    if kind is None:
        raise ValueError("report_status 应为 SUCCESS 或 FAIL")
    said = one_line(text_of(row, "errmsg"), text_of(row, "description"))
    return Report(
        channel=channel,
        letter_id="",
        vendor_id=checked_id(text_of(row, "sid", needed=True)),
        kind=kind,
        at=at,
        detail=f"{'已送达' if kind is ReceiptKind.DELIVERED else '未送达'} {said}".strip(),
    )
