"""Fixtures: a running demonstration with a real store and real doors."""

from __future__ import annotations

from tests.demo.browser import browser, wall
from tests.demo.house import house

__all__ = ["browser", "house", "wall"]
