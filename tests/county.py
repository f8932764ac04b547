"""The demonstration's county as tests write it: its secrets are fresh, but its password is hashed once for all tests,
since a hash takes long, as it should."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from bot.demo import county
from bot.demo.county import Addresses, County
from bot.passwords import LEAST_MEMORY_KIB, hashed

PASSWORD = "a1b2c3d4e5f6"
"""Of every account."""
_hashed = cache(hashed)


def prepare() -> None:
    """Hash it now, for the processes that are forked from here."""
    _hashed(PASSWORD, memory_kib=LEAST_MEMORY_KIB, time=2, lanes=1)


def secrets_of() -> dict[str, str]:
    """Fresh secrets, and the password."""
    return county.secrets_of() | {"duty-password": PASSWORD}


@contextmanager
def one_password() -> Iterator[None]:
    """Demonstrations that begin in the block have it, and every county written here takes the hash that is known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(county, "hashed", _hashed)
        patch.setattr("bot.demo.demo.secrets_of", secrets_of)
        yield


def write_county(folder: Path, addresses: Addresses, given: dict[str, str]) -> County:
    """As :func:`bot.demo.county.write_county`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(county, "hashed", _hashed)
        return county.write_county(folder, addresses, given)
