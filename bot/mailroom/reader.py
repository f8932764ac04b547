"""One mailbox, read by the hub that leads in it.

A mail is marked as read only after what it says is on disk. Whatever dies in between, the next look finds the mail
again, and the inbox knows by its Message-ID that it was taken. So every answer is taken at least once, and acts once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import msgspec
from redis.exceptions import RedisError

from bot.chat.accidents import accident_words
from bot.chat.folding import folded
from bot.engine import Engine
from bot.mailroom.trouble import MAILBOX, PATIENCE, way_in_change
from bot.store.errors import StoreError
from channels.channel import Report, Uplink
from channels.mail.imap import Connection, ImapError, NotDoneError, RefusedError
from channels.mail.incoming import Reader
from channels.mail.settings import Imap
from escalation.calendar import local
from escalation.directory import Directory
from escalation.ledger.change import Failed
from escalation.ledger.leadership import Leadership
from escalation.ledger.marks import Mark, Marks

log = logging.getLogger(__name__)

LEASE = 8_000
"""How long leadership holds without being renewed, in milliseconds,"""
RENEW = 2.0
"""and how often it is renewed, in seconds."""
LOOK = 1.0
"""Between two tries to lead, in seconds."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
"""Between two tries of a mailbox that cannot be read, in seconds. Others may lead meanwhile."""
MOST_OF_ONE = 30
"""So many mails of one address are taken in an hour; more are left for people. Two machines that answer each other end
here."""
_HOUR = 3_600_000
TRIES = 3
"""After so many refusals of one mail it is left for people."""


class MailboxReader:
    """Reads until cancelled. ``hub`` identifies the process."""

    def __init__(
        self, channel: str, settings: Imap, reader: Reader, engine: Callable[[], Engine | None], hub: str
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._reader = reader
        self._engine = engine
        self._hub = hub
        self._pause = FIRST_PAUSE
        self._refusals: Counter[int] = Counter()
        self._lately: deque[tuple[int, str]] = deque()
        told = f"{settings.host.lower()}\x1f{settings.username}\x1f{settings.folder}"
        self._box = hashlib.blake2s(told.encode("utf-8", "replace"), digest_size=8).hexdigest()

    async def run(self) -> None:
        """Lead, read; what cannot be read is tried again, ever more slowly."""
        while True:
            engine = self._engine()
            wait = LOOK
            if engine is not None and engine.turns.may_work():
                try:
                    if not await self._lead(engine):
                        wait, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
                except (StoreError, RedisError, OSError) as error:
                    log.warning("the mailbox of channel %s waits for the store: %s", self._channel, error)
                except Exception:
                    log.exception("reading the mailbox of channel %s failed", self._channel)
                    wait = LONGEST_PAUSE
            await asyncio.sleep(wait)

    async def _lead(self, engine: Engine) -> bool:
        """Read while this hub leads; False where the mailbox could not be read."""
        lease = Leadership(engine.store, self._hub, duty=f"mail:{self._channel}", lease=LEASE)
        if not await lease.holds(engine.clock.now()):
            return True
        reading = asyncio.create_task(self._read(engine), name=f"mailbox {self._channel}")
        try:
            while not (await asyncio.wait({reading}, timeout=RENEW))[0]:
                if self._engine() is not engine or not engine.turns.may_work():
                    return True
                if not await lease.holds(engine.clock.now()):
                    log.warning("another hub reads the mailbox of channel %s now", self._channel)
                    return True
            return reading.result()
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            with suppress(StoreError, RedisError, OSError):
                await lease.give_up(engine.clock.now())

    async def _read(self, engine: Engine) -> bool:
        """Look, take, wait for more; False where the mailbox cannot be read."""
        marks = Marks(engine.store)
        mark = await marks.load(self._channel)
        if mark is None:
            # From now on: what came before there was a reader answers nothing of ours.
            mark = Mark(box=self._box, at=engine.clock.now())
            await marks.save(self._channel, mark)
        connection = Connection(self._settings)
        try:
            await connection.open()
            await self._look(engine, connection, marks, mark)
        except ImapError as error:
            log.warning("the mailbox of channel %s, again in %.0f s: %s", self._channel, self._pause, error)
            await self._broke(engine, marks, str(error), certain=isinstance(error, RefusedError))
            return False
        finally:
            await connection.close()
        return True

    async def _look(self, engine: Engine, connection: Connection, marks: Marks, mark: Mark) -> None:
        opened = await connection.select()
        if (mark.box, mark.validity) == (self._box, opened.validity):
            uids = await connection.after(mark.uid)
        else:
            # The UIDs have changed their meaning: what is read twice is known by its Message-ID.
            uids = await connection.since(local(mark.at).date() - timedelta(days=1))
            newest = opened.next_uid - 1 if opened.next_uid else max(await connection.after(0), default=0)
            for uid in uids:
                await self._take(engine, connection, uid)
            mark = msgspec.structs.replace(
                mark, box=self._box, validity=opened.validity, uid=max(newest, *uids) if uids else newest
            )
            uids = await connection.after(mark.uid)
        while True:
            for uid in uids:
                await self._take(engine, connection, uid)
                mark = msgspec.structs.replace(mark, uid=max(uid, mark.uid))
                await marks.save(self._channel, mark)
            mark = await self._well(engine, marks, mark)
            await connection.wait(self._settings.poll)
            uids = await connection.after(mark.uid)

    async def _take(self, engine: Engine, connection: Connection, uid: int) -> None:
        """Keep what one mail says, then mark it. Dies this in between, it is looked at again."""
        try:
            raw = await connection.fetch(uid)
        except NotDoneError as error:
            self._refusals[uid] += 1
            if self._refusals[uid] < TRIES:
                raise
            log.error(
                "mail %d of channel %s is left for people, its server does not hand it out: %s",
                uid,
                self._channel,
                error,
            )
            return
        if raw is None:
            return
        now = engine.clock.now()
        try:
            # Beside the loop: nobody's alarm waits for a mail that was made to be slow.
            incoming = await asyncio.to_thread(self._reader.read, raw, now)
        except ValueError as error:
            log.error("mail %d of channel %s is left unread for people: %s", uid, self._channel, error)
            return
        if incoming.why:
            log.info("mail %d of channel %s means nothing: %s", uid, self._channel, incoming.why)
        directory = engine.rules.directory
        uplinks = [canonical(each, directory) for each in incoming.items if isinstance(each, Uplink)]
        if any(self._too_many(each, now) for each in uplinks):
            log.error(
                "mail %d of channel %s is left unread for people: its sender writes too often", uid, self._channel
            )
            return
        reports = [each for each in incoming.items if isinstance(each, Report)]
        if uplinks:
            fresh = await engine.answering.take(uplinks, now)
            self._lately += [(now, each.sender) for each, new in zip(uplinks, fresh, strict=True) if new]
        if reports and not await engine.report(reports):
            log.error("a mail of channel %s came back, of no incident: %s", self._channel, reports[0].detail)
        if incoming.items:
            engine.stir()
        try:
            await connection.done([uid])
        except NotDoneError as error:
            log.warning("mail %d of channel %s could not be marked as read: %s", uid, self._channel, error)

    def _too_many(self, uplink: Uplink, now: int) -> bool:
        """Whether this sender wrote too often of late; accident words are taken however often."""
        while self._lately and self._lately[0][0] <= now - _HOUR:
            self._lately.popleft()
        often = sum(sender == uplink.sender for _, sender in self._lately) >= MOST_OF_ONE
        return often and not accident_words(folded(uplink.text).lower())

    async def _well(self, engine: Engine, marks: Marks, mark: Mark) -> Mark:
        """It was read to its end."""
        self._pause = FIRST_PAUSE
        self._refusals.clear()
        if mark.told:
            await self._tell(engine, mark.failing, "")
        mark = msgspec.structs.replace(mark, at=engine.clock.now(), failing=0, told=False)
        await marks.save(self._channel, mark)
        return mark

    async def _broke(self, engine: Engine, marks: Marks, why: str, *, certain: bool) -> None:
        mark, now = await marks.load(self._channel), engine.clock.now()
        if mark is None:
            return
        mark = msgspec.structs.replace(mark, failing=mark.failing or now)
        if not mark.told and (certain or now - mark.failing >= PATIENCE):
            await self._tell(engine, mark.failing, why)
            mark = msgspec.structs.replace(mark, told=True)
        await marks.save(self._channel, mark)

    async def _tell(self, engine: Engine, since: int, why: str) -> None:
        rules = engine.rules
        unit, now = rules.settings.hub.maintainers, engine.clock.now()
        change = way_in_change(MAILBOX, self._channel, since, why, rules.directory, unit, now)
        (outcome,) = await engine.ledger.commit([change])
        if isinstance(outcome, Failed):
            raise outcome.error
        engine.stir()


def canonical(uplink: Uplink, directory: Directory) -> Uplink:
    """The answer with its sender as the directory writes that address: mail knows no difference of case."""
    here = [entry for person in directory.people.values() for entry in person.contacts]
    here += [entry for post in directory.posts for entry in post.contacts]
    for entry in here:
        if entry.channel == uplink.channel and entry.address.strip().lower() == uplink.sender:
            return replace(uplink, sender=entry.address.strip())
    return uplink
