"""A hub's engine, and streams beside it on the same real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.client import Store
from tests.streams.harness import SOURCES, Streams
from tests.workers.house import house_on


@pytest.fixture
async def streams(store: Store, store_socket: Path, tmp_path: Path) -> AsyncIterator[Streams]:
    """The county with sources that are streams; no reader runs yet."""
    async with (
        house_on(store, tmp_path, lambda text: text.replace("[channels.sms]", f"{SOURCES}\n[channels.sms]")) as house,
        Store.on_socket(store_socket) as writer,
    ):
        made = Streams(house, writer, store_socket)
        try:
            yield made
        finally:
            await made.end()
