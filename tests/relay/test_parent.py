"""A courier process that cannot be had never stops the hub: it is tried again, and the hub sends by itself."""

from __future__ import annotations

import asyncio

import pytest

from bot.relay.frames import Begin
from bot.relay.parent import CourierProcess
from bot.tally import Tally


@pytest.mark.parametrize("broken", ["module", "system"])
async def test_it_is_tried_again(broken: str) -> None:
    tries = 0
    again = asyncio.Event()

    def begin() -> Begin:
        nonlocal tries
        tries += 1
        if tries == 2:
            again.set()
        if broken == "system" or tries == 2:
            raise OSError("no room for another process")
        return Begin("config.toml", "", False)

    courier = CourierProcess(begin, lambda: True, lambda _items: None, Tally(), module="bot.no_such_module")
    running = asyncio.create_task(courier.run())
    await again.wait()
    assert not running.done()
    assert not courier.ready
    assert not courier.give([])
    courier.restart()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
