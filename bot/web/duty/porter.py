"""Who comes in: log-ins, their cookies, and the sessions behind them."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network

from aiohttp import web

from bot.engine import Engine
from bot.intake.auth import client_address
from bot.passwords import MOST_LENGTH, hashed, matches
from bot.settings.accounts import Account
from bot.web.duty.viewer import Viewer
from bot.web.house import House
from escalation.inputs import Entry
from escalation.ledger.change import Change, Failed
from escalation.ledger.logins import Door, Logins
from escalation.ledger.sessions import Session, Sessions, name_of

AT_ONCE = 2
"""How many passwords are looked at at the same time: each takes its hash's memory."""
MOST_WAITING = 32
"""How many may wait for that; beyond it a log-in is told to come again."""
TOUCH = 60_000
"""How often a session's use is written down, in milliseconds."""
_NONE = hashed(secrets.token_hex(16))
"""What the password of an account that does not exist is held against, so that it takes as long."""


class Held(Exception):
    """Too many failures: ``wait`` milliseconds before the next try."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"{wait} ms")
        self.wait = wait


class Crowded(Exception):
    """Too many log-ins at this moment."""


class Porter:
    """Lets people in and knows them again. Methods with an ``engine`` raise the store's error."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._looking = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._open_pages: Counter[str] = Counter()

    async def viewer(self, request: web.Request, engine: Engine) -> Viewer | None:
        """Who asks, or None: no session, one that is over, or an account that is gone or has another password."""
        session_id = request.cookies.get(self.cookie_name, "")
        if not session_id:
            return None
        session = await Sessions(engine.store).find(session_id)
        if session is None:
            return None
        viewer = self._known(session_id, session)
        if viewer is None or self._over(viewer, engine.clock.now()):
            await Sessions(engine.store).end(session_id)
            return None
        if engine.clock.now() - session.used_at >= TOUCH:
            await Sessions(engine.store).touch(session_id, engine.clock.now())
        return viewer

    def _known(self, session_id: str, session: Session) -> Viewer | None:
        account = self._house.rules.settings.accounts.get(session.account)
        if account is None or not hmac.compare_digest(_proof(account), session.proof):
            return None
        return Viewer(session.account, account, session_id, session)

    def _over(self, viewer: Viewer, now: int) -> bool:
        table, session = self._house.rules.settings.duty_page, viewer.session
        if now >= self.ends_at(viewer):
            return True
        # A page that is open is in use, whatever the clock did between two of its heartbeats.
        return now - session.used_at >= table.idle_ms and not self._open_pages[name_of(viewer.session_id)]

    def ends_at(self, viewer: Viewer) -> int:
        """When this log-in is over at the latest, in milliseconds."""
        return viewer.session.opened_at + self._house.rules.settings.duty_page.longest(viewer.account)

    @contextmanager
    def page_open(self, viewer: Viewer) -> Iterator[None]:
        """While a page of the session is open, it is in use."""
        name = name_of(viewer.session_id)
        self._open_pages[name] += 1
        try:
            yield
        finally:
            self._open_pages[name] -= 1
            if not self._open_pages[name]:
                del self._open_pages[name]

    async def log_in(self, request: web.Request, engine: Engine, name: str, password: str) -> str | None:
        """The id of a new session; None for a wrong name or password. Raises :class:`Held`, :class:`Crowded`."""
        account = self._house.rules.settings.accounts.get(name)
        address, now = self.address(request), engine.clock.now()
        # Names that do not exist share a few counters, so that guessing them fills nothing.
        door = Door(name if account else f"?{sha256(name.encode('utf-8', 'replace')).hexdigest()[:2]}", address)
        logins = Logins(engine.store)
        wait = await logins.begin(door, now)
        if wait:
            raise Held(wait)
        right = await self._matches(account.password_hash if account else _NONE, password)
        if account is None or not right:
            await _note(engine, "login_failed", door.account, address)
            return None
        await logins.succeed(door, now)
        await _note(engine, "login", name, address)
        session_id = secrets.token_urlsafe(32)
        session = Session(account=name, proof=_proof(account), opened_at=now, used_at=now)
        await Sessions(engine.store).open(session_id, session)
        return session_id

    async def _matches(self, text: str, password: str) -> bool:
        if self._waiting >= MOST_WAITING:
            raise Crowded
        self._waiting += 1
        try:
            async with self._looking:
                return await asyncio.to_thread(matches, text, password[:MOST_LENGTH])
        finally:
            self._waiting -= 1

    async def log_out(self, viewer: Viewer, request: web.Request, engine: Engine) -> None:
        """End the viewer's session."""
        await Sessions(engine.store).end(viewer.session_id)
        await _note(engine, "logout", viewer.name, self.address(request))

    def address(self, request: web.Request) -> str:
        """Whom a request comes from; IPv6 by its /64, which is one household's."""
        proxies = self._house.rules.settings.hub.trusted_proxies
        found = client_address(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)
        if isinstance(found, IPv6Address):
            return str(IPv6Network((found, 64), strict=False))
        return str(found) if found is not None else "?"

    @property
    def _https(self) -> bool:
        return self._house.rules.settings.hub.public_url.startswith("https:")

    @property
    def cookie_name(self) -> str:
        """With https a name that no other host and no plain connection can set."""
        return "__Host-fenghuo" if self._https else "fenghuo"

    def give_cookie(self, response: web.Response, session_id: str) -> None:
        """Let the browser keep the session's id until it is closed."""
        response.set_cookie(
            self.cookie_name, session_id, path="/", httponly=True, samesite="Strict", secure=self._https
        )

    def take_cookie(self, response: web.Response) -> None:
        """Let the browser forget it."""
        response.del_cookie(self.cookie_name, path="/", httponly=True, samesite="Strict", secure=self._https)


def _proof(account: Account) -> str:
    return sha256(account.password_hash.encode()).hexdigest()[:32]


async def _note(engine: Engine, reason: str, account: str, address: str) -> None:
    """Log-ins stand in the journal, failed ones too."""
    now = engine.clock.now()
    entry = Entry(at=now, reason=reason, actor=account, detail={"account": account, "address": address})
    (outcome,) = await engine.ledger.commit([Change(partition=0, now=now, entries=[entry])])
    if isinstance(outcome, Failed):
        raise outcome.error
