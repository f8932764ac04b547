"""Sealed journal rows in files: JSON lines, a header first, one file for each run of rows of a partition.

The header names the rows and the hashes before and after them; each row's line holds its number, the chain's hash after
it, and the row exactly as it was committed. A file appears whole or not at all.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

_NAME = re.compile(r"p(\d{4})-(\d{15})-(\d{15})\.jsonl")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A segment's first line. ``before`` and ``after`` are the chain's hashes in hex."""

    partition: int
    first: int
    last: int
    before: str
    after: str


class Line(msgspec.Struct, frozen=True):
    """A row in a segment: its number, the chain's hash after it in hex, its bytes."""

    number: int
    hash: str
    row: msgspec.Raw


_header = msgspec.json.Decoder(Header).decode
_line = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


def write_segment(folder: Path, header: Header, rows: list[tuple[int, bytes, bytes]]) -> Path:
    """Write rows (number, hash, bytes) to a file of ``folder`` and bring it to disk; the same rows again replace it.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"p{header.partition:04d}-{header.first:015d}-{header.last:015d}.jsonl"
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(_encode(header) + b"\n")
        for number, row_hash, row in rows:
            file.write(_encode(Line(number, row_hash.hex(), msgspec.Raw(row))) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    for first, last, other in segments_of(folder, header.partition):
        if first == header.first and last != header.last:
            # Left by a hub that ended before it trimmed the store, and was then set to another segment size.
            other.unlink()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def segments_of(folder: Path, partition: int) -> list[tuple[int, int, Path]]:
    """A partition's segments as (first row, last row, file), in order."""
    if not folder.is_dir():
        return []
    found = ((_NAME.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted(
        (int(name[2]), int(name[3]), path) for name, path in found if name is not None and int(name[1]) == partition
    )


def read_header(path: Path) -> Header:
    """The first line of a segment. Raises OSError, msgspec.MsgspecError for what is no header."""
    with path.open("rb") as file:
        return _header(file.readline())


def read_lines(path: Path) -> Iterator[bytes]:
    """The rows' lines of a segment as they stand there, without the line's end. Raises OSError."""
    with path.open("rb") as file:
        file.readline()
        for line in file:
            yield line.removesuffix(b"\n")


def parse_line(line: bytes) -> Line:
    """A row's line. Raises msgspec.MsgspecError for what is none, or was not written so by the ledger."""
    parsed = _line(line)
    if _encode(parsed) != line:
        raise msgspec.ValidationError("the line is not as it was written")
    return parsed
