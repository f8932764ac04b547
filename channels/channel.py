"""The contract of a channel: its settings, its abilities as data, and one ``send`` with a typed outcome.

A channel is a module (or a folder whose ``__init__`` exports the same names) with

* ``Settings``: a frozen pydantic model of its TOML table, with ``kind: Literal["<name>"]`` as discriminator; secrets
  are already resolved ``pydantic.SecretStr`` values;
* ``Driver``: a :class:`Channel` built from ``(name, settings, session)``.

:mod:`channels.registry` finds both; adding a channel touches no list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2s
from typing import Any, ClassVar, Protocol

from channels.outcome import Outcome


class Form(StrEnum):
    """In which form a channel shows text; it names the folder of templates and the escaping rules."""

    SMS = "sms"
    MARKDOWN = "wecom"
    TEXT = "text"
    MAIL = "mail"
    JSON = "webhook"
    VOICE = "voice"


class ReceiptKind(StrEnum):
    """What a vendor may tell later about a send; none of them is a signature, which only a person gives. ``answered``:
    somebody, or a machine, took the call, and no key was pressed that says more."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    READ = "read"
    UNDELIVERED = "undelivered"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Window:
    """A vendor's limit: at most ``count`` messages in any sliding ``per`` seconds for one address."""

    count: int
    per: int


@dataclass(frozen=True, slots=True)
class CardLimits:
    """What fits on a channel's card, each field in bytes of UTF-8; 0 where the card has no such field.

    ``rows`` is how many name-and-value rows it takes, ``row_name`` and ``row_value`` how long each may be. ``buttons``
    is how many buttons that call back it has, ``button`` how long the words of one are; a card without any opens a page
    instead, and so is only made where there is one. ``code`` is how long what a button brings back may be, ``changed``
    what stands in the buttons' place when the card is changed. ``whole``: a change brings the card once more.
    """

    title: int
    summary: int
    body: int
    rows: int = 0
    row_name: int = 0
    row_value: int = 0
    buttons: int = 0
    button: int = 0
    code: int = 0
    changed: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do, as data that rendering, planning and ``check`` read.

    ``max_bytes`` / ``max_chars`` bound the text (None: no bound); ``first_chars`` is the length a first message should
    keep to (one SMS part). ``personal`` means that exactly one person reads the address; only then may ``links`` be
    used. ``windows`` hold for each address; of each window the last ``reserve`` tokens are kept for critical messages.
    ``receipts`` are those the vendor may send back; ``replies`` whether answers come back this way; ``hears`` whether
    members of a group who call its robot by name are heard, by another channel. ``at_once`` is how many sends may run
    at the same time. ``mentions``: people can be called by name inside a group's message; ``mention_cost`` is how many
    further messages of its windows such a call takes. ``buttons``: an answer can be tapped in the message itself.
    ``reports_by_id``: reports name a send by the vendor's id, not by ours; ``asked_after``: the vendor reports only
    when it is asked, or is asked where a report is lost, so many seconds after the send
    (:class:`channels.collecting.Asked`). ``registered`` are the kinds of notices that leave as the parts of a template
    the vendor approved (see :attr:`Letter.parts`). ``card`` says what fits where a call to act is shown as a card
    (None: as text). ``voice``: it telephones; then ``key`` is the key whose pressing signs ('' where none can be
    pressed), and ``landlines`` whether it calls those too.
    """

    kind: str
    word: str
    form: Form
    max_bytes: int | None = None
    max_chars: int | None = None
    first_chars: int | None = None
    personal: bool = False
    links: bool = False
    replies: bool = False
    hears: bool = False
    voice: bool = False
    digest: bool = True
    windows: tuple[Window, ...] = ()
    reserve: int = 0
    mentions: bool = False
    mention_cost: int = 0
    buttons: bool = False
    receipts: frozenset[ReceiptKind] = frozenset()
    reports_by_id: bool = False
    asked_after: tuple[int, ...] = ()
    at_once: int = 8
    timeout: float = 10.0
    registered: frozenset[str] = frozenset()
    card: CardLimits | None = None
    key: str = ""
    landlines: bool = False

    @property
    def tells_reading(self) -> bool:
        """Whether the vendor says when a message was read, so that an unread one is known to be unread."""
        return ReceiptKind.READ in self.receipts


@dataclass(frozen=True, slots=True)
class Button:
    """A button: what stands on it, and either what comes back when it is pressed, or the page it opens."""

    words: str
    code: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A message as a card, within the channel's :class:`CardLimits`.

    ``id`` is the same on every repeat and never that of another card; a press brings it back. ``link`` is the page the
    card opens, '' for none.
    """

    id: str
    title: str
    summary: str
    body: str
    rows: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One rendered message to one address.

    ``id`` is deterministic and the same on every repeat. ``address`` is a phone number, a mail address, a URL, or empty
    where the channel itself is the address (a group robot). ``text`` is within the channel's limits. ``subject``,
    ``html`` and ``thread`` (a key that is equal for all letters of one incident, with ``thread_first`` true for the
    first) are for mail; ``mentions`` are phone numbers to call by name in a group; ``at`` is the hub's time at this
    attempt in milliseconds since the epoch (a webhook's timestamp and a mail's date are made of it). ``topic`` (a
    notice's kind) and ``parts`` (what the text is made of, by name) are for templates that a vendor approved; both are
    empty where the channel does not ask for them or the letter is no single notice. ``repeat`` says that an earlier
    try may have reached the vendor. ``card`` is the same message as a card, where the channel shows one. ``changes`` is
    the handle of an earlier card whose buttons ``text`` is to replace: such a letter is no message of its own, and
    ``card`` is then that card, where its vendor wants it once more.
    """

    id: str
    address: str
    text: str
    at: int
    subject: str = ""
    html: str = ""
    thread: str = ""
    thread_first: bool = True
    mentions: tuple[str, ...] = ()
    critical: bool = False
    topic: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    repeat: bool = False
    card: Card | None = None
    changes: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed: its card's id, its code, and the handle by which that card can be changed now."""

    card: str
    code: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class CallEnd:
    """What became of a telephone call: our own name of it (:mod:`channels.voice.reference`), '' where its vendor does
    not give it back; the vendor's; the ``key`` that was pressed, '' for none; whether that is the key that signs."""

    reference: str
    vendor_id: str
    kind: ReceiptKind
    detail: str = ""
    key: str = ""
    signs: bool = False


@dataclass(frozen=True, slots=True)
class Uplink:
    """An answer that came in.

    ``message_id`` is the vendor's, or a hash of what identifies it; ``at`` is the hub's time in milliseconds.
    ``other`` names in a word what came instead of text (图片, 位置 …); ``text`` is empty then. ``about`` is the code of
    the incident whose message it answers, '' where the channel does not tell. ``unproven``: anybody can have written
    this in the sender's name, so nothing may be done for it. ``media`` is by what the vendor gives out a picture that
    came. ``press`` is a button that was pressed on a card. ``entered`` says that nothing was said: somebody only came
    in. ``call`` is the end of a telephone call to ``sender``.
    """

    channel: str
    message_id: str
    sender: str
    text: str
    at: int
    other: str = ""
    about: str = ""
    unproven: bool = False
    media: str = ""
    press: Press | None = None
    entered: bool = False
    call: CallEnd | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What the vendor tells later about a send, tied by our letter id, or where that is '' by its vendor id."""

    channel: str
    letter_id: str
    vendor_id: str
    kind: ReceiptKind
    at: int
    detail: str = ""


def answer_id(channel: str, message_id: str) -> str:
    """The id of the letter that answers an uplink, by its channel and :attr:`Uplink.message_id`, so that a driver whose
    vendor gives each message a turn to answer knows which answer that is."""
    digest = blake2s(f"{channel}\x1f{message_id}".encode(), digest_size=8).hexdigest()
    return f"answer.{digest}"


class Channel(Protocol):
    """A way out. Instances keep connections open between sends and are safe for concurrent ``send`` calls."""

    Settings: ClassVar[Any]
    name: str
    abilities: Abilities

    async def send(self, letter: Letter) -> Outcome:
        """Send one letter and read the vendor's answer, body before status. Never raises for anything the vendor or the
        network does: that is an outcome. Timed out after the request left: ``uncertain``. A cancelled send raises
        ``CancelledError`` like any await; whoever cancels it must take it as ``uncertain``."""

    async def close(self) -> None:
        """Give connections back."""
