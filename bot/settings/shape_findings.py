"""What pydantic refuses, in the catalogue's plain sentences; its own wording is never shown."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.settings import shapes
from bot.settings.catalogue import SENTENCES
from bot.settings.models import Settings
from bot.settings.positions import Loc
from bot.settings.problem import Finding, choices, wrong_type
from channels import registry

_BOUNDS = {
    "string_too_long": ("too_long", "max_length"),
    "string_too_short": ("too_short", "min_length"),
    "too_long": ("too_long", "max_length"),
    "too_short": ("too_short", "min_length"),
    "greater_than": ("not_gt", "gt"),
    "greater_than_equal": ("not_ge", "ge"),
    "less_than": ("not_lt", "lt"),
    "less_than_equal": ("not_le", "le"),
}
_WANTED = {
    "string": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "tuple": "list",
    "list": "list",
    "dict": "dict",
    "model": "dict",
}
_PATTERNS = (
    ("[a-z0-9]", "not_id"),
    ("(m|h|d)", "not_duration"),
    ("x00", "control_sign"),
    ("\\d{4}-", "not_date"),
    (":[0-5]", "not_time"),
)


def shape_findings(error: ValidationError, data: dict[str, Any], failed: set[Loc]) -> Iterator[Finding]:
    """One finding for each fault of shape. ``failed`` are secrets that could not be had: told already."""
    secret = set(shapes.secrets(data))
    every = error.errors(include_url=False)
    locs = [_loc(details["loc"]) for details in every]
    for details, loc in zip(every, locs, strict=True):
        if details["type"] == "too_short" and any(len(one) > len(loc) and one[: len(loc)] == loc for one in locs):
            continue  # its rows are there, and wrong
        follows = any(loc[: len(one)] == one for one in failed)
        of_the_table = details["type"] == "value_error" or details["type"] in SENTENCES
        if follows or (of_the_table and any(one[: len(loc)] == loc for one in failed)):
            continue
        yield _finding(details, loc, data, hidden=loc in secret)


def _finding(details: ErrorDetails, loc: Loc, data: dict[str, Any], *, hidden: bool) -> Finding:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    shown = "…" if hidden else given
    if kind == "missing" and loc:
        return Finding("missing", loc[:-1], {"name": loc[-1]})
    if kind == "extra_forbidden":
        return _unknown_key(loc, data)
    if loc and loc[-1] == "[key]":
        return Finding("not_id", loc[:-1], {"value": loc[-2]}, key=True)
    if kind in ("enum", "literal_error"):
        hint, args = choices(str(given), shapes.options_at(loc, data))
        return Finding("not_one_of", loc, {"value": shown, **args}, hint=hint)
    if kind == "union_tag_not_found":
        return Finding("no_kind", loc, {"known": ", ".join(registry.kinds())})
    if kind == "union_tag_invalid":
        tag = str(context.get("tag", ""))
        hint, args = choices(tag, registry.kinds())
        return Finding("unknown_kind", (*loc, "kind"), {"value": tag, **args}, hint=hint)
    if kind == "string_pattern_mismatch":
        pattern = str(context.get("pattern", ""))
        code = next((code for part, code in _PATTERNS if part in pattern), "pattern")
        if code != "pattern":
            return Finding(code, loc, {"value": shown})
        model = shapes.model_at(loc[:-1], data)
        field = model.model_fields.get(str(loc[-1])) if model is not None and loc else None
        what = (field.description if field is not None else "") or str(loc[-1])
        return Finding(code, loc, {"value": shown, "what": what, "pattern": pattern})
    if kind in _BOUNDS:
        code, name = _BOUNDS[kind]
        return Finding(code, loc, {"limit": context[name]})
    return _of_type(kind, loc, given, context, data, hidden=hidden)


def _of_type(
    kind: str, loc: Loc, given: object, context: dict[str, Any], data: dict[str, Any], *, hidden: bool
) -> Finding:
    shown = "…" if hidden else given
    stem = kind.partition("_")[0]
    if kind in ("date_type", "time_type") or (stem in ("date", "time") and ("parsing" in kind or "inexact" in kind)):
        return Finding(f"not_{stem}", loc, {"value": shown})
    if kind == "ip_any_network":
        return _not_network(loc, shown)
    if kind == "int_from_float":
        return Finding("not_whole", loc)
    if kind in ("value_error", "assertion_error"):
        zh, _, en = str(context.get("error", "")).partition(" / ")
        return Finding("said", loc, {"zh": zh, "en": en or zh})
    if kind in SENTENCES:
        return Finding(kind, loc, context)
    if kind == "string_type" and type(given) is int and shapes.is_duration(loc, data):
        return Finding("not_duration", loc, {"value": shown}, hint="in_units")
    if stem in _WANTED and (kind.endswith(("_type", "_parsing"))):
        return wrong_type(_WANTED[stem], loc, given, hidden=hidden)
    return Finding("invalid", loc)


def _not_network(loc: Loc, shown: object) -> Finding:
    try:
        meant = str(ip_network(str(shown).strip(), strict=False))
    except ValueError:
        return Finding("not_network", loc, {"value": shown})
    return Finding("not_network", loc, {"value": shown, "meant": meant}, hint="meant_network")


def _unknown_key(loc: Loc, data: dict[str, Any]) -> Finding:
    name = str(loc[-1])
    model = shapes.model_at(loc[:-1], data)
    args: dict[str, object] = {"name": name}
    known = model.model_fields if model is not None else {}
    if name in Settings.model_fields and len(loc) > 1:
        return Finding("unknown_key", loc, args, hint="top_level", key=True)
    hint, found = choices(name, known)
    return Finding("unknown_key", loc, {**args, **found}, hint=hint, key=True)


def _loc(loc: tuple[int | str, ...]) -> Loc:
    """Without the name of the union's member that pydantic puts behind a channel's name."""
    if loc[:1] == ("channels",) and len(loc) > 2 and loc[2] in registry.kinds():
        return (*loc[:2], *loc[3:])
    return loc
