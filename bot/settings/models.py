"""The configuration as types: every table of ``config.toml``, frozen once it is loaded.

Units, enterprises, people, posts and profiles are the models of :mod:`escalation`; a channel's table is the
``Settings`` of its module. What crosses tables (does this person exist?) is held by :mod:`bot.settings.checks`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    IPvAnyNetwork,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from bot.settings.accounts import Account, DutyPage
from bot.settings.mapping import MappingTable, StreamTable, listed, store_address
from bot.settings.operation import Api, Log, Metrics, SelfTest
from bot.settings.values import Http, Ip, Port, Zone
from channels import registry, standard_webhooks
from escalation import calendar
from escalation.directory import (
    ContactEntry,
    Directory,
    Enterprise,
    Id,
    MajorHazard,
    Person,
    Point,
    Post,
    Table,
    Text,
    Unit,
)
from escalation.plan import sample_profile
from escalation.profile import Duration, Profile, minutes
from escalation.vocabulary import Level, Mode, Severity

Count = Annotated[int, Field(ge=1)]


class Intake(Table):
    """``[hub.intake]``: how much the door takes at once."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 1024 * 1024)] = 1024 * 1024
    max_batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    queue_limit: Count = 5000


class Hub(Table):
    """``[hub]``: what this hub is called, where it listens, and to whom it turns when nobody else is named.

    ``data`` is absolute after loading (written relative to the configuration file). ``maintainers`` is the unit (or
    enterprise) whose post with role ``maintainer`` hears of broken channels. ``skew`` is how far a source's clock may
    be ahead or behind before its times are replaced; an event older than ``late_after`` is told as late.
    ``trusted_proxies`` stand before the hub: their ``X-Forwarded-For`` is believed. ``courier_process`` sends from a
    process of its own.
    """

    name: Text
    public_url: Http
    listen: Ip = "127.0.0.1"
    port: Port = 8080
    data: Path = Path("var")
    language: Literal["zh", "en"] = "zh"
    zone: Literal["Asia/Shanghai"] = "Asia/Shanghai"
    fallback_unit: Id
    maintainers: str
    emergency: Text
    partitions: Annotated[int, Field(ge=1, le=1024)] = 16
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    skew: Duration = "10m"
    late_after: Duration = "30m"
    intake: Intake = Intake()
    courier_process: bool = False

    @field_validator("data")
    @classmethod
    def _absolute(cls, value: Path, info: ValidationInfo) -> Path:
        folder = (info.context or {}).get("folder")
        if folder is None:
            return value
        data = Path(folder) / value
        if Path(folder) == data:
            raise PydanticCustomError("data_here", "a folder of its own")
        if data.exists() and not data.is_dir():
            raise PydanticCustomError("not_folder", "a folder", {"value": str(value)})
        return data


class Store(Table):
    """``[store]``: without ``url`` the hub supervises a Valkey of its own in its data folder."""

    url: str | None = None
    username: str = ""
    password: SecretStr | None = None
    accept_loss: bool = False
    waitaof: bool = True
    waitaof_replicas: Annotated[int, Field(ge=0, le=16)] = 0
    waitaof_timeout_ms: Annotated[int, Field(ge=1, le=60_000)] = 2000

    @field_validator("url")
    @classmethod
    def _is_store(cls, value: str | None) -> str | None:
        return store_address(value)


class _OrName:
    """Shows that a list of names may also be written as its one name."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        names = handler(schema)
        return {"anyOf": [names["items"], names]}


class Source(Table):
    """``[sources.NAME]``: an upstream system that posts to ``/events/NAME``, or (``kind = "stream"``) writes streams.

    One that posts signs (``secrets``, two while one is being changed) or, if it cannot, sends a bearer ``token`` from
    an ``allow`` list of networks. ``levels`` and ``severities`` translate its own words and numbers; what they do not
    know becomes ``unknown_level`` / ``unknown_severity`` and is flagged. ``rate`` is events a second, ``burst`` how
    many may come at once. ``mode`` overrides what the events say of themselves. What comes are CloudEvents, or
    whatever ``mapping`` makes events of. ``feedback`` names the channels that carry back what people answered. Silent
    for longer than ``silent_after`` it is named on the duty page, and the maintainers hear of it.
    """

    kind: Literal["webhook", "stream"] = "webhook"
    secrets: Annotated[tuple[SecretStr, ...], Field(max_length=2)] = ()
    token: Annotated[SecretStr, Field(min_length=16)] | None = None
    allow: tuple[IPvAnyNetwork, ...] = ()
    zone: Zone = "Asia/Shanghai"
    levels: dict[str, Level] = Field(default_factory=dict)
    severities: dict[str, Severity] = Field(default_factory=dict)
    unknown_level: Level = Level.RED
    unknown_severity: Severity = Severity.HIGH_HIGH
    mode: Mode | None = None
    feedback: Annotated[tuple[Id, ...], BeforeValidator(listed), _OrName] = ()
    rate: Count = 200
    burst: Count = 1000
    silent_after: Duration | None = None
    stream: StreamTable | None = None
    mapping: MappingTable | None = None

    @field_validator("secrets")
    @classmethod
    def _decode(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in value:
            try:
                standard_webhooks.key(secret.get_secret_value())
            except ValueError:
                raise PydanticCustomError("not_whsec", "a signing secret") from None
        return value

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Source:
        if self.kind == "stream":
            if self.secrets or self.token is not None or self.allow:
                raise PydanticCustomError("stream_proof", "no secrets, token or allow")
            if self.stream is None:
                raise PydanticCustomError("stream_missing", "stream")
            return self
        if self.stream is not None:
            raise PydanticCustomError("stream_kind", "kind")
        if bool(self.secrets) == (self.token is not None):
            raise PydanticCustomError("source_proof", "secrets or token")
        if self.token is not None and not self.allow:
            raise PydanticCustomError("source_allow", "allow-list")
        return self


class Span(Table):
    """Working hours of a day, local time, one span of several."""

    start: time
    end: time


class CalendarTable(Table):
    """``[calendar]``: what an administrator knows better than the published 调休 table, and the office hours."""

    workdays: tuple[date, ...] = ()
    holidays: tuple[date, ...] = ()
    hours: tuple[Span, ...] = tuple(Span(start=start, end=end) for start, end in calendar.HOURS)

    @model_validator(mode="after")
    def _agrees(self) -> CalendarTable:
        both = sorted(set(self.workdays) & set(self.holidays))
        if both:
            raise PydanticCustomError("work_and_holiday", "both", {"days": "、".join(str(day) for day in both)})
        try:
            self.build()
        except ValueError:
            raise PydanticCustomError("working_hours", "hours") from None
        return self

    def build(self) -> calendar.Calendar:
        """The calendar that the clocks count by."""
        overrides = dict.fromkeys(self.workdays, True) | dict.fromkeys(self.holidays, False)
        return calendar.Calendar(overrides, tuple((span.start, span.end) for span in self.hours))


class Pages(Table):
    """``[pages]``: the phone page behind a signed link; ``lifetime`` is how long a link works."""

    secret: Annotated[SecretStr, Field(min_length=32)]
    lifetime: Duration = "48h"

    @property
    def lifetime_minutes(self) -> int:
        return minutes(self.lifetime)


class PointRow(Point):
    """``[[points]]``: a point in a file of its own; ``enterprise`` is the uscc it belongs to."""

    enterprise: str


class HazardRow(MajorHazard):
    """``[[hazards]]``: a major hazard in a file of its own; ``enterprise`` is the uscc it belongs to."""

    enterprise: str


class _AnyChannel:
    """Makes pydantic read a channel's table by its ``kind``, over whatever channels exist."""

    @staticmethod
    def __get_pydantic_core_schema__(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(registry.settings_type())

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema)


ChannelTable = Annotated[BaseModel, _AnyChannel]


class Settings(Table):
    """The whole configuration. ``profile`` names the rules in use: one of ``profiles``, or the sample that ships.

    Points and hazards may stand inside their enterprise or in tables of their own; :meth:`directory` brings them
    together. ``backup`` says of a channel by which others its addresses are reached when it fails, in their order; it
    does as if each contact on it were followed by one on each of these.
    """

    include: tuple[str, ...] = ()
    profile: Text
    adopt_sample: Text | None = None
    hub: Hub
    store: Store = Store()
    pages: Pages
    duty_page: DutyPage = DutyPage()
    accounts: dict[Id, Account] = Field(default_factory=dict)
    api: Api = Api()
    metrics: Metrics = Metrics()
    log: Log = Log()
    self_test: SelfTest = SelfTest()
    calendar: CalendarTable = CalendarTable()
    sources: dict[Id, Source] = Field(default_factory=dict)
    channels: dict[Id, ChannelTable] = Field(default_factory=dict)
    backup: dict[Id, tuple[Id, ...]] = Field(default_factory=dict)
    units: tuple[Unit, ...] = ()
    enterprises: tuple[Enterprise, ...] = ()
    points: tuple[PointRow, ...] = ()
    hazards: tuple[HazardRow, ...] = ()
    people: tuple[Person, ...] = ()
    posts: tuple[Post, ...] = ()
    profiles: tuple[Profile, ...] = ()

    def directory(self) -> Directory:
        """Who is where, with every point and hazard at its enterprise."""
        return Directory(
            units=self.units,
            enterprises=gathered(self.enterprises, self.points, self.hazards),
            posts=backed(self.posts, self.backup),
            people=backed(self.people, self.backup),
            fallback_unit=self.hub.fallback_unit,
            groups=groups_of(self.channels),
            spoken=spoken_of(self.channels),
        )

    def profile_in_use(self) -> Profile:
        """The rules named by ``profile``. Raises LookupError when none has that name, which loading excludes."""
        found = next((one for one in (*self.profiles, sample_profile()) if one.name == self.profile), None)
        if found is None:
            raise LookupError(f"no profile is called {self.profile!r}")
        return found


_Reached = TypeVar("_Reached", Person, Post)


def backed(rows: tuple[_Reached, ...], backup: Mapping[str, tuple[str, ...]]) -> tuple[_Reached, ...]:
    """The people or posts with the contacts that ``[backup]`` gives them; what they have by themselves stays once."""
    if not backup:
        return rows
    return tuple(row.model_copy(update={"contacts": _with_backup(row.contacts, backup)}) for row in rows)


def _with_backup(contacts: tuple[ContactEntry, ...], backup: Mapping[str, tuple[str, ...]]) -> tuple[ContactEntry, ...]:
    own = set(contacts)
    found: dict[ContactEntry, None] = {}
    for entry in contacts:
        found.setdefault(entry)
        for channel in backup.get(entry.channel, ()):
            other = ContactEntry(channel=channel, address=entry.address)
            if other not in own:
                found.setdefault(other)
    return tuple(found)


def spoken_of(channels: Mapping[str, BaseModel]) -> frozenset[str]:
    """The channels that telephone."""
    return frozenset(name for name, table in channels.items() if getattr(table, "telephones", False))


def groups_of(channels: Mapping[str, BaseModel]) -> dict[str, frozenset[str]]:
    """Of each channel that many read, whose people those are."""
    return {name: frozenset(read) for name, table in channels.items() if (read := getattr(table, "readers", ()))}


def gathered(
    enterprises: tuple[Enterprise, ...], points: tuple[PointRow, ...], hazards: tuple[HazardRow, ...]
) -> tuple[Enterprise, ...]:
    """The enterprises with the points and hazards that were written in tables of their own."""
    more_points: dict[str, list[Point]] = defaultdict(list)
    more_hazards: dict[str, list[MajorHazard]] = defaultdict(list)
    for point in points:
        more_points[point.enterprise].append(Point.model_construct(**_without_enterprise(point)))
    for hazard in hazards:
        more_hazards[hazard.enterprise].append(MajorHazard.model_construct(**_without_enterprise(hazard)))
    return tuple(
        enterprise.model_copy(
            update={
                "points": (*enterprise.points, *more_points[enterprise.uscc]),
                "hazards": (*enterprise.hazards, *more_hazards[enterprise.uscc]),
            }
        )
        for enterprise in enterprises
    )


def _without_enterprise(row: BaseModel) -> dict[str, Any]:
    return {name: value for name, value in row if name != "enterprise"}
