"""Every name that one table uses for another exists; every name is given once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from bot.settings.checks.draft import Draft
from bot.settings.positions import Loc
from bot.settings.problem import Finding, choices
from bot.settings.uscc import corrected, likely
from channels.channel import Form
from escalation.plan import sample_profile
from escalation.vocabulary import Tier

_Name = TypeVar("_Name", str, tuple[str, str])


@dataclass
class _Names:
    """All names that exist, broken rows' too."""

    draft: Draft
    units: set[str] = field(init=False)
    enterprises: set[str] = field(init=False)
    people: set[str] = field(init=False)
    broken: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.units = {name for _, name in self.draft.ids("units")}
        written = {name for _, name in self.draft.ids("enterprises", "uscc")}
        # A wrong check digit, or a letter for a digit, is told once, not again wherever the right code stands.
        meant = {whole for name in written for one in (name, likely(name)) if (whole := corrected(one)) is not None}
        self.enterprises = written | meant
        self.broken = {name for name in written if corrected(name) != name}
        self.people = {name for _, name in self.draft.ids("people")}

    def lacks(self, code: str, value: str, loc: Loc, known: Collection[str]) -> Iterator[Finding]:
        # Where a file could not be read, what it holds cannot be known to be missing.
        if value in known or not self.draft.whole:
            return
        # What is itself wrong is no advice.
        hint, args = choices(value, [name for name in known if name not in self.broken])
        yield Finding(code, loc, {"value": value, **args}, hint=hint)

    def unit(self, value: str, loc: Loc) -> Iterator[Finding]:
        return self.lacks("no_unit", value, loc, self.units)

    def place(self, value: str, loc: Loc) -> Iterator[Finding]:
        return self.lacks("no_place", value, loc, self.units | self.enterprises)

    def people_in(self, values: Iterable[str], loc: Loc) -> Iterator[Finding]:
        for number, value in enumerate(values):
            yield from self.lacks("no_person", value, (*loc, number), self.people)


def references(draft: Draft) -> Iterator[Finding]:
    """Names that lead nowhere."""
    names = _Names(draft)
    yield from _hub(draft, names)
    for loc, unit in draft.units:
        if unit.tier is Tier.ENTERPRISE:
            yield Finding("unit_tier", (*loc, "tier"))
        if unit.parent is not None:
            yield from names.unit(unit.parent, (*loc, "parent"))
    for loc, enterprise in draft.enterprises:
        yield from names.unit(enterprise.unit, (*loc, "unit"))
    for table in ("points", "hazards"):
        for loc, uscc in draft.ids(table, "enterprise"):
            yield from names.lacks("no_enterprise", uscc, loc, names.enterprises)
    for name, token in draft.readers.items():
        for number, place in enumerate(token.units):
            yield from names.place(place, ("api", "tokens", name, "units", number))
    for loc, post in draft.posts:
        yield from names.place(post.unit, (*loc, "unit"))
        yield from names.people_in(post.people, (*loc, "people"))
        for number, shift in enumerate(post.roster):
            yield from names.people_in(shift.people, (*loc, "roster", number, "people"))
    for loc, _, point in draft.points:
        yield from names.people_in(point.responsible, (*loc, "responsible"))
    yield from _hazards(draft, names)


OWN_SOURCES = ("chat", "explain")
"""Sources whose events the hub makes itself: accident reports from chat, and rehearsals."""


def _hub(draft: Draft, names: _Names) -> Iterator[Finding]:
    if draft.hub is not None:
        yield from names.unit(draft.hub.fallback_unit, ("hub", "fallback_unit"))
        yield from names.place(draft.hub.maintainers, ("hub", "maintainers"))
    known = {f"{post.unit}/{post.role.value}" for _, post in draft.posts}
    posts = draft.named("self_test").get("posts")
    for number, value in enumerate(posts if isinstance(posts, list) else ()):
        yield from names.lacks("no_post", str(value), ("self_test", "posts", number), known)
    sample = sample_profile().name
    profiles = {name for _, name in draft.ids("profiles", "name")} | {sample}
    for top in ("profile", "adopt_sample"):
        value = draft.text(top)
        if value is not None:
            yield from names.lacks("no_profile", value, (top,), profiles)
    for loc, name in draft.ids("profiles", "name"):
        if name == sample:
            yield Finding("sample_name", loc, {"value": name})
    for name, source in draft.sources.items():
        if name in OWN_SOURCES:
            yield Finding("own_source", ("sources", name), {"value": name}, key=True)
        at: Loc = ("sources", name, "feedback")
        for wanted in source.feedback:
            yield from names.lacks("no_channel", wanted, at, draft.named("channels"))
            channel = draft.channels.get(wanted)
            if channel is not None and channel[1].form is not Form.JSON:
                yield Finding("feedback_kind", at, {"value": wanted})


def _hazards(draft: Draft, names: _Names) -> Iterator[Finding]:
    points: dict[str, set[str]] = {}
    for _, uscc, point in draft.points:
        points.setdefault(uscc, set()).add(point.code)
    owner: dict[tuple[str, str], Loc] = {}
    for loc, uscc, hazard in draft.hazards:
        for role in ("main_person", "technical_person", "operational_person"):
            yield from names.lacks("no_person", getattr(hazard, role), (*loc, role), names.people)
        for number, code in enumerate(hazard.points):
            at = (*loc, "points", number)
            if code not in points.get(uscc, set()) and draft.whole:
                hint, args = choices(code, points.get(uscc, set()))
                yield Finding("no_point", at, {"enterprise": uscc, "value": code, **args}, hint=hint)
            first = owner.setdefault((uscc, code), at)
            if first != at:
                yield Finding("point_in_two", at, {"value": code}, also=first)


def doubles(draft: Draft) -> Iterator[Finding]:
    """One name for two things, with both places."""
    yield from _twice("unit id", draft.ids("units"))
    yield from _twice("uscc", draft.ids("enterprises", "uscc"))
    yield from _twice("person id", draft.ids("people"))
    yield from _twice("profile name", draft.ids("profiles", "name"))
    yield from _twice("point code", [((*loc, "code"), (uscc, one.code)) for loc, uscc, one in draft.points], _second)
    yield from _twice("hazard code", [((*loc, "code"), (uscc, one.code)) for loc, uscc, one in draft.hazards], _second)


def _second(name: tuple[str, str]) -> str:
    return name[1]


def _twice(what: str, names: list[tuple[Loc, _Name]], shown: Callable[[_Name], object] = str) -> Iterator[Finding]:
    first: dict[_Name, Loc] = {}
    for loc, name in names:
        earlier = first.setdefault(name, loc)
        if earlier != loc:
            yield Finding("twice", loc, {"what": what, "value": shown(name)}, also=earlier)


def circles(draft: Draft) -> Iterator[Finding]:
    """Parents of a lower or equal tier, and parents that go round."""
    units = {unit.id: unit for _, unit in draft.units}
    told: set[str] = set()
    for loc, unit in draft.units:
        parent = units.get(unit.parent or "")
        if parent is not None and parent.tier.rank <= unit.tier.rank and parent.id != unit.id:
            args = {
                "parent": f"{parent.name} ({parent.id})",
                "parent_tier": parent.tier,
                "tier": unit.tier,
            }
            yield Finding("parent_tier", (*loc, "parent"), args)
        path = [unit.id]
        while parent is not None and parent.id not in path:
            path.append(parent.id)
            parent = units.get(parent.parent or "")
        if parent is not None and parent.id == unit.id and unit.id not in told:
            told.update(path)
            yield Finding("unit_circle", (*loc, "parent"), {"circle": " → ".join([*path, unit.id])})
