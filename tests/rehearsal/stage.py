"""What rehearsals are told and asked in tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.door import Door
from bot.moments import moment
from bot.rehearsal.explain import Explanation, explain
from bot.rehearsal.recording import recordings
from bot.rehearsal.replay import Replayed, read_lines, replay_on
from bot.rules import Rules
from bot.settings.models import Settings
from bot.store.client import Store
from escalation.vocabulary import Kind, Level, Mode, Severity

DUST = "91000000DEM0000019"
STEEL = "91000000DEM000002C"
ALUMINIUM = "91000000DEM000003F"
ORANGE_AT = "2026-11-21T02:00"
"""The issue's own example: a Saturday night."""


def raised(identity: str, time: str, kind: str = "alarm.raised", **more: Any) -> dict[str, Any]:
    """A CloudEvent line; a high alarm of DC01-T01 unless told otherwise."""
    enterprise = more.pop("enterprise", DUST)
    data: dict[str, Any] = {"enterprise": {"uscc": enterprise} if enterprise else {"name": more.pop("name")}}
    if kind.startswith("warning"):
        data["warning"] = {"level": more.pop("level", "orange")}
    else:
        data["point"] = {"code": more.pop("point", "DC01-T01")}
    if kind in ("alarm.raised", "alarm.repeated"):
        data["alarm"] = {"severity": more.pop("severity", "high"), "value": 72.5, "limit": 70}
    return {"specversion": "1.0", "id": identity, "source": "/try", "type": kind, "time": time, "data": data, **more}


def reply(words: str, by: str, at: str, **more: str) -> dict[str, str]:
    return {"reply": words, "by": by, "at": at, **more}


async def replayed(
    store: Store, settings: Settings, folder: Path, lines: list[dict[str, Any]], until: str = ""
) -> Replayed:
    """Write the lines to a file and replay it on an emptied store."""
    await store.execute("FLUSHALL")
    path = folder / "events.jsonl"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    return await replay_on(Door(store), settings, read_lines(path, settings), moment(until) if until else None)


def explained(settings: Settings, at: str = ORANGE_AT, **more: Any) -> Explanation:
    """The explanation of an orange warning of the dust enterprise, unless told otherwise."""
    rules = Rules.of(settings, recordings(settings, lambda _channel, _letter: None))
    asked: dict[str, Any] = {
        "enterprise": DUST,
        "point": "",
        "kind": Kind.WARNING,
        "level": Level.ORANGE,
        "severity": None,
        "mode": Mode.ACTUAL,
    } | more
    if asked["severity"] is not None:
        asked |= {"kind": Kind.ALARM, "level": None}
    assert isinstance(asked["severity"], Severity | None)
    return explain(rules.context(0), at=moment(at), **asked)
