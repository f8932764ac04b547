"""The folders of an smstools spool, worked on in threads: each step leaves a whole file in one place or another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from channels.sms.spool_files import PREFIX, SpoolFile, read_file
from channels.sms.spool_settings import Settings

# smsd opens it as a user of its own, of the folder's group.
_MODE = 0o660
_LOCK = ".LOCK"
# At its start the daemon tries every folder with a small script.
_TRIAL = "smsd_script"
# A text message is a few hundred bytes; a file beyond this is none.
_LARGEST = 64 * 1024
MOST_AT_ONCE = 500
"""How many files of a folder are read in one look; the others follow in the next."""


def put(settings: Settings, name: str, content: bytes, at: int) -> None:
    """Write a whole message into the outgoing folder, on disk when this returns; ``at`` (ms) becomes its time.

    Raises OSError; then nothing is in the outgoing folder, except where only the folder could not be synced.
    """
    drafts, outgoing = settings.folder("drafts"), settings.folder("outgoing")
    drafts.mkdir(mode=0o770, exist_ok=True)
    draft = drafts / name
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    try:
        os.fchmod(handle, _MODE)
        _write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    os.utime(draft, ns=(at * 1_000_000, at * 1_000_000))
    draft.rename(outgoing / name)
    sync(outgoing)


def _write(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def sync(folder: Path) -> None:
    """What was renamed in a folder is on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def where(settings: Settings, name: str) -> str:
    """In which folder a message is that was put under this name; '' where it is in none."""
    return next(
        (each for each in ("failed", "sent", "checked", "outgoing") if (settings.folder(each) / name).exists()), ""
    )


def files_in(folder: Path, *, since: int = 0, before: int | None = None) -> list[Path]:
    """The files of a folder that were last written in this span (ms), oldest first; none where there is no folder."""
    found: list[tuple[int, Path]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                aside = entry.name.startswith((".", _TRIAL)) or entry.name.endswith(_LOCK)
                if aside or not entry.is_file(follow_symlinks=False):
                    continue
                written = entry.stat(follow_symlinks=False).st_mtime_ns // 1_000_000
                if since <= written and (before is None or written <= before):
                    found.append((written, Path(entry.path)))
    except FileNotFoundError:
        return []
    return [path for _, path in sorted(found)]


def stuck(settings: Settings, at: int) -> list[Path]:
    """Files of ours that nobody has worked on for too long at ``at`` (ms), oldest first: the daemon fetches none, or
    its modem sends none. Where the modem is only slow, all it has fetched is still on its way."""
    before = at - settings.stuck_after * 1000
    found = files_in(settings.folder("outgoing"), before=before)
    waiting = files_in(settings.folder("checked"), before=before)
    if waiting and not any(files_in(settings.folder(each), since=before) for each in ("sent", "failed")):
        found += [path for path in waiting if not path.with_name(path.name + _LOCK).exists()]
    return [path for path in found if path.name.startswith(PREFIX)]


def read(path: Path) -> SpoolFile | None:
    """A file's content; None where it has gone meanwhile. Raises ValueError for what is no message."""
    try:
        with path.open("rb") as handle:
            raw = handle.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    if len(raw) > _LARGEST:
        raise ValueError(f"超过 {_LARGEST} 字节")
    return read_file(raw)


def raw(path: Path) -> str:
    """What a file that is no message holds, as far as it can be shown; '' where it has gone."""
    try:
        with path.open("rb") as handle:
            return handle.read(_LARGEST).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def ours(paths: list[Path]) -> Iterator[tuple[Path, SpoolFile]]:
    """Those of the files that hold a letter of ours."""
    for path in paths:
        try:
            found = read(path)
        except ValueError:
            continue
        if found is not None and found.letter:
            yield path, found


def move(path: Path, folder: Path) -> Path | None:
    """Put a file aside; where it is now, None where somebody else was quicker."""
    folder.mkdir(mode=0o770, exist_ok=True, parents=True)
    try:
        return path.rename(folder / path.name)
    except FileNotFoundError:
        return None
