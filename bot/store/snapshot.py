"""A copy of the supervised store's files as they were at one instant, taken while a server may be writing them.

The append-only set is one base file that never changes, files that only grow, and a manifest that names them. So what
was in the store at an instant is: the files that the manifest named, each up to its length then. Their descriptors are
held open, so that a compaction that replaces them meanwhile takes nothing away. If the last one then ends inside a
record, that record was not yet answered for, and is cut off.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bot.store import aof

MOST_TRIES = 20
_CHUNK = 1 << 20


class RestlessStoreError(Exception):
    """The files were replaced again and again while they were looked at."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The open files of one instant by name, with their lengths, and the manifest's bytes. ``journal`` are the filed
    segments that were there at that instant: none of them ever changes."""

    manifest: bytes
    files: dict[str, tuple[BinaryIO, int]]
    journal: list[Path]


@contextmanager
def snapshot(store: Path, journal: Path) -> Iterator[Snapshot]:
    """Hold the store's files, and list the journal's, as of one instant.

    ``store`` is the folder of the supervised store. A segment is written before its rows leave the store, so the list
    is taken twice around the instant and must not have changed. Raises FileNotFoundError where there is no store,
    RestlessStoreError, OSError.
    """
    folder = store / aof.FOLDER
    path = folder / f"{aof.NAME}.manifest"
    for _ in range(MOST_TRIES):
        with ExitStack() as stack:
            manifest = path.read_bytes()
            try:
                opened = {name: stack.enter_context((folder / name).open("rb")) for name in aof.named(manifest)}
            except FileNotFoundError:
                continue
            before = _segments(journal)
            sizes = {name: os.fstat(file.fileno()).st_size for name, file in opened.items()}
            if path.read_bytes() == manifest and _segments(journal) == before:
                yield Snapshot(manifest, {name: (file, sizes[name]) for name, file in opened.items()}, before)
                return
    raise RestlessStoreError(
        f"{folder} 中的文件不断变化，没有备份；请稍后再试，或停止后备份。 / the files in {folder} kept changing; "
        "try again later, or stop the hub first."
    )


def copy(found: Snapshot, target: Path) -> None:
    """Write the append-only set into ``target``/appendonlydir, whole to the last record. Raises OSError, ValueError
    where a file is damaged."""
    folder = target / aof.FOLDER
    folder.mkdir(parents=True, mode=0o700)
    for name, (file, size) in found.files.items():
        _copy(file, size, folder / name)
    last = aof.last_named(found.manifest)
    if last is not None:
        _cut(folder / last)
    _write(folder / f"{aof.NAME}.manifest", found.manifest)


def _segments(journal: Path) -> list[Path]:
    return sorted(path for path in journal.glob("p*.jsonl")) if journal.is_dir() else []


def _copy(file: BinaryIO, size: int, target: Path) -> None:
    with target.open("xb") as out:
        left = size
        while left and (data := file.read(min(_CHUNK, left))):
            out.write(data)
            left -= len(data)
        if left:
            raise ValueError(f"{target.name} 比刚才短了 / {target.name} has become shorter")
        out.flush()
        os.fsync(out.fileno())


def _cut(path: Path) -> None:
    reading = aof.read(path)
    if reading.shape is aof.Shape.DAMAGED:
        raise ValueError(f"{path.name} 已损坏（第 {reading.at} 字节），没有备份 / {path.name} is damaged")
    if reading.shape is aof.Shape.TORN:
        with path.open("r+b") as file:
            file.truncate(reading.whole)
            os.fsync(file.fileno())


def copy_plain(source: Path, target: Path) -> None:
    """A file that does not change, brought to disk."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def sha256(path: Path) -> str:
    """The file's digest in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
