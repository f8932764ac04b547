"""What Alibaba Cloud says it has sent to a number on a day: the answer of QuerySendDetails. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from channels.channel import ReceiptKind

_CHINA = timezone(timedelta(hours=8))
_FATES = {1: ReceiptKind.SUBMITTED, 2: ReceiptKind.UNDELIVERED, 3: ReceiptKind.DELIVERED}


@dataclass(frozen=True, slots=True)
class Sent:
    """What one page says of a letter: its fate (None: it is not on it), and whether there are more pages."""

    fate: ReceiptKind | None
    words: str = ""
    more: bool = False


def days_of(at: int) -> tuple[str, str]:
    """The day of ``at`` (ms) and the one before as the vendor writes them: an earlier try may have been yesterday."""
    today = datetime.fromtimestamp(at // 1000, UTC).astimezone(_CHINA)
    return f"{today:%Y%m%d}", f"{today - timedelta(days=1):%Y%m%d}"


def sent_in(said: Any, letter_id: str, page: int) -> Sent:
    """The letter in a page of at most ``page`` rows. Raises ValueError for what is no such page."""
    holder = said.get("SmsSendDetailDTOs") if isinstance(said, dict) else None
    rows = holder.get("SmsSendDetailDTO") if isinstance(holder, dict) else holder
    if rows is None:
        rows = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("查询应答中没有 SmsSendDetailDTOs")
    for row in rows:
        if str(row.get("OutId", "")) == letter_id:
            fate = _FATES.get(row["SendStatus"]) if isinstance(row.get("SendStatus"), int) else None
            return Sent(fate or ReceiptKind.SUBMITTED, str(row.get("ErrCode", ""))[:60])
    return Sent(None, more=len(rows) >= page)
