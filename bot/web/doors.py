"""Where vendors call back: people's answers and delivery reports, for every channel whose driver reads them.

A call-back's path holds the channel's secret, and only listed addresses may use it; a wrong path, a wrong secret and a
foreign address get the same answer. The vendor's own word for "received" is said when what came is on disk. A vendor
that signs its call-backs needs no secret in the path (:meth:`Doors.listen`); it calls again after silence and never
after an error, so what cannot be kept is not answered.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from contextlib import suppress

from aiohttp import web

from bot.intake.auth import Address, client_address
from bot.keeping import Keeping
from bot.unread import whole
from bot.web.guards import shown_path
from bot.web.house import House
from channels.callback import (
    LONGEST_BODY,
    LONGEST_QUERY,
    Call,
    Errand,
    Heard,
    Inbound,
    Listener,
    NotOursError,
    Thanks,
    address_allowed,
)

log = logging.getLogger(__name__)

ROUTE = "/callback/{channel}/{token}/{errand}"
SIGNED_ROUTE = "/callback/{channel}"
MOST_WAITING = 256
"""How many call-backs may wait for a store that is away; what is beyond is told by silence at once."""
AGAIN = 0.1
"""How long a call-back waits before it asks an absent store again, in seconds."""


class Doors:
    """The call-back door of all channels."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting = 0
        self._keeping = Keeping()

    async def take(self, request: web.Request) -> web.Response:
        """Take one call-back: the vendor's answer when it is on disk, 503 when it should come again, 400 for
        rubbish, which is in quarantine then."""
        driver = self._driver(request)
        if driver is None:
            log.warning("a call-back from %s to %s was not let in", self._caller(request), shown_path(request.path))
            raise web.HTTPNotFound
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        now, errand = engine.clock.now(), Errand(request.match_info["errand"])
        call, too_long = await _call(request, errand)
        refused: ValueError | None = None
        try:
            if too_long:
                raise ValueError(too_long)
            heard = driver.read_call(call, now)
        except ValueError as error:
            log.warning("a call-back of %s could not be read: %s", driver.name, error)
            # Only the vendor knows the secret of this door: what it means must not be lost with its 400.
            refused, heard = error, Heard((), Thanks(), whole(call, str(error)))
        try:
            await self._keep(heard, driver.name, errand, now)
        except Exception as error:
            log.exception("a call-back of %s could not be written", driver.name)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"}) from error
        if refused is not None:
            raise web.HTTPBadRequest from refused
        return _thanked(heard.thanks)

    async def _keep(self, heard: Heard, channel: str, errand: Errand, now: int) -> None:
        engine = self._house.engine
        if engine is None:
            # It went while the call arrived: nothing is kept, so nobody may be thanked.
            raise ConnectionError("the store has gone")
        await self._keeping.keep(engine, heard, channel, errand, now)

    async def listen(self, request: web.Request) -> web.Response:
        """Take one signed call-back: the vendor's answer when it is on disk, 403 or 400 for what is not the vendor's,
        a broken connection when it cannot be kept in time."""
        driver: object = self._house.rules.channels.get(request.match_info["channel"])
        if not isinstance(driver, Listener) or not driver.listens:
            raise web.HTTPNotFound
        call, too_long = await _call(request, Errand.UPLINK)
        try:
            if too_long:
                raise ValueError(too_long)
            heard = driver.read_call(call, self._house.clock.now())
        except NotOursError as error:
            log.warning("a call-back of %s from %s was not let in: %s", driver.name, self._caller(request), error)
            raise web.HTTPForbidden from error
        except ValueError as error:
            log.warning("a call-back of %s could not be read: %s", driver.name, error)
            raise web.HTTPBadRequest from error
        if (heard.items or heard.unreadable) and not await self._kept(heard, driver):
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("a call-back that could not be kept is not answered")
        return _thanked(heard.thanks)

    async def _kept(self, heard: Heard, driver: Listener) -> bool:
        """Whether what came is on disk, asking a store that is away again for as long as the vendor waits."""
        if self._waiting >= MOST_WAITING:
            log.error("a call-back of %s was not kept: too many wait for the store", driver.name)
            return False
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(driver.patience):
                    while not await self._is_kept(heard, driver):  # noqa: ASYNC110 (no store tells of its return)
                        await asyncio.sleep(AGAIN)
                return True
        finally:
            self._waiting -= 1
        log.error("a call-back of %s was not kept: the store did not take it in time", driver.name)
        return False

    async def _is_kept(self, heard: Heard, driver: Listener) -> bool:
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            return False
        try:
            await self._keep(heard, driver.name, Errand.UPLINK, engine.clock.now())
        except Exception:
            log.exception("a call-back of %s could not be written", driver.name)
            return False
        return True

    def _driver(self, request: web.Request) -> Inbound | None:
        name, token, errand = (request.match_info[part] for part in ("channel", "token", "errand"))
        found: object = self._house.rules.channels.get(name)
        if not isinstance(found, Inbound) or errand not in found.callback_errands:
            return None
        secret = found.callback_token.get_secret_value()
        if not secret or not hmac.compare_digest(token.encode("utf-8", "replace"), secret.encode()):
            return None
        return found if address_allowed(str(self._caller(request)), found.callback_addresses) else None

    def _caller(self, request: web.Request) -> Address | None:
        proxies = self._house.rules.settings.hub.trusted_proxies
        return client_address(request.remote or "", request.headers.getall("X-Forwarded-For", []), proxies)


async def _call(request: web.Request, errand: Errand) -> tuple[Call, str]:
    """The call as it came, and in words where it is too long; then it is what was read of it."""
    query, body = request.rel_url.raw_query_string, bytearray()
    too_long = "回调参数过长" if len(query) > LONGEST_QUERY else ""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LONGEST_BODY:
            too_long = "回调内容过长"
            break
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(errand, request.method, query, headers, bytes(body)), too_long


def _thanked(thanks: Thanks) -> web.Response:
    return web.Response(status=thanks.status, body=thanks.body, content_type=thanks.content_type or None)
