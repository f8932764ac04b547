"""What goes into the ledger and what comes out of it: lookups, changes, and how they ended."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from escalation.incident import Incident
from escalation.inputs import Entry
from escalation.ledger.states import Damaged
from escalation.notice import DeadLetter, OutboxRow


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for in one partition: an incident by its ``code`` or, without one, by its ``correlation``; and which
    of ``inputs`` (input id, body hash) were taken already."""

    partition: int
    inputs: tuple[tuple[str, str], ...] = ()
    correlation: str = ""
    code: str = ""


class Recorded(msgspec.Struct, frozen=True):
    """An input that was taken before: its result then, and whether the same id now comes with another body."""

    result: bytes
    other_body: bool


class Loaded(msgspec.Struct, frozen=True):
    """The answer to a lookup: for each of its inputs what was recorded, the incident, or the tombstone of a clear that
    came before its raise (source time, milliseconds).

    ``damaged`` where there is an incident that cannot be read: one bad state takes no other lookup with it. ``raw`` are
    the incident's stored bytes, for whoever must begin again with a state that a decision has used up."""

    recorded: list[Recorded | None]
    incident: Incident | None
    tombstone: int | None
    damaged: Damaged | None = None
    raw: bytes = b""


class Taken(msgspec.Struct, frozen=True):
    """An input that a change consumes, with the result that a repeat of it is to be answered with."""

    input_id: str
    body_hash: str
    result: bytes


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One incident's change, or inputs that touch none.

    ``expected_version`` is the version the decision was made on, 0 for a new incident. A new incident, and a
    ``tombstone`` to be remembered under ``correlation``, are refused unless the correlation still has what was loaded:
    ``tombstone_was`` or nothing. ``claimed_until`` above 0 gives the outbox rows to the committing hub at once, as if
    it had claimed them until then. ``quarantine`` holds (id, row) of what was told but not understood, ``dead`` what
    can reach nobody any more, ``buried`` the ids of dead letters that are done with. Times in milliseconds of the hub's
    clock.
    """

    partition: int
    now: int
    takes: list[Taken] = []
    incident: Incident | None = None
    expected_version: int = 0
    correlation: str = ""
    tombstone_was: int | None = None
    tombstone: int | None = None
    entries: list[Entry] = []
    outbox: list[OutboxRow] = []
    quarantine: list[tuple[str, bytes]] = []
    dead: list[DeadLetter] = []
    buried: list[str] = []
    claimed_until: int = 0


class OutboxItem(NamedTuple):
    """An outbox row in somebody's hand. ``line`` and ``token`` prove the claim; ``member`` is the row's id, ``body``
    its stored bytes."""

    partition: int
    line: str
    token: str
    member: str
    body: bytes
    row: OutboxRow


class Born(NamedTuple):
    """The claim with which a change's outbox rows are born: their partition, its token, its end in milliseconds."""

    partition: int
    token: str
    until: int


class Committed(msgspec.Struct, frozen=True):
    """The change is on disk as ``version`` (0 without an incident). ``claimed`` are the outbox rows born claimed; rows
    that follow others of their incident still on their way are left for whoever holds those."""

    version: int
    claimed: list[OutboxItem]


class AlreadyTaken(msgspec.Struct, frozen=True):
    """Nothing was written: some of the inputs were taken before. One place for each take of the change."""

    recorded: list[Recorded | None]


class Conflict(msgspec.Struct, frozen=True):
    """Nothing was written: the incident has another version now (-1: the correlation was taken). Load, decide again."""

    version: int


class Failed(msgspec.Struct, frozen=True):
    """The store did not say what became of this change; committing it again is safe. ``unwritable``: the change itself
    cannot be written as bytes and was not sent; committing it again would fail again."""

    error: Exception
    unwritable: bool = False


Outcome = Committed | AlreadyTaken | Conflict | Failed
