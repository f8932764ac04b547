"""Sources that fall silent: told to the maintainers once, and once when they are back, whichever hub leads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.silence import SilentSources, silent
from bot.store.client import Store
from tests.workers.house import KEEPER_MAIL, MINUTE, House, house_on


def watched(text: str) -> str:
    return text.replace("[sources.demo]\n", '[sources.demo]\nsilent_after = "10m"\n')


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with house_on(store, tmp_path, watched) as opened:
        yield opened


class Watch:
    """A hub that leads; ``restart`` makes it a fresh one."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.restart()

    def restart(self) -> None:
        self._watch = SilentSources(lambda: self.house.engine, self.house.clock.now())

    async def after(self, minutes: int) -> list[str]:
        """What the keeper has heard of sources, so many minutes later, looked at each minute."""
        for _ in range(minutes):
            self.house.push(MINUTE)
            await self._watch.step()
        await self.house.engine.rest()
        return [text for text in self.house.texts(KEEPER_MAIL) if "数据源" in text]

    def heard(self) -> None:
        self.house.engine.hearing.hear("demo", self.house.clock.now())


async def test_silence_is_told_once_and_its_end_once(house: House) -> None:
    watch = Watch(house)
    watch.heard()
    assert await watch.after(10) == []
    told = await watch.after(1)
    assert len(told) == 1
    assert "数据源 demo 没有数据" in told[0]
    assert "已超过 10 分钟" in told[0]
    assert len(await watch.after(30)) == 1
    watch.heard()
    back = await watch.after(1)
    assert len(back) == 2
    assert "数据源 demo 已恢复" in back[1]
    assert len(await watch.after(9)) == 2
    assert len(await watch.after(2)) == 3, "silent again"
    assert len(await house.loose_journal("source_silent")) == 2
    assert len(await house.loose_journal("source_heard_again")) == 1


async def test_another_hub_knows_that_it_was_told(house: House) -> None:
    watch = Watch(house)
    watch.heard()
    assert len(await watch.after(11)) == 1
    watch.restart()
    assert len(await watch.after(30)) == 1
    watch.heard()
    assert len(await watch.after(1)) == 2


async def test_while_no_hub_ran_no_source_was_silent(house: House) -> None:
    watch = Watch(house)
    watch.heard()
    assert await watch.after(5) == []
    house.push(600 * MINUTE)
    watch.restart()
    assert await watch.after(10) == []
    assert len(await watch.after(1)) == 1


async def test_one_that_never_said_anything_is_told_as_well(house: House) -> None:
    watch = Watch(house)
    assert await watch.after(10) == []
    (told,) = await watch.after(3)
    assert "以来一条也没有" in told


async def test_a_source_of_which_nobody_said_how_long_is_none(house: House) -> None:
    sources = house.settings.sources
    without = {name: table.model_copy(update={"silent_after": None}) for name, table in sources.items()}
    assert silent(without, {}, house.clock.now()) == {}
    assert silent(sources, {"demo": house.clock.now()}, house.clock.now() + 11 * MINUTE)["demo"]
