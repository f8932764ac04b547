"""The JSON schema of the configuration (``docs/schema/config.schema.json``), made from the models."""

from __future__ import annotations

import sys
from typing import Any

import orjson

from bot.settings.files import LISTS, NAMED
from bot.settings.models import Settings

_REFERENCE = {
    "type": "string",
    "pattern": "^(env|file):.+$",
    "description": "A secret by reference: env:NAME or file:PATH (from the folder of the main file).",
}
# OpenAPI's, pydantic's own, or no help to an editor.
_NOISE = frozenset({"title", "discriminator"})


def config_schema() -> dict[str, Any]:
    """The schema of the main file as administrators write it. ``$defs/IncludedFile`` is that of an included one."""
    made = _as_written(Settings.model_json_schema())
    shared = {name: made["properties"][name] for name in (*NAMED, *LISTS)}
    for name in NAMED:
        shared[name]["additionalProperties"] = False
    made["$defs"]["IncludedFile"] = {
        "description": "A file that `include` names: the same tables, none of them required.",
        "type": "object",
        "properties": shared,
        "additionalProperties": False,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "config.schema.json", **made}


def _as_written(schema: Any, *, names: bool = False) -> Any:
    """Secrets become references, and what only pydantic reads is left out.

    ``names`` is true inside ``properties``, whose keys are an administrator's words and no keywords.
    """
    if isinstance(schema, list):
        return [_as_written(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if not names and schema.get("writeOnly"):
        return dict(_REFERENCE)
    return {
        key: _as_written(value, names=key in ("properties", "$defs", "patternProperties"))
        for key, value in schema.items()
        if names or (key not in _NOISE and not (key == "format" and value in ("ipvanynetwork", "path")))
    }


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(config_schema(), option=orjson.OPT_INDENT_2).decode() + "\n")
