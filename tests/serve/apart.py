"""A way to a server that one process can be cut off from, while another goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ports import free_port

HOST = "127.0.0.1"


class Apart:
    """Listens on ``port`` and hands on to ``to``; whoever is ``cut`` off is hung up on at once."""

    def __init__(self, to: int) -> None:
        self.port = free_port()
        self.refused = 0
        self._to = to
        self._cut: set[int] = set()
        self._open: dict[asyncio.StreamWriter, int] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Apart]:
        server = await asyncio.start_server(self._serve, HOST, self.port)
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.transport.abort()

    def cut(self, pid: int) -> None:
        """This process's connections end, and it gets no other."""
        self._cut.add(pid)
        for writer in list(self._open):
            if _owns(pid, self._open[writer]):
                writer.transport.abort()

    def mend(self) -> None:
        self._cut.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs: int = writer.get_extra_info("peername")[1]
        if any(_owns(pid, theirs) for pid in self._cut):
            self.refused += 1
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(HOST, self._to)
        self._open[writer] = theirs
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer), return_exceptions=True)
        del self._open[writer]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _owns(pid: int, port: int) -> bool:
    """Whether a process holds the socket whose own port is this one."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inodes = {row[9] for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    try:
        held = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    return any(f"socket:[{inode}]" in held for inode in inodes)
