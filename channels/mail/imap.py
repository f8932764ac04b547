"""One connection to a mailbox: log in, look for what is new, fetch, mark, wait for more (RFC 3501, 2177, 6851).

Every wait has an end. What a server says that no IMAP server says ends the connection; whoever reads the mailbox opens
the next one and goes on where it was.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import NamedTuple

from channels.certificates import certificate_words
from channels.mail.imap_wire import LITERAL, Response, WireError, folder_name, quoted, read
from channels.mail.settings import Imap
from channels.mail.trust import WrongTrustError, context_of
from channels.masking import Masker

MOST_OF_A_MAIL = 512 * 1024
"""How much of a mail is fetched, in bytes: words stand before what is attached."""
_LONGEST_LINE = 256 * 1024
_LONGEST_LITERAL = 2 * MOST_OF_A_MAIL
_MOST_RESPONSES = 20_000
_STATUS = re.compile(rb"\S+ (?:OK|NO|BAD|BYE|PREAUTH)\b", re.IGNORECASE)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_GOODBYE = 2.0


class ImapError(Exception):
    """The mailbox cannot be read now. The words are fit for a log and for people, without secrets."""


class RefusedError(ImapError):
    """The server refuses this hub: login, certificate, folder. It will not pass by itself."""


class LoginRefusedError(RefusedError):
    """The server knows no such user, or the password is wrong."""


class NotDoneError(ImapError):
    """The server did not do one command, and stays there for others."""


class Opened(NamedTuple):
    """A folder as it was opened: UIDs mean something only together with their ``validity``."""

    validity: int
    next_uid: int


class Literal(bytes):
    """What is sent as a literal."""


class Connection:
    """A logged-in connection, for one task at a time. Every method raises :class:`ImapError`."""

    def __init__(self, settings: Imap) -> None:
        self._settings = settings
        secret = settings.password.get_secret_value()
        self._mask = Masker(
            [secret, _plain(settings).decode("utf-8", "replace"), settings.reply_secret.get_secret_value()]
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._beneath: asyncio.StreamWriter | None = None
        self._partial: list[bytes] = []
        self._owed = 0
        self._count = 0
        self._abilities: frozenset[str] = frozenset()
        self._exists = 0
        self._stirred = False

    async def open(self) -> None:
        """Connect, make the line safe, log in."""
        settings = self._settings
        async with self._limit():
            secure = _trusted(settings) if settings.security != "none" else None
            self._reader, self._writer = await asyncio.open_connection(
                settings.host.strip("[]"),
                settings.real_port,
                limit=_LONGEST_LINE,
                ssl=secure if settings.security == "tls" else None,
                server_hostname=settings.host if settings.security == "tls" else None,
            )
            greeting = await self._next()
        if greeting.word not in ("OK", "PREAUTH") or greeting.tag != "*":
            raise ImapError(self._mask(f"服务器不接受连接：{greeting.word} {greeting.text}"))
        self._learn(greeting)
        if not self._abilities:
            await self._ask_abilities()
        if settings.security == "starttls" and secure is not None:
            await self._start_tls(secure)
        if greeting.word != "PREAUTH":
            await self._log_in()
        if "ID" in self._abilities:
            # Some Chinese providers open no folder to a program that has not said its name.
            with suppress(NotDoneError):
                await self._run(b'ID ("name" "fenghuo" "vendor" "fenghuo" "version" "1")')

    async def select(self) -> Opened:
        """Open the folder that is read, and make the one for what was read."""
        if self._settings.done_folder:
            with suppress(NotDoneError):
                await self._run(b"CREATE " + folder_name(self._settings.done_folder))
        try:
            responses = await self._run(b"SELECT " + folder_name(self._settings.folder))
        except NotDoneError as error:
            raise RefusedError(f"打不开邮件夹 {self._settings.folder}：{error}") from error
        said = dict(each.code.upper().split(" ", 1) for each in responses if " " in each.code)
        if not any(each.tag != "*" and each.code.upper() == "READ-WRITE" for each in responses) and any(
            each.code.upper() == "READ-ONLY" for each in responses
        ):
            raise RefusedError(f"邮件夹 {self._settings.folder} 只读，无法标记已读")
        return Opened(_number(said.get("UIDVALIDITY", "")), _number(said.get("UIDNEXT", "")))

    async def look(self) -> None:
        """Whether the folder that is read is there; nothing is made or marked."""
        try:
            await self._run(b"EXAMINE " + folder_name(self._settings.folder))
        except NotDoneError as error:
            raise RefusedError(f"打不开邮件夹 {self._settings.folder}：{error}") from error

    async def after(self, uid: int) -> list[int]:
        """The UIDs of what came after ``uid``, in their order."""
        # "*" is the last mail there is, however low its UID.
        return [each for each in await self._search(f"UID {uid + 1}:*".encode()) if each > uid]

    async def since(self, day: date) -> list[int]:
        """The UIDs of what came on ``day`` or later, in their order."""
        return await self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}".encode())

    async def fetch(self, uid: int) -> bytes | None:
        """The mail, at most :data:`MOST_OF_A_MAIL` of it, left unread; None where it is gone."""
        wanted = b"BODY.PEEK[]<0.%d>" % MOST_OF_A_MAIL
        for each in await self._run(b"UID FETCH %d (UID %b)" % (uid, wanted)):
            if each.word != "FETCH" or not each.values or not isinstance(each.values[0], list):
                continue
            pairs = each.values[0]
            found = {
                key.upper(): value
                for key, value in zip(pairs[::2], pairs[1::2], strict=False)
                if isinstance(key, bytes)
            }
            body = next((value for key, value in found.items() if key.startswith(b"BODY[]")), None)
            if found.get(b"UID") == b"%d" % uid and isinstance(body, bytes):
                return body
        return None

    async def done(self, uids: Sequence[int]) -> None:
        """These were read: mark them, and move them where the settings say so."""
        if not uids:
            return
        these = ",".join(map(str, uids)).encode()
        await self._run(b"UID STORE " + these + rb" +FLAGS.SILENT (\Seen)")
        if not self._settings.done_folder:
            return
        folder = folder_name(self._settings.done_folder)
        if "MOVE" in self._abilities:
            await self._run(b"UID MOVE " + these + b" " + folder)
        elif "UIDPLUS" in self._abilities:
            # Without it, expunging would take along what others have marked.
            await self._run(b"UID COPY " + these + b" " + folder)
            await self._run(b"UID STORE " + these + rb" +FLAGS.SILENT (\Deleted)")
            await self._run(b"UID EXPUNGE " + these)

    async def wait(self, seconds: float) -> None:
        """Until something new may have come, or so long at most."""
        if self._stirred:
            return
        if not self._settings.idle or "IDLE" not in self._abilities:
            await asyncio.sleep(seconds)
            return
        async with self._limit():
            tag = await self._send(b"IDLE")
            while (response := await self._next()).tag != "+":
                self._hear(response)
                if response.tag == tag:
                    raise ImapError(self._mask(f"服务器不肯等待：{response.text}"))
        async with self._mapped():
            try:
                async with asyncio.timeout(seconds):
                    while not self._stirred:
                        self._hear(await self._next())
            except TimeoutError:
                pass
        async with self._limit():
            await self._write(b"DONE\r\n")
            await self._until(tag)

    async def close(self) -> None:
        """Say goodbye, briefly."""
        if self._writer is None:
            return
        if not self._writer.is_closing():
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(_GOODBYE):
                    await self._write(b"bye LOGOUT\r\n")
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await self._writer.wait_closed()

    async def _log_in(self) -> None:
        settings = self._settings
        secret = settings.password.get_secret_value()
        if "AUTH=PLAIN" in self._abilities:
            proof = base64.b64encode(_plain(settings))
            short = b" " + proof if "SASL-IR" in self._abilities else b""
            command: tuple[bytes, ...] = (b"AUTHENTICATE PLAIN" + short,)
            said = b"" if short else proof + b"\r\n"
        elif "LOGINDISABLED" in self._abilities:
            raise RefusedError("服务器不允许在未加密的连接上登录，请把 security 设为 tls 或 starttls")
        else:
            names = (quoted(each) or Literal(each.encode("utf-8", "replace")) for each in (settings.username, secret))
            user, word = names
            command, said = (b"LOGIN ", user, b" ", word), b""
        try:
            responses = await self._run(*command, answer=said)
        except NotDoneError as error:
            transient = "[UNAVAILABLE]" in str(error).upper()
            raise (ImapError if transient else LoginRefusedError)(f"登录被拒：{error}") from error
        self._abilities = frozenset()
        for each in responses:
            self._learn(each)
        if not self._abilities:
            await self._ask_abilities()

    async def _start_tls(self, secure: ssl.SSLContext) -> None:
        if "STARTTLS" not in self._abilities:
            raise RefusedError("服务器不支持 STARTTLS")
        try:
            await self._run(b"STARTTLS")
        except NotDoneError as error:
            raise RefusedError(f"服务器不肯加密：{error}") from error
        async with self._limit():
            loop = asyncio.get_running_loop()
            # A reader of its own: what was sent in clear before the line was safe is never read.
            reader = asyncio.StreamReader(limit=_LONGEST_LINE)
            protocol = asyncio.StreamReaderProtocol(reader)
            plain = self._line[1].transport
            transport = await loop.start_tls(plain, protocol, secure, server_hostname=self._settings.host)
            if transport is None:
                raise ConnectionResetError("the line broke")
            reader.set_transport(transport)
            # A writer that nobody holds closes its transport, which carries the safe line now.
            self._beneath = self._writer
            self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)
            self._partial = []
        await self._ask_abilities()

    async def _ask_abilities(self) -> None:
        for each in await self._run(b"CAPABILITY"):
            self._learn(each)

    def _learn(self, response: Response) -> None:
        """Take abilities from wherever a server tells them."""
        if response.word == "CAPABILITY":
            said = b" ".join(each for each in response.values if isinstance(each, bytes)).decode("ascii", "replace")
        elif response.code.upper().startswith("CAPABILITY "):
            said = response.code[11:]
        else:
            return
        self._abilities = frozenset(said.upper().split())

    async def _search(self, what: bytes) -> list[int]:
        self._stirred = False
        found: set[int] = set()
        for each in await self._run(b"UID SEARCH " + what):
            if each.word == "SEARCH":
                found |= {int(one) for one in each.values if isinstance(one, bytes) and one.isdigit() and len(one) < 11}
        return sorted(found)

    async def _run(self, *pieces: bytes, answer: bytes = b"") -> list[Response]:
        """A command, and every response to it, its own end last. ``answer`` is sent when the server asks for more."""
        async with self._limit():
            tag = await self._send(*pieces)
            responses = await self._until(tag, answer)
        end = responses[-1]
        if end.word != "OK":
            raise NotDoneError(self._mask(f"{end.word} {end.text}"))
        return responses

    async def _send(self, *pieces: bytes) -> str:
        self._count += 1
        tag = f"f{self._count}"
        line = tag.encode() + b" "
        for piece in pieces:
            if not isinstance(piece, Literal):
                line += piece
                continue
            await self._write(line + b"{%d}\r\n" % len(piece))
            while (response := await self._next()).tag != "+":
                self._hear(response)
                if response.tag == tag:
                    raise NotDoneError(self._mask(f"{response.word} {response.text}"))
            line = bytes(piece)
        await self._write(line + b"\r\n")
        return tag

    async def _until(self, tag: str, answer: bytes = b"") -> list[Response]:
        responses: list[Response] = []
        while len(responses) < _MOST_RESPONSES:
            response = await self._next()
            if response.tag == "+":
                # Asked for what it was not to ask for: an empty line ends that.
                await self._write(answer or b"\r\n")
                answer = b""
                continue
            self._hear(response)
            responses.append(response)
            if response.tag == tag:
                return responses
        raise WireError("应答过多")

    def _hear(self, response: Response) -> None:
        if response.word == "BYE" and response.tag == "*":
            raise ImapError(self._mask(f"服务器断开了连接：{response.text}"))
        if response.word == "EXISTS":
            self._stirred = self._stirred or response.number > self._exists
            self._exists = response.number
        elif response.word == "EXPUNGE":
            self._exists -= 1

    async def _next(self) -> Response:
        """The next response. Cut off in its middle, it goes on there the next time."""
        reader = self._line[0]
        while True:
            if len(self._partial) % 2 == 0:
                line = await reader.readuntil(b"\n")
                literal = None if _STATUS.match(line) and not self._partial else LITERAL.search(line)
                self._partial.append(line)
                if literal is None:
                    parts, self._partial = self._partial, []
                    return read(parts)
                self._owed = int(literal[1])
                if self._owed > _LONGEST_LITERAL or len(self._partial) > 1000:
                    raise WireError(f"应答过长：{self._owed} 字节")
            self._partial.append(await reader.readexactly(self._owed))

    async def _write(self, data: bytes) -> None:
        writer = self._line[1]
        if writer.is_closing():
            # What some event loops write to a closed line is an error of their own.
            raise ConnectionResetError("the line is closed")
        writer.write(data)
        await writer.drain()

    @property
    def _line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None:
            raise ImapError("尚未连接")
        return self._reader, self._writer

    @asynccontextmanager
    async def _limit(self) -> AsyncIterator[None]:
        """At most so long for one command."""
        async with self._mapped():
            try:
                async with asyncio.timeout(self._settings.timeout):
                    yield
            except TimeoutError as error:
                raise ImapError(f"{self._settings.timeout:g} 秒内没有应答") from error

    @asynccontextmanager
    async def _mapped(self) -> AsyncIterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise RefusedError(self._mask(certificate_words(error))) from error
        except asyncio.IncompleteReadError as error:
            raise ImapError("服务器断开了连接") from error
        except (OSError, WireError, asyncio.LimitOverrunError, UnicodeError) as error:
            raise ImapError(self._mask(f"连接中断：{type(error).__name__} {error}")) from error


def _plain(settings: Imap) -> bytes:
    """What AUTH PLAIN says (RFC 4616)."""
    return f"\0{settings.username}\0{settings.password.get_secret_value()}".encode("utf-8", "replace")


def _trusted(settings: Imap) -> ssl.SSLContext:
    try:
        return context_of(settings)
    except WrongTrustError as error:
        raise RefusedError(str(error)) from error


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdigit() and len(text) < 11 else 0
