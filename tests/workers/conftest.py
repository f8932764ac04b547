"""Fixtures of the workers' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.client import Store
from tests.workers.house import House, house_on


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    """The county with its vendors and one hub's engine, at a Wednesday noon."""
    async with house_on(store, tmp_path) as opened:
        yield opened
