"""A county whose store is behind a proxy, and one whose text message gateway is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from yarl import URL

from tests.faults.proxy import Proxy
from tests.hubs.sentinels import Server, until
from tests.serve.conftest import town
from tests.serve.town import Town

__all__ = ["town"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A store that somebody else runs."""
    made = Server(tmp_path / "store")
    until(made.answers)
    yield made
    made.close()


@pytest.fixture
async def store_wire(town: Town, server: Server) -> AsyncIterator[Proxy]:
    """The wire between the town's hub and its store."""
    async with Proxy(server.port).listening() as wire:
        town.edit("[pages]", f'[store]\nurl = "redis://127.0.0.1:{wire.port}"\n\n[pages]')
        town.store_url = f"redis://127.0.0.1:{server.port}"
        yield wire


@pytest.fixture
async def sms_wire(town: Town) -> AsyncIterator[Proxy]:
    """The wire between the town's hub and its text message gateway."""
    (line,) = (line for line in town.config.read_text("utf-8").splitlines() if "/cgi-bin/sendsms" in line)
    url = URL(line.partition('"')[2].rstrip('"'))
    assert url.port is not None
    async with Proxy(url.port).listening() as wire:
        town.edit(str(url), str(url.with_port(wire.port)))
        yield wire
