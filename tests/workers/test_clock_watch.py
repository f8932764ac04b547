"""A clock that is set under the hub, or was while none ran: the maintainers hear of it, once each time."""

from __future__ import annotations

from bot.clock_watch import ClockWatch
from tests.workers.house import EVENING, KEEPER_MAIL, MINUTE, House


class Wall:
    """A clock that can be set, beside one that only runs on."""

    def __init__(self, at: int) -> None:
        self.steady = 0
        self._ahead = at

    def now(self) -> int:
        return self._ahead + self.steady

    def set(self, by: int) -> None:
        self._ahead += by


class Watch:
    def __init__(self, house: House) -> None:
        self.house = house
        self.wall = Wall(EVENING)
        self.watch = ClockWatch(lambda: house.engine, self.wall, lambda: self.wall.steady / 1000)

    async def after(self, milliseconds: int, *, set_by: int = 0) -> list[str]:
        """What the keeper has heard of the clock, so much time and such a change later."""
        self.wall.steady += milliseconds
        self.wall.set(set_by)
        self.house.push(milliseconds)
        await self.watch.step()
        await self.house.engine.rest()
        return [text for text in self.house.texts(KEEPER_MAIL) if "系统时钟" in text]


async def test_a_clock_that_is_set_is_told_once_each_time(house: House) -> None:
    watch = Watch(house)
    assert await watch.after(600 * MINUTE) == [], "it only went on"
    assert await watch.after(2000, set_by=-20_000) == [], "what a time service does"
    [back] = await watch.after(2000, set_by=-62 * MINUTE)
    assert "被调后 62 分钟" in back
    assert "会晚 62 分钟" in back
    assert len(await watch.after(2000)) == 1
    heard = await watch.after(2000, set_by=45_000)
    assert len(heard) == 2
    assert "向前跳了 45 秒" in heard[1]
    rows = await house.loose_journal("clock_set")
    assert [row.detail["by"] for row in rows] == [-62 * MINUTE, 45_000]


async def test_what_was_found_at_a_start_is_told_too(house: House) -> None:
    watch = Watch(house)
    watch.watch.found(EVENING, -5_000)
    assert await watch.after(1000) == []
    watch.watch.found(EVENING, -24 * 60 * MINUTE)
    [told] = await watch.after(1000)
    assert "被调后 1440 分钟" in told


async def test_while_there_is_no_engine_it_waits(house: House) -> None:
    engine = house.engine
    wall = Wall(EVENING)
    here: list[House] = []
    watch = ClockWatch(lambda: engine if here else None, wall, lambda: wall.steady / 1000)
    wall.set(-10 * MINUTE)
    await watch.step()
    here.append(house)
    await watch.step()
    await engine.rest()
    assert len([text for text in house.texts(KEEPER_MAIL) if "系统时钟" in text]) == 1
