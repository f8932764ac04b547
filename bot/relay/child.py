"""The courier process's own end: an engine that only sends, on the hub's store, for as long as the hub is there."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import aiohttp
import uvloop

from bot.clock import WallClock
from bot.door import guest_door
from bot.engine import Engine, Part
from bot.logs import configure, trail
from bot.process import collect_seldom
from bot.relay.frames import Beat, Begin, Counts, Rows, framed, read_frame
from bot.relay.parent import BEAT, SILENCE
from bot.rules import Rules
from bot.sessions import open_channels, vendor_session
from bot.settings.load import load
from bot.settings.models import Settings
from bot.settings.operation import Log
from bot.web.links import links_of
from channels.channel import Channel
from escalation.ledger.meta import read_meta

log = logging.getLogger(__name__)

Open = Callable[[Settings, aiohttp.ClientSession], Mapping[str, Channel]]
"""How the channels of a configuration are opened."""


def main(descriptor: int, channels: Open = open_channels) -> int:
    """Send until the hub's end of the socket closes; the exit code."""
    # A signal to the whole group (Ctrl-C, a stopped service) is the hub's to hear: it closes the socket.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    configure(Log())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_live(descriptor, channels))


async def _live(descriptor: int, channels: Open) -> int:
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=descriptor))
    begin = await read_frame(reader)
    if not isinstance(begin, Begin):
        return 1
    settings = load(Path(begin.config)).settings
    if settings is None:
        log.error("the configuration has errors now; the hub goes on by itself")
        return 1
    configure(settings.log)
    async with vendor_session() as session:
        opened = channels(settings, session)
        engine = await _engine(settings, opened, begin)
        engine.ledger.told = trail
        collect_seldom()
        try:
            await _Life(engine, reader, writer).run()
        finally:
            for channel in opened.values():
                await channel.close()
    return 0


async def _engine(settings: Settings, channels: Mapping[str, Channel], begin: Begin) -> Engine:
    door = guest_door(settings, Path(begin.socket) if begin.socket else None, waitaof=begin.waitaof)
    meta = await read_meta(door)
    if meta is None:
        raise RuntimeError("the hub makes the store before it starts a courier process")
    folder = settings.hub.data / "journal"
    links = links_of(settings)
    return Engine(door, meta, Rules.of(settings, channels), WallClock(), journal_folder=folder, link_for=links.link_for)


class _Life:
    """The engine between the hub's frames."""

    def __init__(self, engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._work_until = float("-inf")
        engine.turns.may_work = lambda: self._loop.time() < self._work_until

    async def run(self) -> None:
        """Until the hub is gone; then what is under way ends in order."""
        working = asyncio.create_task(self._engine.run(Part.SENDING), name="sending")
        beating = asyncio.create_task(self._beat(), name="beats to the hub")
        listening = asyncio.create_task(self._listen(), name="the hub's frames")
        try:
            await asyncio.wait({working, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (beating, listening, working):
                task.cancel()
            ended = await asyncio.gather(working, beating, listening, return_exceptions=True)
            self._writer.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _listen(self) -> None:
        while (frame := await read_frame(self._reader)) is not None:
            if isinstance(frame, Beat):
                # A hub that is stopped in its tracks cannot say whether its store is still the right one.
                self._work_until = self._loop.time() + SILENCE if frame.work else float("-inf")
            elif isinstance(frame, Rows):
                self._engine.fanout.give(frame.items())
                self._engine.stir()

    async def _beat(self) -> None:
        while True:
            self._writer.write(framed(Beat(True)))
            sends, good_at = self._engine.tally.taken()
            self._writer.write(framed(Counts(sends, good_at, self._engine.courier.under_way, self._engine.turns.stuck)))
            await asyncio.sleep(BEAT)
