"""A storm: 300 events of the whole county at once, red among them, through the intake door in batches."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.demo.controls import Refusal
from bot.demo.county import STORM
from bot.rendering import words
from escalation.directory import Directory, Enterprise
from escalation.vocabulary import Level, Severity

BATCH = 64
"""How many events one request holds."""
ROUNDS = 9
"""How often each point of the storm alarms: a point that chatters is one incident."""
_MEDIA_TYPE = "application/cloudevents-batch+json"
_GRAVE = 6
"""The number of each enterprise's point that alarms high-high; the others alarm high."""

_FIRST = re.compile(r"红色预警|高高报")


@dataclass
class Told:
    """What has come to one phone since the storm began; ``grave``: the first message was of red or of critical."""

    name: str
    grave: bool
    count: int = 0


@dataclass
class Storm:
    """What became of the last storm."""

    events: int = 0
    batches: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    told: dict[str, Told] = field(default_factory=dict)

    def hear(self, phone: str, name: str, text: str) -> None:
        """A message came to a phone."""
        self.told.setdefault(phone, Told(name, _FIRST.search(text) is not None)).count += 1

    def shown(self) -> dict[str, Any]:
        """The storm as the page gets it."""
        phones = [{"name": each.name, "count": each.count} for each in self.told.values()]
        return {
            "events": self.events,
            "batches": self.batches,
            "opened": self.verdicts["created"],
            "merged": self.events - self.verdicts["created"],
            "messages": sum(each.count for each in self.told.values()),
            "grave": sum(each.grave for each in self.told.values()),
            "phones": phones,
        }


def events_of(directory: Directory, now: int) -> list[dict[str, Any]]:
    """The events in the order they are sent; what is gravest stands in the middle of the first round."""
    enterprises = list(directory.enterprises.values())
    events = [
        event
        for turn in range(ROUNDS)
        for number in range(_most(enterprises))
        for enterprise in enterprises
        for event in _events(enterprise, number, turn)
    ]
    stamp, salt = words.stamp(now), uuid.uuid4().hex[:8]
    for place, event in enumerate(events):
        event |= {"specversion": "1.0", "id": f"storm-{salt}-{place}", "source": "/demo/storm", "time": stamp}
    return events


def _most(enterprises: list[Enterprise]) -> int:
    return max((sum(1 for _ in _points(each)) for each in enterprises), default=0)


def _points(enterprise: Enterprise) -> Iterator[str]:
    return (point.code for point in enterprise.points if point.code.startswith(STORM))


def _events(enterprise: Enterprise, number: int, turn: int) -> Iterator[dict[str, Any]]:
    who = {"uscc": enterprise.uscc, "name": enterprise.name}
    if turn == 0 and number == _GRAVE:
        warning = {"level": Level.RED.value, "reasons": ["多个点位同时报警"]}
        yield {"type": "warning.issued", "data": {"enterprise": who, "warning": warning}}
    code = next((each for place, each in enumerate(_points(enterprise)) if place == number), "")
    if code:
        severity = Severity.HIGH_HIGH if number == _GRAVE else Severity.HIGH
        value, limit = (98 + turn / 10, 95) if number == _GRAVE else (82 + turn / 10, 80)
        alarm = {"severity": severity.value, "value": value, "limit": limit}
        yield {"type": "alarm.raised", "data": {"enterprise": who, "point": {"code": code}, "alarm": alarm}}


async def post_all(
    storm: Storm, url: str, token: str, events: list[dict[str, Any]], session: aiohttp.ClientSession
) -> str:
    """Post all of them and say what the hub answered; ``storm`` counts along. Raises :class:`Refusal`."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": _MEDIA_TYPE}
    for start in range(0, len(events), BATCH):
        try:
            async with session.post(url, json=events[start : start + BATCH], headers=headers) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refusal(f"没有送到：{type(error).__name__}") from error
        if response.status != 202:
            raise Refusal(f"HTTP {response.status} {answer.get('detail', '')}")
        storm.verdicts.update(str(item.get("verdict", "")) for item in answer["items"])
        storm.events += len(answer["items"])
        storm.batches += 1
    merged = storm.events - storm.verdicts["created"]
    return f"{storm.events} 条事件已全部受理：新警情 {storm.verdicts['created']}，并入 {merged}"
