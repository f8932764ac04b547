"""Fixtures: a running demonstration with a real store and real doors."""

from __future__ import annotations

from tests.demo.house import house, house_beside_the_browser, plain_house

__all__ = ["house", "house_beside_the_browser", "plain_house"]
