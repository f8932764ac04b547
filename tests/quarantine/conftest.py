"""A hub's engine on a real store, with a source that maps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.client import Store
from tests.streams.harness import SOURCES
from tests.workers.house import House, house_on


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with house_on(
        store, tmp_path, lambda text: text.replace("[channels.sms]", f"{SOURCES}\n[channels.sms]")
    ) as opened:
        yield opened
