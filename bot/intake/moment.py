"""When an event happened: upstream's time text, and what to make of a clock that is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# RFC 3339, with a space for the T, without seconds, without a zone and without its colon, as gateways send it too.
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(?:([Zz])|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)
# 2000-01-01T00:00:00Z: before that no monitoring system ran; a device that lost its clock says 1970.
EARLIEST = 946_684_800_000


def milliseconds(text: str, zone: tzinfo) -> tuple[int | None, bool]:
    """The moment in milliseconds since the epoch (None where the text is no time), and whether it named its zone.

    A text without a zone is taken as local time of ``zone``. A leap second counts as the second before it.
    """
    match = _TIME.fullmatch(text.strip()) if len(text) <= 64 else None
    if match is None:
        return None, True
    year, month, day, hour, minute, second, fraction, zulu, sign, hours, minutes = match.groups()
    local = zone
    if zulu:
        local = UTC
    elif sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset >= timedelta(hours=24):
            return None, True
        local = timezone(-offset if sign == "-" else offset)
    micros = int((fraction or "0").ljust(6, "0")[:6])
    seconds = min(int(second or 0), 59) if second != "60" else 59
    try:
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute), seconds, micros, local)
        return (moment - _EPOCH) // _MILLISECOND, bool(zulu or sign)
    except (ValueError, OverflowError):
        return None, True
