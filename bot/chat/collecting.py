"""Fetches the pictures people sent before their vendor forgets them, and keeps them as files below the data folder.

The order is: say when the next try would be, ask the vendor, write the file, write down that it is there, tell the
incident, forget the row. If the hub dies anywhere, the next step goes on from the row; a file is named by its content,
so writing it twice is writing it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from socket import gethostname

from bot.chat.copying import Copying
from bot.chat.reporting import item
from bot.chat.showing import Showing
from channels.callback import Media, MediaSource
from channels.channel import Channel
from channels.outcome import OutcomeKind
from escalation.calendar import hhmm, local
from escalation.evidence import FOLDER, EvidenceFile
from escalation.inputs import EvidenceKept
from escalation.ledger.evidence import Next, Picture
from escalation.ledger.mailbox import Mailboxes
from escalation.notice import NoticeKind
from escalation.vocabulary import Urgency

log = logging.getLogger(__name__)

BACK_OFF = (2_000, 10_000, 30_000, 60_000, 300_000, 600_000)
"""Milliseconds before a picture is asked for again, the last for ever after."""
GIVE_UP = 72 * 3_600_000
"""For how long a vendor keeps what people send, in milliseconds."""
UNCLAIMED = 35 * 86_400_000
"""How long a picture that belongs to no incident is remembered, in milliseconds; its file stays."""
LOOK = 5_000
"""How often it is looked for pictures while none is known to wait, in milliseconds."""
AT_ONCE = 4
_KINDS = (
    (b"\xff\xd8\xff", 0, "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png", "png"),
    (b"GIF8", 0, "image/gif", "gif"),
    (b"WEBP", 8, "image/webp", "webp"),
    (b"ftyphei", 4, "image/heic", "heic"),
    (b"BM", 0, "image/bmp", "bmp"),
)


class Collecting:
    """One hub's fetching. ``folder`` is its data folder; ``news`` wakes whoever waits for work here; by ``copying`` the
    other hubs get what this one fetched."""

    def __init__(
        self,
        showing: Showing,
        channels: Callable[[], Mapping[str, Channel]],
        mailboxes: Mailboxes,
        folder: Path,
    ) -> None:
        self._showing = showing
        self._pictures = showing.pictures
        self._channels = channels
        self._mailboxes = mailboxes
        self.copying = Copying(showing.pictures.copies, folder)
        self._look_at = 0
        self.news = asyncio.Event()
        showing.news = self.stir

    def stir(self) -> None:
        """A picture came, or somebody said what one is of."""
        self._look_at = 0
        self.news.set()

    async def step(self, now: int) -> int:
        """Fetch and tell what is due, and copy what other hubs have; how many pictures got on."""
        return await self._collect(now) + await self.copying.step(now)

    async def _collect(self, now: int) -> int:
        if now < self._look_at:
            return 0
        self._look_at = now + LOOK
        found = await self._pictures.all()
        room = asyncio.Semaphore(AT_ONCE)
        ended = await asyncio.gather(*(self._one(each, room, now) for each in found), return_exceptions=True)
        for picture, end in zip(found, ended, strict=True):
            if isinstance(end, Exception):
                log.error("the picture %s could not be worked on", picture.sent.id, exc_info=end)
            elif isinstance(end, BaseException):
                raise end
        waits = [each.next.at for each in found if each.file is None]
        self._look_at = min([self._look_at, *(max(at, now + BACK_OFF[0]) for at in waits)])
        return sum(end is True for end in ended)

    async def _one(self, picture: Picture, room: asyncio.Semaphore, now: int) -> bool:
        """Whether anything became of it."""
        sent, file = picture.sent, picture.file
        if file is None:
            if picture.next.at > now:
                return False
            async with room:
                file = await self._fetched(picture, now)
            if file is None:
                return False
            await self._pictures.filed(sent, file)
            if file.why:
                await self._tell_sender(picture, file, now)
        if picture.code:
            await self._showing.tell(picture.code, EvidenceKept(picture=sent.id, file=file), now)
            await self._pictures.forget(sent)
        elif now - sent.at > UNCLAIMED:
            log.warning("a picture that nobody tied to an incident stays in %s", file.path or file.why)
            await self._pictures.forget(sent)
        else:
            return picture.file is None
        return True

    async def _fetched(self, picture: Picture, now: int) -> EvidenceFile | None:
        """The kept file, or why there will be none; None where it is to be tried again."""
        sent, tries = picture.sent, picture.next.tries
        wait = BACK_OFF[min(tries, len(BACK_OFF) - 1)]
        await self._pictures.try_again(sent, Next(tries + 1, now + wait))
        channel: object = self._channels().get(sent.channel)
        if not isinstance(channel, MediaSource):
            return EvidenceFile(why="此渠道不能取回图片")
        got = await channel.fetch(sent.media, now)
        if isinstance(got, Media):
            return await asyncio.to_thread(keep_file, self.copying, got.body, sent.at)
        log.warning("the picture %s could not be fetched: %s", sent.id, got.detail)
        if got.kind is OutcomeKind.REFUSED_CONTENT or now - sent.at >= GIVE_UP:
            return EvidenceFile(why=got.detail[:120])
        return None

    async def _tell_sender(self, picture: Picture, file: EvidenceFile, now: int) -> None:
        sent = picture.sent
        words = f"您{hhmm(sent.at)}发来的图片未能保存（{file.why}），请重新发送，或发给值班室。"
        row = item(
            f"evidence.{sent.id}",
            sent.channel,
            sent.sender,
            words,
            now,
            kind=NoticeKind.ANSWER,
            urgency=Urgency.NORMAL,
        )
        await self._mailboxes.put([row], now=now)


def keep_file(copying: Copying, body: bytes, at: int) -> EvidenceFile:
    """Write a picture durably; it must be one by its content. Raises OSError."""
    found = next(((kind, ending) for mark, place, kind, ending in _KINDS if body[place:].startswith(mark)), None)
    if found is None:
        return EvidenceFile(size=len(body), why="不是图片文件")
    kind, ending = found
    digest = sha256(body).hexdigest()
    place = f"{FOLDER}/{local(at):%Y%m}/{digest}.{ending}"
    copying.keep(place, body)
    return EvidenceFile(path=place, sha256=digest, size=len(body), kind=kind, hub=gethostname())
