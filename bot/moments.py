"""A time as people write it, as the hub counts it."""

from __future__ import annotations

from datetime import datetime

from escalation.calendar import ZONE


def moment(text: str) -> int:
    """A time in Beijing time where it has no zone; milliseconds. Raises ValueError."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text} 不是时刻，应如 2026-11-21T02:00 / {text} is no time such as 2026-11-21T02:00"
        ) from None
    return round((given if given.tzinfo else given.replace(tzinfo=ZONE)).timestamp() * 1000)
