"""What smstools leaves in its folders, as typed items. A file goes only when what it says is on disk elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from channels.callback import Errand, Unread
from channels.channel import ReceiptKind, Report, Uplink
from channels.collecting import Collected, Odd
from channels.sms import spool_folders as folders
from channels.sms.rows import hashed, one_line, written
from channels.sms.spool_files import Fate, SpoolFile, fate_of
from channels.sms.spool_settings import Settings
from channels.sms.text import plain_number

_DAY = 86_400_000
# A file is written in place: one that was touched a moment ago may not be whole yet.
_SETTLED = 1_000
# A report comes within days; a modem counts its messages from 0 to 255 and begins again, so the newest is meant.
_REPORTED = 3 * _DAY

Item = Uplink | Report


def collect(channel: str, settings: Settings, at: int) -> Collected:
    """Everything that lies there at ``at`` (ms), each kind at most so many as one look takes. Raises OSError."""
    items: list[Item] = []
    odd: list[Odd] = []
    places: list[str] = []
    withdrawn = settings.folder("drafts") / "withdrawn"
    for path in folders.stuck(settings, at):
        # If this dies here, the file is found below the next time.
        folders.move(path, withdrawn)
    for path, found in folders.ours(folders.files_in(withdrawn)[: folders.MOST_AT_ONCE]):
        items.append(_failure(channel, found, "smsd 没有发出，已撤回", at))
        places.append(str(path))
    for path, found in folders.ours(folders.files_in(settings.folder("failed"))[: folders.MOST_AT_ONCE]):
        items.append(_failure(channel, found, found.first("Fail_reason") or "调制解调器发送失败", at))
        places.append(str(path))
    reports: list[tuple[Path, SpoolFile]] = []
    for path in _came(settings, at):
        try:
            came = folders.read(path)
            if came is None:
                continue
            if came.is_report:
                reports.append((path, came))
            elif settings.uplink:
                items.append(_uplink(channel, path, came, at))
                places.append(str(path))
        except ValueError as error:
            reported = path.parent == settings.folder("report")
            odd.append(_odd(Errand.REPORT if reported else Errand.UPLINK, path, error))
    for path, fate, letter in _matched(settings, reports, at, odd):
        if letter and fate.kind is not None:
            items.append(_ended(channel, letter, fate, at))
        places.append(str(path))
    return Collected(tuple(items), tuple(odd), tuple(places))


def forget(settings: Settings, collected: Collected) -> None:
    """Remove what was read, and put aside what could not be. Raises OSError, but for what has gone already."""
    for place in collected.places:
        Path(place).unlink(missing_ok=True)
    for each in collected.unreadable:
        folders.move(Path(each.place), settings.folder("drafts") / "unreadable")


def _odd(errand: Errand, path: Path, error: ValueError) -> Odd:
    return Odd(errand, Unread(f"{path.name}：{error}", folders.raw(path)), str(path))


def _came(settings: Settings, at: int) -> list[Path]:
    """What came in, whole, in the order it came; a file of the future was written by a clock that was put right."""
    names = ["incoming", *(["report"] if settings.report else [])]
    found: list[Path] = []
    for name in names:
        folder = settings.folder(name)
        found += folders.files_in(folder, before=at - _SETTLED) + folders.files_in(folder, since=at + 60 * _SETTLED)
    return found[: folders.MOST_AT_ONCE]


def _uplink(channel: str, path: Path, found: SpoolFile, at: int) -> Uplink:
    sender = plain_number(found.first("From"))
    text = written(found.text, "短信")
    # The daemon may use a file's name again one day.
    return Uplink(channel, hashed(path.name, sender, found.first("Sent"), text), sender, text, at)


def _failure(channel: str, found: SpoolFile, why: str, at: int) -> Report:
    return Report(channel, found.letter, "", ReceiptKind.UNDELIVERED, at, f"未送达 {one_line(why)}")


def _ended(channel: str, letter: str, fate: Fate, at: int) -> Report:
    delivered = fate.kind is ReceiptKind.DELIVERED
    words = f"{'已送达' if delivered else '未送达'} {one_line(fate.words)}"
    return Report(channel, letter, "", fate.kind or ReceiptKind.ACCEPTED, at, words)


def _matched(
    settings: Settings, reports: list[tuple[Path, SpoolFile]], at: int, odd: list[Odd]
) -> Iterator[tuple[Path, Fate, str]]:
    """Each report with the letter it is about; '' for a message that is not ours."""
    if not reports:
        return
    sent: dict[tuple[str, str], str] = {}
    newest_first = folders.files_in(settings.folder("sent"), since=at - _REPORTED)[::-1]
    for _, found in folders.ours(newest_first):
        for message_id in found.headers.get("Message_id", []):
            sent.setdefault((message_id, _digits(found.first("To"))), found.letter)
    for path, report in reports:
        try:
            fate = fate_of(report)
        except ValueError as error:
            odd.append(_odd(Errand.REPORT, path, error))
            continue
        yield path, fate, sent.get((fate.message_id, _digits(fate.number)), "")


def _digits(number: str) -> str:
    """A number for comparing: what it ends with is the same with and without a country code."""
    return "".join(mark for mark in number if mark.isdigit())[-11:]


def forget_sent(settings: Settings, at: int) -> None:
    """Remove files of ours from the folder of what was sent, once no report can need them. Raises OSError."""
    old = folders.files_in(settings.folder("sent"), before=at - settings.keep_days * _DAY)
    for path, _ in folders.ours(old[: folders.MOST_AT_ONCE]):
        path.unlink(missing_ok=True)
