"""The Lua beside the Python: read from the package and registered under the file's name."""

from __future__ import annotations

from importlib.resources import files

from escalation.ledger.door import Store


def register(store: Store, *names: str) -> None:
    """Register ``<name>.lua`` of this package at the store's door, for each name."""
    for name in names:
        store.load_script(name, files("escalation.ledger").joinpath(f"{name}.lua").read_text("utf-8"))
