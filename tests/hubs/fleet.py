"""Three hubs as an administrator runs them: a data folder and a port each, one store, one address before them all."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.store.client import Store
from bot.store.external import connect
from tests.ports import free_port
from tests.serve.nursery import Nursery
from tests.serve.town import Town, town_in

HOST = "127.0.0.1"
TIMEOUT = 2
"""How long a send may take in a fleet, in seconds: so that what a hub has in its hand is not so for long."""


class Balancer:
    """What stands before several hubs: each connection goes to the next hub that is meant to answer."""

    def __init__(self, ports: list[int]) -> None:
        self.resting: set[int] = set()
        self._ports = ports
        self._turn = itertools.cycle(ports)
        self._open: dict[asyncio.StreamWriter, int] = {}

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, HOST, port)
        try:
            yield
        finally:
            server.close()
            for port in self._ports:
                self.rest(port)

    def rest(self, port: int) -> None:
        """This hub gets no connection until it is taken out of ``resting``; those it has are cut."""
        self.resting.add(port)
        for writer, to in list(self._open.items()):
            if to == port:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = next((each for each in itertools.islice(self._turn, len(self._ports)) if each not in self.resting), 0)
        try:
            there_reader, there_writer = await asyncio.open_connection(HOST, port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer: port, there_writer: port}
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer), return_exceptions=True)
        for each in (writer, there_writer):
            self._open.pop(each, None)
            each.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Fleet:
    """``front`` is the address and the vendors, without a hub of its own; ``hubs`` are the processes."""

    def __init__(self, front: Town, hubs: list[Town], balancer: Balancer, url: str) -> None:
        self.front = front
        self.hubs = hubs
        self._balancer = balancer
        self.store_url = url

    async def start(self) -> None:
        for hub in self.hubs:
            hub.launch()
        for hub in self.hubs:
            await hub.until_ready()

    async def kill(self, hub: Town) -> None:
        await hub.kill()
        self._balancer.rest(hub.port)

    async def start_again(self, hub: Town) -> None:
        await hub.start()
        self._balancer.resting.discard(hub.port)

    def pause(self, hub: Town) -> None:
        """SIGSTOP: it stands still in the middle of whatever it does, and knows nothing of it."""
        assert hub.hub is not None
        hub.hub.send_signal(signal.SIGSTOP)
        self._balancer.rest(hub.port)

    def wake(self, hub: Town) -> None:
        assert hub.hub is not None
        hub.hub.send_signal(signal.SIGCONT)
        self._balancer.resting.discard(hub.port)

    def store(self) -> Store:
        """A client of the store; to be closed."""
        return connect(self.store_url)

    async def verified(self) -> list[dict[str, Any]]:
        """What each hub says of the journal, by its own anchor and its own files."""
        return [await hub.ask("/verify") for hub in self.hubs]


@asynccontextmanager
async def fleet_in(folder: Path, nursery: Nursery, url: str, *, more: str = "") -> AsyncIterator[Fleet]:
    """A county of three hubs on the store at ``url``, with ``more`` lines in its ``[store]``; not started yet."""
    async with town_in(folder, nursery) as front:
        front.edit("[pages]", f'[store]\nurl = "{url}"\n{more}\n[pages]')
        front.store_url = url
        text = front.config.read_text("utf-8")
        quick = re.sub(r'(\[channels\.[^\]]+\]\nkind = "\w+"\n)', rf"\g<1>timeout = {TIMEOUT}\n", text)
        assert quick != text
        front.config.write_text(quick, "utf-8")
        hubs = [_beside(front, folder / f"hub{number}") for number in range(3)]
        balancer = Balancer([hub.port for hub in hubs])
        async with balancer.listening(front.port):
            try:
                yield Fleet(front, hubs, balancer, url)
            finally:
                for hub in hubs:
                    if hub.hub is not None:
                        with contextlib.suppress(ProcessLookupError):
                            hub.hub.send_signal(signal.SIGCONT)
                    await hub.kill()


def _beside(front: Town, folder: Path) -> Town:
    """Another machine with the same configuration, its secrets too; only where it listens is its own."""
    shutil.copytree(front.config.parent, folder)
    hub = front.beside(folder, free_port())
    hub.edit(f"\nport = {front.port}\n", f"\nport = {hub.port}\n")
    return hub
