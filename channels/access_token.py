"""An access token: fetched once for all who wait, renewed before it ends, dropped when its vendor refuses it.

The vendors limit how often a token may be asked for, and give everybody the same one while it holds: so each hub
process keeps its own (docs/decisions/0030).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.outcome import Outcome

EARLY = 300_000
"""How long before its end a token is renewed, in milliseconds."""
REST = 5_000
"""How long after a failure nobody asks again, in milliseconds: a storm must not become a storm of logins."""
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
    """Keeps one token. Time is given with each call (the hub's, in milliseconds); nothing here looks at a clock."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._token: Token | None = None
        self._failure: tuple[Outcome, int] | None = None

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
