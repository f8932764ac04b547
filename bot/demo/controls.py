"""The wall's buttons as an upstream system: events posted to the hub's real intake door with the source's token."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.demo.county import STORM
from bot.rendering import words
from escalation.directory import Directory, Enterprise, Point
from escalation.vocabulary import Level, Mode, Severity

_VALUES: dict[str, dict[Severity, tuple[float, float]]] = {
    "DC01-T01": {Severity.HIGH: (86.4, 80), Severity.HIGH_HIGH: (97.2, 95)},
    "DC01-P01": {
        Severity.HIGH: (1620, 1500),
        Severity.HIGH_HIGH: (2140, 2000),
        Severity.LOW: (180, 200),
        Severity.LOW_LOW: (90, 100),
    },
    "BF1-CO-03": {Severity.HIGH: (32, 24), Severity.HIGH_HIGH: (176, 160)},
    "CAST-F02": {Severity.LOW: (41, 45), Severity.LOW_LOW: (27, 30)},
}
_HIGHER = {Severity.HIGH: Severity.HIGH_HIGH, Severity.LOW: Severity.LOW_LOW}
_LEVEL_UP = {Level.BLUE: Level.YELLOW, Level.YELLOW: Level.ORANGE, Level.ORANGE: Level.RED}
_REASONS = ("高报警未按时处置", "粉尘清扫未打卡")


class Refusal(Exception):
    """A button that makes no sense now, in words for the page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One press: what to do (``raise``, ``repeat``, ``higher``, ``clear``), where, how grave, and in which mode."""

    do: str
    enterprise: str
    point: str
    grade: str
    mode: Mode


class Controls:
    """Remembers how grave each place was last said to be, as an upstream system would."""

    def __init__(self, url: str, token: str, directory: Directory, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.token = token
        self._directory = directory
        self._session = session
        self._last: dict[tuple[str, str, Mode], str] = {}

    def targets(self) -> list[dict[str, Any]]:
        """Everything a button may be about: each enterprise's points with their severities, and its warning."""
        found: list[dict[str, Any]] = []
        for enterprise in self._directory.enterprises.values():
            rows = [
                {
                    "enterprise": enterprise.uscc,
                    "point": point.code,
                    "name": point.name,
                    "grades": [
                        {"id": each.value, "word": each.word}
                        for each in (*reversed(_VALUES.get(point.code, {Severity.HIGH: (0, 0)})), Severity.FAULT)
                    ],
                }
                for point in enterprise.points
                if not point.code.startswith(STORM)
            ]
            levels = [{"id": level.value, "word": level.word} for level in Level]
            rows.append({"enterprise": enterprise.uscc, "point": "", "name": "企业风险预警", "grades": levels})
            found.append({"name": enterprise.short or enterprise.name, "targets": rows})
        return found

    async def press(self, asked: Asked, now: int) -> str:
        """Post the event and say what the hub answered. Raises :class:`Refusal`."""
        enterprise = self._directory.enterprises.get(asked.enterprise)
        if enterprise is None:
            raise Refusal("没有这家企业")
        event = self._warning(enterprise, asked) if not asked.point else self._alarm(enterprise, asked)
        event |= {
            "specversion": "1.0",
            "id": f"wall-{uuid.uuid4().hex[:12]}",
            "source": "/demo/wall",
            "time": words.stamp(now),
            "mode": asked.mode.value,
        }
        return await self._post(event)

    def _alarm(self, enterprise: Enterprise, asked: Asked) -> dict[str, Any]:
        point = self._directory.point(enterprise.uscc, asked.point)
        if point is None:
            raise Refusal("没有这个点位")
        key = (enterprise.uscc, point.code, asked.mode)
        severity = self._severity(key, asked)
        kind = {"repeat": "alarm.repeated", "clear": "alarm.cleared"}.get(asked.do, "alarm.raised")
        if asked.do == "clear":
            self._last.pop(key, None)
        else:
            self._last[key] = severity.value
        return {"type": kind, "data": _alarm_data(enterprise, point, severity, cleared=asked.do == "clear")}

    def _severity(self, key: tuple[str, str, Mode], asked: Asked) -> Severity:
        last = self._last.get(key)
        if asked.do == "raise":
            try:
                return Severity(asked.grade)
            except ValueError:
                raise Refusal("没有这个级别") from None
        if last is None:
            raise Refusal("该点位没有正在进行的报警，请先“报警”")
        if asked.do != "higher":
            return Severity(last)
        higher = _HIGHER.get(Severity(last))
        if higher is None:
            raise Refusal(f"已经是{Severity(last).word}，不能再升级")
        return higher

    def _warning(self, enterprise: Enterprise, asked: Asked) -> dict[str, Any]:
        key = (enterprise.uscc, "", asked.mode)
        last = self._last.get(key)
        data: dict[str, Any] = {"enterprise": {"uscc": enterprise.uscc, "name": enterprise.name}}
        if asked.do == "clear":
            if last is None:
                raise Refusal("该企业没有正在进行的预警，请先“报警”")
            del self._last[key]
            return {"type": "warning.cleared", "data": data | {"warning": {"level": last}}}
        level = self._level(last, asked)
        self._last[key] = level.value
        kind = "warning.upgraded" if asked.do == "higher" else "warning.issued"
        return {"type": kind, "data": data | {"warning": {"level": level.value, "reasons": list(_REASONS)}}}

    def _level(self, last: str | None, asked: Asked) -> Level:
        if asked.do == "raise":
            try:
                return Level(asked.grade)
            except ValueError:
                raise Refusal("没有这个级别") from None
        if last is None:
            raise Refusal("该企业没有正在进行的预警，请先“报警”")
        if asked.do != "higher":
            return Level(last)
        higher = _LEVEL_UP.get(Level(last))
        if higher is None:
            raise Refusal("已经是红色，不能再升级")
        return higher

    async def _post(self, event: dict[str, Any]) -> str:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with self._session.post(self.url, json=event, headers=headers) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refusal(f"没有送到：{type(error).__name__}") from error
        item = (answer.get("items") or [{}])[0]
        if response.status != 202:
            raise Refusal(f"HTTP {response.status} {answer.get('detail', '')}")
        verdict = str(item.get("verdict", ""))
        return f"{item.get('code', '')} {_VERDICTS.get(verdict, verdict)}".strip()


_VERDICTS = {
    "created": "新警情，已受理",
    "merged": "已并入原警情",
    "updated": "警情有新变化",
    "reopened": "警情重新打开",
    "cleared": "已收到恢复",
    "duplicate": "重复事件",
    "stale": "过时事件，未改变",
    "quarantined": "已隔离待查",
}


def _alarm_data(enterprise: Enterprise, point: Point, severity: Severity, *, cleared: bool) -> dict[str, Any]:
    value, limit = _VALUES.get(point.code, {}).get(severity, (None, None))
    alarm: dict[str, Any] = {"severity": severity.value}
    if limit is not None and value is not None:
        normal = limit * (0.8 if value > limit else 1.2)
        alarm |= {"value": round(normal, 1) if cleared else value, "limit": limit}
    return {
        "enterprise": {"uscc": enterprise.uscc, "name": enterprise.name},
        "industry": enterprise.industry.value,
        "point": {"code": point.code, "name": point.name, "equipment": point.equipment, "unit": point.unit},
        "alarm": alarm,
    }
