"""Reading an append-only file without changing it: is its end torn, or is it damaged?

The server itself cannot tell a write that was cut off from a length field damaged in the middle: both end in
"unexpected end of file", and loading with `aof-load-truncated yes` would then throw away everything behind the damage.
So before that is allowed, the file is read here: the cut is a torn tail only if nothing behind the last whole record
looks like another whole record.

The format is that of the protocol: `*<n>` then n times `$<length>`, each line ended by CR LF; lines that begin with `#`
are annotations. MULTI … EXEC counts as one record, since the server undoes it as one.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

FOLDER = "appendonlydir"
NAME = "appendonly.aof"

_RECORD = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[0-9]{1,10}\r\n")
_LONGEST_HEAD = 16


class Shape(Enum):
    """What the file is."""

    WHOLE = "whole"
    TORN = "torn"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Reading:
    """What `read` found. Offsets and sizes in bytes."""

    shape: Shape
    size: int
    whole: int
    """End of the last whole record outside an open transaction: what stays when a torn tail is cut."""
    at: int
    """Where the trouble begins; equal to `size` in a whole file."""


class _CutError(Exception):
    """The data ended inside a record."""


class _BadError(Exception):
    """These bytes are no record."""


def _number(data: bytes | mmap.mmap, position: int, sign: bytes) -> tuple[int, int]:
    head = data[position : position + _LONGEST_HEAD]
    if head[:1] != sign[: len(head[:1])]:
        raise _BadError
    end = head.find(b"\r\n")
    digits = head[1:end] if end >= 0 else head[1:].removesuffix(b"\r")
    if digits and not digits.isdigit():
        raise _BadError
    if end < 0:
        raise _CutError if len(head) < _LONGEST_HEAD else _BadError
    if not digits:
        raise _BadError
    return int(digits), position + end + 2


def _record(data: bytes | mmap.mmap, position: int, size: int) -> tuple[bytes, int]:
    """The command's name and the end of the record at `position`."""
    count, position = _number(data, position, b"*")
    if count == 0:
        raise _BadError
    name = b""
    for index in range(count):
        length, position = _number(data, position, b"$")
        if position + length + 2 > size:
            ending = data[position + length : size]
            raise _CutError if b"\r\n".startswith(ending) else _BadError
        if data[position + length : position + length + 2] != b"\r\n":
            raise _BadError
        if index == 0:
            name = bytes(data[position : position + length]).upper()
        position += length + 2
    return name, position


def scan(data: bytes | mmap.mmap) -> Reading:
    """Read all records of `data`; never raises, whatever the bytes are."""
    size = len(data)
    position = whole = 0
    in_transaction = False
    try:
        while position < size:
            if data[position : position + 1] == b"#":
                end = data.find(b"\n", position)
                if end < 0:
                    raise _CutError
                position = end + 1
            else:
                name, position = _record(data, position, size)
                if name == b"MULTI":
                    in_transaction = True
                elif name == b"EXEC":
                    in_transaction = False
            if not in_transaction:
                whole = position
    except _BadError:
        return Reading(Shape.DAMAGED, size, whole, position)
    except _CutError:
        shape = Shape.DAMAGED if _whole_record_after(data, position + 1, size) else Shape.TORN
        return Reading(shape, size, whole, position)
    return Reading(Shape.TORN if in_transaction else Shape.WHOLE, size, whole, size if not in_transaction else whole)


def _whole_record_after(data: bytes | mmap.mmap, position: int, size: int) -> bool:
    for match in _RECORD.finditer(data, position):
        try:
            _record(data, match.start(), size)
        except (_BadError, _CutError):
            continue
        return True
    return False


def read(path: Path) -> Reading:
    """`scan` of a file. Raises OSError."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return Reading(Shape.WHOLE, 0, 0, 0)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return scan(data)


def last_file(data_folder: Path) -> Path | None:
    """The file that is being appended to, by the manifest's word, or None when there is none yet.

    Raises OSError, ValueError when a manifest line cannot be read.
    """
    manifest = data_folder / FOLDER / f"{NAME}.manifest"
    if not manifest.exists():
        return None
    last = last_named(manifest.read_bytes())
    return data_folder / FOLDER / last if last else None


def last_named(manifest: bytes) -> str | None:
    """The name of the file that is appended to, by a manifest's bytes. Raises ValueError."""
    last: tuple[int, str] | None = None
    for fields in _lines(manifest):
        if fields.get("type") == "i" and (last is None or int(fields["seq"]) > last[0]):
            last = int(fields["seq"]), fields["file"]
    return last[1] if last else None


def named(manifest: bytes) -> list[str]:
    """The names of all files that hold data: the base, and those appended to since. Raises ValueError."""
    return [fields["file"] for fields in _lines(manifest) if fields.get("type") in ("b", "i")]


def _lines(manifest: bytes) -> list[dict[str, str]]:
    lines = [line.split() for line in manifest.decode("utf-8").splitlines() if line.strip() and line[0] != "#"]
    return [dict(zip(words[::2], words[1::2], strict=False)) for words in lines]


def orphaned_files(data_folder: Path) -> list[Path]:
    """Data files without a manifest: the server would ignore them and start empty beside them."""
    folder = data_folder / FOLDER
    if not folder.is_dir() or (folder / f"{NAME}.manifest").exists():
        return []
    return sorted(
        path for path in folder.iterdir() if path.name.startswith(f"{NAME}.") and path.suffix in (".aof", ".rdb")
    )
