"""Everything that may happen to an incident, and everything a decision may want done: the two ends of ``decide``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec

from escalation.calendar import Calendar
from escalation.directory import Directory
from escalation.evidence import EvidenceFile
from escalation.incident import Incident
from escalation.notice import DeadLetter, OutboxRow
from escalation.plan import PlanBook
from escalation.profile import Profile
from escalation.vocabulary import ClockKind, Role, Tier, Verb, Verdict


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's answer about one incident, already understood. ``id`` identifies it for ever (channel, message id).

    ``person`` is the directory's id ('' for a duty room answering as such: then ``unit`` and ``role`` say which).
    ``to`` is whom a transfer names, as it was said; ``minutes`` or ``until`` (ms) by how much or to when a limit is to
    be moved, ``clock`` which one; ``of`` what kind of request an approval or refusal speaks of, where it says so.
    ``only_unit`` is the one unit it may be given for, '' for any where the sender holds a post. ``notice`` names the
    人工电话 task that was done. ``card`` is the notice whose card was pressed, ``card_at`` when that was made (ms; 0:
    nothing was pressed), ``handle`` by what the vendor lets that card be changed from now on.
    """

    id: str
    verb: Verb
    person: str
    unit: str = ""
    role: Role | None = None
    channel: str
    at: int
    text: str = ""
    cause: str = ""
    to: str = ""
    minutes: int = 0
    until: int = 0
    clock: ClockKind | None = None
    of: Verb | None = None
    only_unit: str = ""
    notice: str = ""
    card: str = ""
    card_at: int = 0
    handle: str = ""

    @property
    def input_id(self) -> str:
        return f"r\x1f{self.id}"


class EvidenceGiven(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Pictures (by their ids) that somebody gives for this incident; who that is, as in :class:`Reply`. ``id``
    identifies the message that said so, for ever."""

    id: str
    pictures: tuple[str, ...]
    person: str
    unit: str = ""
    role: Role | None = None
    channel: str
    at: int

    @property
    def input_id(self) -> str:
        return f"e\x1f{self.id}"


class EvidenceKept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a picture's file."""

    picture: str
    file: EvidenceFile

    @property
    def input_id(self) -> str:
        return f"k\x1f{self.picture}"


class Lapse(msgspec.Struct, frozen=True, kw_only=True):
    """Time has passed: fire every step and clock that is due at ``at``."""

    at: int


class SendResult(StrEnum):
    """What the courier reports of one notice, mapped from a channel's typed outcome. ``barred``: its channel is broken,
    so its vendor was not asked yet. ``answered``: somebody took the call and did not press the key."""

    SUBMITTED = "submitted"
    UNCERTAIN = "uncertain"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    REFUSED_RECIPIENT = "refused_recipient"
    REFUSED_CONTENT = "refused_content"
    MISCONFIGURED = "misconfigured"
    DROPPED = "dropped"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    REPEATED = "repeated"
    BARRED = "barred"
    ANSWERED = "answered"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a send of ``notice``. ``tries`` counts sends of this notice, ``repeat`` that an earlier one may
    have reached the vendor (its answer was lost). ``until`` is when its mailbox may send it next, where the vendor did
    not take it now (0: not known). ``handle`` is by what the vendor lets the message be changed later.
    """

    notice: str
    result: SendResult
    at: int
    vendor_id: str = ""
    detail: str = ""
    tries: int = 1
    repeat: bool = False
    until: int = 0
    handle: str = ""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """An operator (``by``) wants a dead letter of this incident sent again, for a reason (``why``)."""

    letter: DeadLetter
    by: str
    why: str


class ChannelFacts(Protocol):
    """What the rules may know of channels, without importing them."""

    def can(self, channel: str, ability: str) -> bool:
        """``ability`` is one of ``personal``, ``replies``, ``tells_reading``."""
        ...


class Context(msgspec.Struct, frozen=True):
    """All that a decision may look at besides the incident and the input. ``now`` in milliseconds.

    ``feedback`` names, for each source that wants answers back, the channels (webhook, stream) that carry them;
    ``maintainers`` is the unit whose maintainer post hears of what the hub itself cannot solve. ``plans`` is the book
    of this directory and profile, where whoever swaps them keeps one: it makes plans much quicker, and no other ones.
    """

    now: int
    directory: Directory
    profile: Profile
    channels: ChannelFacts
    calendar: Calendar
    feedback: Mapping[str, tuple[str, ...]] = {}
    maintainers: str = ""
    plans: PlanBook | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the journal: what was decided, by which named ``reason``, about what.

    ``at`` is the hub's time; ``actor`` a person or post for what people did. ``detail`` holds plain values only and no
    phone number.
    """

    at: int
    reason: str
    incident: str = ""
    actor: str = ""
    notice: str = ""
    detail: dict[str, str | int | float | bool | None] = {}


class Decision(msgspec.Struct, kw_only=True):
    """What follows: the new state (None: no incident is touched), the journal's rows, what to send, what to answer.

    ``reason`` is the named reason of the whole decision. ``answer`` is the plain sentence for whoever replied.
    ``tombstone`` remembers a clear that came before its raise (source time, milliseconds). ``dead`` is what can reach
    nobody any more.
    """

    reason: str
    incident: Incident | None = None
    entries: list[Entry] = []
    outbox: list[OutboxRow] = []
    verdict: Verdict | None = None
    answer: str = ""
    tombstone: int | None = None
    dead: list[DeadLetter] = []


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """For whom somebody may answer: the post they answer from."""

    unit: str
    tier: Tier
    role: Role
    person: str
    name: str
