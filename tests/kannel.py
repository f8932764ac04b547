"""Debian's Kannel on free ports: bearerbox and smsbox, and its fake carrier, through which phones send and receive."""

from __future__ import annotations

import asyncio
import re
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

import aiohttp

from tests.parts import KANNEL
from tests.ports import free_port

PATIENCE = 20.0
"""How long something may take that a test awaits, in seconds."""
LOOK = 0.02
SENDER = "10690000"
USER = "fenghuo"
PASSWORD = "fake-gateway-password"

_CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = fake-admin-password
status-password = fake-status-password
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = pretence
host = 127.0.0.1
port = {carrier}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
{sender}
http-request-retry = 60
http-queue-delay = 1

group = sendsms-user
username = {user}
password = {password}
max-messages = 5
concatenation = true

group = sms-service
keyword = default
get-url = "{uplink}"
max-messages = 0
"""
_SENT = b"sent message 1"
_RECEIVED = re.compile(rb"Got message \d+: <(\S+) (\S+) (?:udh (\S+) )?(\S+) (.*)>")


@dataclass(frozen=True, slots=True)
class Part:
    """One message as a phone gets it from the air; a long one comes in several with a header each."""

    to: str
    sender: str
    header: bytes
    coding: str
    body: bytes


class Carrier:
    """The fake carrier: what it hands to phones, and what phones send. One connection at a time is let in."""

    def __init__(self, port: int, folder: Path) -> None:
        self._port = port
        self._log = folder / "carrier.log"
        self._process: Process | None = None
        self._opened_at = 0

    async def open(self, *message: str) -> None:
        """Connect, and send ``message`` (``sender receiver type data``, in the program's own manner) if given."""
        await self.close()
        # It sends at least one message; "route" to a box that is not there goes nowhere.
        what = " ".join(message) or f"{SENDER} {SENDER} route nowhere hello"
        with self._log.open("ab") as log:
            self._opened_at = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *(str(KANNEL[2]), "-H", "127.0.0.1", "-r", str(self._port), "-i", "0.05", "-m", "1", what),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )

    async def close(self) -> None:
        """The line is cut."""
        if self._process is not None:
            await _end(self._process)
            self._process = None

    async def write(self, number: str, text: str) -> None:
        """A phone sends a Chinese text."""
        await self.open(number, SENDER, "ucs2", quote_from_bytes(text.encode("utf-16-be")))

    async def handed_over(self) -> None:
        """The message given to :meth:`open` has left."""
        last = time.monotonic() + PATIENCE
        while _SENT not in self._log.read_bytes()[self._opened_at :]:
            assert time.monotonic() < last, "the fake carrier sent nothing"
            await asyncio.sleep(LOOK)

    @property
    def parts(self) -> list[Part]:
        """Everything that was handed to phones so far."""
        raw = self._log.read_bytes() if self._log.exists() else b""
        return [
            Part(to.decode(), sender.decode(), _bytes(header), coding.decode(), _bytes(body))
            for sender, to, header, coding, body in _RECEIVED.findall(raw)
        ]

    def texts(self, number: str) -> list[str]:
        """What the phone with ``number`` shows: short texts, and long ones whose parts have all come."""
        shown: list[str] = []
        waiting: dict[int, dict[int, bytes]] = {}
        for part in self.parts:
            if part.to != number:
                continue
            if not part.header:
                shown.append(part.body.decode("utf-16-be" if part.coding == "ucs-2" else "utf-8", "replace"))
                continue
            length, kind, size, reference, count, index = part.header
            assert (length, kind, size) == (5, 0, 3), part.header
            pieces = waiting.setdefault(reference, {})
            pieces[index] = part.body
            if len(pieces) == count:
                shown.append(b"".join(pieces[each] for each in sorted(waiting.pop(reference))).decode("utf-16-be"))
        return shown

    async def shown(self, number: str, *words: str) -> str:
        """The first text with these words on the phone, as soon as it is there."""
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last:
            for text in self.texts(number):
                if all(word in text for word in words):
                    return text
            await asyncio.sleep(LOOK)
        raise AssertionError(f"{number} shows {self.texts(number)}, not {words}")


class Kannel:
    """A gateway: start and stop its boxes; ``url`` is where programs submit."""

    def __init__(self, folder: Path, uplink_url: str, *, own_sender: bool = True) -> None:
        """With ``own_sender`` it has a number that it writes wherever a program names none, and over every number that
        an answer was sent to."""
        ports = {name: free_port() for name in ("admin", "boxes", "carrier", "http")}
        self.url = f"http://127.0.0.1:{ports['http']}/cgi-bin/sendsms"
        self.carrier = Carrier(ports["carrier"], folder)
        self._ports = ports
        self._folder = folder
        self._boxes: list[Process] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._config = folder / "kannel.conf"
        self._config.write_text(
            _CONFIGURATION.format(
                **ports,
                sender=f"global-sender = {SENDER}" if own_sender else "# no sender",
                user=USER,
                password=PASSWORD,
                uplink=uplink_url,
            )
        )

    async def start(self) -> None:
        """Both boxes, and the carrier connected."""
        for program, port in zip(KANNEL[:2], ("boxes", "http"), strict=True):
            with (self._folder / f"{program.name}.log").open("ab") as log:
                self._boxes.append(
                    await asyncio.create_subprocess_exec(
                        *(str(program), "-v", "0", str(self._config)), stdin=DEVNULL, stdout=log, stderr=STDOUT
                    )
                )
            await _answers(self._ports[port], self._boxes[-1])
        await self.carrier.open()
        await self.carrier.handed_over()

    async def stop(self) -> None:
        """Everything ends, as on a machine that is switched off."""
        await self.carrier.close()
        for box in reversed(self._boxes):
            await _end(box)
        self._boxes.clear()

    async def until_the_line_is_down(self, session: aiohttp.ClientSession) -> None:
        """The gateway itself says that its carrier is away."""
        url = f"http://127.0.0.1:{self._ports['admin']}/status.txt?password=fake-status-password"
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last:
            async with session.get(url) as answer:
                if "connecting," in await answer.text():
                    return
            await asyncio.sleep(LOOK)
        raise AssertionError("the line is never down")


@asynccontextmanager
async def kannel(folder: Path, uplink_url: str, *, own_sender: bool = True) -> AsyncIterator[Kannel]:
    """A running gateway that hands on what phones send to ``uplink_url``; ended afterwards."""
    gateway = Kannel(folder, uplink_url, own_sender=own_sender)
    try:
        await gateway.start()
        yield gateway
    finally:
        await gateway.stop()


async def _answers(port: int, process: Process) -> None:
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        assert process.returncode is None, "a box ended by itself"
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(LOOK)
    raise AssertionError(f"nobody listens on {port}")


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _bytes(encoded: bytes) -> bytes:
    return unquote_to_bytes(encoded.replace(b"+", b" "))
