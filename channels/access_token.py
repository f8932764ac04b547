"""An access token: fetched once for all who wait, renewed before it ends, dropped when its vendor refuses it.

The vendors limit how often a token may be asked for, and give everybody the same one while it holds: so each hub
process keeps its own (docs/decisions/0030).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from channels.exchange import limits_for
from channels.outcome import Outcome, OutcomeKind

Found = TypeVar("Found")

EARLY = 300_000
"""How long before its end a token is renewed, in milliseconds."""
REST = 5_000
"""How long after a failure nobody asks again, in milliseconds: a storm must not become a storm of logins."""
LEAST = 0.5
"""Less time than this, in seconds, is not enough for another exchange."""
LONGEST_TOKEN = 512
"""No vendor's token is longer, in characters."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the hub's time in milliseconds from which another one is asked for."""

    value: str
    until: int


Fetch = Callable[[], Awaitable[tuple[str, int] | Outcome]]
"""Asks the vendor: the token and how many seconds it holds, or why there is none."""


class TokenKeeper:
    """Keeps one token, which its vendor calls ``name``. Whether it holds goes by the hub's time, given with each call
    in milliseconds. ``advice`` says what to look at where a vendor refuses even a new one."""

    def __init__(self, fetch: Fetch, *, name: str, advice: str) -> None:
        self._fetch = fetch
        self._name = name
        self._advice = advice
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._failure: tuple[Outcome, int] | None = None

    async def use(
        self, now: int, seconds: float, work: Callable[[str, aiohttp.ClientTimeout], Awaitable[Found | None]]
    ) -> Found | Outcome:
        """What ``work`` makes of a token in the time that is left; once more, with another token, where it says None:
        that its vendor refuses this one. ``seconds`` are for all of it, the login too."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        refused = ""
        for _ in range(2):
            try:
                async with asyncio.timeout_at(end - LEAST):
                    token = await self.get(now, refused=refused)
            except TimeoutError:
                return Outcome(OutcomeKind.TRANSIENT, f"等待 {self._name} 超时，消息未发出")
            if isinstance(token, Outcome):
                return token
            found = await work(token, limits_for(max(end - loop.time(), LEAST)))
            if found is not None:
                return found
            refused = token
        return Outcome(OutcomeKind.MISCONFIGURED, f"平台两次拒绝 {self._name}：{self._advice}")

    async def get(self, now: int, *, refused: str = "") -> str | Outcome:
        """A token that holds at ``now``, or the outcome that says why there is none.

        ``refused`` is a token that the vendor has just refused: another is asked for, unless somebody already has.
        Many may ask at once; one request leaves.
        """
        async with self._lock:
            token = self._token
            if token is not None and now < token.until and token.value != refused:
                return token.value
            if self._failure is not None and self._failure[1] <= now < self._failure[1] + REST:
                return self._failure[0]
            fetched = await self._fetch()
            if isinstance(fetched, Outcome):
                self._failure = fetched, now
                return fetched
            value, seconds = fetched
            self._failure = None
            # A token of a few minutes, or one that the vendor gives again though it refused it, is not kept long.
            self._token = Token(value, now + max(seconds * 1000 - EARLY, seconds * 500))
            return value
