"""What Alibaba Cloud pushes: delivery reports (SmsReport) and people's answers (SmsUp), JSON lists by POST. Pure.

Nothing in them is signed. The vendor calls again after 1, 5 and 10 minutes unless ``code`` in the answer is 0.
"""

from __future__ import annotations

from typing import Any

from channels.callback import Call, Errand, Heard, Thanks
from channels.channel import ReceiptKind, Report, Uplink
from channels.sms.extension import incident_of
from channels.sms.rows import LONGEST_ID, checked_id, hashed, one_line, read_rows, text_of, written
from channels.sms.text import plain_number

_RECEIVED = Thanks('{"code":0,"msg":"成功"}'.encode(), "application/json")


def read_call(channel: str, call: Call, at: int, digits: int = 0) -> Heard:
    """Every element of the batch; ``at`` is the hub's time in ms. Of the number an answer was sent to the last
    ``digits`` name its incident. Raises ValueError where nothing of it is readable."""
    if call.errand is Errand.UPLINK:
        items, troubles = read_rows(call, lambda row: _uplink(channel, row, at, digits))
    else:
        items, troubles = read_rows(call, lambda row: _report(channel, row, at))
    return Heard(items, _RECEIVED, troubles)


def _uplink(channel: str, row: dict[str, Any], at: int, digits: int) -> Uplink:
    sender = plain_number(text_of(row, "phone_number", needed=True))
    text = written(text_of(row, "content"), "content")
    # A number in the vendor's older page, a string in the newer one: the same message either way.
    message_id = text_of(row, "sequence_id") or hashed(sender, text_of(row, "send_time") or at, text)
    about = incident_of(text_of(row, "dest_code"), digits)
    return Uplink(channel=channel, message_id=checked_id(message_id), sender=sender, text=text, at=at, about=about)


def _report(channel: str, row: dict[str, Any], at: int) -> Report:
    success = row.get("success")
    if success in (True, "true", "True"):
        delivered = True
    elif success in (False, "false", "False"):
        delivered = False
    else:
        raise ValueError("缺少 success：应为 true 或 false")
    said = one_line(text_of(row, "err_code"), text_of(row, "err_msg"))
    return Report(
        channel=channel,
        letter_id=checked_id(text_of(row, "out_id", needed=True)),
        vendor_id=text_of(row, "biz_id")[:LONGEST_ID],
        kind=ReceiptKind.DELIVERED if delivered else ReceiptKind.UNDELIVERED,
        at=at,
        detail=f"{'已送达' if delivered else '未送达'} {said}".strip(),
    )
