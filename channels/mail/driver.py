"""Sends letters by SMTP and sorts what the server answers at each step of the conversation; reads what comes back.

Until the message itself is handed over nothing can have been accepted, so a kept connection that broke in the
meantime is replaced and the letter tried again at once. From then on a lost answer is ``uncertain``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

import aiohttp
import aiosmtplib

from channels.certificates import certificate_words
from channels.channel import Abilities, Form, Letter, ReceiptKind
from channels.greeting import Greeting, Standing, barrier
from channels.mail.greeting import greet_mailbox
from channels.mail.incoming import Reader
from channels.mail.message import WrongContentError, WrongRecipientError, compose, envelope_id
from channels.mail.pool import Pool
from channels.mail.seal import Seal
from channels.mail.settings import Settings
from channels.mail.trust import WrongTrustError
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind

_NOTIFY = {"failure": "FAILURE,DELAY", "all": "SUCCESS,FAILURE,DELAY"}
# RFC 4954: these mean that the login is missing or wrong, whatever command they answer.
_LOGIN_CODES = (530, 534, 535, 538)


@dataclass(slots=True)
class _Progress:
    """How far a conversation came: a connection stood, the message may have left."""

    connected: bool = False
    handed_over: bool = False


class Driver:
    """One mail a letter, over a pool of kept connections. ``reader`` reads what came into the channel's mailbox, None
    where it has none."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_mask", "_pool", "_seal", "_settings", "abilities", "name", "reader")

    def __init__(self, name: str, settings: Settings, _session: aiohttp.ClientSession) -> None:
        """The session is what HTTP channels share; mail has connections of its own."""
        self.name = name
        imap = settings.imap
        self._seal = Seal(imap.reply_secret.get_secret_value()) if imap is not None else None
        own = frozenset({settings.sender_address.lower(), settings.answer_address.lower()})
        self.reader = Reader(name, self._seal, own) if self._seal is not None else None
        self.abilities = Abilities(
            kind=settings.kind,
            word="邮件",
            form=Form.MAIL,
            personal=True,
            links=True,
            replies=imap is not None,
            receipts=_receipts(settings),
            at_once=settings.connections,
            timeout=settings.timeout,
        )
        self._settings = settings
        self._pool = Pool(settings)
        password = settings.password.get_secret_value()
        # The second form is what AUTH PLAIN sends.
        self._mask = Masker([password, f"\0{settings.username}\0{password}" if password else ""])

    async def send(self, letter: Letter) -> Outcome:
        try:
            message = compose(letter, self._settings, self._seal)
        except WrongRecipientError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        except WrongContentError as error:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(error))
        progress = _Progress()
        try:
            async with asyncio.timeout(self.abilities.timeout):
                try:
                    return await self._talk(letter, message, progress)
                except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
                    if progress.handed_over or not progress.connected:
                        raise
                return await self._talk(letter, message, progress, fresh=True)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return self._failure(error, progress)

    @property
    def settings(self) -> Settings:
        """The channel's table."""
        return self._settings

    async def greet(self, at: int) -> Greeting:  # noqa: ARG002 (a mail server tells no time)
        """Connect, log in, NOOP; and log in to the mailbox that is read."""
        imap = self._settings.imap
        if imap is None:
            return await self._greet_server()
        sends, reads = await asyncio.gather(self._greet_server(), greet_mailbox(imap))
        worse, where = (reads, ("imap", *reads.where)) if sends.standing.good else (sends, sends.where)
        return Greeting(worse.standing, f"发信：{sends.detail}；收信：{reads.detail}", where)

    async def _greet_server(self) -> Greeting:
        try:
            async with asyncio.timeout(self.abilities.timeout), self._pool.connection(fresh=True) as smtp:
                answer = await smtp.noop()
                known = "，已登录" if self._settings.username else "，不需要登录"
                return Greeting(Standing.WELL, self._said(answer.code, answer.message) + known)
        except aiosmtplib.SMTPAuthenticationError as error:
            return Greeting(Standing.WRONG_KEY, self._said(error.code, error.message), ("password",))
        except aiosmtplib.SMTPResponseException as error:
            wrong = error.code in _LOGIN_CODES
            return Greeting(Standing.WRONG_KEY if wrong else Standing.REFUSED, self._said(error.code, error.message))
        except WrongTrustError as error:
            return Greeting(Standing.CERTIFICATE, str(error), ("ca_file",))
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPTimeoutError, OSError) as error:
            found = barrier(error, self._mask)
            return found if found.standing is not Standing.UNCLEAR else Greeting(Standing.NO_ROUTE, found.detail)
        except (aiosmtplib.SMTPException, ValueError) as error:
            return Greeting(Standing.REFUSED, self._mask(f"{type(error).__name__} {error}"))

    async def close(self) -> None:
        await self._pool.close()

    async def _talk(self, letter: Letter, message: bytes, progress: _Progress, *, fresh: bool = False) -> Outcome:
        async with self._pool.connection(fresh=fresh) as smtp:
            progress.connected = True
            refusal = await self._address(smtp, letter)
            if refusal is not None:
                # Take back what was begun, so that the connection is clean for the next letter.
                await _reset(smtp)
                return refusal
            progress.handed_over = True
            try:
                answer = await smtp.data(message)
            except aiosmtplib.SMTPDataError as error:
                await _reset(smtp)
                return self._data_refused(error)
            return Outcome(OutcomeKind.ACCEPTED, self._said(answer.code, answer.message))

    async def _address(self, smtp: aiosmtplib.SMTP, letter: Letter) -> Outcome | None:
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        mail_options: list[str] = []
        rcpt_options: list[str] = []
        if smtp.supports_extension("dsn") and self._settings.receipts != "off":
            envelope = _xtext(envelope_id(letter, self._seal))
            mail_options += ["RET=HDRS", *([f"ENVID={envelope}"] if envelope else [])]
            rcpt_options.append(f"NOTIFY={_NOTIFY[self._settings.receipts]}")
        try:
            await smtp.mail(self._settings.sender_address, options=mail_options)
        except aiosmtplib.SMTPSenderRefused as error:
            return self._sender_refused(error)
        try:
            await smtp.rcpt(letter.address, options=rcpt_options)
        except aiosmtplib.SMTPRecipientRefused as error:
            return self._recipient_refused(error)
        return None

    def _sender_refused(self, error: aiosmtplib.SMTPResponseException) -> Outcome:
        kind = OutcomeKind.REFUSED_CONTENT if error.code == 552 else OutcomeKind.MISCONFIGURED
        return self._answered(error, kind)

    def _recipient_refused(self, error: aiosmtplib.SMTPResponseException) -> Outcome:
        return self._answered(error, OutcomeKind.REFUSED_RECIPIENT)

    def _data_refused(self, error: aiosmtplib.SMTPResponseException) -> Outcome:
        # An answer that is no SMTP answer says nothing about the message that was handed over before it.
        if not 400 <= error.code < 600:
            return Outcome(OutcomeKind.UNCERTAIN, self._said(error.code, error.message))
        return self._answered(error, OutcomeKind.REFUSED_CONTENT)

    def _answered(self, error: aiosmtplib.SMTPResponseException, permanent: OutcomeKind) -> Outcome:
        detail = self._said(error.code, error.message)
        if error.code in _LOGIN_CODES:
            return Outcome(OutcomeKind.MISCONFIGURED, detail)
        return Outcome(permanent if 500 <= error.code < 600 else OutcomeKind.TRANSIENT, detail)

    def _failure(self, error: Exception, progress: _Progress) -> Outcome:
        """An outcome for what broke the conversation off."""
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return self._answered(error, OutcomeKind.MISCONFIGURED)
        detail = self._mask(f"{type(error).__name__} {error}")
        if progress.handed_over:
            return Outcome(OutcomeKind.UNCERTAIN, f"已发出，未收到应答：{detail}")
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._answered(error, OutcomeKind.MISCONFIGURED)
        certificate = certificate_words(error)
        if certificate:
            return Outcome(OutcomeKind.MISCONFIGURED, self._mask(f"{certificate}：{detail}"))
        if isinstance(error, (OSError, aiosmtplib.SMTPTimeoutError)):
            return Outcome(OutcomeKind.TRANSIENT, f"未连上或连接中断：{detail}")
        # Neither a network's nor a server's failure: an extension that is missing, an address no command can hold.
        return Outcome(OutcomeKind.MISCONFIGURED, detail)

    def _said(self, code: int, words: str) -> str:
        return self._mask(f"{code} {words}")


def _receipts(settings: Settings) -> frozenset[ReceiptKind]:
    """What returned mails may tell, where they are read."""
    if settings.imap is None:
        return frozenset()
    told = {ReceiptKind.UNDELIVERED}
    return frozenset(told | {ReceiptKind.DELIVERED} if settings.receipts == "all" else told)


async def _reset(smtp: aiosmtplib.SMTP) -> None:
    try:
        await smtp.rset()
    except (aiosmtplib.SMTPException, OSError):
        smtp.close()


def _xtext(text: str) -> str:
    """RFC 3461's way to write any text in an SMTP option, at most 100 characters."""
    written = ""
    for byte in text.encode("utf-8", "replace"):
        step = chr(byte) if 0x21 <= byte <= 0x7E and byte not in b"+=" else f"+{byte:02X}"
        if len(written) + len(step) > 100:
            break
        written += step
    return written
