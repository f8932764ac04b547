"""A picture survives a hub that dies at each step between its row and its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.chat.collecting import Collecting
from bot.chat.rows import Reading, Row
from bot.chat.showing import Showing
from channels.callback import Media
from channels.outcome import Outcome, OutcomeKind
from escalation.evidence import EvidenceState
from escalation.ledger.evidence import Pictures
from tests.chat.hub import PARTITIONS, Desk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(600)


class Vendor:
    """A channel that gives out one picture, after so many failures."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked = 0

    async def fetch(self, media: str, at: int) -> Media | Outcome:
        self.asked += 1
        if self.asked <= self.failures:
            return Outcome(OutcomeKind.TRANSIENT, "later")
        return Media(PNG)


class Died(BaseException):
    """The process ends here."""


class Hub:
    """What one hub has of pictures; another on the same desk knows only what is on disk."""

    def __init__(self, desk: Desk, vendor: Vendor, folder: Path) -> None:
        self.desk = desk
        self.pictures = Pictures(desk.door, PARTITIONS)
        self.showing = Showing(desk.ledger, desk._context, desk._given, self.pictures)
        channels: Any = {"sms": vendor}
        self.collecting = Collecting(self.showing, lambda: channels, desk.mailboxes, folder)

    async def take(self, code: str, sender: str) -> str:
        row = Row(channel="sms", message_id="m1", sender=sender, text="", at=self.desk.now, other="图片", media="x1")
        reading = Reading(reason="reply_evidence", person="zhao", pictures=(row.digest,), about=code)
        return await self.showing.take(row, reading, self.desk.now)

    async def both(self, code: str, sender: str) -> None:
        await self.take(code, sender)
        await self.collecting.step(self.desk.now)


def kept(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.png")]


STEPS = ("put", "tell", "tie", "try_again", "fetch", "write", "filed", "told", "forget")


@pytest.mark.parametrize("step", STEPS)
async def test_whatever_dies_the_picture_is_kept_once(
    desk: Desk, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await desk.alarm()
    sender, vendor = "13800130001", Vendor()
    first = Hub(desk, vendor, tmp_path)
    dying = {"told": "tell", "fetch": "fetch", "write": "write"}.get(step, step)
    place: Any = {"fetch": vendor, "write": None, "tell": first.showing, "told": first.showing}.get(
        step, first.pictures
    )

    async def dies(*_: object, **__: object) -> None:
        raise Died

    def dies_at_once(*_: object) -> None:
        raise Died

    if step == "told":
        await first.take(code, sender)
    if place is None:
        monkeypatch.setattr("bot.chat.collecting.keep_file", dies_at_once)
    else:
        monkeypatch.setattr(place, dying, dies)
    with pytest.raises(Died):
        await (first.collecting.step(desk.now) if step == "told" else first.both(code, sender))
    monkeypatch.undo()
    desk.now += 10 * 60_000
    second = Hub(desk, vendor, tmp_path)
    # The inbox row is served again, as it was not settled; its reading is the recorded one.
    again = Row(
        channel="sms", message_id="m1", sender=sender, text="", at=desk.now - 10 * 60_000, other="图片", media="x1"
    )
    reading = Reading(reason="reply_evidence", person="zhao", pictures=(again.digest,), about=code)
    if step in ("put", "tell", "tie"):
        await second.showing.take(again, reading, desk.now)
    await second.collecting.step(desk.now)
    await asyncio.sleep(0)
    incident = await desk.incident(code)
    (evidence,) = incident.evidence
    assert evidence.state is EvidenceState.KEPT
    assert evidence.file is not None
    assert (tmp_path / evidence.file.path).read_bytes() == PNG
    assert kept(tmp_path) == [Path(evidence.file.path).name]
    assert await second.pictures.all() == []


async def test_a_vendor_that_is_down_is_asked_again_with_growing_pauses(desk: Desk, tmp_path: Path) -> None:
    code = await desk.alarm()
    vendor = Vendor(failures=3)
    hub = Hub(desk, vendor, tmp_path)
    await hub.take(code, "13800130001")
    for seconds, asked in ((0, 1), (1, 1), (2, 2), (5, 2), (10, 3), (20, 3), (40, 4)):
        desk.now += seconds * 1000
        await hub.collecting.step(desk.now)
        assert vendor.asked == asked, seconds
    assert (await desk.incident(code)).evidence[0].state is EvidenceState.KEPT


async def test_after_three_days_it_is_given_up_and_its_sender_told(desk: Desk, tmp_path: Path) -> None:
    code = await desk.alarm()
    hub = Hub(desk, Vendor(failures=10**6), tmp_path)
    await hub.take(code, "13800130001")
    await hub.collecting.step(desk.now)
    desk.now += 72 * 3_600_000
    await hub.collecting.step(desk.now)
    assert (await desk.incident(code)).evidence[0].state is EvidenceState.LOST
    assert any("未能保存" in text for text in await desk.answers("13800130001"))
