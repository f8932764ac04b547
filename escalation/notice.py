"""One thing one person or duty room must hear, and what became of it.

A notice's id is deterministic (incident, stage, address), so a repeat after a crash is the same notice, and persons who
share an address share one send. Told, submitted, delivered, read and signed are five facts, kept apart.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from escalation.deed import Deed
from escalation.vocabulary import ClockKind, Measure, Purpose, Role, Tier, Urgency


class NoticeKind(StrEnum):
    """Why a notice is sent; it chooses the template."""

    RAISED = "raised"
    ROSE = "rose"
    REOPENED = "reopened"
    LOWERED = "lowered"
    RETURNED = "returned"
    REMIND = "remind"
    ANNOUNCE = "announce"
    ESCALATED = "escalated"
    SIGNED = "signed"
    REQUESTED = "requested"
    CLOSED = "closed"
    TRANSFERRED = "transferred"
    URGED = "urged"
    PROGRESS = "progress"
    PHONE_TASK = "phone_task"
    PROPOSAL = "proposal"
    QUARANTINE = "quarantine"
    ANSWER = "answer"
    FEEDBACK = "feedback"
    OFFICIAL = "official"
    CARD = "card"


class NoticeState(StrEnum):
    """``queued`` (in the outbox or a mailbox), then what the vendor said; ``dropped`` by the hub with a reason."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    READ = "read"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    DROPPED = "dropped"
    DEAD = "dead"

    @property
    def reached_vendor(self) -> bool:
        return self in (NoticeState.SUBMITTED, NoticeState.DELIVERED, NoticeState.READ, NoticeState.UNCERTAIN)

    @property
    def hopeful(self) -> bool:
        """True while it may still reach its reader, or has."""
        return self is NoticeState.QUEUED or self.reached_vendor


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """One way to reach an addressee: a configured channel's name and an address on it ('' where the channel is it)."""

    channel: str
    address: str = ""


class Addressee(msgspec.Struct, frozen=True, array_like=True):
    """Who is to hear: a person at a post, or the post itself (a duty room).

    ``person`` is the person's id, '' for a duty room as such; ``contacts`` in order of preference. ``calls`` are the
    ways to telephone them, which only a step that calls uses.
    """

    unit: str
    tier: Tier
    role: Role
    person: str = ""
    name: str = ""
    contacts: tuple[Contact, ...] = ()
    calls: tuple[Contact, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.unit}/{self.role}/{self.person}"

    @property
    def who(self) -> str:
        """The same for one person at whatever post they stand; a duty room is only itself."""
        return self.person or self.key


class Notice(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A notice inside its incident's state. Times in milliseconds; ``stage`` names the moment it belongs to (opening,
    a rise, a ladder step …) and is part of the id. ``attempt`` counts the addressee's contacts already used.
    ``also`` are the others who hear by this same send, since they share the address. ``done_at`` and ``done_by`` (a
    name) say that a phone task was done: its person was told, which is not signing. ``passed_on`` says why its reader
    was looked for another way while it still waits, or lies unread ('' while nobody was). ``deed`` is what
    a notice for upstream tells, kept as it was: it may be taken back, or leave the state, before that can be sent.
    ``handle`` is what the vendor wants to be shown by a notice that changes an earlier card (:class:`NoticeKind.CARD`,
    whose ``note`` stands where the buttons were); ``card`` is the notice whose card that is."""

    id: str
    kind: NoticeKind
    purpose: Purpose
    stage: str
    to: Addressee
    contact: Contact
    created_at: int
    urgency: Urgency = Urgency.NORMAL
    duty: str = ""
    clock: ClockKind | None = None
    measure: Measure | None = None
    attempt: int = 0
    state: NoticeState = NoticeState.QUEUED
    submitted_at: int = 0
    delivered_at: int = 0
    read_at: int = 0
    vendor_id: str = ""
    detail: str = ""
    due_at: int = 0
    note: str = ""
    also: tuple[Addressee, ...] = ()
    done_at: int = 0
    done_by: str = ""
    passed_on: str = ""
    deed: Deed | None = None
    handle: str = ""
    card: str = ""

    @property
    def everybody(self) -> tuple[Addressee, ...]:
        """Whom this send is for."""
        return (self.to, *self.also)

    @property
    def spoken(self) -> bool:
        """True for a telephone call."""
        return self.contact in self.to.calls


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notice that can reach nobody any more, kept until a person replays or drops it.

    ``row`` is what its mailbox held last, ``at`` when it was given up (ms), ``result`` and ``why`` what the vendor
    said, ``told`` the notice as its incident had it (None: it belonged to no incident).
    """

    row: OutboxRow
    at: int
    result: str
    why: str
    told: Notice | None = None

    @property
    def notice(self) -> str:
        return self.row.notice


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the outbox and a mailbox carry: enough to find the notice again, and no more; the text is made at the send.

    ``not_before`` in milliseconds. ``incident`` is the code, '' for a notice without one (an answer to a stranger, a
    quarantine notice); then ``text`` is the whole message, ``subject`` its mail subject ('' for one made of the text),
    and ``attempt`` counts the addressee's contacts already used.
    """

    notice: str
    partition: int
    incident: str
    channel: str
    address: str
    urgency: Urgency
    kind: NoticeKind
    created_at: int
    not_before: int = 0
    text: str = ""
    subject: str = ""
    attempt: int = 0
