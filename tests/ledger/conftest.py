"""Fixtures of the ledger's tests: an empty real store behind the ledger's door."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.client import Store
from tests.ledger.doors import StoreDoor


@pytest.fixture
def door(store: Store) -> StoreDoor:
    """The ledger's door to an empty store."""
    return StoreDoor(store)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Where journal segments go."""
    return tmp_path / "journal"
