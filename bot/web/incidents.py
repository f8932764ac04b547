"""Pages of incidents: which are asked for, where a reader has got to, and what one page holds."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2s

import msgspec

from bot.engine import Engine
from bot.incident_words import state_word
from bot.moments import moment
from bot.story import DutyLine, duty_line, shown
from bot.unreadable import UnreadableLine, line_of_unreadable
from escalation.directory import Directory
from escalation.incident import Incident, IncidentState
from escalation.ledger.listing import Place
from escalation.ledger.states import Damaged
from escalation.vocabulary import Level, Severity

DEFAULT_LIMIT, MOST = 50, 200
MOST_LOOKED_AT = 2_000
"""How many incidents one request looks at; a page that finds fewer than it may hold leads on by its cursor."""
_CHUNK = 100
_NAMES = ("state", "level", "unit", "enterprise", "since", "cursor", "limit")


class Wrong(ValueError):
    """A parameter that cannot be read; says which and what would be right, in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


class Which(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


class IncidentLine(msgspec.Struct, kw_only=True):
    """An incident as it stands, without its story. ``units`` is its line of supervision, by tier."""

    code: str
    kind: str
    mode: str
    enterprise: str
    enterprise_name: str
    point: str
    point_name: str
    level: str
    severity: str
    urgency: str
    value: float | None
    limit: float | None
    unit: str
    state: str
    state_word: str
    active: bool
    flags: list[str]
    opened: str
    closed: str
    raises: int
    next_due: str
    units: dict[str, str]
    duties: list[DutyLine]


class IncidentPage(msgspec.Struct, kw_only=True):
    """Incidents, newest first. ``next`` is the cursor of the next page, '' after the last; a page may hold fewer than
    asked for and still have a next one. ``unreadable`` are those met on the way whose records cannot be read; whether
    they match nobody can say, nor whose they are."""

    items: list[IncidentLine]
    unreadable: list[UnreadableLine]
    next: str


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. ``since`` in milliseconds. ``scope`` are the reader's own units, empty for all."""

    which: Which = Which.OPEN
    levels: frozenset[str] = frozenset()
    unit: str = ""
    enterprise: str = ""
    since: int = 0
    limit: int = DEFAULT_LIMIT
    scope: frozenset[str] = frozenset()
    after: Place | None = None

    @property
    def mark(self) -> str:
        """What a cursor is tied to: the same question by a reader of the same scope."""
        parts = [self.which, *sorted(self.levels), "", self.unit, self.enterprise, str(self.since), *sorted(self.scope)]
        return blake2s("\x1f".join(parts).encode(), digest_size=8).hexdigest()

    def holds(self, incident: Incident) -> bool:
        """Whether the incident is among those asked for."""
        closed = incident.state is IncidentState.CLOSED
        level = incident.level or incident.severity
        return (
            (self.which is Which.ALL or closed is (self.which is Which.CLOSED))
            and (not self.levels or level in self.levels)
            and (not self.enterprise or incident.enterprise == self.enterprise)
            and (not self.unit or within(incident, frozenset((self.unit,))))
            and within(incident, self.scope)
        )


def within(incident: Incident, scope: frozenset[str]) -> bool:
    """Whether the incident belongs to one of these units or enterprises, or to one below them. An empty scope holds
    all."""
    if not scope:
        return True
    places = {incident.enterprise, *incident.plan.units.values(), *(duty.unit for duty in incident.duties)}
    return not places.isdisjoint(scope)


def read_query(given: Mapping[str, str], scope: frozenset[str]) -> Query:
    """The question in a request's parameters. Raises Wrong."""
    unknown = sorted(set(given) - set(_NAMES))
    if unknown:
        known = "、".join(_NAMES)
        raise Wrong(f"没有参数 {unknown[0][:40]}，可以写：{known}", f"no parameter {unknown[0][:40]}")
    query = Query(
        which=_which(given.get("state", Which.OPEN)),
        levels=_levels(given.get("level", "")),
        unit=given.get("unit", ""),
        enterprise=given.get("enterprise", ""),
        since=_since(given.get("since", "")),
        limit=_limit(given.get("limit", "")),
        scope=scope,
    )
    cursor = given.get("cursor", "")
    return msgspec.structs.replace(query, after=_after(cursor, query)) if cursor else query


async def page_of(engine: Engine, directory: Directory, query: Query) -> IncidentPage:
    """One page. Raises the store's error."""
    items: list[IncidentLine] = []
    unreadable: list[UnreadableLine] = []
    codes: list[Place] = []
    last, looked = query.after, 0

    async def look() -> bool:
        """Look at the codes read so far; whether the page is full."""
        nonlocal last
        found = await engine.ledger.find_many([place.code for place in codes])
        for place, incident in zip(codes, found, strict=True):
            last = place
            if isinstance(incident, Damaged):
                unreadable.append(line_of_unreadable(incident))
            elif incident is not None and query.holds(incident):
                items.append(line_of(incident, directory))
                if len(items) == query.limit:
                    return True
        codes.clear()
        return False

    walk = engine.listing.newest(open_only=query.which is Which.OPEN, after=query.after, since=query.since)
    async for place in walk:
        codes.append(place)
        looked += 1
        full = (len(codes) >= min(_CHUNK, query.limit) or looked >= MOST_LOOKED_AT) and await look()
        if full or looked >= MOST_LOOKED_AT:
            return IncidentPage(items=items, unreadable=unreadable, next=cursor_of(last, query))
    if await look():
        return IncidentPage(items=items, unreadable=unreadable, next=cursor_of(last, query))
    return IncidentPage(items=items, unreadable=unreadable, next="")


def line_of(incident: Incident, directory: Directory) -> IncidentLine:
    """An incident's line."""
    return IncidentLine(
        code=incident.code,
        kind=incident.kind.value,
        mode=incident.mode.value,
        enterprise=incident.enterprise,
        enterprise_name=incident.enterprise_name,
        point=incident.point,
        point_name=incident.point_name,
        level=incident.level.value if incident.level else "",
        severity=incident.severity.value if incident.severity else "",
        urgency=incident.urgency.value,
        value=incident.value,
        limit=incident.limit,
        unit=incident.unit,
        state=incident.state.value,
        state_word=state_word(incident),
        active=incident.active,
        flags=[flag.value for flag in incident.flags],
        opened=shown(incident.opened_at),
        closed=shown(incident.closed_at),
        raises=incident.raises,
        next_due=shown(incident.due_at() or 0),
        units={tier.value: unit for tier, unit in incident.plan.units.items()},
        duties=[duty_line(duty, directory) for duty in incident.duties],
    )


def cursor_of(place: Place | None, query: Query) -> str:
    """A place as a reader carries it about."""
    if place is None:
        return ""
    packed = msgspec.json.encode([query.mark, place.opened_at, place.code])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _after(cursor: str, query: Query) -> Place:
    try:
        packed = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        mark, opened_at, code = msgspec.json.decode(packed, type=tuple[str, int, str])
    except (binascii.Error, UnicodeEncodeError, ValueError, msgspec.MsgspecError):
        raise Wrong("cursor 不完整，请从头读起", "the cursor is broken, begin anew") from None
    if mark != query.mark:
        raise Wrong("cursor 属于另一组查询条件，请从头读起", "the cursor belongs to another question, begin anew")
    return Place(opened_at, code)


def _which(text: str) -> Which:
    if text not in set(Which):
        raise Wrong(f"state 应为 open、closed 或 all，不是 {text[:40]}", "state must be open, closed or all")
    return Which(text)


def _levels(text: str) -> frozenset[str]:
    known = [*Level, *Severity]
    found = frozenset(filter(None, text.split(",")))
    if not found <= set(known):
        wrong = min(found - set(known))[:40]
        raise Wrong(f"没有级别 {wrong}，可以写：{'、'.join(known)}", f"no level {wrong}")
    return found


def _since(text: str) -> int:
    if not text:
        return 0
    try:
        # A plus sign that nobody encoded arrives as a space.
        return moment(re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text))
    except ValueError:
        raise Wrong("since 应为时刻，如 2026-11-21T02:00:00+08:00", "since must be a time") from None


def _limit(text: str) -> int:
    if not text:
        return DEFAULT_LIMIT
    if not text.isdecimal() or not text.isascii() or len(text) > 4 or not 1 <= int(text) <= MOST:
        raise Wrong(f"limit 应为 1 至 {MOST} 的整数", f"limit must be a whole number from 1 to {MOST}")
    return int(text)
