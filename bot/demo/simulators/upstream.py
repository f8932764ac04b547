"""An upstream system that receives the hub's webhooks and verifies them as Standard Webhooks says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received, begin, lose_answer
from channels.standard_webhooks import ID, Verification, verify


class Upstream:
    """Takes signed messages at ``/hook`` and drops those whose id it has.

    ``repeats`` counts them. ``now`` gives milliseconds. :attr:`Fault.REFUSE` answers with its ``code`` as status.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        channel: str = "webhook",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self.repeats = 0
        self.refused: list[Verification] = []
        self._secrets = list(secrets)
        self._now = now
        self._channel = channel
        self._known: set[str] = set()

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    def forget(self) -> None:
        """Start anew: no message was seen before."""
        self._known.clear()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._hook)
        return app

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        fault, code, played = await begin(request, self.faults)
        if played is not None:
            return played
        if fault is Fault.REFUSE:
            return web.Response(status=code, headers={"Retry-After": "11"}, text="refused as told")
        verified = verify(self._secrets, request.headers, raw, self._now() // 1000)
        if verified is not Verification.OK:
            self.refused.append(verified)
            return web.Response(status=401, text=verified)
        message_id = request.headers[ID]
        if message_id in self._known:
            self.repeats += 1
        else:
            self._known.add(message_id)
            text = raw.decode("utf-8", "replace")
            await self.inbox.add(Received(self._channel, request.path, text, message_id, self._now(), raw))
        if fault is not None:
            return await lose_answer(request, fault, b"taken, thank you")
        return web.Response(status=204)
