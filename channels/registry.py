"""Finds every channel in this package by looking, so that adding one touches no list.

A channel is any module or folder under :mod:`channels` that exports ``Settings`` and ``Driver``; what it is called in
TOML is the single value of ``Settings.kind``.
"""

from __future__ import annotations

import functools
import importlib
import operator
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Annotated, Any, cast, get_args

import aiohttp
from pydantic import BaseModel, Field

import channels
from channels.channel import Abilities, Channel


class UnknownKindError(ValueError):
    """A channel's table names no kind, or one that does not exist; says which exist."""


@functools.cache
def kinds() -> Mapping[str, ModuleType]:
    """Every channel's kind and its module, in alphabetical order.

    Raises RuntimeError when two modules claim one kind.
    """
    found: dict[str, ModuleType] = {}
    for info in pkgutil.walk_packages(channels.__path__, f"{channels.__name__}."):
        if info.name == __name__:
            continue
        module = importlib.import_module(info.name)
        if not (hasattr(module, "Settings") and hasattr(module, "Driver")):
            continue
        kind = _kind_of(module.Settings)
        other = found.get(kind)
        if other is not None and other.Driver is not module.Driver:
            raise RuntimeError(f"two channels claim the kind {kind!r}: {other.__name__} and {module.__name__}")
        found.setdefault(kind, module)
    return MappingProxyType(dict(sorted(found.items())))


def settings_type() -> Any:
    """The union of all channels' settings, told apart by ``kind``; for models that hold a channel's table."""
    models = [module.Settings for module in kinds().values()]
    return Annotated[functools.reduce(operator.or_, models), Field(discriminator="kind")]


def parse(name: str, table: Mapping[str, Any]) -> BaseModel:
    """Settings from the TOML table ``[channels.<name>]``.

    Raises :class:`UnknownKindError`, or pydantic's ``ValidationError`` whose locations are relative to the table.
    """
    kind = table.get("kind")
    module = kinds().get(kind) if isinstance(kind, str) else None
    if module is None:
        known = "、".join(kinds())
        said = "缺少 kind" if kind is None else f"kind = {kind!r} 不存在"
        raise UnknownKindError(f"渠道 {name}：{said}；可用的有：{known}")
    settings: BaseModel = module.Settings.model_validate(dict(table))
    return settings


def open_channel(name: str, settings: BaseModel, session: aiohttp.ClientSession) -> Channel:
    """The driver for ``settings``, on the shared ``session``; opens no connection yet.

    Raises :class:`UnknownKindError` when ``settings`` belongs to no channel.
    """
    for module in kinds().values():
        if type(settings) is module.Settings:
            channel: Channel = module.Driver(name, settings, session)
            return channel
    raise UnknownKindError(f"渠道 {name}：{type(settings).__name__} 不是任何渠道的设置")


def abilities_of(name: str, settings: BaseModel) -> Abilities:
    """What the configured channel can do, without opening it: drivers touch their session only to send."""
    return open_channel(name, settings, cast(aiohttp.ClientSession, None)).abilities


def _kind_of(settings: type[BaseModel]) -> str:
    values = get_args(settings.model_fields["kind"].annotation)
    if len(values) != 1:
        raise RuntimeError(f"{settings.__module__}.Settings.kind must be a Literal of one value")
    kind: str = values[0]
    return kind
