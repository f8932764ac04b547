"""The samples that mappings carry, mapped: what ``fenghuo check`` shows of them, and what is wrong with them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from bot.gate import source_rules
from bot.intake.body import parse
from bot.intake.items import read_items
from bot.intake.known import flagged
from bot.intake.problems import Refused
from bot.intake.reading import Item
from bot.settings.models import Settings
from bot.settings.problem import Finding
from escalation.calendar import local
from escalation.event import Event, Flag

_MOST = 10_000


def sample_findings(settings: Settings) -> Iterable[Finding]:
    """What cannot be read of a sample, for ``check``."""
    for name, items in _mapped(settings):
        at = ("sources", name, "mapping", "sample")
        if isinstance(items, Refused):
            zh, en = items.problem.detail, items.problem.detail_en
            yield Finding("rendering", at, {"zh": f"样例读不懂：{zh}", "en": f"the sample cannot be read: {en}"})
            continue
        for item in items:
            for error in item.problems if not isinstance(item, Event) else ():
                zh = f"样例按映射读不懂：{error.pointer} {error.detail}"
                en = f"the mapping cannot read the sample: {error.pointer} {error.detail_en}"
                yield Finding("rendering", at, {"zh": zh, "en": en})


def sampled(settings: Settings) -> list[dict[str, Any]]:
    """Every sample with the events that it maps to (``samples`` of docs/schema/check.schema.json)."""
    directory = settings.directory()
    return [
        {"source": name, "events": [_shown(flagged(item, directory)) for item in items if isinstance(item, Event)]}
        for name, items in _mapped(settings)
        if not isinstance(items, Refused)
    ]


def sample_lines(settings: Settings) -> Iterator[str]:
    """The same for people."""
    for each in sampled(settings):
        yield f"样例 / sample: sources.{each['source']}"
        for event in each["events"]:
            yield "    " + "  ".join(f"{name}={_word(value)}" for name, value in event.items() if value)


def _word(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _mapped(settings: Settings) -> Iterator[tuple[str, list[Item] | Refused]]:
    now = time.time_ns() // 1_000_000
    for name, table in settings.sources.items():
        if table.mapping is None or not table.mapping.sample.strip():
            continue
        try:
            document = parse(table.mapping.sample.encode(), _MOST)
        except Refused as refusal:
            yield name, refusal
            continue
        yield name, read_items(document, name, source_rules(name, table, settings).reading, now)


def _shown(event: Event) -> dict[str, Any]:
    # A sample is old: that it would be late says nothing about the mapping.
    flags = [flag.value for flag in event.flags if flag is not Flag.LATE]
    return {
        "id": event.id,
        "type": event.type.value,
        "time": local(event.at).isoformat(timespec="seconds"),
        "mode": event.mode.value,
        "enterprise": event.enterprise,
        "point": event.point,
        "severity": event.severity.value if event.severity else "",
        "level": event.level.value if event.level else "",
        "value": event.value,
        "limit": event.limit,
        "flags": flags,
    }
