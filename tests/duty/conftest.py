"""Fixtures: a running demonstration and its duty page."""

from __future__ import annotations

import pytest

from tests.demo.house import house, house_beside_the_browser, plain_house

__all__ = ["house", "house_beside_the_browser", "plain_house"]


@pytest.fixture
def lively(monkeypatch: pytest.MonkeyPatch) -> None:
    """A board that looks at what feeds it, and lets its pages hear of it, without a pause worth waiting for."""
    monkeypatch.setattr("bot.web.duty.board.FED", 0.1)
    monkeypatch.setattr("bot.web.duty.board.BEAT", 0.2)
