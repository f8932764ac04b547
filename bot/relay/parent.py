"""The hub's end of the courier process: started, given rows, watched, started again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections import deque
from collections.abc import Callable

import msgspec

from bot.relay.first import Forked, Process
from bot.relay.frames import Beat, Begin, Counts, framed, read_frame
from bot.relay.frames import Rows as RowsFrame
from bot.tally import Tally
from escalation.ledger.change import OutboxItem

log = logging.getLogger(__name__)

MODULE = "bot.relay"
BEAT = 0.5
"""How often both say that they are there, in seconds."""
SILENCE = 3.0
"""Without a word for so many seconds the hub sends by itself."""
STUCK = 5.0
"""The same where it speaks, and one of its workers has come through no turn for so many seconds: the store does not
answer it, or something else fails it again and again."""
HOPELESS = 60.0
"""After so many seconds of that it is ended, and started again."""
REMEMBERED = STUCK + 2.0
"""How long rows are remembered that it was given, in seconds: until its silence would have been noticed."""
GRACE = 15.0
"""How long the courier process may take to end its sends, in seconds."""
MOST_UNREAD = 4 * 1024 * 1024
"""How many bytes of rows may wait to be read before the hub sends the next ones by itself."""
AGAIN = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a process that ended by itself is started again, the last for ever after."""


class CourierProcess:
    """Keeps one courier process. ``begin`` is asked at each start; ``may_work`` says whether the store is in order;
    ``take_back`` gets the rows given last when the process ends or falls silent (putting them again has no effect);
    ``tally`` hears of its sends. The first one is ``first``, where that was forked."""

    def __init__(
        self,
        begin: Callable[[], Begin],
        may_work: Callable[[], bool],
        take_back: Callable[[list[OutboxItem]], None],
        tally: Tally,
        *,
        module: str = MODULE,
        first: Forked | None = None,
    ) -> None:
        self._first = first
        self._begin = begin
        self._may_work = may_work
        self._take_back = take_back
        self._tally = tally
        self._given: deque[tuple[float, list[OutboxItem]]] = deque()
        self._module = module
        self._writer: asyncio.StreamWriter | None = None
        self._heard = float("-inf")
        self._stuck = 0.0
        self._wanted_end = False

    @property
    def ready(self) -> bool:
        """Whether it is there, has said so lately, and gets on."""
        if self._writer is None or self._wanted_end or self._stuck > STUCK:
            return False
        return asyncio.get_running_loop().time() - self._heard < SILENCE

    def give(self, items: list[OutboxItem]) -> bool:
        """Hand rows over; False where they are still the caller's."""
        writer = self._writer
        if writer is None or not self.ready or writer.transport.get_write_buffer_size() > MOST_UNREAD:
            return False
        writer.write(framed(RowsFrame.of(items)))
        now = asyncio.get_running_loop().time()
        while self._given and self._given[0][0] < now - REMEMBERED:
            self._given.popleft()
        self._given.append((now, items))
        return True

    def _want_back(self) -> None:
        """What it was given last may not have reached a mailbox."""
        items = [item for _, given in self._given for item in given]
        self._given.clear()
        if items:
            self._take_back(items)

    def restart(self) -> None:
        """The configuration changed: the present process ends its sends, the next one reads the new files. One that is
        only being started reads them anyway."""
        if self._writer is not None:
            self._wanted_end = True
            self._writer.close()

    async def run(self) -> None:
        """Start it and start it again, until cancelled."""
        self._tally.apart = False
        failures = 0
        while True:
            begun = asyncio.get_running_loop().time()
            self._wanted_end = False
            try:
                await self._once()
            except (OSError, msgspec.DecodeError):
                # Without it the hub sends by itself: no reason to stop.
                log.exception("the courier process could not be started or understood")
            if self._wanted_end:
                failures = 0
                continue
            if asyncio.get_running_loop().time() - begun > 60:
                failures = 0
            pause = AGAIN[min(failures, len(AGAIN) - 1)]
            failures += 1
            log.error("the courier process ended by itself; the hub sends alone and starts it again in %.1f s", pause)
            await asyncio.sleep(pause)

    async def _once(self) -> None:
        """One life of the process."""
        first = framed(self._begin())
        ours, process = await self._process()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        writer.write(first)
        self._writer = writer
        beating = asyncio.create_task(self._beat(writer), name="beats to the courier process")
        try:
            while (frame := await read_frame(reader)) is not None:
                if isinstance(frame, Counts):
                    self._tally.hear(frame.sends, frame.good_at, frame.under_way)
                    self._notice(frame.stuck)
                if self._heard == float("-inf"):
                    log.info("a courier process sends for this hub: process %d", process.pid)
                self._heard = asyncio.get_running_loop().time()
        finally:
            self._writer, self._heard, self._stuck = None, float("-inf"), 0.0
            self._tally.under_way, self._tally.apart = 0, False
            beating.cancel()
            writer.close()
            self._want_back()
            await _end(process)

    async def _process(self) -> tuple[socket.socket, Process]:
        """The next process, and the hub's end of its socket."""
        first, self._first = self._first, None
        if first is not None:
            return first.socket, first
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                return ours, await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    self._module,
                    str(theirs.fileno()),
                    pass_fds=(theirs.fileno(),),
                    stdin=asyncio.subprocess.DEVNULL,
                )
        except BaseException:
            ours.close()
            raise

    def _notice(self, stuck: float) -> None:
        before, self._stuck = self._stuck, stuck
        if stuck > STUCK >= before:
            log.error("the courier process has come through no turn for %.0f s; the hub sends by itself", stuck)
        elif before > STUCK >= stuck:
            log.warning("the courier process gets on again, and sends for this hub")

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while True:
            self._tally.apart = self.ready
            if self._heard > float("-inf") and not self.ready:
                self._want_back()
            if self._stuck > HOPELESS:
                writer.close()
                return
            writer.write(framed(Beat(self._may_work())))
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(BEAT)


async def _end(process: Process) -> None:
    """Its end of the socket is closed: it ends its sends and goes; what does not go is killed, as a crash would be."""
    try:
        async with asyncio.timeout(GRACE):
            await process.wait()
    except TimeoutError:
        log.warning("the courier process did not end in time")
        process.kill()
        await process.wait()
