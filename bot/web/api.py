"""``GET /api/incidents`` and ``/api/incidents/{code}``: reading, for other systems, with a bearer token."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging

import msgspec
from aiohttp import web
from redis.exceptions import RedisError

from bot.engine import Engine
from bot.inquiry import told
from bot.intake.auth import Address, client_address, listed
from bot.settings.operation import ApiToken
from bot.store.errors import StoreError
from bot.unreadable import line_of_unreadable
from bot.web.house import House
from bot.web.incidents import Wrong, page_of, read_query, within
from bot.web.problems import problem
from escalation.ledger.keys import read_code
from escalation.ledger.states import Damaged

log = logging.getLogger(__name__)

STORIES_AT_ONCE = 2
"""A story may be read from many files; the alarms to come go first."""


class Api:
    """The readers' side. Nothing here changes anything."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._buckets: dict[str, tuple[float, int]] = {}
        self._stories = asyncio.Semaphore(STORIES_AT_ONCE)

    async def incidents(self, request: web.Request) -> web.Response:
        """A page of ``docs/schema/incidents.schema.json``."""
        let_in = self._let_in(request)
        if isinstance(let_in, web.Response):
            return let_in
        reader, engine = let_in
        try:
            query = read_query(_once(request), frozenset(reader.units))
            page = await page_of(engine, self._house.rules.directory, query)
        except Wrong as error:
            return problem("bad_request", 400, error.zh, error.en)
        except (StoreError, RedisError, OSError) as error:
            return _unavailable(error)
        return _json(page)

    async def incident(self, request: web.Request) -> web.Response:
        """A story of ``docs/schema/show.schema.json``. Out of scope is as if it were not there."""
        let_in = self._let_in(request)
        if isinstance(let_in, web.Response):
            return let_in
        reader, engine = let_in
        code = read_code(request.match_info["code"])
        if code is None:
            return problem("bad_request", 400, "不是编号，应如 A0231", "that is no code such as A0231")
        try:
            (incident,) = await engine.ledger.find_many([code])
            if isinstance(incident, Damaged):
                line = line_of_unreadable(incident)
                return problem("unreadable_incident", 500, line.todo, line.todo_en)
            if incident is None or not within(incident, frozenset(reader.units)):
                return problem("unknown_incident", 404, f"没有编号为 {code} 的警情", f"there is no incident {code}")
            async with self._stories:
                return _json(await told(incident, engine.journal, engine.presence, self._house.rules.directory))
        except (StoreError, RedisError, OSError) as error:
            return _unavailable(error)

    def _let_in(self, request: web.Request) -> tuple[ApiToken, Engine] | web.Response:
        """The reader and the engine, or why not."""
        found = self._reader(request)
        if found is None:
            log.warning("a reader from %s was not let in", self._address(request))
            return problem("unauthorised", 401, "令牌不对，或来源地址不在允许之列", "wrong token or address")
        name, reader = found
        wait = self._pace(name)
        if wait:
            return problem("busy", 429, "请求过快，请稍后再读", "too fast, read again later", retry_after=wait)
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            zh, _, en = self._house.not_ready.partition("\n")
            zh = zh or "存储尚未打开"
            return problem("unavailable", 503, zh, en or "the store is not open yet", retry_after=5)
        return reader, engine

    def _reader(self, request: web.Request) -> tuple[str, ApiToken] | None:
        """Whose token it is. Every token is compared, whole, so that the time tells nothing."""
        settings = self._house.rules.settings
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = _digest(token.strip() if scheme.lower() == "bearer" else "")
        found: tuple[str, ApiToken] | None = None
        for name, reader in settings.api.tokens.items():
            if hmac.compare_digest(_digest(reader.token.get_secret_value()), given):
                found = name, reader
        if found is None:
            return None
        return found if not found[1].allow or listed(self._address(request), found[1].allow) else None

    def _address(self, request: web.Request) -> Address | None:
        forwarded = request.headers.getall("X-Forwarded-For", [])
        return client_address(request.remote or "", forwarded, self._house.rules.settings.hub.trusted_proxies)

    def _pace(self, name: str) -> int:
        """Seconds after which this reader may ask again; 0 when now."""
        table, now = self._house.rules.settings.api, self._house.clock.now()
        level, at = self._buckets.get(name, (0.0, now))
        level = max(0.0, level - max(0, now - at) / 1000 * table.rate)
        if level + 1 > table.burst:
            self._buckets[name] = (level, now)
            return max(1, round((level + 1 - table.burst) / table.rate))
        self._buckets[name] = (level + 1, now)
        return 0


def add_api(app: web.Application, house: House) -> None:
    """The two routes."""
    api = Api(house)
    app.router.add_get("/api/incidents", api.incidents)
    app.router.add_get("/api/incidents/{code}", api.incident)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _once(request: web.Request) -> dict[str, str]:
    """The parameters, each given once. Raises Wrong."""
    given: dict[str, str] = {}
    for name, value in request.query.items():
        if name in given:
            raise Wrong(f"参数 {name[:40]} 写了两次", f"{name[:40]} is given twice")
        given[name] = value
    return given


def _json(content: msgspec.Struct) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=msgspec.json.encode(content), content_type="application/json", headers=headers)


def _unavailable(error: Exception) -> web.Response:
    log.warning("the store did not answer a reader: %s", error)
    return problem("unavailable", 503, "存储没有应答，请稍后再读", "the store did not answer", retry_after=2)
