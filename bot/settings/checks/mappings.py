"""Mappings: words that nobody knows, times that cannot be read, values that come from nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bot.intake.mapping import EPOCHS, TARGETS
from bot.intake.words import INDUSTRIES, LEVELS, SEVERITIES, understand
from bot.settings.checks.draft import Draft
from bot.settings.mapping import MappingTable, Pick
from bot.settings.models import Source
from bot.settings.positions import Loc
from bot.settings.problem import Finding, Weight, choices
from escalation.event import EventType
from escalation.vocabulary import Industry, Level, Mode, Severity

_TIMES = ("time", "cleared_time")
_AS_SENT = ("value", "limit", "reasons")
_WORDS: dict[str, tuple[str, ...]] = {
    "type": tuple(each.value for each in EventType),
    "mode": tuple(each.value for each in Mode),
    "industry": tuple(each.value for each in Industry),
    "severity": tuple(each.value for each in Severity),
    "level": tuple(each.value for each in Level),
}
_GRADED = {EventType.ALARM_RAISED, EventType.ALARM_REPEATED}
_LEVELLED = {EventType.WARNING_ISSUED, EventType.WARNING_UPGRADED, EventType.WARNING_DOWNGRADED}


def mappings(draft: Draft) -> Iterator[Finding]:
    """Everything that is wrong with mappings that are well formed."""
    for name, source in draft.sources.items():
        if source.mapping is not None:
            at: Loc = ("sources", name, "mapping")
            for target, pick in picks(source.mapping).items():
                yield from _pick(target, pick, (*at, target), source)
            yield from _whole(source.mapping, at)


def streams(draft: Draft) -> Iterator[Finding]:
    """Two sources on one stream and group: each would get a part of the other's events."""
    first: dict[tuple[str | None, str, str], Loc] = {}
    for name, source in draft.sources.items():
        table = source.stream
        for number, stream in enumerate(table.names if table is not None else ()):
            loc: Loc = ("sources", name, "stream", "names", number)
            if table is not None:
                earlier = first.setdefault((table.url, stream, table.group), loc)
                if earlier != loc:
                    yield Finding("twice", loc, {"what": "stream", "value": stream}, also=earlier)


def picks(table: MappingTable) -> Mapping[str, Pick]:
    """What is written of each target."""
    found = {target: getattr(table, target) for target in TARGETS}
    return {target: pick for target, pick in found.items() if pick is not None}


def _pick(target: str, pick: Pick, at: Loc, source: Source) -> Iterator[Finding]:
    if bool(pick.path) == (pick.const is not None):
        yield Finding("pick_source", at, {"target": target})
    if target == "id" and pick.const is not None:
        yield Finding("id_const", at)
    if target in _WORDS:
        said = [("const", pick.const), ("default", pick.default)] if not pick.codes else [("const", pick.const)]
        given: list[tuple[Loc, str | None]] = [((*at, name), word) for name, word in said]
        given += [((*at, "codes", code), word) for code, word in pick.codes.items()]
        for loc, word in given:
            if word is not None and not _known(target, word, source):
                hint, args = choices(word, _WORDS[target])
                yield Finding("pick_word", loc, {"target": target, "value": word, **args}, hint=hint)
    for code in pick.codes if len(pick.path) > 1 else ():
        if code.count("/") + 1 != len(pick.path):
            yield Finding("pick_code", (*at, "codes", code), {"value": code, "count": len(pick.path)}, key=True)
    needless = [("codes", bool(pick.codes) and target in ("id", *_TIMES, *_AS_SENT))]
    needless.append(("format", bool(pick.format) and target not in _TIMES))
    for name, is_so in needless:
        if is_so:
            yield Finding("pick_needless", (*at, name), {"name": name, "target": target})
    if pick.format and target in _TIMES and not _is_format(pick.format):
        yield Finding("pick_format", (*at, "format"), {"value": pick.format})


def _known(target: str, word: str, source: Source) -> bool:
    if target == "severity":
        return understand(word, source.severities, SEVERITIES) is not None
    if target == "level":
        return understand(word, source.levels, LEVELS) is not None
    if target == "industry":
        return understand(word, {}, INDUSTRIES) is not None
    return word in _WORDS[target]


def _is_format(text: str) -> bool:
    """Whether a time written in this form can be read again, and tells a day."""
    if text in EPOCHS:
        return True
    moment = datetime(2026, 11, 22, 13, 14, 15, tzinfo=UTC)
    try:
        return datetime.strptime(moment.strftime(text), text).date() == moment.date()  # noqa: DTZ007
    except ValueError:
        return False


def _whole(table: MappingTable, at: Loc) -> Iterator[Finding]:
    if table.enterprise is None and table.enterprise_name is None:
        yield Finding("mapping_enterprise", at)
    # What is only guessed to be an alarm has its flag anyway.
    words = {table.type.const, *table.type.codes.values()}
    types = {each for each in EventType if each.value in words}
    for target, pick, graded in (("severity", table.severity, _GRADED), ("level", table.level, _LEVELLED)):
        lacking = sorted(each.value for each in types & graded)
        if pick is None and lacking:
            yield Finding("mapping_grade", at, {"target": target, "types": ", ".join(lacking)}, Weight.WARNING)
