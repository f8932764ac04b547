"""A mail server: takes, parses and stores mails; refuses recipients, asks for a login, offers DSN and STARTTLS."""

from __future__ import annotations

import asyncio
import email
import re
import ssl
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from bot.demo.simulators.vendor import Fault, Faults, Inbox, Now, Received

_DSN_OPTIONS = re.compile(rb"\s(?:RET|ENVID|NOTIFY|ORCPT)=\S+", re.IGNORECASE)


class MailServer:
    """One server in the running loop. A message's address is its first recipient, its text the plain part.

    ``now`` gives milliseconds. ``refuses`` maps recipients to what RCPT answers. ``login`` is the one user and password
    (None: nobody has to log in). ``tls`` is offered by STARTTLS, or (``wrapped``) spoken from the first byte. Faults
    are played when the whole mail has come; :attr:`Fault.REFUSE` answers with its ``code``, :attr:`Fault.GARBAGE` with
    what is no SMTP. ``connections`` and ``noops`` are counted, ``options`` are those of DSN.
    """

    def __init__(
        self,
        now: Now,
        on_message: Callable[[Received], Awaitable[None]] | None = None,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        wrapped: bool = False,
        data_size_limit: int = 1_000_000,
        channel: str = "smtp_mail",
    ) -> None:
        self.inbox = Inbox(on_message)
        self.faults = Faults()
        self.refuses: dict[str, str] = {}
        self.sender_refusal = ""
        self.connections = 0
        self.noops = 0
        self.options: Counter[str] = Counter()
        self._now = now
        self._login = login
        self._tls = tls
        self._wrapped = wrapped
        self._limit = data_size_limit
        self._channel = channel
        self._open: set[_Conversation] = set()

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Serve until the block ends; gives the port."""
        loop = asyncio.get_running_loop()
        wrapping = self._tls if self._wrapped else None
        server = await loop.create_server(self._conversation, host, port, ssl=wrapping)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            self.faults.release()
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        """Break every open connection, as a server does that is restarted."""
        for each in list(self._open):
            if each.transport is not None:
                each.transport.close()

    def _conversation(self) -> _Conversation:
        if not self._wrapped:
            return _Conversation(self, self._tls, self._login, self._limit)
        with warnings.catch_warnings():
            # It knows only lines that were made safe by STARTTLS, and warns of a login over any other.
            warnings.simplefilter("ignore", UserWarning)
            return _Conversation(self, None, self._login, self._limit, safe=True)

    def opened(self, conversation: _Conversation) -> None:
        self.connections += 1
        self._open.add(conversation)

    def closed(self, conversation: _Conversation) -> None:
        self._open.discard(conversation)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls its hooks by the commands' names
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_NOOP(  # noqa: N802
        self, _server: SMTP, _session: Session, _envelope: Envelope, _arg: str
    ) -> str:
        self.noops += 1
        return "250 OK"

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_refusal:
            return self.sender_refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.refuses.get(address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        taken = self.faults.take()
        fault, code = taken or (None, 0)
        match fault:
            case Fault.REFUSE:
                return f"{code} refused as told"
            case Fault.STATUS_500:
                return "451 4.3.0 local error in processing"
            case Fault.GARBAGE:
                return "login please"
            case Fault.HANG:
                await self.faults.hang()
                return "451 4.4.2 too late"
            case Fault.DROP_BEFORE:
                _break(server)
                return "421 gone"
            case _:
                await self._store(envelope)
        if fault is not None:
            _break(server)
        return "250 2.0.0 taken"

    async def _store(self, envelope: Envelope) -> None:
        raw = bytes(envelope.original_content or b"")
        parsed = email.message_from_bytes(raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        plain = parsed.get_body(("plain",))
        text = str(plain.get_content()) if plain is not None else ""
        subject = str(parsed["Subject"] or "")
        address = str(envelope.rcpt_tos[0])
        await self.inbox.add(Received(self._channel, address, text, subject, self._now(), raw))


class _Conversation(SMTP):
    """aiosmtpd's protocol, which knows no DSN options, with those taken out and counted first."""

    def __init__(
        self,
        owner: MailServer,
        tls: ssl.SSLContext | None,
        login: tuple[str, str] | None,
        limit: int,
        *,
        safe: bool = False,
    ) -> None:
        self._owner = owner
        super().__init__(
            owner,
            hostname="mail.demo.invalid",
            tls_context=tls,
            data_size_limit=limit,
            auth_required=login is not None and (safe or tls is not None),
            auth_require_tls=tls is not None,
            authenticator=_authenticator(login) if login else None,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._owner.opened(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.closed(self)
        super().connection_lost(error)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(self._without_dsn(arg))

    def _without_dsn(self, arg: str | None) -> str | None:
        if arg is None:
            return None
        raw = arg.encode("utf-8", "surrogateescape")
        self._owner.options.update(each.decode("ascii", "replace").strip() for each in _DSN_OPTIONS.findall(raw))
        return _DSN_OPTIONS.sub(b"", raw).decode("utf-8", "surrogateescape")


def _authenticator(login: tuple[str, str]) -> Callable[[SMTP, Session, Envelope, str, Any], AuthResult]:
    expected = (login[0].encode(), login[1].encode())

    def check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == expected
        return AuthResult(success=right, handled=False)

    return check


def _break(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()
