"""Pictures on their way: a row first, then its file, until their incident knows what became of it.

A row lies in its sender's partition and has up to four fields, so that whoever fetches the file and whoever ties the
picture to an incident never write over each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from escalation.evidence import EvidenceFile
from escalation.ledger.claims import answered
from escalation.ledger.copies import Copies
from escalation.ledger.door import Arg, Call, Store
from escalation.ledger.keys import US, partition_keys, partition_of
from escalation.ledger.scripts import register

_FOR, _FILE, _NEXT = "for", "file", "next"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it was sent: ``media`` is by what the channel's vendor gives it out; ``at`` in ms."""

    id: str
    channel: str
    sender: str
    media: str
    at: int


class Next(msgspec.Struct, frozen=True, array_like=True):
    """How often the file was asked for, and when it is asked for again (ms)."""

    tries: int = 0
    at: int = 0


@dataclass(slots=True)
class Picture:
    """What is known of one picture: which incident it is for ('' while nobody said), and its file once that is over."""

    sent: Sent
    code: str = ""
    file: EvidenceFile | None = None
    next: Next = field(default_factory=Next)


_read_sent = msgspec.json.Decoder(Sent).decode
_read_file = msgspec.json.Decoder(EvidenceFile).decode
_read_next = msgspec.json.Decoder(Next).decode


class Pictures:
    """The pictures of all partitions that are not done with; ``copies`` are files on their way to other hubs."""

    def __init__(self, store: Store, partitions: int, hub: str = "") -> None:
        """``hub`` names this hub among those of the store; '' for one that shares no files."""
        register(store, "evidence")
        self.copies = Copies(store, hub)
        self._store = store
        self._keys = [partition_keys(number).evidence for number in range(partitions)]

    async def put(self, sent: Sent) -> None:
        """Keep a picture's row; on disk when this returns. Raises the store's error."""
        await self._write(sent.sender, [sent.id, msgspec.json.encode(sent)])

    async def tie(self, sender: str, ids: Sequence[str], code: str) -> None:
        """These pictures of a sender are for this incident. Raises the store's error."""
        await self._write(sender, [part for each in ids for part in (f"{each}{US}{_FOR}", code)])

    async def try_again(self, sent: Sent, following: Next) -> None:
        """Say when the file is asked for next, before it is asked for now."""
        await self._write(sent.sender, [f"{sent.id}{US}{_NEXT}", msgspec.json.encode(following)])

    async def filed(self, sent: Sent, file: EvidenceFile) -> None:
        """The file is kept, or there will be none. Raises the store's error."""
        await self._write(sent.sender, [f"{sent.id}{US}{_FILE}", msgspec.json.encode(file)])

    async def forget(self, sent: Sent) -> None:
        """Its incident knows all there is."""
        fields = (sent.id, *(f"{sent.id}{US}{name}" for name in (_FOR, _FILE, _NEXT)))
        await self._write(sent.sender, [part for name in fields for part in (name, "")])

    async def of(self, channel: str, sender: str) -> list[Picture]:
        """A sender's pictures, oldest first. Raises the store's error."""
        flat = await self._store.execute("HGETALL", self._key(sender))
        return [each for each in _pictures(flat) if (each.sent.channel, each.sent.sender) == (channel, sender)]

    async def all(self) -> list[Picture]:
        """Every picture that is not done with, oldest first. Raises the store's error where none of it answered."""
        replies = await self._store.pipeline([("HGETALL", key) for key in self._keys])
        found = [each for _, flat in answered(self._keys, replies) for each in _pictures(flat)]
        return sorted(found, key=lambda each: (each.sent.at, each.sent.id))

    async def _write(self, sender: str, args: list[Arg]) -> None:
        call: Call = ("evidence", (self._key(sender),), args)
        (reply,) = await self._store.run_scripts([call])
        if isinstance(reply, Exception):
            raise reply

    def _key(self, sender: str) -> bytes:
        return self._keys[partition_of(sender, len(self._keys))]


def _pictures(flat: Sequence[bytes]) -> list[Picture]:
    """The pictures of a hash's fields; what belongs to none (its row was forgotten meanwhile) is left out."""
    fields = {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
    found: list[Picture] = []
    for name, value in fields.items():
        if US in name:
            continue
        code, file, following = (fields.get(f"{name}{US}{part}") for part in (_FOR, _FILE, _NEXT))
        found.append(
            Picture(
                _read_sent(value),
                code.decode() if code else "",
                _read_file(file) if file else None,
                _read_next(following) if following else Next(),
            )
        )
    return sorted(found, key=lambda each: (each.sent.at, each.sent.id))
