"""A mailbox server: one mailbox, read by IMAP. Strict about its client: what it does not know is BAD.

It has what the hub uses: CAPABILITY, ID, LOGIN, AUTHENTICATE PLAIN, CREATE, SELECT, EXAMINE, UID SEARCH, FETCH, STORE
and MOVE, IDLE, LOGOUT, with literals.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.demo.simulators.vendor import Now

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_SET = re.compile(r"\d+(?:,\d+)*")
_ABILITIES = "IMAP4rev1 ID IDLE UIDPLUS MOVE"


@dataclass
class Kept:
    """One mail of the mailbox. ``at`` in ms."""

    uid: int
    raw: bytes
    at: int
    flags: set[str] = field(default_factory=set)


class MailboxServer:
    """One mailbox of one user. ``needs_id``: no folder opens before the client has said its name, as with 163;
    ``abilities`` is what it offers besides the login; while ``holding`` no mail is marked, and ``held`` says that one
    was to be. ``refuses`` are UIDs it does not hand out; with ``refuses_lines`` it hangs up on whoever calls. Commands
    are kept in ``commands``."""

    def __init__(
        self,
        now: Now,
        login: tuple[str, str],
        *,
        validity: int = 1,
        abilities: str = _ABILITIES,
        mechanisms: str = "AUTH=PLAIN",
        needs_id: bool = False,
    ) -> None:
        self.login = login
        self.validity = validity
        self.abilities = abilities
        self.mechanisms = mechanisms
        self.needs_id = needs_id
        self.mails: list[Kept] = []
        self.folders: dict[str, list[Kept]] = {}
        self.commands: list[str] = []
        self.refuses: set[int] = set()
        self.refuses_lines = False
        self.holding = False
        self.held = asyncio.Event()
        self._now = now
        self._next = 1
        self._news = asyncio.Condition()
        self._open: set[asyncio.StreamWriter] = set()

    async def deliver(self, raw: bytes) -> int:
        """A mail arrives; its UID."""
        async with self._news:
            self.mails.append(Kept(self._next, raw, self._now()))
            self._next += 1
            self._news.notify_all()
        return self.mails[-1].uid

    async def until(self, uid: int, flag: str = "\\Seen") -> None:
        """Wait until a mail came and has this flag, or is gone again."""

        def done() -> bool:
            return uid < self._next and all(flag in each.flags for each in self.mails if each.uid == uid)

        async with self._news:
            await self._news.wait_for(done)

    def renumber(self, validity: int) -> None:
        """The mailbox gets another validity, and its mails other UIDs, as after a move to another machine."""
        self.validity = validity
        for place, each in enumerate(self.mails, 101):
            each.uid = place
        self._next = 101 + len(self.mails)

    @property
    def next_uid(self) -> int:
        return self._next

    @asynccontextmanager
    async def listening(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Serve until the block ends; gives the port."""
        server = await asyncio.start_server(self._serve, host, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            self.hang_up()
            await server.wait_closed()

    def hang_up(self) -> None:
        """Break every connection."""
        for each in list(self._open):
            each.transport.abort()

    async def changed(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def wait_for_more(self, than: int) -> None:
        """Until a mail with a UID beyond ``than`` is there."""
        async with self._news:
            await self._news.wait_for(lambda: any(each.uid > than for each in self.mails))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        if self.refuses_lines:
            writer.transport.abort()
        try:
            await _Conversation(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


class _Conversation:
    def __init__(self, box: MailboxServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._box = box
        self._reader = reader
        self._writer = writer
        self._known = self._named = self._selected = False

    async def run(self) -> None:
        await self._say(f"* OK [CAPABILITY {self._abilities}] mailbox of the demonstration")
        while True:
            line = await self._line()
            tag, _, rest = line.partition(" ")
            word, _, said = rest.partition(" ")
            word = word.upper()
            self._box.commands.append(rest if word not in ("LOGIN", "AUTHENTICATE") else word)
            if word == "LOGOUT":
                await self._say("* BYE", f"{tag} OK bye")
                return
            if word == "UID":
                first, _, said = said.partition(" ")
                word = f"UID {first.upper()}"
            await self._say(f"{tag} {await self._do(word, said)}")

    @property
    def _abilities(self) -> str:
        return self._box.abilities if self._known else f"{self._box.abilities} {self._box.mechanisms}"

    async def _do(self, word: str, said: str) -> str:
        match word:
            case "CAPABILITY":
                await self._say(f"* CAPABILITY {self._abilities}")
                return "OK done"
            case "LOGIN":
                return self._let_in(tuple(_strings(said)))
            case "AUTHENTICATE":
                return self._let_in(await self._plain(said))
        if not self._known:
            return "BAD log in first"
        match word:
            case "ID":
                self._named = True
                await self._say("* ID NIL")
                return "OK done"
            case "CREATE":
                name = _strings(said)[0]
                if name in self._box.folders:
                    return "NO [ALREADYEXISTS] it is there"
                self._box.folders[name] = []
                return "OK done"
            case "SELECT" | "EXAMINE":
                return await self._select(said, word)
        return await self._inside(word, said) if self._selected else "BAD select first"

    async def _inside(self, word: str, said: str) -> str:
        """What is done in a folder."""
        match word:
            case "UID SEARCH":
                return await self._search(said)
            case "UID FETCH":
                return await self._fetch(said)
            case "UID STORE":
                return await self._store(said)
            case "UID MOVE" if "MOVE" in self._box.abilities:
                return await self._move(said)
            case "IDLE" if "IDLE" in self._box.abilities:
                return await self._idle()
            case _:
                return "BAD what is that"

    def _let_in(self, login: tuple[str, ...]) -> str:
        self._known = login == self._box.login
        return f"OK [CAPABILITY {self._abilities}] in" if self._known else "NO [AUTHENTICATIONFAILED] wrong"

    async def _plain(self, said: str) -> tuple[str, ...]:
        mechanism, _, first = said.partition(" ")
        if mechanism.upper() != "PLAIN":
            return ()
        if not first:
            await self._say("+ ")
            first = (await self._reader.readline()).decode("ascii").strip()
        try:
            return tuple(base64.b64decode(first, validate=True).decode("utf-8").split("\0")[1:])
        except (binascii.Error, UnicodeError):
            return ()

    async def _select(self, said: str, word: str) -> str:
        if self._box.needs_id and not self._named:
            return "NO SELECT Unsafe Login"
        if _strings(said) != ["INBOX"]:
            return "NO [NONEXISTENT] no such folder"
        self._selected = True
        await self._say(
            f"* {len(self._box.mails)} EXISTS",
            f"* OK [UIDVALIDITY {self._box.validity}] valid",
            f"* OK [UIDNEXT {self._box.next_uid}] next",
        )
        return "OK [READ-WRITE] selected" if word == "SELECT" else "OK [READ-ONLY] examined"

    async def _search(self, said: str) -> str:
        mails = self._box.mails
        if after := re.fullmatch(r"UID (\d+):\*", said):
            # The last mail belongs to it however low its UID.
            found = [each.uid for each in mails if each.uid >= int(after[1]) or each is mails[-1]]
        elif since := re.fullmatch(r"SINCE (\d{1,2}-[A-Z][a-z]{2}-\d{4})", said):
            day = datetime.strptime(since[1], "%d-%b-%Y").replace(tzinfo=UTC)
            found = [each.uid for each in mails if datetime.fromtimestamp(each.at / 1000, UTC) >= day]
        else:
            return "BAD search for what"
        await self._say("* SEARCH" + "".join(f" {uid}" for uid in found))
        return "OK done"

    async def _fetch(self, said: str) -> str:
        asked = re.fullmatch(r"(\d+) \(UID BODY\.PEEK\[\]<0\.(\d+)>\)", said)
        if asked is None:
            return "BAD fetch what"
        if int(asked[1]) in self._box.refuses:
            return "NO [SERVERBUG] it is broken"
        for place, each in enumerate(self._box.mails, 1):
            if each.uid == int(asked[1]):
                body = each.raw[: int(asked[2])]
                self._writer.write(f"* {place} FETCH (UID {each.uid} BODY[]<0> {{{len(body)}}}\r\n".encode())
                self._writer.write(body + b")\r\n")
        return "OK done"

    async def _store(self, said: str) -> str:
        asked = re.fullmatch(r"([\d,]+) \+FLAGS\.SILENT \((\\Seen|\\Deleted)\)", said)
        if asked is None or not _SET.fullmatch(asked[1]):
            return "BAD store what"
        if self._box.holding:
            self._box.held.set()
            await asyncio.Event().wait()
        for each in self._box.mails:
            if str(each.uid) in asked[1].split(","):
                each.flags.add(asked[2])
        await self._box.changed()
        return "OK done"

    async def _move(self, said: str) -> str:
        uids, _, name = said.partition(" ")
        folder = self._box.folders.get(_strings(name)[0])
        if folder is None or not _SET.fullmatch(uids):
            return "NO [TRYCREATE] where to"
        for place, each in reversed(list(enumerate(self._box.mails, 1))):
            if str(each.uid) in uids.split(","):
                folder.append(self._box.mails.pop(place - 1))
                await self._say(f"* {place} EXPUNGE")
        await self._box.changed()
        return "OK done"

    async def _idle(self) -> str:
        await self._say("+ idling")
        newest = max((each.uid for each in self._box.mails), default=0)
        done = asyncio.create_task(self._reader.readline())
        news = asyncio.create_task(self._box.wait_for_more(newest))
        await asyncio.wait({done, news}, return_when=asyncio.FIRST_COMPLETED)
        if news.done():
            await self._say(f"* {len(self._box.mails)} EXISTS")
        news.cancel()
        return "OK done" if (await done).strip().upper() == b"DONE" else "BAD done was meant"

    async def _line(self) -> str:
        """A command with its literals, as if they had been quoted."""
        whole = b""
        while True:
            line = await self._reader.readline()
            if not line:
                raise ConnectionResetError
            literal = _LITERAL.search(line)
            if literal is None:
                return (whole + line).decode("utf-8", "replace").rstrip("\r\n")
            await self._say("+ go on")
            said = await self._reader.readexactly(int(literal[1]))
            quoted = said.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            whole += _LITERAL.sub(b"", line) + b'"' + quoted + b'"'

    async def _say(self, *lines: str) -> None:
        for line in lines:
            self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()


def _strings(said: str) -> list[str]:
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', said)
    return [atom or re.sub(r"\\(.)", r"\1", quoted) for quoted, atom in found] or [""]
