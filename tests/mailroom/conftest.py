"""The county in one process, with a mailbox whose reader a test starts and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.demo.replies import reply
from bot.demo.simulators.imap import MailboxServer
from bot.mailroom import reader as module
from bot.mailroom.reader import MailboxReader
from bot.store.client import Store
from channels.mail import Driver
from escalation.vocabulary import Severity
from tests.store.real_server import eventually
from tests.workers.house import DUST, OFFICER_MAIL, House, house_on

LOGIN = ("fenghuo", "fake")
_TABLE = """
[channels.mail.imap]
host = "127.0.0.1"
port = {port}
security = "none"
username = "fenghuo"
password = "file:secrets/mail-password"
reply_secret = "file:secrets/mail-reply"
poll = 1.0
"""


@dataclass(frozen=True)
class Running:
    """A reader at work."""

    task: asyncio.Task[None]


class Post:
    """The county's mailbox, and its readers."""

    def __init__(self, house: House, box: MailboxServer) -> None:
        self.house = house
        self.box = box
        self._running: list[Running] = []

    def start(self, hub: str = "hub-a") -> Running:
        driver = self.house.engine.rules.channels["mail"]
        assert isinstance(driver, Driver)
        imap, reader = driver.settings.imap, driver.reader
        assert imap is not None
        assert reader is not None
        task = asyncio.create_task(MailboxReader("mail", imap, reader, lambda: self.house.engine, hub).run())
        self._running.append(Running(task))
        return self._running[-1]

    async def kill(self, reader: Running) -> None:
        """The hub of this reader dies, and its lease ends."""
        reader.task.cancel()
        with suppress(asyncio.CancelledError):
            await reader.task
        self._running.remove(reader)
        self.house.push(module.LEASE)

    async def told(self) -> tuple[str, bytes]:
        """An alarm that the safety officer hears by mail too; its code and the mail."""
        code = await self.house.alarm(Severity.HIGH_HIGH, enterprise=DUST)
        return code, self.house.at(OFFICER_MAIL)[-1].raw

    async def answered(self, raw: bytes, words: str, identity: str = "") -> int:
        """The officer answers the mail; its UID."""
        return await self.box.deliver(reply(raw, words, identity=identity))

    async def deeds(self, code: str) -> list[str]:
        """Everything that was done to the incident, after all that can be done now."""
        await self.house.engine.rest()
        return [deed.verb.value for deed in (await self.house.incident(code)).deeds]

    def log_ins(self) -> int:
        return sum(each.startswith(("LOGIN", "AUTHENTICATE")) for each in self.box.commands)

    async def logged_in(self, times: int) -> None:
        async def done() -> bool:
            return self.log_ins() >= times

        await eventually(done)

    async def end(self) -> None:
        for reader in list(self._running):
            await self.kill(reader)


@pytest.fixture
async def post(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """No reader runs yet. Readers that wait do so briefly."""
    for name in ("LOOK", "FIRST_PAUSE", "LONGEST_PAUSE", "RENEW"):
        monkeypatch.setattr(module, name, 0.05)
    clock: list[House] = []

    def now() -> int:
        return clock[0].clock.now()

    box = MailboxServer(now, LOGIN)
    async with box.listening() as port:

        def edit(text: str) -> str:
            for name, content in (("mail-password", LOGIN[1]), ("mail-reply", "a fake secret of more than 32 signs")):
                path = tmp_path / "county" / "secrets" / name
                path.write_text(content, "utf-8")
            line = next(each for each in text.splitlines() if each.startswith('sender = "青河区'))
            return text.replace(line, line + "\n" + _TABLE.format(port=port))

        async with house_on(store, tmp_path, edit) as house:
            clock.append(house)
            made = Post(house, box)
            try:
                yield made
            finally:
                await made.end()
