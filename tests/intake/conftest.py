"""A real server on loopback, with the door in it and a hub in memory behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.intake.door import ROUTE, RUNNER_OPTIONS, DoorLimits, events_handler
from tests.intake.memory_gate import TOKEN, MemoryGate
from tests.intake.samples import encoded
from tests.intake.schemas import check

LIMITS = DoorLimits(body=20_000, inflated=100_000, items=50, seconds=0.5)
CLOUD_EVENT = "application/cloudevents+json"


@dataclass
class Answer:
    """An answer whose body has passed its schema."""

    status: int
    headers: dict[str, str]
    json: dict[str, Any] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        return str(self.json["type"]).rpartition("#")[2]


@dataclass
class House:
    """The running door."""

    gate: MemoryGate
    url: str
    host: str
    port: int
    session: aiohttp.ClientSession

    async def post(
        self,
        document: object,
        *,
        source: str = "token",
        headers: Mapping[str, str | None] | None = None,
        data: Any = None,
    ) -> Answer:
        """Post a document (or ``data`` as it is) with the token; a header given as None is left out."""
        given: dict[str, str | None] = {"Content-Type": CLOUD_EVENT, "Authorization": f"Bearer {TOKEN}"}
        sent = {name: value for name, value in (given | dict(headers or {})).items() if value is not None}
        skip = () if "Content-Type" in sent else ("Content-Type",)
        body = encoded(document) if data is None else data
        url = f"{self.url}/events/{source}"
        async with self.session.post(url, data=body, headers=sent, skip_auto_headers=skip) as response:
            answer = Answer(response.status, dict(response.headers), await response.json(content_type=None))
            expected = "application/json" if response.status == 202 else "application/problem+json"
            assert response.content_type == expected
        check("verdicts" if answer.status == 202 else "problem", answer.json)
        assert answer.status == 202 or answer.status == answer.json["status"]
        return answer


@pytest.fixture
async def house() -> AsyncIterator[House]:
    gate = MemoryGate()
    application = web.Application()
    application.router.add_post(ROUTE, events_handler(gate, LIMITS))
    runner = web.AppRunner(application, access_log=None, **RUNNER_OPTIONS)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:
        yield House(gate, f"http://{host}:{port}", host, port, session)
    await runner.cleanup()
