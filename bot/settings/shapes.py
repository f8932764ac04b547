"""The types behind a path of the configuration: which model, which choices, where a secret belongs."""

from __future__ import annotations

import types
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from bot.settings.models import Settings
from bot.settings.positions import Loc
from channels import registry


def at(loc: Loc, data: Any) -> Any:
    """The annotation of what stands at ``loc``; None where the models know nothing of it.

    ``data`` is the parsed TOML, which alone says of what kind a channel is.
    """
    found: Any = Settings
    value = data
    for depth, part in enumerate(loc):
        value = _entry(value, part)
        found = _channel(value) if loc[0] == "channels" and depth == 1 else _step(found, part)
        if found is None:
            return None
    return found


def model_at(loc: Loc, data: Any) -> type[BaseModel] | None:
    """The table's model at ``loc``, if a table belongs there."""
    found = at(loc, data)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None


def options_at(loc: Loc, data: Any) -> tuple[str, ...]:
    """The values that may stand at ``loc``: those of an enumeration or a literal."""
    found = at(loc, data)
    if get_origin(found) is Literal:
        return tuple(str(one) for one in get_args(found))
    if isinstance(found, type) and issubclass(found, Enum):
        return tuple(str(one.value) for one in found)
    return ()


def is_duration(loc: Loc, data: Any) -> bool:
    """Whether a length of time such as ``30m`` belongs at ``loc``."""
    model = model_at(loc[:-1], data) if loc else None
    field = model.model_fields.get(str(loc[-1])) if model is not None else None
    return field is not None and any("(m|h|d)" in str(getattr(one, "pattern", "")) for one in field.metadata)


def secrets(data: Any, annotation: Any = Settings, loc: Loc = ()) -> Iterator[Loc]:
    """The path of everything in ``data`` that the models hold to be a secret."""
    kind = bare(annotation)
    if kind is SecretStr:
        yield loc
    elif isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(data, dict):
        for name, field in kind.model_fields.items():
            inside: Any = field.annotation
            if name in data and _may_hold_secret(inside):
                yield from secrets(data[name], inside, (*loc, name))
    elif loc == ("channels",) and isinstance(data, dict):
        for name, table in data.items():
            yield from secrets(table, _channel(table), (*loc, name))
    elif get_origin(kind) is dict and isinstance(data, dict):
        for name, value in data.items():
            yield from secrets(value, get_args(kind)[1], (*loc, name))
    elif get_origin(kind) in (tuple, list) and isinstance(data, list):
        for number, value in enumerate(data):
            yield from secrets(value, get_args(kind)[0], (*loc, number))


@cache
def _may_hold_secret(annotation: Any) -> bool:
    """False for what need not be searched: people and points are many, and hold none."""
    kind = bare(annotation)
    if kind in (SecretStr, BaseModel):
        return True
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        inside: list[Any] = [field.annotation for field in kind.model_fields.values()]
        return any(map(_may_hold_secret, inside))
    return any(map(_may_hold_secret, get_args(kind)))


def bare(annotation: Any) -> Any:
    """The annotation without ``Annotated`` and without ``| None``."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            others = [one for one in get_args(annotation) if one is not type(None)]
            if len(others) != 1:
                return annotation
            annotation = others[0]
        else:
            return annotation


def _step(annotation: Any, part: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = annotation.model_fields.get(str(part))
        return bare(field.annotation) if field is not None else None
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return bare(inner[1])
    if origin in (tuple, list):
        return bare(inner[0])
    return None


def _channel(table: Any) -> Any:
    kind = table.get("kind") if isinstance(table, dict) else None
    module = registry.kinds().get(kind) if isinstance(kind, str) else None
    return module.Settings if module is not None else None


def _entry(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
