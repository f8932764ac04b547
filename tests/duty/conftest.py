"""Fixtures: a running demonstration, its duty page, and a browser."""

from __future__ import annotations

from tests.demo.browser import browser
from tests.demo.house import house

__all__ = ["browser", "house"]
