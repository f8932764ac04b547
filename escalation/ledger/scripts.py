"""The Lua beside the Python: read from the package and registered under the file's name."""

from __future__ import annotations

from importlib.resources import files

from escalation.ledger.door import Store


def register(store: Store, *names: str, beginning: str = "") -> None:
    """Register ``<name>.lua`` of this package at the store's door, for each name; ``beginning`` names a file that each
    of them begins with."""
    before = _read(beginning) if beginning else ""
    for name in names:
        store.load_script(name, before + _read(name))


def _read(name: str) -> str:
    return files("escalation.ledger").joinpath(f"{name}.lua").read_text("utf-8")
