"""Somebody who logs in to the duty page with a plain HTTP client, cookies and all, as a browser does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import aiohttp

from tests.county import PASSWORD
from tests.demo.house import House
from tests.demo.listening import Listener

NONCE = "0123456789abcdef01234567"


class Clerk:
    """One browser's worth of cookies at the duty page of a house, or of the hub at ``url``."""

    def __init__(self, house: House | None, headers: dict[str, str] | None = None, *, url: str = "") -> None:
        self.url = house.demo.url if house is not None else url
        self.password = house.demo.password if house is not None else PASSWORD
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers=headers)

    async def __aenter__(self) -> Clerk:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def get(self, path: str = "/duty", **headers: str) -> tuple[int, str]:
        given = {"Accept": "text/html", **headers}
        async with self.session.get(self.url + path, headers=given, allow_redirects=False) as response:
            return response.status, await response.text()

    async def post(self, path: str, form: dict[str, str], **headers: str) -> tuple[int, str]:
        given = {"Accept": "text/html", "Origin": self.url, **headers}
        async with self.session.post(self.url + path, data=form, headers=given, allow_redirects=False) as response:
            return response.status, await response.text()

    async def log_in(self, account: str = "qinghe-duty", password: str | None = None) -> tuple[int, str]:
        """Open the log-in page and send its form."""
        _, text = await self.get("/duty/login")
        form = {"form": hidden(text), "name": account, "password": self.password if password is None else password}
        return await self.post("/duty/login", form)

    @classmethod
    @asynccontextmanager
    async def at(cls, house: House, account: str = "qinghe-duty") -> AsyncIterator[Clerk]:
        """A clerk who has logged in."""
        async with cls(house) as clerk:
            status, text = await clerk.log_in(account)
            assert status == 303, text
            yield clerk

    async def form_token(self) -> str:
        status, text = await self.get()
        assert status == 200, text
        found = re.search(r'data-form="([0-9a-f]{64})"', text)
        assert found is not None
        return found[1]

    async def act(self, verb: str, code: str, nonce: str = NONCE, **form: str) -> tuple[int, str]:
        """Press a button; the sentence that comes back."""
        given = {"verb": verb, "code": code, "nonce": nonce, "form": await self.form_token(), **form}
        headers = {"Accept": "application/json", "Origin": self.url}
        async with self.session.post(f"{self.url}/duty/act", data=given, headers=headers) as response:
            return response.status, str((await response.json())["said"])

    async def snapshot(self) -> dict[str, Any]:
        """Everything a page of this account gets when it connects."""
        async with self.session.get(f"{self.url}/duty/stream") as response:
            assert response.status == 200
            _, state, _ = await Listener(response).next_of("snapshot")
            found: dict[str, Any] = state
            return found


def hidden(text: str) -> str:
    """The token of a page's form."""
    found = re.search(r'name="form" value="([0-9a-f]+)"', text)
    assert found is not None, text
    return found[1]
