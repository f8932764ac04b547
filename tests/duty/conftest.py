"""Fixtures: a running demonstration, its duty page, and a browser."""

from __future__ import annotations

from tests.demo.house import house, house_beside_the_browser, plain_house

__all__ = ["house", "house_beside_the_browser", "plain_house"]
