"""Gives every hub of a store the pictures that one of them fetched, so that any duty page shows them and no machine is
the only one that has them.

Whoever keeps a picture writes a mark beside it before the file itself; the mark goes when the picture was offered to
the others. A hub that dies in between offers it after its restart.
"""

from __future__ import annotations

import asyncio
import logging
import re
from hashlib import sha256
from pathlib import Path

from bot.store import disk
from escalation.evidence import FOLDER
from escalation.ledger.copies import AWAY, Copies, Copy, Offered

log = logging.getLogger(__name__)

LOOK = 5_000
"""How often it is looked for what other hubs have, in milliseconds."""
MARK = ".new"
_PLACE = re.compile(rf"{FOLDER}/[0-9]{{6}}/[0-9a-f]{{64}}\.[a-z]{{2,5}}")


class Copying:
    """One hub's part of it. ``folder`` is its data folder. A hub without a name shares nothing."""

    def __init__(self, copies: Copies, folder: Path) -> None:
        self._copies = copies
        self._folder = folder
        self._look_at = 0
        self._busy = asyncio.Lock()
        self._wrong: set[str] = set()

    def keep(self, place: str, body: bytes) -> None:
        """Write a picture durably, to be offered to the others. Raises OSError."""
        if self._copies.hub and not (self._folder / place).exists():
            disk.write_atomically(_mark(self._made(place)), b"")
        self._write(place, body)
        self._look_at = 0

    async def step(self, now: int) -> int:
        """Offer what is new here, take what is new elsewhere; how many files got on. Raises OSError, the store's
        error."""
        if now < self._look_at or not self._copies.hub:
            return 0
        self._look_at = now + LOOK
        async with self._busy:
            hubs = await self._copies.hubs(now)
            marked = await asyncio.to_thread(lambda: sorted((self._folder / FOLDER).glob(f"*/.*{MARK}")))
            for mark in marked:
                await self._offer(mark, now, alone=len(hubs) == 1)
            done = len(marked)
            for each in await self._copies.all():
                done += await self._take(each)
                everywhere = self._here(each.copy.path) and each.had | {self._copies.hub} >= hubs
                if everywhere or now - each.copy.at > AWAY:
                    await self._copies.drop(each.copy)
        return done

    async def fetch(self, place: str) -> bool:
        """Whether this picture is on this hub's disk, at once where another hub has just offered it. Raises OSError,
        the store's error."""
        if self._here(place):
            return True
        async with self._busy:
            for each in await self._copies.all() if self._copies.hub else ():
                if each.copy.path == place:
                    await self._take(each)
        return self._here(place)

    async def _offer(self, mark: Path, now: int, *, alone: bool) -> None:
        """Offer what a mark stands for, and take the mark away; where no other hub is known, only the latter."""
        path = mark.with_name(mark.name.removeprefix(".").removesuffix(MARK))
        if not alone and path.exists():
            body = await asyncio.to_thread(path.read_bytes)
            place = path.relative_to(self._folder).as_posix()
            copy = Copy(path=place, sha256=sha256(body).hexdigest(), size=len(body), at=now)
            await self._copies.offer(copy, body)
        await asyncio.to_thread(mark.unlink, missing_ok=True)

    async def _take(self, offered: Offered) -> bool:
        """Put it on this disk where it is not yet; whether that was done now."""
        copy = offered.copy
        if self._copies.hub in offered.had or copy.path in self._wrong:
            return False
        if not self._here(copy.path):
            body = await self._copies.take(copy)
            if len(body) < copy.size:
                return False
            if not _PLACE.fullmatch(copy.path) or sha256(body).hexdigest() != copy.sha256:
                self._wrong.add(copy.path)
                log.error("what the store has as the picture %s is something else: not kept", copy.path)
                return False
            await asyncio.to_thread(self._write, copy.path, body)
        await self._copies.have(copy)
        return True

    def _here(self, place: str) -> bool:
        return (self._folder / place).is_file()

    def _write(self, place: str, body: bytes) -> None:
        path = self._made(place)
        if not path.exists():
            disk.write_atomically(path, body)

    def _made(self, place: str) -> Path:
        """Its path, below folders that are there."""
        path = self._folder / place
        for each in (path.parent.parent, path.parent):
            disk.private_folder(each)
        disk.sync_folder(path.parent.parent)
        return path


def _mark(path: Path) -> Path:
    return path.with_name(f".{path.name}{MARK}")
