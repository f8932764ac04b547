"""The rows answering keeps: a message as it came, how it was read, and what was answered."""

from __future__ import annotations

from hashlib import blake2s
from typing import NamedTuple

import msgspec

from bot.chat.folding import MOST_SEEN, sound
from channels.channel import ReceiptKind, Uplink
from escalation.ledger.inbox import Arrived
from escalation.ledger.keys import US
from escalation.vocabulary import ClockKind, Role, Verb


class Sender(NamedTuple):
    """Who answers: a person of the directory, or (``person`` empty) a duty room as such by ``unit`` and ``role``."""

    person: str = ""
    unit: str = ""
    role: Role | None = None

    @property
    def actor(self) -> str:
        """The sender as the journal names one."""
        return self.person or f"{self.unit}/{self.role or ''}"


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to be done to some incidents; the fields are those of :class:`escalation.inputs.Reply`."""

    verb: Verb
    codes: tuple[str, ...]
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


class CardPress(msgspec.Struct, frozen=True, array_like=True):
    """A button that was pressed on a card, as the vendor told it (:class:`channels.channel.Press`)."""

    card: str
    code: str
    handle: str = ""


class Called(msgspec.Struct, frozen=True, array_like=True):
    """The end of a telephone call, as the vendor told it (:class:`channels.channel.CallEnd`)."""

    reference: str
    vendor_id: str
    kind: ReceiptKind
    detail: str = ""
    key: str = ""
    signs: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message in the inbox. ``known`` says that a page has already made sure of ``person``, ``unit`` and ``role``;
    else the address speaks for the sender. ``silent``: the answer is shown by the page and not sent. ``pressed`` is
    what a page's button meant; then the text is only text. ``other``: what came instead of text. ``about``: the code of
    what the message answers. ``unproven``: anybody may have written it in the sender's name. ``media``: by what its
    vendor gives out what came. ``press``: a button of a card, not yet looked at; ``entered``: nothing was said;
    ``call``: a telephone call to the sender ended. Time in ms."""

    channel: str
    message_id: str
    sender: str
    text: str
    at: int
    known: bool = False
    person: str = ""
    unit: str = ""
    role: Role | None = None
    silent: bool = False
    pressed: Order | None = None
    other: str = ""
    about: str = ""
    unproven: bool = False
    media: str = ""
    press: CardPress | None = None
    entered: bool = False
    call: Called | None = None

    @classmethod
    def of(cls, uplink: Uplink, sender: Sender | None, *, silent: bool, pressed: Order | None = None) -> Row:
        """The row of an uplink, with nothing in it that the store could not keep."""
        who = sender or Sender()
        return cls(
            channel=uplink.channel,
            message_id=sound(uplink.message_id),
            sender=sound(uplink.sender),
            text=sound(uplink.text, MOST_SEEN),
            at=uplink.at,
            known=sender is not None,
            person=who.person,
            unit=who.unit,
            role=who.role,
            silent=silent,
            pressed=pressed,
            other=sound(uplink.other),
            about=sound(uplink.about),
            unproven=uplink.unproven,
            media=sound(uplink.media),
            press=_press_of(uplink),
            entered=uplink.entered,
            call=_call_of(uplink),
        )

    @property
    def arrived(self) -> Arrived:
        return Arrived(self.channel, self.message_id, self.sender, msgspec.json.encode(self))

    @property
    def id(self) -> str:
        """What identifies the message for ever: channel and the vendor's id."""
        return f"{self.channel}{US}{self.message_id}"

    @property
    def digest(self) -> str:
        """The id without anything of the sender's in it, for ids of rows and logs."""
        return digest(self.id)


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a message was taken for, fixed before anything acts: a repeat after a crash does the same, whatever has
    happened to the incidents since. Without ``orders`` nothing acts, and ``answer`` is the whole answer.
    ``trailer`` is said after what the decisions say. ``accident`` are the words to be reported. ``pictures`` are those
    that are given for the incident ``about``, or only kept while nobody has said for which.
    """

    reason: str
    orders: tuple[Order, ...] = ()
    accident: tuple[str, ...] = ()
    person: str = ""
    unit: str = ""
    role: Role | None = None
    answer: str = ""
    trailer: str = ""
    pictures: tuple[str, ...] = ()
    about: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Every incident that something is done to, once."""
        return tuple(dict.fromkeys(code for order in self.orders for code in order.codes))

    @property
    def verbs(self) -> tuple[Verb, ...]:
        return tuple(dict.fromkeys(order.verb for order in self.orders))

    @property
    def sender(self) -> Sender:
        return Sender(self.person, self.unit, self.role)


def _press_of(uplink: Uplink) -> CardPress | None:
    press = uplink.press
    return CardPress(sound(press.card), sound(press.code), sound(press.handle)) if press else None


def _call_of(uplink: Uplink) -> Called | None:
    end = uplink.call
    if end is None:
        return None
    return Called(sound(end.reference), sound(end.vendor_id), end.kind, sound(end.detail), sound(end.key), end.signs)


def digest(text: str) -> str:
    return blake2s(text.encode(), digest_size=8).hexdigest()


read_row = msgspec.json.Decoder(Row).decode
read_reading = msgspec.json.Decoder(Reading).decode
