"""smstools: a GSM modem with a SIM card of its own, through the folders its daemon (smsd) works on. Needs no network.

A message is a file that appears whole in the outgoing folder; which folder it is in later says what became of it. So a
try whose end nobody knows is looked for before it is repeated, and a file that the daemon does not fetch is withdrawn.
Source of the rules: the documentation of Debian's smstools 3.1.21.
"""

from __future__ import annotations

import asyncio
import errno
from typing import Any, ClassVar

import aiohttp

from channels.channel import Abilities, Form, Letter, ReceiptKind
from channels.collecting import Collected
from channels.greeting import Greeting, Standing
from channels.masking import Masker
from channels.outcome import Outcome, OutcomeKind
from channels.sms import spool_folders as folders
from channels.sms.sending import why_refused
from channels.sms.spool_check import troubles
from channels.sms.spool_collecting import collect, forget, forget_sent
from channels.sms.spool_files import name_of, write_file
from channels.sms.spool_settings import Settings
from channels.sms.text import SINGLE_UNITS, plain_number, prefixed, segments, units

__all__ = ["Driver", "Settings"]

_PASSES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR, errno.EAGAIN, errno.EMFILE, errno.ENFILE})
_SHORT = 6
_SWEEP = 3_600_000


class Driver:
    """Writes one file a letter; the daemon splits long ones."""

    Settings: ClassVar[Any] = Settings

    __slots__ = ("_mask", "_settings", "_swept", "abilities", "every", "name")

    def __init__(self, name: str, settings: Settings, session: aiohttp.ClientSession) -> None:  # noqa: ARG002
        self.name = name
        self.every = settings.look_seconds
        self.abilities = Abilities(
            kind=settings.kind,
            word="短信",
            form=Form.SMS,
            max_chars=settings.most,
            first_chars=SINGLE_UNITS - units(settings.opening),
            personal=True,
            replies=settings.uplink,
            windows=settings.windows,
            reserve=settings.reserve,
            receipts=frozenset(
                {ReceiptKind.DELIVERED, ReceiptKind.UNDELIVERED} if settings.reports else {ReceiptKind.UNDELIVERED}
            ),
            at_once=settings.at_once,
            timeout=settings.timeout,
        )
        self._settings = settings
        self._swept = 0
        self._mask = Masker([])

    async def send(self, letter: Letter) -> Outcome:
        settings = self._settings
        try:
            number = dialled(letter.address, settings.number_prefix)
        except ValueError as error:
            return Outcome(OutcomeKind.REFUSED_RECIPIENT, self._mask(error))
        text = settings.opening + letter.text
        refusal = why_refused(letter.text, letter.text)
        if not refusal and segments(text) > settings.max_parts:
            refusal = f"短信 {units(text)} 字，需 {segments(text)} 段，上限 {settings.max_parts} 段"
        if refusal:
            return Outcome(OutcomeKind.REFUSED_CONTENT, self._mask(refusal))
        content = write_file(
            letter_id=letter.id,
            to=number,
            text=text,
            alphabet=settings.alphabet,
            report=settings.reports,
            urgent=letter.critical,
            queue=settings.queue,
        )
        try:
            async with asyncio.timeout(settings.timeout):
                return await asyncio.to_thread(self._put, letter, content)
        except TimeoutError:
            return Outcome(OutcomeKind.UNCERTAIN, "写入发送目录超时")

    def _put(self, letter: Letter, content: bytes) -> Outcome:
        settings, name = self._settings, name_of(letter.id)
        try:
            there = folders.where(settings, name) if letter.repeat else ""
            if there == "failed":
                return Outcome(OutcomeKind.REFUSED_RECIPIENT, "查询：前次已写入，调制解调器发送失败")
            if there:
                return Outcome(OutcomeKind.ACCEPTED, f"查询：前次已写入，现在 {there}，没有重发", vendor_id=name)
            waiting = self._stuck(letter.at)
            if waiting:
                return Outcome(OutcomeKind.TRANSIENT, waiting)
            folders.put(settings, name, content, letter.at)
        except OSError as error:
            kind = OutcomeKind.TRANSIENT if error.errno in _PASSES else OutcomeKind.MISCONFIGURED
            return Outcome(
                kind, self._mask(f"不能写入 {error.filename2 or error.filename or settings.spool}：{error.strerror}")
            )
        return Outcome(OutcomeKind.ACCEPTED, "已写入发送目录", vendor_id=name)

    async def collect(self, at: int) -> Collected:
        """What the daemon has left: people's answers, delivery reports, failures, files it does not send; ``at`` is
        the hub's time in ms. Raises OSError."""
        if at - self._swept >= _SWEEP:
            await asyncio.to_thread(forget_sent, self._settings, at)
            self._swept = at
        return await asyncio.to_thread(collect, self.name, self._settings, at)

    async def forget(self, collected: Collected) -> None:
        """All of it is on disk: its files may go. Raises OSError."""
        await asyncio.to_thread(forget, self._settings, collected)

    async def greet(self, at: int) -> Greeting:
        """Look at the folders, and whether the daemon works on what lies in them. Writes nothing."""
        return await asyncio.to_thread(self._looked, at)

    def _looked(self, at: int) -> Greeting:
        wrong = "；".join(zh for _, zh, _ in troubles(self._settings))
        if wrong:
            return Greeting(Standing.REFUSED, wrong)
        try:
            waiting = self._stuck(at)
        except OSError as error:
            return Greeting(Standing.REFUSED, f"不能查看 {error.filename or self._settings.spool}：{error.strerror}")
        return Greeting(Standing.REFUSED, waiting) if waiting else Greeting(Standing.WELL, "目录可以读写")

    def _stuck(self, at: int) -> str:
        """What is said where the daemon or its modem has stopped, '' where not. Raises OSError."""
        waiting = folders.stuck(self._settings, at)
        if not waiting:
            return ""
        return self._mask(f"{len(waiting)} 个文件没有发出，最早的是 {waiting[0].name}；请查看 smsd 和调制解调器")

    async def close(self) -> None:
        """Nothing is kept open."""


def dialled(number: str, prefix: str) -> str:
    """A number as the daemon wants it: international without its plus; service numbers marked as short ones.

    Raises ValueError for what is no number.
    """
    bare = plain_number(number)
    if bare.startswith("+"):
        return bare[1:]
    return f"s{bare}" if len(bare) <= _SHORT else prefixed(bare, prefix)
