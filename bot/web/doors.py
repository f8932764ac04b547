"""Where vendors call back: people's answers and delivery reports, for every channel whose driver reads them.

A call-back's path holds the channel's secret, and only listed addresses may use it; a wrong path, a wrong secret and a
foreign address get the same answer. A 202 says that what came is on disk.
"""

from __future__ import annotations

import hmac
import logging

from aiohttp import web

from bot.web.guards import shown_path
from bot.web.house import House
from channels.callback import Errand, Inbound, address_allowed

log = logging.getLogger(__name__)

ROUTE = "/callback/{channel}/{token}/{errand}"
_LONGEST_QUERY = 20_000
_LONGEST_BODY = 20_000


class Doors:
    """The call-back door of all channels."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def take(self, request: web.Request) -> web.Response:
        """Take one call-back: 202 when it is on disk, 503 when it should come again, 400 for rubbish."""
        driver = self._driver(request)
        if driver is None:
            log.warning("a call-back from %s to %s was not let in", request.remote, shown_path(request.path))
            raise web.HTTPNotFound
        engine = self._house.engine
        if engine is None or self._house.not_ready:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        raw = request.rel_url.raw_query_string
        if request.method == "POST":
            raw = "&".join(filter(None, (raw, await _form(request))))
        errand, now = Errand(request.match_info["errand"]), engine.clock.now()
        try:
            if len(raw) > _LONGEST_QUERY:
                raise ValueError("回调参数过长")
            params = driver.read_query(raw)
            uplink = driver.read_uplink(params, now) if errand is Errand.UPLINK else None
            report = driver.read_report(params, now) if errand is Errand.REPORT else None
        except ValueError as error:
            log.warning("a call-back of %s could not be read: %s", driver.name, error)
            raise web.HTTPBadRequest from error
        try:
            if uplink is not None:
                await engine.answering.take([uplink], now)
            if report is not None:
                await engine.report([report])
        except Exception as error:
            log.exception("a call-back of %s could not be written", driver.name)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "2"}) from error
        engine.stir()
        # Kannel sends the body of the answer to the phone as a reply; an empty one sends none.
        return web.Response(status=202)

    def _driver(self, request: web.Request) -> Inbound | None:
        name, token, errand = (request.match_info[part] for part in ("channel", "token", "errand"))
        found: object = self._house.rules.channels.get(name)
        if not isinstance(found, Inbound) or errand not in set(Errand):
            return None
        secret = found.callback_token.get_secret_value()
        if not secret or not hmac.compare_digest(token.encode("utf-8", "replace"), secret.encode()):
            return None
        return found if address_allowed(request.remote or "", found.callback_addresses) else None


async def _form(request: web.Request) -> str:
    """A urlencoded body as it was sent; anything else is not what a gateway sends."""
    if request.content_type != "application/x-www-form-urlencoded":
        return ""
    body = await request.content.read(_LONGEST_BODY + 1)
    return body.decode("ascii", "replace")
