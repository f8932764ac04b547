"""Who holds a line: one hub at a time, over deaths and stores that are away; and who hears of it when nobody can."""

from __future__ import annotations

import asyncio

import pytest

from bot import longlines as module
from bot.channel_states import channels_now
from bot.longlines import LongLines
from bot.mailroom.trouble import PATIENCE
from bot.tally import Tally
from channels.dingtalk.stream_link import Link
from tests.longlines.conftest import CAO, LIN, Line
from tests.store.real_server import eventually
from tests.workers.house import KEEPER, KEEPER_MAIL, SECOND


async def test_a_hub_that_dies_between_keeping_and_thanking_acts_once(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = line.start()
    await line.up()
    code = await line.alarm()
    kept = asyncio.Event()

    async def dies(_self: Link, _frame: object) -> None:
        kept.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(Link, "_answer", dies)
        await line.vendor.write(LIN, f"签收 {code}", line.house._session)
        await kept.wait()
        await line.kill(dying, monkeypatch)
    assert line.gateway.unanswered
    assert not line.start("hub-b").done()
    line.house.push(module.LEASE)
    await line.heard()
    assert line.gateway.opened == 2
    assert len(await line.signatures(code)) == 1
    assert sum("已记录签收" in text for text in line.told(LIN)) == 1


async def test_several_hubs_hold_one_line_and_the_next_takes_over(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    first = line.start("hub-a")
    await line.up()
    second = line.start("hub-b")
    assert not line.start("hub-c").done()
    for _ in range(3):
        line.house.push(2 * SECOND)
        await line.gateway.ping()
    code = await line.alarm()
    assert (line.gateway.most_at_once, line.gateway.opened) == (1, 1)
    await line.end(first)
    await line.up(2)
    assert line.gateway.most_at_once == 1
    await line.kill(second, monkeypatch)
    line.house.push(module.LEASE)
    await line.says(LIN, f"签收 {code}")
    assert len(await line.signatures(code)) == 1
    assert line.gateway.most_at_once == 1


async def test_a_line_that_breaks_is_made_again_and_nothing_is_lost(line: Line) -> None:
    line.hold()
    await line.up()
    code = await line.alarm()
    await line.gateway.cut()
    await line.says(LIN, f"签收 {code}")
    assert len(await line.signatures(code)) == 1
    assert line.gateway.opened == 2


async def test_while_the_store_is_away_the_line_stays_and_nothing_is_thanked_for(line: Line) -> None:
    line.hold()
    await line.up()
    code = await line.alarm()
    line.house.door.failing += ["inbox_put"]
    await line.vendor.write(LIN, f"签收 {code}", line.house._session)
    await line.heard()
    assert line.house.door.failing == []
    assert len(await line.signatures(code)) == 1
    assert line.gateway.opened == 1


async def deaf(line: Line) -> list[str]:
    """The channels that ``fenghuo channels`` shows as hearing nothing."""
    found = await channels_now(line.house.engine, Tally(), line.house.clock.now())
    return [each.name for each in found.channels if each.state is not None and each.state.deaf_since]


async def test_a_wrong_key_is_told_once_and_once_when_it_is_well(line: Line) -> None:
    right = line.gateway._keys
    line.gateway._keys = (right[0], "another")
    line.hold()

    async def told() -> bool:
        return bool(await line.house.loose_journal("line_broken"))

    await eventually(told)
    await line.house.engine.rest()
    texts = [text for text in line.house.texts(KEEPER) + line.house.texts(KEEPER_MAIL) if "长连接无法建立" in text]
    assert texts
    assert "fake-client-secret" not in "".join(texts)
    assert await deaf(line)
    line.gateway._keys = right
    await line.up()

    async def healed() -> bool:
        return bool(await line.house.loose_journal("line_well_again"))

    await eventually(healed)
    assert len(await line.house.loose_journal("line_broken")) == 1
    assert not await deaf(line)


async def test_a_line_that_cannot_be_made_for_a_while_is_told_when_it_lasts(line: Line) -> None:
    line.gateway.closed_for_now = True
    line.hold()

    async def tried() -> bool:
        return line.gateway.refused >= 2

    await eventually(tried)
    assert await line.house.loose_journal("line_broken") == []
    line.house.push(PATIENCE)

    async def told() -> bool:
        return bool(await line.house.loose_journal("line_broken"))

    await eventually(told)


async def test_lines_follow_the_configuration(line: Line) -> None:
    lines = asyncio.create_task(LongLines(lambda: line.house.engine.rules, lambda: line.house.engine).run())
    try:
        await line.up()
        line.house.reload(lambda text: text.replace("请核实", "请立即核实"))
        for _ in range(3):
            await asyncio.sleep(module.LOOK)
        assert (line.gateway.opened, line.gateway.closed) == (1, 0), "a line goes on where its own table is the same"
        line.house.reload(lambda text: text.replace('inbound = "stream"', 'inbound = "stream"\nstream_ping = 20'))
        await line.up(2)
        assert line.gateway.most_at_once == 1
        line.house.reload(lambda text: text.replace('form = "card"\ncard_template', "card_template"))
        await line.up(3)
        line.house.reload(lambda text: text.replace('inbound = "stream"', 'inbound = "none"'))
        await line.gateway.until(lambda: not line.gateway.lines)
    finally:
        lines.cancel()
        await asyncio.gather(lines, return_exceptions=True)
    assert line.cards(CAO) == []
