"""A changed configuration that is not taken: the maintainers hear of it once, and once when one is taken again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings.load import load
from bot.settings.reload import Reload, ReloadOutcome
from bot.store.client import Store
from bot.unused_settings import UnusedSettings
from tests.workers.house import KEEPER_MAIL, MINUTE, House, house_on


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with house_on(store, tmp_path) as opened:
        yield opened


class Watch:
    """A hub whose configuration is edited."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self._file = folder / "edited.toml"
        self._unused = UnusedSettings(lambda: house.engine)

    def saved(self, outcome: ReloadOutcome) -> None:
        self._file.write_text('profile = "某"\n[hub]\nport = "x"\n', "utf-8")
        self._unused.hear(Reload(outcome, load(self._file)), self.house.clock.now())

    async def after(self, minutes: int) -> list[str]:
        """What the keeper has heard of the configuration, so many minutes later."""
        for _ in range(minutes):
            self.house.push(MINUTE)
            await self._unused.step(self.house.clock.now())
        await self.house.engine.rest()
        return [text for text in self.house.texts(KEEPER_MAIL) if "配置" in text]


@pytest.mark.parametrize("outcome", [ReloadOutcome.REFUSED, ReloadOutcome.RESTART])
async def test_what_is_not_taken_is_told_once_and_its_end_once(
    house: House, tmp_path: Path, outcome: ReloadOutcome
) -> None:
    watch = Watch(house, tmp_path)
    watch.saved(outcome)
    assert await watch.after(1) == [], "they may still be writing"
    watch.saved(outcome)
    [told] = await watch.after(1)
    assert "配置改动没有采用" in told
    assert "仍按原配置" in told
    assert "toml 第 1 行：缺少" in told
    assert len(await watch.after(30)) == 1
    watch.saved(outcome)
    assert len(await watch.after(30)) == 1
    watch.saved(ReloadOutcome.TAKEN)
    assert len(await watch.after(30)) == 2
    watch.saved(outcome)
    assert len(await watch.after(3)) == 3, "another time"
    assert len(await house.loose_journal("settings_unused")) == 2
    assert len(await house.loose_journal("settings_used_again")) == 1


async def test_what_is_mended_at_once_is_nobodys_business(house: House, tmp_path: Path) -> None:
    watch = Watch(house, tmp_path)
    watch.saved(ReloadOutcome.REFUSED)
    assert await watch.after(1) == []
    watch.saved(ReloadOutcome.TAKEN)
    assert await watch.after(10) == []
