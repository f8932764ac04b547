"""What is started once for a whole test session, whichever folders use it, and how properties are tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.chromium import browser, playwright
from tests.patience import patience
from tests.serve.nursery import Nursery
from tests.store.real_server import store, store_socket
from tests.store.three_nodes import three_nodes

__all__ = ["browser", "patience", "playwright", "store", "store_socket", "three_nodes"]

# How long an example takes on a busy machine says nothing of the program: where a deadline is what is tested, the test
# counts steps. Whatever else the profile in force says (hypothesis has one of its own for CI) stays.
settings.register_profile("steady", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()
