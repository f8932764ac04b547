"""Fixtures of answering: an empty real store, and a hub's answering on it."""

from __future__ import annotations

import pytest

from bot.store.client import Store
from tests.chat.hub import Desk
from tests.ledger.doors import StoreDoor


@pytest.fixture
def desk(store: Store) -> Desk:
    """Ledger, decider, mailboxes and answering on an empty store, with the county's directory."""
    return Desk(StoreDoor(store))
