"""A county with vendors for each test; the test starts the hub itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.county import Addresses
from tests.county import secrets_of, write_county
from tests.serve.nursery import Nursery
from tests.serve.town import Town, town_in


@pytest.fixture
async def town(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Town]:
    async with town_in(tmp_path, nursery) as made:
        yield made


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """The county's configuration, with vendors that nobody starts."""
    nowhere = "http://127.0.0.1:9"
    addresses = Addresses(nowhere, 8080, f"{nowhere}/sendsms", 9, nowhere, f"{nowhere}/hook")
    return write_county(tmp_path, addresses, secrets_of()).config
