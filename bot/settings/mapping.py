"""``[sources.NAME.mapping]`` and ``[sources.NAME.stream]``: how a source's JSON becomes events, and where it is read.

Which words a code table may lead to, and what a mapping needs besides, is held by
:mod:`bot.settings.checks.mappings`, which can point at the single entry.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from bot.intake.mapping import read_path
from bot.store import external
from bot.store.errors import BadStoreUrlError
from escalation.directory import Table
from escalation.event import EventType


def store_address(value: str | None) -> str | None:
    """A store's address without credentials in it."""
    if value is None:
        return None
    if "@" in value or "password=" in value:
        raise PydanticCustomError("password_in_url", "a password in an address")
    try:
        external.parse(value)
    except BadStoreUrlError as error:
        raise PydanticCustomError("not_store", "a store's address", {"zh": error.zh, "en": error.en}) from None
    return value


def _path(value: str) -> str:
    try:
        read_path(value)
    except ValueError:
        raise PydanticCustomError("bad_path", "a path", {"value": value}) from None
    return value


def listed(value: Any) -> Any:
    """One text where several may stand, as a list of one."""
    return [value] if isinstance(value, str) else value


def _written(value: Any) -> Any:
    return str(value) if type(value) in (int, float) else value


FieldPathText = Annotated[str, AfterValidator(_path)]
Paths = Annotated[
    tuple[FieldPathText, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Constant = Annotated[str, BeforeValidator(_written), WithJsonSchema({"type": ["string", "number"]})]


class Pick(Table):
    """Where one value of an event comes from. ``path`` is one field or several, or ``const`` a fixed value.

    ``default`` stands in for a missing field. ``codes`` translates what stands in the field; for several fields the key
    has one part for each, as in ``"2/1"``, and ``*`` fits all. ``format`` is how a time is written: ``epoch``,
    ``epoch_ms`` or such as ``%Y%m%d%H%M%S``.
    """

    path: Paths = ()
    const: Constant | None = None
    default: Constant | None = None
    codes: dict[str, Constant] = Field(default_factory=dict)
    format: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A path alone may be written without a table."""
        return {"path": value} if isinstance(value, str | list) else value


class _OrPath:
    """Shows that a pick may also be written as its path alone."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [handler(schema), {"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        }


PickHere = Annotated[Pick, _OrPath]


class MappingTable(Table):
    """``[sources.NAME.mapping]``: a vendor's JSON becomes events.

    ``items`` leads to the list of items inside what is sent; without it each object is an item. ``id`` names the fields
    that tell one event from another; the event's type is always part of it. ``cleared_time`` is used for what does not
    raise. An unknown ``type`` is taken for ``unknown_type`` and flagged. ``sample`` is a message of the vendor, which
    ``fenghuo check`` maps and shows.
    """

    items: FieldPathText | None = None
    id: PickHere
    type: PickHere
    unknown_type: EventType = EventType.ALARM_RAISED
    time: PickHere | None = None
    cleared_time: PickHere | None = None
    mode: PickHere | None = None
    industry: PickHere | None = None
    enterprise: PickHere | None = None
    enterprise_name: PickHere | None = None
    point: PickHere | None = None
    point_name: PickHere | None = None
    equipment: PickHere | None = None
    unit: PickHere | None = None
    severity: PickHere | None = None
    value: PickHere | None = None
    limit: PickHere | None = None
    level: PickHere | None = None
    reasons: PickHere | None = None
    sample: str = ""


class StreamTable(Table):
    """``[sources.NAME.stream]``: the Redis streams that this source is read from.

    Without ``url`` they are in the hub's own store. ``names`` are the streams' keys, ``field`` the field of an entry
    that holds the JSON. Hubs of one ``group`` share the entries; what a hub has read and not finished after
    ``idle_seconds`` is taken over by another. ``start`` says where a group that is made now begins.
    """

    url: str | None = None
    username: str = ""
    password: SecretStr | None = None
    names: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(min_length=1)]
    group: Annotated[str, Field(min_length=1, max_length=100)] = "fenghuo"
    field: Annotated[str, Field(min_length=1, max_length=100)] = "event"
    idle_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    start: Literal["oldest", "newest"] = "oldest"

    @field_validator("url")
    @classmethod
    def _is_store(cls, value: str | None) -> str | None:
        return store_address(value)
