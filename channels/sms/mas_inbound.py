"""What 云MAS pushes: delivery reports and people's answers, JSON by POST, one object or a list. Pure.

Nothing in them is signed, an answer has no id, and reports name the platform's number of the submission alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from channels.callback import Call, Errand, Heard, Thanks
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.extension import incident_of
from channels.sms.rows import checked_id, hashed, one_line, read_rows, text_of, written
from channels.sms.text import plain_number

_RECEIVED = Thanks(b'{"rspcod":"success","success":true}', "application/json")


def read_call(channel: str, call: Call, at: int, *, digits: int, delivered: Collection[str]) -> Heard:
    """What a call brings; ``at`` is the hub's time in ms. The last ``digits`` of an answer's addSerial name its
    incident; ``delivered`` are the states that mean it. Raises ValueError where nothing of it is readable."""
    if call.errand is Errand.UPLINK:
        items, troubles = read_rows(call, lambda row: _uplink(channel, row, at, digits))
    else:
        items, troubles = read_rows(call, lambda row: _report(channel, row, at, delivered))
    return Heard(items, _RECEIVED, troubles)


def _uplink(channel: str, row: dict[str, Any], at: int, digits: int) -> Uplink:
    sender = plain_number(text_of(row, "mobile", needed=True))
    text = written(text_of(row, "smsContent"), "smsContent")
    message_id = hashed(sender, text_of(row, "sendTime") or at, text)
    about = incident_of(text_of(row, "addSerial"), digits)
    return Uplink(channel=channel, message_id=message_id, sender=sender, text=text, at=at, about=about)


def _report(channel: str, row: dict[str, Any], at: int, delivered: Collection[str]) -> Report:
    states = (text_of(row, "reportStatus"), text_of(row, "errorCode"))
    if not any(states):
        raise ValueError("缺少 reportStatus")
    # The state alone decides; a code beside it only says why.
    arrived = (states[0] or states[1]) in delivered
    said = one_line(*dict.fromkeys(states))
    return Report(
        channel=channel,
        letter_id="",
        vendor_id=checked_id(text_of(row, "msgGroup", needed=True)),
        kind=ReceiptKind.DELIVERED if arrived else ReceiptKind.UNDELIVERED,
        at=at,
        detail=f"{'已送达' if arrived else '未送达'} {said}",
    )
