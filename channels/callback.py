"""Where a vendor's call-backs knock, and who may: a secret path for each channel and a list of addresses.

The door itself is the hub's web server; what a call-back says is read by the channel's driver (:class:`Inbound`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable
from urllib.parse import quote

from pydantic import SecretStr

from channels.channel import Report, Uplink
from channels.outcome import Outcome

LONGEST_QUERY = 20_000
LONGEST_BODY = 256 * 1024
"""What a call may bring at most, in bytes; a longer one is refused unread."""

FORM = "application/x-www-form-urlencoded"


class Errand(StrEnum):
    """What a call-back brings: what somebody says, what became of a send, or what the vendor tells of the account."""

    UPLINK = "uplink"
    REPORT = "report"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Call:
    """A vendor's call as it came: the errand its path names, the method, the query still percent-encoded, the headers
    with names in lower case, the whole body."""

    errand: Errand
    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def form(self) -> str:
        """The query together with a urlencoded body, for vendors that call by GET and by POST alike."""
        body = self.body.decode("ascii", "replace") if self.content_type == FORM else ""
        return "&".join(filter(None, (self.query, body)))


@dataclass(frozen=True, slots=True)
class Thanks:
    """The HTTP answer a vendor takes as "received"; it leaves when what came is on disk."""

    body: bytes = b""
    content_type: str = ""
    status: int = 200


class Unread(NamedTuple):
    """What is not what the vendor sends: why, in words fit for a log, and the text as it came. ``errand`` is what it
    was where that is known to be another than its call's (None)."""

    words: str
    raw: str
    errand: Errand | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call said: typed items, in their order, and the vendor's answer for when they are on disk.

    No items is an answer too (a vendor that only verifies the address). ``unreadable`` are parts of a batch that are
    not what the vendor sends: a repeat would bring the same, so they are kept as they are and hold the others up no
    longer.
    """

    items: tuple[Uplink | Report, ...]
    thanks: Thanks
    unreadable: tuple[Unread, ...] = ()


@runtime_checkable
class Inbound(Protocol):
    """A driver whose vendor calls back; the web server finds such drivers by ``isinstance``.

    An empty ``callback_token`` means that the door stays shut, and errands other than ``callback_errands`` that there
    is none.
    """

    name: str
    callback_token: SecretStr
    callback_addresses: tuple[str, ...]
    callback_errands: frozenset[Errand]

    def read_call(self, call: Call, at: int) -> Heard:
        """What a call says; ``at`` is the hub's time in ms. Pure.

        Raises ValueError, with words fit for a log, for a call that is not what the vendor sends.
        """


@dataclass(frozen=True, slots=True)
class Media:
    """A file that somebody sent, as its vendor gives it out."""

    body: bytes = field(repr=False)


@runtime_checkable
class MediaSource(Protocol):
    """A driver whose vendor gives out the files that people send, for some days."""

    async def fetch(self, media: str, at: int) -> Media | Outcome:
        """The file of an :attr:`Uplink.media`, or what its asking came to: ``refused_content`` where there will never
        be one. ``at`` is the hub's time in ms. Never raises for anything the vendor or the network does."""


class NotOursError(ValueError):
    """A call-back that does not come from the vendor: a wrong seal, a stale time. The words are fit for a log."""


@runtime_checkable
class Listener(Protocol):
    """A driver whose vendor signs its call-backs; ``/callback/<channel>`` is their address.

    ``patience`` is how long the vendor waits for an answer, in seconds: what cannot be kept by then is not answered at
    all, since such vendors call again after silence, and never after an error.
    """

    name: str
    listens: bool
    patience: float

    def read_call(self, call: Call, at: int) -> Heard:
        """What a call says, once its seal is found right; ``at`` is the hub's time in ms. Pure.

        Raises :class:`NotOursError`, or ValueError for what its vendor cannot mean.
        """


def callback_path(channel: str, token: str, errand: Errand) -> str:
    """The path of a channel's call-back, percent-encoded: ``/callback/<channel>/<token>/<errand>``."""
    return f"/callback/{quote(channel, safe='')}/{quote(token, safe='')}/{errand}"


def listener_path(channel: str) -> str:
    """The path of a channel whose vendor signs its call-backs: ``/callback/<channel>``."""
    return f"/callback/{quote(channel, safe='')}"


def address_allowed(address: str, allowed: Sequence[str]) -> bool:
    """Whether ``address`` (a number, as the socket says) lies in one of the networks ``allowed``; none: nobody."""
    try:
        caller = _plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(each, strict=False) for each in allowed)


def _plain(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
