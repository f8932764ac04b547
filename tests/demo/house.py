"""A running demonstration, and what tests ask of it: events through the real door, links, incidents."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bot.demo.demo import Demo, running
from bot.engine import Engine
from escalation.incident import Incident
from tests.county import one_password

DUST = "91000000DEM0000019"
STEEL = "91000000DEM000002C"
ALUMINIUM = "91000000DEM000003F"
POINTS = {DUST: "DC01-T01", STEEL: "BF1-CO-03", ALUMINIUM: "CAST-F02"}


@dataclass
class House:
    """The demo with a client of its own."""

    demo: Demo
    session: aiohttp.ClientSession

    @property
    def engine(self) -> Engine:
        assert self.demo.hub.engine is not None
        return self.demo.hub.engine

    async def post(self, kind: str, enterprise: str = DUST, *, name: str = "", point: str = "", **alarm: Any) -> str:
        """An event through the intake door; the incident's code. ``name`` is that of an enterprise without a code."""
        event = {
            "specversion": "1.0",
            "id": f"test-{self.demo.clock.now()}-{kind}",
            "source": "/test",
            "type": kind,
            "data": {
                "enterprise": {"uscc": enterprise} if enterprise else {"name": name},
                "point": {"code": POINTS[enterprise]} if enterprise else {"code": "X-1", "name": point},
                "alarm": {"severity": "high_high", "value": 97.2, "limit": 95} | alarm,
            },
        }
        headers = {"Authorization": f"Bearer {self.demo.token}"}
        async with self.session.post(f"{self.demo.url}/events/demo", json=event, headers=headers) as response:
            answer = await response.json(content_type=None)
            assert response.status == 202, answer
        code: str = answer["items"][0]["code"]
        return code

    async def incident(self, code: str) -> Incident:
        found = (await self.engine.ledger.get_many([code]))[0]
        assert found is not None
        return found

    async def link(self, code: str, person: str) -> str:
        """The path of a person's own page about an incident."""
        incident = await self.incident(code)
        notice = next(each for each in incident.notices.values() if each.to.person == person)
        return self.demo.hub.links.link_for(incident, notice).removeprefix(self.demo.url)

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.demo.url + path, headers={"Accept": "text/html", **headers}) as response:
            return response.status, await response.text()

    async def send(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, str]:
        """Post a form as a browser does."""
        given = {"Accept": "text/html", "Origin": self.demo.url, **headers}
        async with self.session.post(self.demo.url + path, data=form, headers=given) as response:
            return response.status, await response.text()

    async def form(self, path: str) -> dict[str, str]:
        """The hidden fields of the page's forms."""
        status, text = await self.get(path)
        assert status == 200, text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([0-9a-f]+)">', text))
        assert set(fields) == {"form", "nonce"}
        return fields

    async def until(self, code: str, holds: Callable[[Incident], bool]) -> Incident:
        """The incident as soon as ``holds`` is true of it: looked at whenever the engine has done something."""
        changed = asyncio.Event()
        self.demo.hub.changed.append(changed.set)
        while not holds(found := await self.incident(code)):
            await changed.wait()
            changed.clear()
        return found


@asynccontextmanager
async def _house_in(folder: Path) -> AsyncIterator[House]:
    with one_password():
        async with running(folder / "demo", 0) as demo, aiohttp.ClientSession() as session:
            yield House(demo, session)


@pytest.fixture
async def plain_house(tmp_path: Path) -> AsyncIterator[House]:
    async with _house_in(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def house_beside_the_browser(tmp_path: Path) -> AsyncIterator[House]:
    async with _house_in(tmp_path) as opened:
        yield opened


@pytest.fixture
def house(request: pytest.FixtureRequest) -> House:
    """In the event loop of its test, which for a test with a browser is that of the browser."""
    browsing = request.node.get_closest_marker("chromium") is not None
    found: House = request.getfixturevalue("house_beside_the_browser" if browsing else "plain_house")
    return found
