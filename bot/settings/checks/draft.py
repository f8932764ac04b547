"""A configuration as far as it can be read: every row that is well formed, with its path, so that one broken row does
not hide what is wrong with the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.settings.channel_facts import abilities_of
from bot.settings.models import ChannelTable, HazardRow, Hub, PointRow, Source, gathered, groups_of, spoken_of
from bot.settings.operation import ApiToken
from bot.settings.positions import Loc
from channels.channel import Abilities
from escalation.directory import Directory, Enterprise, MajorHazard, Person, Point, Post, Unit
from escalation.plan import sample_profile
from escalation.profile import Profile

_Model = TypeVar("_Model", bound=BaseModel)
_CHANNEL: TypeAdapter[BaseModel] = TypeAdapter(ChannelTable)


@dataclass(frozen=True)
class Draft:
    """``data`` is the merged TOML with its secrets fetched. ``whole`` is false where a file could not be read: then
    nothing may be concluded from what is not there. ``sound`` is false also where a row is broken: then nobody can say
    whom an alarm would reach. ``today`` is the date in Beijing."""

    data: dict[str, Any]
    whole: bool
    sound: bool
    today: date

    def rows(self, name: str, model: type[_Model]) -> Iterator[tuple[Loc, _Model]]:
        """The well-formed rows of a list of tables."""
        rows = self.data.get(name, [])
        for number, row in enumerate(rows if isinstance(rows, list) else []):
            try:
                yield (name, number), model.model_validate(row)
            except ValidationError:
                continue

    def ids(self, name: str, key: str = "id") -> list[tuple[Loc, str]]:
        """The ids that rows claim, also those of broken rows: what they name does exist."""
        rows = self.data.get(name, [])
        return [
            ((name, number, key), row[key])
            for number, row in enumerate(rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and isinstance(row.get(key), str)
        ]

    def text(self, name: str) -> str | None:
        """A top-level setting, if it is text."""
        value = self.data.get(name)
        return value if isinstance(value, str) else None

    def named(self, name: str) -> dict[str, Any]:
        """``[name.*]``: the tables by their names."""
        tables = self.data.get(name, {})
        return tables if isinstance(tables, dict) else {}

    @cached_property
    def hub(self) -> Hub | None:
        try:
            return Hub.model_validate(self.data.get("hub"))
        except ValidationError:
            return None

    @cached_property
    def units(self) -> list[tuple[Loc, Unit]]:
        return list(self.rows("units", Unit))

    @cached_property
    def enterprises(self) -> list[tuple[Loc, Enterprise]]:
        return list(self.rows("enterprises", Enterprise))

    @cached_property
    def people(self) -> list[tuple[Loc, Person]]:
        return list(self.rows("people", Person))

    @cached_property
    def posts(self) -> list[tuple[Loc, Post]]:
        return list(self.rows("posts", Post))

    @cached_property
    def points(self) -> list[tuple[Loc, str, Point]]:
        """Every point with its enterprise, wherever it is written."""
        inside = [
            ((*loc, "points", number), enterprise.uscc, point)
            for loc, enterprise in self.enterprises
            for number, point in enumerate(enterprise.points)
        ]
        return inside + [(loc, row.enterprise, row) for loc, row in self.rows("points", PointRow)]

    @cached_property
    def hazards(self) -> list[tuple[Loc, str, MajorHazard]]:
        """Every major hazard with its enterprise, wherever it is written."""
        inside = [
            ((*loc, "hazards", number), enterprise.uscc, hazard)
            for loc, enterprise in self.enterprises
            for number, hazard in enumerate(enterprise.hazards)
        ]
        return inside + [(loc, row.enterprise, row) for loc, row in self.rows("hazards", HazardRow)]

    @cached_property
    def sources(self) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for name, table in self.named("sources").items():
            try:
                found[name] = Source.model_validate(table)
            except ValidationError:
                continue
        return found

    @cached_property
    def readers(self) -> dict[str, ApiToken]:
        """The well-formed readers of the API."""
        tokens = self.named("api").get("tokens", {})
        found: dict[str, ApiToken] = {}
        for name, table in (tokens if isinstance(tokens, dict) else {}).items():
            try:
                found[name] = ApiToken.model_validate(table)
            except ValidationError:
                continue
        return found

    @cached_property
    def channels(self) -> dict[str, tuple[BaseModel, Abilities]]:
        """The well-formed channels: their settings, and what they can do."""
        found: dict[str, tuple[BaseModel, Abilities]] = {}
        for name, table in self.named("channels").items():
            try:
                settings = _CHANNEL.validate_python(table)
            except ValidationError:
                continue
            found[name] = (settings, abilities_of(name, settings))
        return found

    @cached_property
    def profile(self) -> Profile | None:
        """The rules in use, if they are there and well formed."""
        name = self.text("profile")
        own = [profile for _, profile in self.rows("profiles", Profile)]
        return next((one for one in (*own, sample_profile()) if one.name == name), None)

    @cached_property
    def directory(self) -> Directory | None:
        """Who is where, as soon as that can be judged: all rows are read, lines of supervision end, and every post is
        at a unit or enterprise that exists. People and channels may be missing still."""
        if not self.sound or self.hub is None or self._goes_round() or self._strays():
            return None
        return Directory(
            units=(unit for _, unit in self.units),
            enterprises=gathered(
                tuple(enterprise for _, enterprise in self.enterprises),
                tuple(row for _, row in self.rows("points", PointRow)),
                tuple(row for _, row in self.rows("hazards", HazardRow)),
            ),
            posts=(post for _, post in self.posts),
            people=(person for _, person in self.people),
            fallback_unit=self.hub.fallback_unit,
            groups=groups_of({name: settings for name, (settings, _) in self.channels.items()}),
            spoken=spoken_of({name: settings for name, (settings, _) in self.channels.items()}),
        )

    def _goes_round(self) -> bool:
        parents = {unit.id: unit.parent for _, unit in self.units}
        for start in parents:
            seen: set[str] = set()
            unit: str | None = start
            while unit is not None:
                if unit in seen:
                    return True
                seen.add(unit)
                unit = parents.get(unit)
        return False

    def _strays(self) -> bool:
        places = {name for _, name in (*self.ids("units"), *self.ids("enterprises", "uscc"))}
        return any(post.unit not in places for _, post in self.posts)
