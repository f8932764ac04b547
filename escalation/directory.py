"""Who is where: units, enterprises, points, major hazards, posts and people, as the administrator wrote them.

The models are the TOML tables themselves (``docs/schema/config.schema.json``); cross references (a post's person, an
enterprise's town) are checked by :mod:`bot.settings`, so that here every reference holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from escalation.vocabulary import Industry, Role, Tier

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[
    str,
    # No control characters, and no marks that turn the direction of text: a name goes into messages as it is.
    StringConstraints(
        min_length=1,
        max_length=120,
        strip_whitespace=True,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$",
    ),
]


class Table(BaseModel):
    """A TOML table: unknown keys are errors, values do not change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ContactEntry(Table):
    """One way to reach somebody: the name of a configured channel, and an address where the channel needs one."""

    channel: Id
    address: str = ""


class Person(Table):
    """A person. ``contacts`` in order of preference; critical notices use all of them at once."""

    id: Id
    name: Text
    contacts: tuple[ContactEntry, ...] = ()


class Shift(Table):
    """A simple roster row: ``people`` stand at the post between ``start`` and ``end``.

    Times are local, HH:MM; an end at or before the start is the next morning. The row holds on ``days`` (1 Monday … 7
    Sunday), or on one ``date`` (YYYY-MM-DD), which wins over days."""

    people: tuple[Id, ...]
    start: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"
    end: Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")] = "24:00"
    days: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None


class Post(Table):
    """A place of responsibility at a unit or enterprise. Either ``people`` always stand there, in order (the second is
    the 第二责任人), or the ``roster`` says who stands there when. A duty room has ``contacts`` of its own."""

    unit: str
    role: Role
    people: tuple[Id, ...] = ()
    contacts: tuple[ContactEntry, ...] = ()
    roster: tuple[Shift, ...] = ()
    around_the_clock: bool = False


class Unit(Table):
    """An authority: a town or park, county, city or province, with the unit above it."""

    id: Id
    name: Text
    short: Annotated[str, StringConstraints(max_length=8)] = ""
    tier: Tier
    parent: Id | None = None


class Limits(Table):
    """Tighter limits for one point, in minutes; never looser than the profile's, which ``check`` holds."""

    sign: Annotated[int, Field(gt=0)] | None = None
    verify: Annotated[int, Field(gt=0)] | None = None
    clear: Annotated[int, Field(gt=0)] | None = None


class Point(Table):
    """A monitored point with responsible persons of its own, who come before the enterprise's posts."""

    code: Text
    name: Text
    equipment: str = ""
    unit: str = ""
    responsible: tuple[Id, ...] = ()
    limits: Limits | None = None


class MajorHazard(Table):
    """A major hazard (重大危险源) with its three 包保 roles: main, technical and operational person."""

    code: Text
    name: Text
    main_person: Id
    technical_person: Id
    operational_person: Id
    points: tuple[str, ...] = ()


class Enterprise(Table):
    """An enterprise, known by its 统一社会信用代码. ``unit`` is the town or park (or county) that supervises it.

    ``trial`` records and explains its incidents but sends nothing."""

    uscc: str
    name: Text
    short: Annotated[str, StringConstraints(max_length=8)] = ""
    industry: Industry
    unit: Id
    trial: bool = False
    points: tuple[Point, ...] = ()
    hazards: tuple[MajorHazard, ...] = ()


class Directory:
    """All of it, indexed. Immutable; a reload makes another one."""

    def __init__(
        self,
        *,
        units: Iterable[Unit],
        enterprises: Iterable[Enterprise],
        posts: Iterable[Post],
        people: Iterable[Person],
        fallback_unit: str,
        groups: Mapping[str, frozenset[str]] | None = None,
        spoken: Iterable[str] = (),
    ) -> None:
        """``fallback_unit`` (a county, as a rule) takes what belongs to no known enterprise. ``groups`` says of each
        channel that many read whose people those are (units' ids and enterprises' uscc). ``spoken`` are the channels
        that telephone."""
        self.units = {unit.id: unit for unit in units}
        self.enterprises = {enterprise.uscc: enterprise for enterprise in enterprises}
        self.people = {person.id: person for person in people}
        self.fallback_unit = fallback_unit
        self.groups = dict(groups or {})
        self.spoken = frozenset(spoken)
        self._posts: dict[tuple[str, Role], list[Post]] = {}
        for post in posts:
            self._posts.setdefault((post.unit, post.role), []).append(post)

    @cached_property
    def posts(self) -> tuple[Post, ...]:
        return tuple(post for group in self._posts.values() for post in group)

    def posts_at(self, unit: str, role: Role) -> tuple[Post, ...]:
        """The posts with this role at a unit (a unit's id or an enterprise's uscc), in the order of the TOML."""
        return tuple(self._posts.get((unit, role), ()))

    def line(self, enterprise: str) -> dict[Tier, str]:
        """The enterprise's line of supervision: the unit of each tier, the enterprise itself (by uscc) first.

        An unknown enterprise has the fallback unit's line and no enterprise of its own.
        """
        known = self.enterprises.get(enterprise)
        found: dict[Tier, str] = {Tier.ENTERPRISE: enterprise} if known else {}
        unit = self.units.get(known.unit if known else self.fallback_unit)
        while unit is not None:
            found[unit.tier] = unit.id
            unit = self.units.get(unit.parent) if unit.parent else None
        return found

    def line_of(self, unit: str) -> dict[Tier, str]:
        """A unit and those above it, or an enterprise's whole line; empty for what is neither."""
        if unit in self.enterprises:
            return self.line(unit)
        found: dict[Tier, str] = {}
        above = self.units.get(unit)
        while above is not None and above.tier not in found:
            found[above.tier] = above.id
            above = self.units.get(above.parent) if above.parent else None
        return found

    def may_read(self, channel: str, units: Iterable[str]) -> bool:
        """Whether everybody who reads the channel belongs to one of ``units``; true for what one person reads."""
        return self.groups.get(channel, frozenset()) <= set(units)

    def point(self, enterprise: str, code: str) -> Point | None:
        known = self.enterprises.get(enterprise)
        return next((point for point in known.points if point.code == code), None) if known else None

    def hazard_of(self, enterprise: str, point: str) -> MajorHazard | None:
        known = self.enterprises.get(enterprise)
        return next((hazard for hazard in known.hazards if point in hazard.points), None) if known else None

    def unit_name(self, unit: str) -> str:
        """The name people know a unit or enterprise by; the id itself where nothing is known."""
        if unit in self.units:
            return self.units[unit].name
        return self.enterprises[unit].name if unit in self.enterprises else unit

    def tier_of(self, unit: str) -> Tier:
        return self.units[unit].tier if unit in self.units else Tier.ENTERPRISE
