"""Events as an upstream system sends them, and the moment at which they arrive."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

from bot.intake.body import parse
from bot.intake.reading import Item, ReadingRules, Unreadable, read
from escalation.event import Event

SOURCE = "dust-gateway"
USCC = "91000000DEM0000019"
# 03:12:42 in Shanghai, two seconds after the sample event.
NOW = int(datetime(2026, 11, 20, 19, 12, 42, tzinfo=UTC).timestamp() * 1000)
HAPPENED = NOW - 2_000

_ALARM: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A-000123",
    "source": "/gateway/dust",
    "type": "alarm.raised",
    "time": "2026-11-21T03:12:40+08:00",
    "data": {
        "enterprise": {"uscc": USCC, "name": "示例木业有限公司"},
        "industry": "dust",
        "point": {"code": "DC01-T01", "name": "1号除尘器灰斗温度", "equipment": "1号干式除尘器", "unit": "℃"},
        "alarm": {"severity": "high_high", "value": 86.4, "limit": 80.0},
    },
}


def alarm(**changes: Any) -> dict[str, Any]:
    """The sample alarm; keyword ``data__alarm__value=3`` changes a field, ``...`` as the value removes it."""
    event = copy.deepcopy(_ALARM)
    for path, value in changes.items():
        change(event, path, value)
    return event


def change(event: dict[str, Any], path: str, value: Any) -> None:
    """Set or remove (``...``) the field at ``path``; raises TypeError or KeyError where there is no such place."""
    *way, last = path.split("__")
    table = event
    for name in way:
        table = table[name]
    if value is ...:
        del table[last]
    else:
        table[last] = value


def warning(**changes: Any) -> dict[str, Any]:
    """The same enterprise's warning."""
    data = {
        "enterprise": {"uscc": USCC},
        "warning": {"level": "orange", "previous_level": "yellow", "reasons": ["未打卡"]},
    }
    return alarm(**({"id": "W-000045", "type": "warning.upgraded", "data": data} | changes))


def encoded(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def items(document: object, rules: ReadingRules | None = None, now: int = NOW) -> list[Item]:
    body = document if isinstance(document, bytes) else encoded(document)
    return read(parse(body, 100), SOURCE, rules or ReadingRules(), now)


def event(document: object, rules: ReadingRules | None = None, now: int = NOW) -> Event:
    """The one event that the document holds."""
    [item] = items(document, rules, now)
    assert isinstance(item, Event), item
    return item


def unreadable(document: object, rules: ReadingRules | None = None) -> Unreadable:
    """The one item that the document holds and nobody can read."""
    [item] = items(document, rules)
    assert isinstance(item, Unreadable), item
    return item


def pointers(document: object) -> list[str]:
    """The wrong fields of the one unreadable item."""
    return [problem.pointer for problem in unreadable(document).problems]
