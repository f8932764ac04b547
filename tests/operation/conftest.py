"""A county with vendors for each test; the test starts the hub itself."""

from __future__ import annotations

from tests.serve.conftest import town

__all__ = ["town"]
