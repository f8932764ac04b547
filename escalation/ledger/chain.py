"""The journal's chain: each row's hash covers the row, its number and all rows before it in the partition.

``hash(n) = SHA-256(hash(n - 1) ‖ n as 8 bytes, big-endian ‖ the row's bytes)``; ``hash(0)`` is the SHA-256 of the
partition's number in decimal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one partition's sealed journal: how many rows (the last one's number) and the hash after it in hex."""

    count: int
    sha256: str

    @property
    def stream_id(self) -> str:
        """The last row's id in the store's stream."""
        return f"0-{self.count}"


def genesis(partition: int) -> bytes:
    """The hash before the first row."""
    return hashlib.sha256(str(partition).encode()).digest()


def link(before: bytes, number: int, row: bytes) -> bytes:
    """The hash after row ``number``."""
    return hashlib.sha256(b"".join((before, number.to_bytes(8), row))).digest()


def links(before: bytes, rows: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """The hashes after each of the rows (number, bytes)."""
    hashes: list[bytes] = []
    for number, row in rows:
        before = link(before, number, row)
        hashes.append(before)
    return hashes
