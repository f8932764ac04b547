"""The demonstration's county, read once for a test session."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo.county import Addresses
from bot.settings.load import load
from bot.settings.models import Settings
from tests.county import secrets_of, write_county

NOWHERE = "http://127.0.0.1:9"


def county_in(folder: Path) -> Path:
    """Write the county with vendors that nobody starts; its main file."""
    addresses = Addresses(NOWHERE, 8080, f"{NOWHERE}/sendsms", 9, NOWHERE, f"{NOWHERE}/hook")
    return write_county(folder, addresses, secrets_of()).config


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return county_in(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="session")
def settings(config: Path) -> Settings:
    found = load(config).settings
    assert found is not None
    return found
