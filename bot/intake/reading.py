"""One JSON item becomes an :class:`~escalation.event.Event`, or an :class:`Unreadable` that names every wrong field.

In doubt, ring: a word nobody knows, a missing zone, an impossible clock make an event with a flag; only what cannot be
understood at all is unreadable, and then it is kept and told, never dropped (``docs/intake.md`` has the table).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

import msgspec

from bot.intake.body import Document, canonical, digest
from bot.intake.fields import Fields, wrong_type
from bot.intake.mapping import TWICE
from bot.intake.mapping import Mapping as VendorMapping
from bot.intake.moment import EARLIEST, milliseconds
from bot.intake.problems import FieldError
from bot.intake.words import INDUSTRIES, LEVELS, SEVERITIES, shown, understand
from escalation.event import Event, EventType, Flag
from escalation.vocabulary import Industry, Kind, Level, Mode, Severity

_ID_LENGTH = 256
_CODE_LENGTH = 128
_NAME_LENGTH = 120
_UNIT_LENGTH = 32
_REASONS = 20
_REASON_LENGTH = 200
RAW_LENGTH = 65_536

_TYPES: dict[str, EventType] = {each.value: each for each in EventType}
_MODES: dict[str, Mode] = {each.value: each for each in Mode}
_TYPE_LIST = ", ".join(_TYPES)
_DATA = frozenset({EventType.DATA_OFFLINE, EventType.DATA_RESTORED})
_VIDEO = frozenset({EventType.VIDEO_OFFLINE, EventType.VIDEO_RESTORED})
_OFFLINE = frozenset({EventType.DATA_OFFLINE, EventType.VIDEO_OFFLINE})


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """How one source's events are to be understood.

    ``levels`` and ``severities`` are the source's own words or numbers (``{"3": Level.ORANGE}``); a word that neither
    they nor the vocabulary know becomes ``assume_level`` or ``assume_severity``. ``zone`` is where a time without one
    was written. ``skew`` (how far ahead a clock may be) and ``late`` are in milliseconds. ``honour_received`` lets the
    extension ``receivedtime`` say when an event arrived: for replays only. ``mode`` overrides what the events say of
    themselves. ``mapping`` makes events of a vendor's own JSON (:mod:`bot.intake.items`).
    """

    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    assume_level: Level = Level.ORANGE
    assume_severity: Severity = Severity.HIGH
    levels: Mapping[str, Level] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    skew: int = 5 * 60_000
    late: int = 60 * 60_000
    honour_received: bool = False
    mode: Mode | None = None
    mapping: VendorMapping | None = None


class Unreadable(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item that is no event, or one that could not be decided. It is quarantined and told.

    ``id`` is the event's own where it has a usable one. ``mode`` is ``actual`` unless the item plainly says otherwise.
    ``raw`` is its canonical JSON, at most 65,536 characters, ``cut`` where it was longer; ``gist`` a line for people:
    its type, enterprise and point as far as they can be made out. ``received_at`` in milliseconds since the epoch.
    ``event`` is the event as it was read where only deciding it failed (``raw`` is then this event as JSON): it can be
    taken again as it is. ``place`` is a mapped item's pointer in what was sent: its problems' pointers begin there, and
    others' at the item. ``entry`` names the entry of a stream (``<stream> <id>``); ``fields``: ``raw`` holds all its
    fields, since the one with the event could not be had. ``callback`` is the errand (``uplink``, ``report``) of a
    vendor's call-back that it came by; ``source`` is the channel then. ``quiet``: the same was told a moment ago;
    ``urgent``: what a person wrote has words of an accident.
    """

    source: str
    index: int
    id: str
    problems: tuple[FieldError, ...]
    received_at: int
    body_hash: str
    raw: str
    mode: Mode = Mode.ACTUAL
    gist: str = ""
    event: Event | None = None
    place: str = ""
    cut: bool = False
    entry: str = ""
    fields: bool = False
    callback: str = ""
    quiet: bool = False
    urgent: bool = False

    @property
    def reason(self) -> str:
        """Why it is in quarantine, as verdicts and the journal name it."""
        return "undecidable" if self.event is not None else "unreadable"

    @property
    def input_id(self) -> str:
        """The identity of what arrived, not of the event: a mended event under the same id must still be taken."""
        return f"q\x1f{self.source}\x1f{self.body_hash}"


Item = Event | Unreadable


def read(document: Document, source: str, rules: ReadingRules, now: int) -> list[Item]:
    """Every item of a document in its order. ``source`` is the name in the path, which is the events' identity together
    with their id; ``now`` is the hub's time in milliseconds. Raises nothing."""
    return [
        read_item(item, index, source, rules, now, document.twice.get(index, ()))
        for index, item in enumerate(document.items)
    ]


def read_item(item: Any, index: int, source: str, rules: ReadingRules, now: int, twice: Iterable[str] = ()) -> Item:
    """One item as :func:`bot.intake.body.parse` gave it. ``twice`` are the pointers of names that stand there more than
    once."""
    errors = [FieldError(pointer, *TWICE) for pointer in twice]
    text = canonical(item)
    body_hash = digest(text)
    if type(item) is not dict:
        errors.append(wrong_type("", item, "CloudEvents 对象", "a CloudEvents object"))
        return Unreadable(
            source=source,
            index=index,
            id="",
            problems=tuple(errors),
            received_at=now,
            body_hash=body_hash,
            **kept(text),
        )
    envelope = Fields(item, "", errors)
    received_at = _received(envelope, rules, now)
    event = _event(envelope, source, rules, received_at, body_hash)
    if event is not None and not errors:
        return event
    return Unreadable(
        source=source,
        index=index,
        id=Fields(item, "", []).identifier("id", _ID_LENGTH),
        problems=tuple(errors),
        received_at=received_at,
        body_hash=body_hash,
        **kept(text),
        mode=_mode(Fields(item, "", []), rules),
        gist=_gist(item),
    )


def _event(envelope: Fields, source: str, rules: ReadingRules, received_at: int, body_hash: str) -> Event | None:
    """The event, or None where its data is missing. It counts only where ``envelope.errors`` is empty afterwards."""
    table = envelope.table
    if table.get("specversion") != "1.0":
        envelope.wrong("specversion", '应为 "1.0"（CloudEvents 1.0）。', 'Must be "1.0" (CloudEvents 1.0).')
    if not (event_id := envelope.identifier("id", _ID_LENGTH)):
        _required(envelope, "id", "事件编号，同一来源内唯一", "the event's id, unique within its source")
    event_type = _event_type(envelope)
    mode = _mode(envelope, rules)
    if type(table.get("data")) is not dict:
        _no_data(envelope)
        return None
    if event_type is None:
        # Already an error; the rest is read all the same, so that every wrong field is told at once.
        event_type = EventType.WARNING_ISSUED if "warning" in table["data"] else EventType.ALARM_RAISED
    flags: list[Flag] = []
    at = _at(envelope, rules, received_at, flags)
    data = envelope.inner("data")
    enterprise, enterprise_name = _enterprise(data)
    point_fields = data.inner("point")
    point = point_fields.identifier("code", _CODE_LENGTH)
    point_name = point_fields.text("name", _NAME_LENGTH)
    severity = level = value = limit = None
    given = ""
    reasons: tuple[str, ...] = ()
    if event_type.kind is Kind.WARNING:
        warning = data.inner("warning")
        level, given = _level(warning, event_type, rules, flags)
        reasons = warning.texts("reasons", _REASONS, _REASON_LENGTH)
    else:
        alarm = data.inner("alarm")
        if event_type in _DATA:
            point = point or "data"
        elif event_type in _VIDEO:
            point = point or "video"
        else:
            severity, given = _severity(alarm, event_type, rules, flags)
            # Without a code the name tells points apart; with neither, alarms of one enterprise cannot be told apart.
            point = point or point_name
            if not point:
                flags.append(Flag.UNKNOWN_POINT)
        if event_type in _OFFLINE:
            severity = Severity.OFFLINE
        value, limit = alarm.number("value"), alarm.number("limit")
        if alarm.wordy("value") or alarm.wordy("limit"):
            flags.append(Flag.UNKNOWN_READING)
    return Event(
        source=source,
        id=event_id,
        type=event_type,
        at=at,
        received_at=received_at,
        body_hash=body_hash,
        mode=mode,
        enterprise=enterprise,
        enterprise_name=enterprise_name,
        industry=_industry(data),
        point=point,
        point_name=point_name,
        equipment=point_fields.text("equipment", _NAME_LENGTH),
        severity=severity,
        value=value,
        limit=limit,
        unit=point_fields.text("unit", _UNIT_LENGTH),
        level=level,
        reasons=reasons,
        flags=tuple(flags),
        given_level=given,
    )


def _required(fields: Fields, name: str, meaning: str, meaning_en: str) -> None:
    """Say that a field is missing, unless something else is already said about it."""
    pointer = f"{fields.pointer}/{name}"
    if all(error.pointer != pointer for error in fields.errors):
        fields.wrong(name, f"缺少：{meaning}。", f"Missing: {meaning_en}.")


def _no_data(envelope: Fields) -> None:
    if "data_base64" in envelope.table:
        envelope.wrong("data_base64", "请把数据作为 JSON 对象放在 data 中。", "Send the data as a JSON object in data.")
    elif envelope.table.get("data") is None:
        envelope.wrong("data", "缺少：事件数据对象。", "Missing: the object with the event's data.")
    else:
        envelope.inner("data")


def _event_type(envelope: Fields) -> EventType | None:
    given = envelope.word("type")
    found = _TYPES.get(given)
    if found is None and given:
        envelope.wrong("type", f"不认识“{given}”；可用：{_TYPE_LIST}。", f"Unknown “{given}”; one of: {_TYPE_LIST}.")
    elif found is None:
        _required(envelope, "type", f"事件类型，可用：{_TYPE_LIST}", f"the event's type, one of: {_TYPE_LIST}")
    return found


def _mode(envelope: Fields, rules: ReadingRules) -> Mode:
    """Actual where nothing is said. An unknown word is an error: a drill must not ring as real, nor the other way."""
    if rules.mode is not None:
        return rules.mode
    given = envelope.word("mode")
    found = _MODES.get(given.lower()) if given else Mode.ACTUAL
    if found is None:
        envelope.wrong(
            "mode", f"不认识“{given}”；可用：{', '.join(_MODES)}。", f"Unknown “{given}”; one of: {', '.join(_MODES)}."
        )
    return found or Mode.ACTUAL


def _received(envelope: Fields, rules: ReadingRules, now: int) -> int:
    given = envelope.table.get("receivedtime") if rules.honour_received else None
    if given is None:
        return now
    moment = milliseconds(given, rules.zone)[0] if type(given) is str else None
    if moment is None:
        envelope.wrong("receivedtime", "应为 RFC 3339 时间。", "Must be an RFC 3339 time.")
    return now if moment is None else moment


def _at(envelope: Fields, rules: ReadingRules, received_at: int, flags: list[Flag]) -> int:
    given = envelope.table.get("time")
    moment, zoned = milliseconds(given, rules.zone) if type(given) is str else (None, True)
    if moment is None or moment < EARLIEST or moment > received_at + rules.skew:
        flags.append(Flag.CLOCK_SKEWED)
        return received_at
    if not zoned:
        flags.append(Flag.NO_TIME_ZONE)
    if moment < received_at - rules.late:
        flags.append(Flag.LATE)
    return moment


def _enterprise(data: Fields) -> tuple[str, str]:
    """The code, or the name where there is no code, so that two strangers are not taken for one; and the name."""
    fields = data.inner("enterprise")
    code = fields.identifier("uscc", _CODE_LENGTH).upper()
    name = fields.text("name", _NAME_LENGTH)
    if not code and not name and not any(error.pointer.startswith("/data/enterprise") for error in data.errors):
        data.wrong(
            "enterprise",
            "缺少企业：请给 uscc（统一社会信用代码），至少给 name。",
            "No enterprise: give its uscc (unified social credit code), or at least its name.",
        )
    return code or name, name


def _industry(data: Fields) -> Industry | None:
    """The directory knows the industry better: an unknown word is no more than none."""
    given = data.word("industry")
    return understand(given, {}, INDUSTRIES) if given else None


def _level(warning: Fields, event_type: EventType, rules: ReadingRules, flags: list[Flag]) -> tuple[Level | None, str]:
    given = warning.word("level")
    found = understand(given, rules.levels, LEVELS)
    if found is not None or not event_type.raises:
        return found, ""
    flags.append(Flag.UNKNOWN_LEVEL)
    return rules.assume_level, given


def _severity(
    alarm: Fields, event_type: EventType, rules: ReadingRules, flags: list[Flag]
) -> tuple[Severity | None, str]:
    given = alarm.word("severity")
    found = understand(given, rules.severities, SEVERITIES)
    if found is not None or not event_type.raises:
        return found, ""
    flags.append(Flag.UNKNOWN_LEVEL)
    return rules.assume_severity, given


class Kept(TypedDict):
    """What a row keeps of what was sent."""

    raw: str
    cut: bool


def kept(text: bytes) -> Kept:
    """The text of an unreadable item as its row keeps it."""
    raw = text[: 4 * RAW_LENGTH].decode(errors="replace")[:RAW_LENGTH]
    return {"raw": raw, "cut": len(text) > len(raw.encode())}


def _gist(item: dict[str, Any]) -> str:
    """Whatever can be made out of an unreadable item, for the people who are told."""
    quiet = Fields(item, "", [])
    data = quiet.inner("data")
    parts = [quiet.word("type")]
    for fields, code in ((data.inner("enterprise"), "uscc"), (data.inner("point"), "code")):
        parts.append(fields.text("name", _NAME_LENGTH) or fields.word(code))
    return shown(" · ".join(part for part in parts if part), 200)
