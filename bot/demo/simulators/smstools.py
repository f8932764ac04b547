"""smstools' daemon with a modem: takes files out of the outgoing folder, moves them on, writes what comes back.

Source of the rules: the documentation of Debian's smstools 3.1.21 (file format, folders). Files it cannot use go to the
failed folder with the reason; headers it does not know stay as they are.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from bot.demo.simulators.vendor import Inbox, Now, Received

_KNOWN = ("To", "Alphabet", "Report", "Priority", "Queue")
_TO = re.compile(r"[1-9][0-9]{5,14}|s[0-9]{2,10}")
_CHINA = timezone(timedelta(hours=8))
_CODECS = {"UTF": "utf-8", "UCS": "utf-16-be"}
_LONGEST = 10 * 67


@dataclass(frozen=True, slots=True)
class _Sent:
    name: str
    to: str
    message_id: int
    report: bool


@dataclass
class Smsd:
    """One modem on the folders below ``spool``. ``working``: False and it fetches nothing; ``modem``: False and what it
    fetched waits. ``failing`` is the reason the modem refuses everything with, '' for none. ``now`` gives milliseconds.
    A message's address is the number it goes to, as people write it."""

    spool: Path
    now: Now
    on_message: Callable[[Received], Awaitable[None]] | None = None
    working: bool = True
    modem: bool = True
    failing: str = ""
    channel: str = "sms_spool"
    next_id: int = 17
    sent: list[_Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.on_message)
        for name in ("outgoing", "checked", "incoming", "sent", "failed"):
            (self.spool / name).mkdir(parents=True, exist_ok=True)

    @property
    def received(self) -> list[Received]:
        return self.inbox.received

    async def step(self) -> int:
        """Fetch what lies in the outgoing folder and send what was fetched; how many files left by either way."""
        if not self.working:
            return 0
        for path in sorted((self.spool / "outgoing").iterdir()):
            path.rename(self.spool / "checked" / path.name)
        if not self.modem:
            return 0
        waiting = sorted((self.spool / "checked").iterdir(), key=_urgency)
        for path in waiting:
            await self._send(path)
        return len(waiting)

    async def _send(self, path: Path) -> None:
        raw, head, blank, body = _parts(path)
        headers = dict(line.split(": ", 1) for line in head.decode("ascii").splitlines())
        why = self.failing or _why_not(headers, blank + body)
        if why:
            self._move(
                path, "failed", head + f"\nModem: GSM1\nFail_reason: {why}\nFailed: {self._stamp()}".encode(), body
            )
            return
        number, message_id = headers["To"], self.next_id
        self.next_id = (self.next_id + 1) % 256
        report = headers.get("Report") == "yes"
        extra = f"\nModem: GSM1\nSent: {self._stamp()}" + (f"\nMessage_id: {message_id}" if report else "")
        self.sent.append(_Sent(path.name, number, message_id, report))
        self._move(path, "sent", head + extra.encode(), body)
        text = body.decode(_CODECS[headers["Alphabet"][:3]])
        address = number.removeprefix("s").removeprefix("86")
        await self.inbox.add(Received(self.channel, address, text, "", self.now(), raw))

    def _move(self, path: Path, folder: str, head: bytes, body: bytes) -> None:
        self._write(self.spool / folder / path.name, head, body)
        path.unlink()

    def report(self, index: int, status: str = "0,Ok,short message received by the SME") -> Path | None:
        """The centre's word about message ``index``; None where nobody asked for it."""
        each = self.sent[index]
        if not each.report:
            return None
        body = (
            f"SMS STATUS REPORT\nMessage_id: {each.message_id}\nDischarge_timestamp: {self._stamp()}\nStatus: {status}"
        )
        return self._come(each.to, "ISO", body.encode())

    def answer(self, number: str, text: str) -> Path:
        """A phone sends ``text``; outside the modem's own alphabet as UCS2, as it comes."""
        plain = text.isascii()
        return self._come("86" + number, "ISO" if plain else "UCS2", text.encode("ascii" if plain else "utf-16-be"))

    def _come(self, number: str, alphabet: str, body: bytes) -> Path:
        stamp = self._stamp()
        head = (
            f"From: {number}\nFrom_TOA: 91 international, ISDN/telephone\nFrom_SMSC: 8613800000000\nSent: {stamp}\n"
            f"Received: {stamp}\nSubject: GSM1\nModem: GSM1\nAlphabet: {alphabet}\nUDH: false\n"
        )
        path = self.spool / "incoming" / f"GSM1.{uuid.uuid4().hex[:6]}"
        self._write(path, head.encode(), body)
        return path

    def _write(self, path: Path, head: bytes, body: bytes) -> None:
        path.write_bytes(head.rstrip(b"\n") + b"\n\n" + body)
        os.utime(path, ns=(self.now() * 1_000_000, self.now() * 1_000_000))

    def _stamp(self) -> str:
        return f"{datetime.fromtimestamp(self.now() // 1000, UTC).astimezone(_CHINA):%y-%m-%d %H:%M:%S}"


def _parts(path: Path) -> tuple[bytes, bytes, bytes, bytes]:
    raw = path.read_bytes()
    return (raw, *raw.partition(b"\n\n"))


def _urgency(path: Path) -> tuple[bool, str]:
    return (b"\nPriority: High\n" not in path.read_bytes(), path.name)


def _why_not(headers: dict[str, str], rest: bytes) -> str:
    unknown = [name for name in headers if name not in _KNOWN and name != "Fenghuo"]
    if unknown:
        return f"a header nobody asked for: {unknown[0]}"
    if not _TO.fullmatch(headers.get("To", "")):
        return "invalid number"
    codec = _CODECS.get(headers.get("Alphabet", "")[:3])
    if codec is None or not rest.startswith(b"\n\n"):
        return "Invalid alphabet"
    try:
        text = rest[2:].decode(codec)
    except UnicodeDecodeError:
        return "Invalid alphabet"
    return "Too long text" if not text or len(text) > _LONGEST else ""
