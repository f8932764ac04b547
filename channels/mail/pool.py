"""A few SMTP connections that stay open between mails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib

from channels.mail.settings import Settings
from channels.mail.trust import context_of

_ASK_TIMEOUT = 5.0


class Pool:
    """At most ``settings.connections`` open connections, each used by one mail at a time, the warmest first.

    Servers close what is silent for minutes: a connection that rested longer than ``trusted`` seconds is asked first.
    """

    __slots__ = ("_context", "_free", "_settings", "_trusted", "_turns")

    def __init__(self, settings: Settings, trusted: float = 20.0) -> None:
        self._trusted = trusted
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.connections)
        self._free: list[tuple[float, aiosmtplib.SMTP]] = []
        self._context: ssl.SSLContext | None = None

    @asynccontextmanager
    async def connection(self, *, fresh: bool = False) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is open and logged in; ``fresh`` for a new one although old ones rest.

        Afterwards it rests for the next mail, unless the block raised or the connection broke. Raises what aiosmtplib
        raises when no connection can be made, and ssl errors.
        """
        async with self._turns:
            smtp = None if fresh else await self._rested()
            if smtp is None:
                smtp = self._new()
                await smtp.connect()
            try:
                yield smtp
            except BaseException:
                smtp.close()
                raise
            if smtp.is_connected:
                self._free.append((asyncio.get_running_loop().time(), smtp))

    async def close(self) -> None:
        """Say goodbye on every resting connection."""
        while self._free:
            _, smtp = self._free.pop()
            try:
                await smtp.quit(timeout=_ASK_TIMEOUT)
            except (aiosmtplib.SMTPException, OSError):
                smtp.close()

    async def _rested(self) -> aiosmtplib.SMTP | None:
        while self._free:
            since, smtp = self._free.pop()
            if asyncio.get_running_loop().time() - since < self._trusted:
                return smtp
            try:
                answer = await smtp.noop(timeout=_ASK_TIMEOUT)
            except (aiosmtplib.SMTPException, OSError):
                smtp.close()
                continue
            if answer.code == 250:
                return smtp
            smtp.close()
        return None

    def _new(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.real_port,
            username=settings.username or None,
            password=settings.password.get_secret_value() or None,
            local_hostname=settings.own_domain,
            timeout=settings.timeout,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls() if settings.security != "none" else None,
        )

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = context_of(self._settings)
        return self._context
