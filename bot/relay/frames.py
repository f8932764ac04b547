"""What hub and courier process say to each other: msgpack values on a socket pair, each with its length before it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from escalation.ledger.change import OutboxItem
from escalation.notice import OutboxRow

_HEAD = 4


class Begin(msgspec.Struct, tag=True, array_like=True):
    """The first word: which configuration holds, and where the store is. ``socket`` is '' for an external store, which
    the configuration names; ``waitaof`` says whether its writes are waited for."""

    config: str
    socket: str
    waitaof: bool


class Beat(msgspec.Struct, tag=True, array_like=True):
    """Still here. From the hub ``work`` says whether the store is the right one and in order."""

    work: bool


class Rows(msgspec.Struct, tag=True, array_like=True):
    """Outbox rows that a commit leased to this hub, as (partition, line, token, member, bytes)."""

    rows: list[tuple[int, str, str, str, bytes]]

    @classmethod
    def of(cls, items: Sequence[OutboxItem]) -> Rows:
        return cls([(item.partition, item.line, item.token, item.member, item.body) for item in items])

    def items(self) -> list[OutboxItem]:
        """The rows as a commit would have given them."""
        return [OutboxItem(*row, _read_row(row[4])) for row in self.rows]


class Counts(msgspec.Struct, tag=True, array_like=True):
    """From the courier process: how its sends ended since it said so last, as (channel, result, how many), each
    channel's last good one (ms), how many are under way, and for how many seconds its workers have not come through a
    turn (0.0 while all is well)."""

    sends: list[tuple[str, str, int]]
    good_at: dict[str, int]
    under_way: int
    stuck: float


Frame = Begin | Beat | Rows | Counts
_reader: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)
_write = msgspec.msgpack.Encoder().encode
_read_row = msgspec.json.Decoder(OutboxRow).decode


def framed(frame: Frame) -> bytes:
    """One frame as it is sent."""
    body = _write(frame)
    return len(body).to_bytes(_HEAD, "big") + body


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None when the other end is gone. Raises msgspec.DecodeError for what is none."""
    try:
        head = await reader.readexactly(_HEAD)
        return _reader.decode(await reader.readexactly(int.from_bytes(head, "big")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
