"""A vendor's JSON made into events by a table: field paths, code tables, constants, times.

Pure: the same document gives the same events, nothing raises, and every failure names the field's path and its item.

What comes out is the CloudEvent that the vendor could have sent; :mod:`bot.intake.items` reads it by the same rules as
any other, so that an unknown level, a stranger or an impossible time is treated the same wherever it comes from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot.intake.body import Document, canonical, digest, escaped
from bot.intake.fields import wrong_type
from bot.intake.problems import FieldError
from bot.intake.words import hostile
from escalation.event import EventType

TARGETS: dict[str, str] = {
    "id": "/id",
    "type": "/type",
    "time": "/time",
    "cleared_time": "/time",
    "mode": "/mode",
    "industry": "/data/industry",
    "enterprise": "/data/enterprise/uscc",
    "enterprise_name": "/data/enterprise/name",
    "point": "/data/point/code",
    "point_name": "/data/point/name",
    "equipment": "/data/point/equipment",
    "unit": "/data/point/unit",
    "severity": "/data/alarm/severity",
    "value": "/data/alarm/value",
    "limit": "/data/alarm/limit",
    "level": "/data/warning/level",
    "reasons": "/data/warning/reasons",
}
"""What a mapping may fill, and where it stands in the event (docs/schema/event.schema.json)."""

EPOCHS = {"epoch": 1, "epoch_ms": 1000}
"""Forms of a time that is a number: since 1970, in seconds or milliseconds."""
TWICE = ("这个字段出现不止一次。", "This name stands there more than once.")
CONTROL = ("不能含控制字符。", "Must not contain control characters.")
_AS_SENT = frozenset({"value", "limit", "reasons"})
_LONGEST_ID = 256
_SEPARATOR = "|"
_PART = re.compile(r'(?:"([^"]+)"|([^.\[\]"\s$]+))((?:\[\d{1,4}\])*)')
_INDEX = re.compile(r"\d+")
_TYPES: dict[str, EventType] = {each.value: each for each in EventType}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A way through JSON: names, and numbers for places in a list. ``root``: from the document that holds the item."""

    parts: tuple[str | int, ...]
    root: bool = False


def read_path(text: str) -> FieldPath:
    """``labels.point``, ``data[0].code``, ``labels."a.b"``, ``$.deviceId``. Raises ValueError for anything else."""
    root = text.startswith("$.")
    at = 2 if root else 0
    parts: list[str | int] = []
    while match := _PART.match(text, at):
        quoted, bare, indexes = match.groups()
        parts.append(quoted or bare)
        parts += (int(each) for each in _INDEX.findall(indexes))
        at = match.end()
        if at == len(text):
            return FieldPath(tuple(parts), root)
        if text[at] != ".":
            break
        at += 1
    raise ValueError(f"{text!r} is no path such as labels.point, data[0].code or $.deviceId")


@dataclass(frozen=True, slots=True)
class Pick:
    """Where one value comes from: the fields at ``paths``, or ``const``. ``default`` stands in for a missing field.

    ``codes`` translates: one pattern for each path (``*`` fits all), the first that fits wins; what none fits stays as
    it is. ``form`` is how a time is written: ``epoch``, ``epoch_ms``, or as for ``strptime``.
    """

    paths: tuple[FieldPath, ...] = ()
    const: str | None = None
    default: str | None = None
    codes: tuple[tuple[tuple[str, ...], str], ...] = ()
    form: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How one source's documents are to be read. ``items`` leads to the list of items inside a document (None: the
    document is the item); ``picks`` by target; ``zone`` is that of times without one; an item whose type nobody knows
    is taken for ``unknown_type`` and flagged."""

    picks: ReadOnly[str, Pick]
    items: FieldPath | None = None
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    unknown_type: EventType = EventType.ALARM_RAISED


@dataclass(frozen=True, slots=True)
class Mapped:
    """One item, mapped. ``envelope`` is the event as far as it could be made; ``errors`` name the vendor's own fields,
    as JSON pointers of the whole request, and ``places`` leads from a pointer of the envelope to one of those.
    ``place`` is the item's own pointer, ``document`` the least that maps to this item alone, ``sameness`` the hash of
    all that makes it another event under the same id. ``guessed``: its type is the mapping's ``unknown_type``."""

    envelope: dict[str, Any]
    document: Any
    place: str
    sameness: str
    errors: tuple[FieldError, ...] = ()
    places: ReadOnly[str, str] = field(default_factory=dict)
    guessed: bool = False

    def vendors(self, error: FieldError) -> FieldError:
        """An error about the envelope, told of the field that it came from."""
        place = error.pointer
        while place and place not in self.places:
            place = place.rpartition("/")[0]
        return FieldError(self.places.get(place, self.place), error.detail, error.detail_en)


def map_document(document: Document, mapping: Mapping) -> list[Mapped]:
    """Every item of a document, in its order."""
    found: list[Mapped] = []
    for index, whole in enumerate(document.items):
        place = f"/{index}" if document.batch else ""
        twice = [f"{place}{pointer}" for pointer in document.twice.get(index, ())]
        for each, at, among in _items(whole, place, mapping):
            # What stands twice in another item of the list is that one's fault.
            own = [one for one in twice if one.startswith(f"{at}/") or not (among and one.startswith(among))]
            found.append(_Item(whole, place, mapping).mapped(each, at, own))
    return found


@dataclass(frozen=True, slots=True)
class _Missing:
    """No item could be found here: why."""

    error: FieldError


def _items(whole: Any, place: str, mapping: Mapping) -> Iterator[tuple[Any, str, str]]:
    """The items inside one document with their pointers, and how those of their list begin."""
    if mapping.items is None:
        yield whole, place, ""
        return
    found, at, error = _walk(whole, place, mapping.items.parts)
    if error is None and found is None:
        error = FieldError(at, "缺少：事件列表（mapping.items）。", "Missing: the list of items (mapping.items).")
    if error is None and type(found) is not list and type(found) is not dict:
        error = wrong_type(at, found, "数组", "an array")
    if error is not None:
        yield _Missing(error), place, ""
    elif type(found) is list:
        yield from ((each, f"{at}/{number}", f"{at}/") for number, each in enumerate(found))
    else:
        yield found, at, ""


def _walk(value: Any, pointer: str, parts: tuple[str | int, ...]) -> tuple[Any, str, FieldError | None]:
    """What stands at a path, its pointer, and the error where the way there is blocked; null counts as missing."""
    for depth, part in enumerate(parts):
        if value is None:
            rest = "".join(f"/{escaped(str(each))}" for each in parts[depth:])
            return None, pointer + rest, None
        if isinstance(part, int):
            if type(value) is not list:
                return None, pointer, wrong_type(pointer, value, "数组", "an array")
            value = value[part] if part < len(value) else None
        else:
            if type(value) is not dict:
                return None, pointer, wrong_type(pointer, value, "对象", "an object")
            value = value.get(part)
        pointer = f"{pointer}/{escaped(str(part))}"
    return value, pointer, None


class _Item:
    """One item being mapped."""

    def __init__(self, whole: Any, base: str, mapping: Mapping) -> None:
        self._whole = whole
        self._base = base
        self._mapping = mapping
        self._item: Any = None
        self._place = ""
        self._errors: list[FieldError] = []
        self._places: dict[str, str] = {}

    def mapped(self, item: Any, place: str, twice: list[str]) -> Mapped:
        self._item, self._place = item, place
        document = self._whole if self._mapping.items is None else _only(self._whole, self._mapping.items.parts, item)
        envelope: dict[str, Any] = {"specversion": "1.0", "data": {}}
        guessed = False
        if isinstance(item, _Missing):
            self._errors.append(item.error)
            document = self._whole
        elif type(item) is not dict:
            self._errors.append(wrong_type(place, item, "对象", "an object"))
        else:
            detail, detail_en = TWICE
            self._errors += (FieldError(pointer, detail, detail_en) for pointer in twice)
            guessed = self._fill(envelope)
        return Mapped(
            envelope=envelope,
            document=document,
            place=place,
            sameness=_sameness(envelope),
            errors=tuple(self._errors),
            places=self._places,
            guessed=guessed,
        )

    def _fill(self, envelope: dict[str, Any]) -> bool:
        """Fill the envelope; True where the type had to be guessed."""
        picks = self._mapping.picks
        given = self._value("type", picks["type"])
        event_type = _TYPES.get(given) if isinstance(given, str) else None
        guessed = event_type is None and bool(given)
        event_type = event_type or self._mapping.unknown_type
        if given is None:
            self._lacking("type")
        _put(envelope, TARGETS["type"], event_type.value)
        for target, pick in picks.items():
            if target not in ("id", "type", "time", "cleared_time"):
                value = self._value(target, pick)
                if value is not None:
                    _put(envelope, TARGETS[target], value)
        self._put_time(envelope, event_type)
        self._put_id(envelope, event_type)
        places = self._places
        for target in ("enterprise_name", "enterprise"):
            if TARGETS[target] in places:
                places["/data/enterprise"] = places[TARGETS[target]]
        return guessed

    def _put_time(self, envelope: dict[str, Any], event_type: EventType) -> None:
        """A return to normal has a time of its own where the mapping knows one."""
        picks = self._mapping.picks
        for target in ("cleared_time", "time"):
            pick = picks.get(target)
            if pick is None or (target == "cleared_time" and event_type.raises):
                continue
            given = self._value(target, pick)
            if given is not None:
                _put(envelope, "/time", _moment(str(given), pick.form, self._mapping.zone))
                return

    def _put_id(self, envelope: dict[str, Any], event_type: EventType) -> None:
        """The identity: the values of the fields, and the type, so that a return is not taken for its own alarm."""
        pick = self._mapping.picks["id"]
        texts = self._texts("id", pick)
        if texts is None:
            return
        if pick.const is None and not all(texts):
            self._lacking("id")
            return
        for text, path in zip(texts, pick.paths, strict=False):
            if hostile(text):
                self._errors.append(FieldError(self._at(path)[1], *CONTROL))
        parts = [each.strip().replace("\\", "\\\\").replace(_SEPARATOR, f"\\{_SEPARATOR}") for each in texts]
        identity = _SEPARATOR.join([*parts, event_type.value])
        if len(identity) > _LONGEST_ID:
            identity = f"sha256:{hashlib.sha256(identity.encode('utf-8', 'surrogatepass')).hexdigest()}"
        envelope["id"] = identity

    def _lacking(self, target: str) -> None:
        """Say which fields of a target that must be there are not, unless something else is already said of them."""
        for path in self._mapping.picks[target].paths:
            value, pointer, error = self._at(path)
            if error is None and value in (None, "") and all(each.pointer != pointer for each in self._errors):
                self._errors.append(
                    FieldError(
                        pointer, f"缺少：映射 {target} 要用的字段。", f"Missing: the mapping needs it for {target}."
                    )
                )

    def _at(self, path: FieldPath) -> tuple[Any, str, FieldError | None]:
        start = (self._whole, self._base) if path.root else (self._item, self._place)
        return _walk(*start, path.parts)

    def _value(self, target: str, pick: Pick) -> Any:
        """What the envelope gets; None where there is nothing."""
        if target in _AS_SENT and len(pick.paths) == 1:
            value, pointer, error = self._at(pick.paths[0])
            self._note(target, pointer, error)
            return pick.default if value is None else value
        texts = self._texts(target, pick)
        if texts is None or not any(texts):
            return None
        for patterns, meaning in pick.codes:
            if len(patterns) == len(texts) and all(map(_fits, patterns, texts)):
                return meaning
        return ("/" if target == "type" else " ").join(texts)

    def _texts(self, target: str, pick: Pick) -> list[str] | None:
        """The fields' values as text, '' for a missing one; None where one is no text."""
        if pick.const is not None:
            return [pick.const]
        texts: list[str] = []
        sound = True
        for path in pick.paths:
            value, pointer, error = self._at(path)
            if error is None and type(value) in (dict, list):
                error = wrong_type(pointer, value, "文字或数字", "text or a number")
            self._note(target, pointer, error)
            sound = sound and error is None
            texts.append(pick.default or "" if value is None else _text(value))
        return texts if sound else None

    def _note(self, target: str, pointer: str, error: FieldError | None) -> None:
        """Remember where the target's value came from, and what was wrong there."""
        self._places.setdefault(TARGETS[target], pointer)
        if error is not None and error not in self._errors:
            self._errors.append(error)


def _only(value: Any, parts: tuple[str | int, ...], item: Any) -> Any:
    """The document with this item alone in its list."""
    if not parts:
        return [item] if type(value) is list else item
    part = parts[0]
    if type(value) is dict and part in value:
        return {**value, part: _only(value[part], parts[1:], item)}
    if type(value) is list and isinstance(part, int) and part < len(value):
        return [*value[:part], _only(value[part], parts[1:], item), *value[part + 1 :]]
    return value


def _put(envelope: dict[str, Any], pointer: str, value: Any) -> None:
    *way, last = pointer[1:].split("/")
    table = envelope
    for name in way:
        table = table.setdefault(name, {})
    table[last] = value


def _text(value: Any) -> str:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value)


def _fits(pattern: str, text: str) -> bool:
    return pattern == "*" or pattern.strip().casefold() == text.strip().casefold()


def _moment(text: str, form: str, zone: tzinfo) -> str:
    """A time in the mapping's form as RFC 3339; a text that is none in that form stays as it is, for the reader to
    judge."""
    plain = text.strip()
    try:
        if form in EPOCHS:
            moment = _EPOCH + timedelta(milliseconds=float(plain) * 1000 / EPOCHS[form])
        elif form:
            moment = datetime.strptime(plain, form)  # noqa: DTZ007 (its zone is the next line's)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        else:
            return text
        return moment.astimezone(UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError):
        return text


def _sameness(envelope: dict[str, Any]) -> str:
    """Values, limits and names may be another at each sending of one event; what it says may not."""
    data = envelope["data"]
    alarm, warning = data.get("alarm", {}), data.get("warning", {})
    point, enterprise = data.get("point", {}), data.get("enterprise", {})
    said = {name: envelope.get(name) for name in ("id", "type", "time", "mode")}
    said["enterprise"] = enterprise.get("uscc") or enterprise.get("name")
    said["point"] = point.get("code") or point.get("name")
    said |= {"severity": alarm.get("severity"), "level": warning.get("level")}
    return digest(canonical(said))
